"""What the demo's study has measured, as a table and as one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from distilkobert.io.metric_names import AGREEMENT, LOSS, TEACHER_LOSS, TEST
from distilkobert.io.pretrained import load_pretrained
from distilkobert.io.run_files import read_metrics
from distilkobert.tasks.kinds import QUESTION_ANSWERING, SEQUENCE_CLASSIFICATION, TOKEN_CLASSIFICATION
from experiments._shared.exported.latency_file import LATENCY_FILE, model_key, read_latencies
from experiments._shared.plan_file import TEACHER

if TYPE_CHECKING:
    from rich.table import Table

DISTILLED: Final = "distilled"
UNDISTILLED: Final = "undistilled"
_NAMES: Final = {TEACHER: "teacher", DISTILLED: "student, distilled", UNDISTILLED: "student, undistilled"}
_TASKS: Final = {"nsmc": SEQUENCE_CLASSIFICATION, "naver_ner": TOKEN_CLASSIFICATION, "korquad": QUESTION_ANSWERING}


@dataclass(frozen=True)
class Result:
    """One model of the demo.

    Args:
        layers: Transformer layers.
        parameters: of the encoder.
        mb: size of its weights.
        sentences_per_s: speed in batches of 32.
        loss: held-out masked-LM loss, on the same masks for all.
        agreement: how often its first choice there is the teacher's, 0 to 1; 1 for the teacher.
        scores: task to its score on the test file, 0 to 100.
    """

    layers: int
    parameters: int
    mb: float
    sentences_per_s: float
    loss: float
    agreement: float
    scores: dict[str, float]

    @property
    def mean(self) -> float:
        """Mean of the scores."""
        return sum(self.scores.values()) / len(self.scores)


def read_results(study: Path, seed: int, teacher: Path) -> dict[str, Result]:
    """The results of the demo's three models, by arm.

    Args:
        study: folder of the demo's study.
        seed: its seed.
        teacher: folder of its teacher.
    """
    from transformers import AutoConfig

    speed = read_latencies(study / LATENCY_FILE).models
    results = {}
    for arm in _NAMES:
        run = f"{arm}_seed{seed}"
        folder = teacher if arm == TEACHER else study / "exported" / run
        model = speed[model_key(study, folder)]
        held_out = read_metrics(study / "distil" / (f"{DISTILLED}_seed{seed}" if arm == TEACHER else run))
        scores = {
            task: kind.main_score.scale * read_metrics(study / task / run)[f"{TEST}{kind.main_score.key}"]
            for task, kind in _TASKS.items()
        }
        results[arm] = Result(
            layers=int(load_pretrained(AutoConfig, folder).num_hidden_layers),
            parameters=model.parameters,
            mb=model.mb,
            sentences_per_s=model.sentences_per_s,
            loss=held_out[TEACHER_LOSS if arm == TEACHER else LOSS],
            agreement=1.0 if arm == TEACHER else held_out[AGREEMENT],
            scores=scores,
        )
    return results


def table(results: Mapping[str, Result]) -> "Table":
    """Size, speed, the same masked words, the same tasks: a row for each model."""
    from rich.table import Table

    shown = Table(title="Demo: held-out masked-LM loss, agreement with the teacher's first choice, and the three tasks")
    headings = ("model", "layers", "parameters", "MB", "sentences/s", "loss", "agreement")
    for heading in (*headings, "NSMC", "NER F1", "KorQuAD F1", "mean"):
        shown.add_column(heading, justify="left" if heading == "model" else "right")
    for arm, one in results.items():
        shown.add_row(
            _NAMES[arm], str(one.layers), f"{one.parameters:,}", f"{one.mb:.2f}", f"{one.sentences_per_s:,.0f}",
            f"{one.loss:.3f}", "" if arm == TEACHER else f"{one.agreement:.1%}",
            *(f"{score:.1f}" for score in one.scores.values()), f"{one.mean:.1f}",
        )  # fmt: skip
    return shown


def verdict(results: Mapping[str, Result]) -> str:
    """What the student keeps of its teacher's mean score; and plainly so, where it is not what distillation is for."""
    teacher, distilled, undistilled = (results[arm] for arm in _NAMES)
    kept = (
        f"The student keeps {distilled.mean / teacher.mean:.1%} of the teacher's mean score with {distilled.layers} of "
        f"{teacher.layers} layers; undistilled {undistilled.mean / teacher.mean:.1%}."
    )
    if teacher.mean > distilled.mean > undistilled.mean:
        return kept
    return f"{kept} NOT the expected order, which is teacher above distilled above undistilled: one run, one seed."
