"""What pretraining and distillation share: `validate` measures, `predict` fills [MASK]; there is nothing to test on."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from distilkobert.models.heads import encode, masked_lm_logits
from lightning_modules.base import EncoderModule

SHOWN_PIECES = 5
"""Pieces that `predict` gives for each [MASK]."""


class MaskedLMModule(EncoderModule):
    """A module whose network has a masked-LM head.

    A subclass gives `evaluate` and, where it measures more than means over tokens, `log_measures`.
    """

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        """See the base class; the constructor reads nothing, and facts of a corpus have defaults."""
        cls(**settings)

    @abstractmethod
    def evaluate(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Count one held-out batch into the metrics of `stage`, which is `val`."""

    def log_measures(self, stage: str) -> None:
        """Log what was measured over all batches of `stage`; nothing but the means here."""

    def start_bands(self) -> dict[str, tuple[float, float]]:
        """Plausible values of the terms before the first step, by name: lowest and highest."""
        return {}

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Measure one batch of the corpus' validation part."""
        self.evaluate("val", batch)

    def on_validation_epoch_end(self) -> None:
        """Log the measures as `val/...`."""
        super().on_validation_epoch_end()
        self.log_measures("val")

    def predict_step(self, batch: Mapping[str, Any], batch_idx: int) -> dict[str, list[dict[str, Any]]]:
        """For every [MASK] the most likely pieces and their probabilities; one record for each text.

        Args:
            batch: `input_ids`, `attention_mask` and `masked` (where a [MASK] is), each (B, T); `rows` and `texts`.
            batch_idx: number of the batch.
        """
        hidden = encode(self.network, batch["input_ids"], batch["attention_mask"])
        logits = masked_lm_logits(self.network, hidden[batch["masked"]])
        tokenizer: Any = self.trainer.datamodule.tokenizer  # type: ignore[attr-defined]
        known = logits[..., : tokenizer.vocab_size].float().softmax(-1)  # without the rows that fill up a vocabulary
        probabilities, ids = known.topk(min(SHOWN_PIECES, known.shape[-1]))
        filled = [
            [
                {"piece": piece, "probability": probability}
                for piece, probability in zip(tokenizer.convert_ids_to_tokens(chosen), shares, strict=True)
            ]
            for chosen, shares in zip(ids.tolist(), probabilities.tolist(), strict=True)
        ]
        records = []
        for row, text, count in zip(batch["rows"], batch["texts"], batch["masked"].sum(1).tolist(), strict=True):
            records.append({"row": row, "text": text, "masks": filled[:count]})
            filled = filled[count:]
        return {"records": records}
