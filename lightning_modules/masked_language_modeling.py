"""Masked language modelling: pretrain a BERT from scratch, so that there is a teacher where none can be downloaded."""

from typing import Any

from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.models.heads import encode, masked_lm_logits
from distilkobert.models.teachers import EncoderSpec, build_encoder
from distilkobert.objectives.functions import masked_lm_loss
from distilkobert.optim import OptimizerSpec
from lightning_modules.base import TokenMeans
from lightning_modules.masked_lm import MaskedLMModule


class MaskedLanguageModeling(MaskedLMModule):
    """Train a BERT encoder with its masked-LM head.

    Args:
        encoder: shape of the network.
        optimizer: AdamW and its schedule.
        vocab_size: pieces of the corpus' tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        max_length: longest sequence of the corpus, in tokens; filled in from the data. None leaves it unchecked.

    Raises:
        ValueError: the encoder has too few positions for the corpus.
    """

    def __init__(
        self,
        encoder: EncoderSpec = EncoderSpec(),  # noqa: B008 - frozen, and the command line shows its defaults
        optimizer: OptimizerSpec = OptimizerSpec(),  # noqa: B008
        vocab_size: int = 8002,
        pad_token_id: int = 1,
        max_length: int | None = None,
    ) -> None:
        # Here, where nothing is read, and not where the network is built: by then there is a run folder.
        if max_length is not None and encoder.max_positions < max_length:
            raise ValueError(
                f"encoder.max_positions is {encoder.max_positions}, but the corpus has sequences of up to {max_length} "
                f"tokens; set --model.encoder.max_positions={max_length} or more, or prepare the corpus with "
                f"--max_tokens {encoder.max_positions}"
            )
        super().__init__(task="masked_lm", optimizer=optimizer)
        self.encoder = encoder
        self.vocab_size = vocab_size
        self.pad_token_id = pad_token_id
        self.means = TokenMeans("loss", "accuracy")

    def configure_model(self) -> None:
        """Build the encoder with random weights."""
        if not self.is_configured:
            self.network = build_encoder(self.encoder, vocab_size=self.vocab_size, pad_token_id=self.pad_token_id)

    def on_test_start(self) -> None:
        """Refuse random weights."""
        self._require_training("test")

    def on_predict_start(self) -> None:
        """Refuse random weights."""
        self._require_training("predict")

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Any]:
        """Masked-LM loss of one batch: `input_ids`, `attention_mask`, `labels`, each (B, T)."""
        loss, _, _ = self._masked_lm(batch)
        return {"loss": loss, "terms": {"total": loss.detach(), "masked_lm": loss.detach()}}

    def evaluate(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Held-out loss and top-1 accuracy over the masked tokens."""
        loss, logits, labels = self._masked_lm(batch)
        self.means.add(self, stage, "loss", loss, len(labels))
        self.means.add(
            self, stage, "accuracy", (logits.argmax(-1) == labels).float().sum() / max(len(labels), 1), len(labels)
        )

    def _require_training(self, command: str) -> None:
        if not self.weights_step:
            raise ValueError(
                f"the encoder has random weights, so there is nothing to {command}; name the trained checkpoint with "
                "--ckpt_path"
            )

    def _masked_lm(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, logits (N, V) and true ids (N,) of the N masked tokens."""
        hidden = encode(self.network, batch["input_ids"], batch["attention_mask"])
        masked = batch["labels"] != IGNORE_INDEX
        labels = batch["labels"][masked]
        logits = masked_lm_logits(self.network, hidden[masked])
        return masked_lm_loss(logits, labels), logits, labels
