"""What the three task modules share: loading an encoder under a new head, and feeding it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor

from distilkobert.checkpoints import Task, load_model
from distilkobert.optim import OptimizerSpec
from lightning_modules.base import EncoderModule

FINE_TUNING = OptimizerSpec(lr=5e-5, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup=0.0)
"""The original's fine-tuning optimizer (monologg/KoBERT-nsmc, KoBERT-NER, KoBERT-KorQuAD)."""


class FineTuning(EncoderModule):
    """An encoder of transformers under the head of one task.

    Args:
        task: the head.
        init_from: exported folder, checkpoint of ours, or hub id that gives the encoder.
        optimizer: AdamW and its schedule.
        settings: the subclass' further settings, in plain types.
        labels: names of the head's classes; None for question answering.
        vocab_size: pieces of the data's tokenizer; None leaves it unchecked.
    """

    def __init__(
        self,
        *,
        task: Task,
        init_from: str,
        optimizer: OptimizerSpec,
        settings: Mapping[str, Any],
        labels: Sequence[str] | None,
        vocab_size: int | None,
    ) -> None:
        super().__init__(task=task, optimizer=optimizer, settings=settings)
        self.init_from = init_from
        self.labels = None if labels is None else list(labels)
        self.vocab_size = vocab_size

    def configure_model(self) -> None:
        """Load the encoder; say which weights are new, and refuse if any of them is not the head's.

        Raises:
            FileNotFoundError: there is no such model.
            ValueError: the encoder is incomplete, or its vocabulary is not the data's.
        """
        if self.is_configured:
            return
        model, missing = load_model(self.init_from, self.task, self.labels)
        prefix = model.base_model_prefix
        lost = [n for n in missing if n.startswith(f"{prefix}.") and not n.startswith(f"{prefix}.pooler.")]
        if lost:
            raise ValueError(
                f"init_from={self.init_from}: the encoder is incomplete; it lacks {', '.join(lost[:4])}"
                f"{' and others' if len(lost) > 4 else ''}. Only the task's head may start from random weights"
            )
        if self.vocab_size is not None and model.config.vocab_size != self.vocab_size:
            raise ValueError(
                f"init_from={self.init_from}: its vocabulary has {model.config.vocab_size} pieces, the data's tokenizer "
                f"{self.vocab_size}; name the tokenizer the model was trained with"
            )
        rank_zero_info(f"newly initialised: {', '.join(sorted(missing)) or 'nothing'}")
        model.train()
        self.network = model

    def inputs(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the network takes of a batch: segment ids only for models that know them."""
        names = ["input_ids", "attention_mask"]
        if self.network.config.model_type != "distilbert" and "token_type_ids" in batch:
            names.append("token_type_ids")
        return {name: batch[name] for name in names}
