"""An exported fine-tuned model answers lines as `test` did on the same texts."""

import json
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
import torch
from seqeval.metrics.sequence_labeling import get_entities
from transformers import DistilBertConfig, DistilBertModel

from experiments.cli import TrainerCLI
from experiments.export import export
from experiments.predict import predict
from tests.integration.task_world import TaskWorld, make_task_world
from tests.world import VOCABULARY, World

Run = Callable[..., TrainerCLI]


def expected_lines(task: str, stored: list[dict[str, Any]], texts: list[str]) -> list[list[str]]:
    """Columns that should be printed, without positions and probabilities."""
    if task == "nsmc":
        return [[record["predicted"]] for record in stored]
    lines = []
    for record, text in zip(stored, texts, strict=True):
        found = get_entities(record["predicted"], suffix=task == "naver_ner")
        blank = " " if task == "naver_ner" else ""
        lines.append(
            [f"{kind}:{blank.join(record['units'][first : last + 1])}" for kind, first, last in found] or ["-"]
        )
        assert all(column.partition(":")[2] in text for column in lines[-1])
    return lines


@pytest.mark.parametrize("task", ["nsmc", pytest.param("naver_ner", marks=pytest.mark.slow), "klue_ner"])
def test_an_exported_folder_answers_lines_as_test_did(
    task: str, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    tasks: TaskWorld = make_task_world(world, tmp_path)
    # Large random weights give predictions of many kinds without training.
    wide = DistilBertConfig(
        vocab_size=VOCABULARY, dim=16, hidden_dim=24, n_layers=2, n_heads=2, max_position_embeddings=64,
        pad_token_id=1, initializer_range=0.4,
    )  # fmt: skip
    torch.manual_seed(0)
    DistilBertModel(wide).save_pretrained(tmp_path / "wide")
    run("fit", tasks.options(task, tmp_path, f"--model.init_from={tmp_path / 'wide'}", "--trainer.max_steps=1"))
    finished = tmp_path / task / "base_seed42"
    run("test", ["-c", str(finished / "config.yaml"), f"--ckpt_path={finished / 'checkpoints' / 'last.ckpt'}"])
    stored = [json.loads(line) for line in (finished / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    if task == "nsmc":
        rows = (tasks.root / task / "ratings_test.txt").read_text(encoding="utf-8").splitlines()[1:]
        texts = [row.split("\t")[1] for row in rows]
    else:
        texts = [(" " if task == "naver_ner" else "").join(record["units"]) for record in stored]
    folder = export(str(finished / "checkpoints" / "last.ckpt"), str(tmp_path / "exported"))
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO("\n".join(texts).encode())))
    predict(str(folder), max_length=48, batch_size=7)
    printed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    expected = expected_lines(task, stored, texts)
    said = {(str(line), round(record["probability"], 3)) for line, record in zip(expected, stored, strict=True)}
    assert len(said) > 5, "the model must say many different things"
    if task == "nsmc":
        assert [float(line[1]) for line in printed] == pytest.approx([r["probability"] for r in stored], abs=1e-3)
        printed = [line[:1] for line in printed]
    else:
        for line, text in zip(printed, texts, strict=True):
            for column in line if line != ["-"] else []:
                _, place, shown = column.split(":", 2)
                start, end = map(int, place.split("-"))
                assert text[start:end] == shown
        printed = [[f"{c.split(':', 2)[0]}:{c.split(':', 2)[2]}" if c != "-" else c for c in line] for line in printed]
    assert printed == expected
