"""Extractive question answering: the first and the last piece of the answer (KorQuAD)."""

from collections.abc import Sequence
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from distilkobert.metrics import KorQuadScore
from distilkobert.metrics.korquad import exact_match, write_predictions
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import QUESTION_ANSWERING
from lightning_modules.finetuning import FINE_TUNING, Batch, FineTuning, Record, TaskOutput


class QuestionAnswering(FineTuning):
    """An encoder under transformers' question answering head, scored by the official rules of KorQuAD 1.0 (percent).

    `exact_match` and `f1` are those of the answers given; `exact_match_raw` and `f1_raw` those of the answers before
    a trailing particle was stripped, and equal to them where none is.

    Args:
        init_from: exported folder, checkpoint of ours, or hub id that gives the encoder.
        optimizer: AdamW and its schedule.
        vocab_size: pieces of the data's tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        input_settings: how texts become inputs, and answers are read out; filled in from the data.
    """

    batch_keys = ("start_positions", "end_positions")

    def __init__(
        self,
        init_from: str,
        optimizer: OptimizerSpec = FINE_TUNING,
        vocab_size: int | None = None,
        pad_token_id: int | None = None,
        input_settings: InputSettings | None = None,
    ) -> None:
        super().__init__(
            kind=QUESTION_ANSWERING,
            init_from=init_from,
            optimizer=optimizer,
            labels=(),
            input_settings=input_settings,
            vocab_size=vocab_size,
            pad_token_id=pad_token_id,
        )
        self.given = KorQuadScore()
        self.raw = KorQuadScore()

    def output(self, batch: Batch) -> TaskOutput:
        """Mean of the cross-entropies of answer start and end, over windows; two logits (B, T)."""
        output = self.network(**self.inputs(batch))
        logits = (output.start_logits, output.end_logits)
        targets = (batch["start_positions"], batch["end_positions"])
        start, end = (F.cross_entropy(row.float(), target) for row, target in zip(logits, targets, strict=True))
        return TaskOutput((start + end) / 2, len(logits[0]), logits)

    def is_right(self, record: Record) -> bool:
        """Whether the answer matches one of the true ones exactly."""
        return any(exact_match(record["predicted"], gold) for gold in record["gold"])

    def shown_ids(self, batch: Batch, number: int) -> list[int]:
        """The question: all of its first window that is not context."""
        row = batch["questions"][number].rows.start
        asked = batch["token_type_ids"][row] == 0
        return batch["input_ids"][row][asked].tolist()  # type: ignore[no-any-return]

    def shown_answers(self, batch: Batch, number: int, record: Record) -> tuple[str, str]:
        """The true answers and the one given."""
        return " / ".join(dict.fromkeys(record["gold"])), record["predicted"]

    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """Count the questions."""
        golds = {record["id"]: record["gold"] for record in records}
        self.given.update({record["id"]: record["predicted"] for record in records}, golds)
        self.raw.update({record["id"]: record["raw"] for record in records}, golds)

    def scores(self, stage: str) -> dict[str, Tensor]:
        """Both scores of the answers given and of the raw ones."""
        values = self.given.compute() | {f"{name}_raw": value for name, value in self.raw.compute().items()}
        self.given.reset()
        self.raw.reset()
        return values

    def save_predictions(self, folder: Path, stem: str, records: Sequence[Record]) -> None:
        """Write the details, and `<stem>.json` in the official format."""
        super().save_predictions(folder, stem, records)
        write_predictions(folder / f"{stem}.json", {record["id"]: record["predicted"] for record in records})
