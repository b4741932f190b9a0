"""The metrics over two gloo processes with uneven shards, one of them empty at times."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from distilkobert.metrics import EntityF1, KorQuadScore
from tests.support.forkserver import run_two

LABELS = ("O", "B-P", "I-P", "B-L", "I-L")
GOLDS = [["B-P", "I-P", "O"], ["B-L"], ["O", "B-P"], ["I-P", "B-L", "O", "B-P"], ["O"]]
GUESSES = [["B-P", "O", "O"], ["B-L"], ["B-L", "B-P"], ["I-P", "B-L", "O", "O"], ["B-P"]]
ANSWERS = {"a": ["부산"], "b": ["서울", "서울시"], "c": ["1987년"], "d": ["강"], "e": ["책"]}
PREDICTIONS = {"a": "부산에서", "b": "서울시", "c": "1987년", "e": "산"}
SHARES = (5, 4, 2)  # sentences and questions of rank 0; the rest goes to rank 1


def scored(share: slice) -> dict[str, float]:
    entities, korquad = EntityF1(LABELS), KorQuadScore()
    for gold, guess, answer in list(zip(GOLDS, GUESSES, ANSWERS, strict=True))[share]:
        entities.update([guess], [gold])
        korquad.update(PREDICTIONS, {answer: ANSWERS[answer]})
    return {f"{type(m).__name__}/{k}": float(v) for m in (entities, korquad) for k, v in m.compute().items()}


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    scores = [scored(slice(share) if rank == 0 else slice(share, None)) for share in SHARES]
    torch.save(scores, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric:UserWarning")
def test_two_uneven_processes_score_like_one(tmp_path: Path) -> None:
    expected = scored(slice(None))
    assert len(set(expected.values())) > 4, "the example must tell the scores apart"
    run_two(work, str(tmp_path))
    for rank in range(2):
        for scores in torch.load(tmp_path / f"{rank}.pt"):
            assert scores == pytest.approx(expected)
