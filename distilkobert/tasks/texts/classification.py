"""What a text, or a pair of texts, is: one class of several, any number of labels, or a score."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.tasks.codec import Batch, Counts, Record, Row, TextCodec
from distilkobert.tasks.files.text_examples import TextExample
from distilkobert.tasks.score_sums import (
    class_sums,
    correlation_sums,
    label_sums,
    macro_f1,
    matthews,
    ratio_sums,
    share_sums,
)

_BLOCK = 4096


class SequenceCodec(TextCodec):
    """Rows: `id`, `text` (of a pair both, a tab between them), `label`, `ids`, `pieces` (their number); of pairs also
    `pair_ids`."""

    unknown: ClassVar[Any] = IGNORE_INDEX
    """Label of a text whose label is not known."""

    def encode(self, examples: Iterable[TextExample]) -> Iterator[Row]:
        """Encode whole texts, so that one table serves every length."""
        rest = iter(examples)
        while block := list(islice(rest, _BLOCK)):
            firsts = self._ids([example.text for example in block])
            seconds = self._ids([example.pair or "" for example in block]) if self.settings.pair else [[]] * len(block)
            for example, first, second in zip(block, firsts, seconds, strict=True):
                row = {"id": example.id, "text": example.texts, "label": example.label, "ids": first}
                if self.settings.pair:
                    row["pair_ids"] = second
                yield {**row, "pieces": len(first) + len(second)}

    def read(self, texts: Sequence[str]) -> Row:
        """See the base class.

        Raises:
            ValueError: half of a pair is blank.
        """
        if self.settings.pair and not all(text.strip() for text in texts):
            raise ValueError(f"half of the pair is blank; expected {self.line_form} with a text on both sides")
        return next(self.encode([TextExample("", texts[0], texts[1] if self.settings.pair else None, self.unknown)]))

    def batch(self, rows: Sequence[Row], numbers: Sequence[int]) -> Batch:
        """`input_ids`, `attention_mask`, `token_type_ids` (B, T), `labels` (B,) or (B, L), and `rows`, the numbers."""
        return {**self.inputs(rows), "labels": torch.tensor([row["label"] for row in rows]), "rows": list(numbers)}

    def _ids(self, texts: list[str]) -> list[list[int]]:
        return [ids.tolist() for ids in self.encoder.encode_batch(texts)]


class ClassificationCodec(SequenceCodec):
    """One class a text; labels are numbers, -100 where they are not known."""

    @staticmethod
    def records(batch: Mapping[str, Any], logits: Sequence[Tensor], labels: Sequence[str]) -> list[Record]:
        """Number, true label (None where it is not known), predicted label, and its probability."""
        probabilities, choices = logits[0].float().softmax(-1).max(-1)
        names = dict(enumerate(labels))
        columns = (batch["rows"], batch["labels"].tolist(), choices.tolist(), probabilities.tolist())
        return [
            {"row": row, "gold": names.get(gold), "predicted": labels[choice], "probability": probability}
            for row, gold, choice, probability in zip(*columns, strict=True)
        ]

    def line(self, record: Record, text: str) -> str:
        """Label and probability."""
        return f"{record['predicted']}\t{record['probability']:.4f}"

    @staticmethod
    def counts(records: Sequence[Mapping[str, Any]]) -> Counts:
        """Of accuracy, macro F1 and Matthews' correlation."""
        golds, guesses = ([record[name] for record in records] for name in ("gold", "predicted"))
        return {
            "accuracy": share_sums([gold == guess for gold, guess in zip(golds, guesses, strict=True)]),
            "macro F1": class_sums(golds, guesses, macro_f1),
            "MCC": class_sums(golds, guesses, matthews),
        }


class MultiLabelCodec(SequenceCodec):
    """Any number of labels a text; a label is given where its probability is above a half."""

    def read(self, texts: Sequence[str]) -> Row:
        """See the base class."""
        return {**super().read(texts), "label": [IGNORE_INDEX] * len(self.labels)}

    @staticmethod
    def records(batch: Mapping[str, Any], logits: Sequence[Tensor], labels: Sequence[str]) -> list[Record]:
        """Number, true labels (None where they are not known), given labels, and the probability of every label.

        `probability` is that of the least sure decision.
        """
        shares: list[list[float]] = logits[0].float().sigmoid().tolist()
        golds: list[list[int]] = batch["labels"].tolist()
        return [
            {
                "row": row,
                "gold": None
                if IGNORE_INDEX in gold
                else [name for name, held in zip(labels, gold, strict=True) if held],
                "predicted": [name for name, value in zip(labels, share, strict=True) if value > 0.5],
                "probability": min(max(value, 1 - value) for value in share),
                "probabilities": dict(zip(labels, share, strict=True)),
            }
            for row, gold, share in zip(batch["rows"], golds, shares, strict=True)
        ]

    def line(self, record: Record, text: str) -> str:
        """Each label that is given with its probability, or a dash."""
        given = (f"{name}\t{record['probabilities'][name]:.4f}" for name in record["predicted"])
        return "\t".join(given) or "-"

    @staticmethod
    def counts(records: Sequence[Mapping[str, Any]]) -> Counts:
        """Of micro and macro F1 over labels, and of exact match: all labels are right."""
        golds, guesses = ([record[name] for record in records] for name in ("gold", "predicted"))
        pairs = [(set(gold), set(guess)) for gold, guess in zip(golds, guesses, strict=True)]
        right = np.array([2 * len(gold & guess) for gold, guess in pairs], dtype=np.float64)
        both = np.array([len(gold) + len(guess) for gold, guess in pairs], dtype=np.float64)
        return {
            "micro F1": ratio_sums(right, both),
            "macro F1": label_sums(golds, guesses, list(records[0]["probabilities"])),
            "exact match": share_sums([gold == guess for gold, guess in pairs]),
        }


class RegressionCodec(SequenceCodec):
    """A score for a text; NaN where it is not known."""

    unknown: ClassVar[Any] = math.nan

    @staticmethod
    def records(batch: Mapping[str, Any], logits: Sequence[Tensor], labels: Sequence[str]) -> list[Record]:
        """Number, true score (None where it is not known), and predicted score."""
        scores: list[float] = logits[0].float()[:, 0].tolist()
        golds: list[float] = batch["labels"].tolist()
        return [
            {"row": row, "gold": None if math.isnan(gold) else gold, "predicted": score}
            for row, gold, score in zip(batch["rows"], golds, scores, strict=True)
        ]

    def line(self, record: Record, text: str) -> str:
        """The score."""
        return f"{record['predicted']:.4f}"

    @staticmethod
    def counts(records: Sequence[Mapping[str, Any]]) -> Counts:
        """Of the correlations of Pearson and Spearman."""
        golds, guesses = ([record[name] for record in records] for name in ("gold", "predicted"))
        return {
            "Pearson": correlation_sums(golds, guesses, ranked=False),
            "Spearman": correlation_sums(golds, guesses, ranked=True),
        }
