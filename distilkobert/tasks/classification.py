"""Classification of a text, or of a pair of texts: one label each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.tasks.codec import Batch, Counts, Record, Row, TextCodec
from distilkobert.tasks.files.nsmc import Review

_BLOCK = 4096


class ClassificationCodec(TextCodec):
    """Rows: `id`, `text`, `label`, `ids`, `pieces` (their number); of pairs also `pair_ids`."""

    def encode(self, reviews: Iterable[Review]) -> Iterator[Row]:
        """Encode whole texts, so that one table serves every length."""
        rest = iter(reviews)
        while block := list(islice(rest, _BLOCK)):
            encoded = self.encoder.encode_batch([review.text for review in block])
            for review, ids in zip(block, encoded, strict=True):
                yield {**review._asdict(), "ids": ids.tolist(), "pieces": len(ids)}

    def read_line(self, line: str) -> Row:
        """See the base class."""
        if not self.settings.pair:
            return next(self.encode([Review("", line, IGNORE_INDEX)]))
        first, second = self.encode(Review("", text, IGNORE_INDEX) for text in self.two_texts(line))
        return {**first, "pair_ids": second["ids"]}

    def batch(self, rows: Sequence[Row], numbers: Sequence[int]) -> Batch:
        """`input_ids`, `attention_mask`, `token_type_ids` (B, T), `labels` (B,), and `rows`, the numbers."""
        return {**self.inputs(rows), "labels": torch.tensor([row["label"] for row in rows]), "rows": list(numbers)}

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
        """Of accuracy: 1 for a right label, of 1."""
        right = np.array([record["gold"] == record["predicted"] for record in records], dtype=np.float64)
        return Counts({"accuracy": right}, {"accuracy": np.ones_like(right)})
