"""Masked language modelling: pretrain a BERT from scratch, or continue from any encoder on your own corpus."""

from typing import Any, Literal

from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor

from distilkobert.models.checks import SHORTER_CORPUS, DataFacts, check_length
from distilkobert.models.compute import ComputeSpec
from distilkobert.models.continued import load_to_continue
from distilkobert.models.dropout import NO_CHANGE, DropoutSpec
from distilkobert.models.heads import encode, layer_parameters, masked_lm_logits
from distilkobert.models.teachers import EncoderSpec, build_encoder
from distilkobert.objectives.contract.outputs import batch_of
from distilkobert.objectives.functions import masked_lm_band, masked_lm_loss
from distilkobert.optim import OptimizerSpec, steps_of_share
from lightning_modules.base import TokenMeans
from lightning_modules.masked_lm import MaskedLMModule

_FIRST_PART = "first_part"
"""Entry of a checkpoint: after how many steps the rest joins, and of how many in all."""
FIRST_SHARE = 0.1
"""Default of `train_first_share`."""


class MaskedLanguageModeling(MaskedLMModule):
    """Train an encoder with its masked-LM head.

    Args:
        encoder: shape of a network with random weights; not allowed with `init_from`.
        optimizer: AdamW and its schedule.
        init_from: folder, checkpoint or hub id of the encoder to continue from; a missing masked-LM head is added, tied
            to the embeddings. None: a BERT with random weights.
        train_first: parameters that are trained alone in the first part of training, so that a new vocabulary adapts to
            the encoder before the encoder changes. When the rest joins, the learning rate warms up a second time. None
            trains everything from the start.
        train_first_share: length of that part, as a share of all optimizer steps.
        vocab_size: pieces of the corpus' tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        max_length: longest sequence of the corpus, in tokens; filled in from the data. None: not checked.
        dropout: with `init_from`, other dropout than the encoder's own, kept in its exports; `encoder.dropout` without.
        compute: compilation and gradient checkpointing.

    Raises:
        ValueError: the encoder has too few positions for the corpus, or settings contradict each other.
    """

    def __init__(
        self,
        encoder: EncoderSpec = EncoderSpec(),  # noqa: B008 - frozen, and the command line shows its defaults
        optimizer: OptimizerSpec = OptimizerSpec(),  # noqa: B008
        init_from: str | None = None,
        train_first: Literal["embeddings_and_head"] | None = None,
        train_first_share: float = FIRST_SHARE,
        vocab_size: int = 8002,
        pad_token_id: int = 1,
        max_length: int | None = None,
        dropout: DropoutSpec = NO_CHANGE,
        compute: ComputeSpec = ComputeSpec(),  # noqa: B008
    ) -> None:
        if init_from is None and dropout.changes:
            raise ValueError(
                "dropout changes the dropout of the encoder in init_from, which is not set; with random weights, set "
                "--model.encoder.dropout"
            )
        if init_from is not None and encoder != EncoderSpec():
            raise ValueError(
                f"encoder defines a new network, but init_from={init_from} has its own shape; remove --model.encoder, "
                "or init_from to start from random weights"
            )
        if train_first is None and train_first_share != FIRST_SHARE:
            raise ValueError(
                f"train_first_share={train_first_share}, but train_first is not set; set "
                "--model.train_first=embeddings_and_head"
            )
        if not 0.0 < train_first_share < 1.0:
            raise ValueError(f"train_first_share={train_first_share}: a share of all steps, must be between 0 and 1")
        # Here, where nothing is read, and not where the network is built: by then there is a run folder.
        if init_from is None:
            remedy = f"set --model.encoder.max_positions={max_length} or more, or {SHORTER_CORPUS}"
            check_length(encoder.max_positions, max_length, "model.encoder", remedy)
        super().__init__(task="masked_lm", optimizer=optimizer)
        self.encoder = encoder
        self.compute = compute
        self.init_from, self.dropout = init_from, dropout
        self.train_first = train_first
        self.train_first_share = train_first_share
        self.vocab_size = vocab_size
        self.pad_token_id = pad_token_id
        self.max_length = max_length
        self.new_weights: list[str] = []
        """Weights of the continued encoder that its source did not have."""
        self.means = TokenMeans("loss", "accuracy")
        self._first_steps = 0
        self._length = 0
        self._before: dict[str, int] = {}
        """What the run that is resumed had of the two."""

    def build(self) -> None:
        """Build the encoder with random weights, or load the one to continue from, and log what was added to it.

        Raises:
            FileNotFoundError: there is no such model to continue from.
            ValueError: it is incomplete, or does not fit the corpus.
        """
        if self.init_from is None:
            self.network = build_encoder(self.encoder, vocab_size=self.vocab_size, pad_token_id=self.pad_token_id)
            self.compute.apply(self.network)
            return
        source = self.checkpoint or self.init_from
        self.network, self.new_weights = load_to_continue(
            source, DataFacts(self.vocab_size, self.pad_token_id, self.max_length), self.dropout
        )
        self.compute.apply(self.network)
        added = f"; added a masked-LM head tied to the embeddings, new: {', '.join(self.new_weights)}"
        rank_zero_info(f"weights from {source}{added if self.new_weights else ', masked-LM head included'}")

    def second_warmup(self, total_steps: int) -> int:
        """The step at which the rest of the network joins; what has joined before the run got longer stays."""
        first = steps_of_share(self.train_first_share, total_steps) if self.train_first else 0
        if self._before.get("length") == total_steps:
            first = self._before["first_steps"]
        elif self._before and self._before["first_steps"] <= self.weights_step < first:
            first = 0
        self._first_steps, self._length = first, total_steps
        return first

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add when the rest of the network joins."""
        super().on_save_checkpoint(checkpoint)
        if self.train_first:
            checkpoint[_FIRST_PART] = {"first_steps": self._first_steps, "length": self._length}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take it from the run that is resumed."""
        super().on_load_checkpoint(checkpoint)
        self._before = checkpoint.get(_FIRST_PART, {})

    def on_after_backward(self) -> None:
        """In the first part of training, drop the gradients of what does not learn yet.

        A parameter without a gradient is left alone by AdamW, weight decay included, and has no moments before it
        joins. Gradients are computed first because DDP waits for those of all parameters.
        """
        if self.trainer.global_step < self._first_steps:
            for weight in layer_parameters(self.network):
                weight.grad = None

    def on_predict_start(self) -> None:
        """Refuse random weights."""
        if not self.weights_step and (self.init_from is None or self.new_weights):
            part = "encoder" if self.init_from is None else "masked-LM head"
            raise ValueError(
                f"the {part} has random weights, so there is nothing to predict; name the trained checkpoint with "
                "--ckpt_path"
            )

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Any]:
        """Masked-LM loss of one batch: `input_ids`, `attention_mask`, `labels`, each (B, T)."""
        loss, _, _ = self._masked_lm(batch)
        return {"loss": loss, "terms": {"total": loss.detach(), "masked_lm": loss.detach()}}

    def start_bands(self) -> dict[str, tuple[float, float]]:
        """Around ln V for random weights; anything below for others."""
        return {"masked_lm": masked_lm_band(self.vocab_size, self.init_from is None)}

    def evaluate(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Held-out loss and top-1 accuracy over the masked tokens."""
        loss, logits, labels = self._masked_lm(batch)
        self.means.add(self, stage, "loss", loss, len(labels))
        self.means.add(
            self, stage, "accuracy", (logits.argmax(-1) == labels).float().sum() / max(len(labels), 1), len(labels)
        )

    def _masked_lm(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, logits (N, V) and true ids (N,) of the N masked tokens."""
        tokens = batch_of(batch)
        hidden = encode(self.network, tokens.input_ids, tokens.padding_mask)
        labels = tokens.labels_of("masked_tokens")
        logits = masked_lm_logits(self.network, tokens.select(hidden, "masked_tokens"))
        return masked_lm_loss(logits, labels), logits, labels
