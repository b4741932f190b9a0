"""What a distillation measures on held-out data: its loss terms, its heads, its layers."""

from collections.abc import Sequence

import pytorch_lightning as pl
from torch import Tensor, nn
from transformers import PreTrainedModel

from distilkobert.batching import IGNORE_INDEX
from distilkobert.corpus.frequency import frequency_buckets
from distilkobert.metrics import BucketAgreement, LayerSimilarity
from distilkobert.models.families import has_head
from distilkobert.models.heads import encode_layers, masked_lm_logits
from distilkobert.models.teachers import FrozenTeacher
from distilkobert.objectives.functions import (
    DistillationLosses,
    cosine_hidden_loss,
    masked_lm_loss,
    soft_target_loss,
)
from lightning_modules.base import TokenMeans

TOTAL = "objective/total"
"""The weighted sum of the loss terms, after the stage."""


class HeldOutMeasures(nn.Module):
    """Measures over batches and ranks; nothing of it is in a checkpoint.

    `objective/<name>` are the loss terms as in training, `objective/total` their weighted sum. A student with a
    masked-LM head has its loss and accuracy on the masked tokens. Where the teacher has one too: agreement with its
    first choice, the soft-target loss there, and the teacher's own loss and accuracy on the same masks, so that a
    student is never compared with a value from other masks. The cosine term is taken over all real tokens, and so is
    the similarity of each student layer to the teacher layer that it is mapped to.

    Args:
        losses: the loss terms.
        token_counts: occurrences of each piece in the corpus; None: agreement is not divided by token frequency.
    """

    similarity: LayerSimilarity

    def __init__(self, losses: DistillationLosses, token_counts: Sequence[int] | None) -> None:
        super().__init__()
        self.losses = losses
        self.means = TokenMeans(
            *("loss", "accuracy", "agreement", "teacher_loss", "teacher_accuracy", "loss/soft_target", "loss/cosine"),
            *(f"objective/{name}" for name in losses.weights),
        )
        self.buckets = None if token_counts is None else BucketAgreement(frequency_buckets(token_counts))

    def compare(self, student: PreTrainedModel, teacher: FrozenTeacher, layers: Sequence[int]) -> None:
        """Take the two networks to be compared.

        Args:
            student: the network that learns.
            teacher: the other.
            layers: for each layer of the student the teacher's that it is compared with.
        """
        self.layers, self.heads = tuple(layers), (has_head(student), has_head(teacher.model))
        widths = [model.config.hidden_size for model in (teacher.model, student)]
        self.similarity = LayerSimilarity(len(layers), *widths)

    def add(
        self,
        module: pl.LightningModule,
        stage: str,
        student: PreTrainedModel,
        teacher: FrozenTeacher,
        batch: dict[str, Tensor],
    ) -> None:
        """Run both networks on one batch and count it.

        Args:
            module: logs the means.
            stage: `val` or `test`.
            student: the network that learns.
            teacher: the other.
            batch: `input_ids`, `attention_mask` and `labels`, each (B, T).
        """
        real = batch["attention_mask"].bool()
        layers = encode_layers(student, batch["input_ids"], batch["attention_mask"])
        teacher_layers = teacher.layers(batch["input_ids"], batch["attention_mask"])
        hidden, teacher_hidden = layers[-1], teacher_layers[-1]
        if hidden.shape == teacher_hidden.shape:
            cosine = cosine_hidden_loss(hidden[real], teacher_hidden[real])
            self._add(module, stage, {"loss/cosine": cosine, "objective/cosine": cosine}, int(real.sum()))
        masked = batch["labels"] != IGNORE_INDEX
        labels, count = batch["labels"][masked], int(masked.sum())
        if self.heads[0]:
            logits = masked_lm_logits(student, hidden[masked])
            loss = masked_lm_loss(logits, labels)
            means = {"loss": loss, "objective/masked_lm": loss, "accuracy": _share(logits.argmax(-1) == labels)}
            self._add(module, stage, means, count)
        if all(self.heads):
            teacher_logits, temperature = teacher.logits(teacher_hidden[masked]), self.losses.temperature
            agrees = logits.argmax(-1) == teacher_logits.argmax(-1)
            soft = soft_target_loss(logits, teacher_logits, temperature=temperature)
            means = {
                "agreement": _share(agrees),
                "teacher_loss": masked_lm_loss(teacher_logits, labels),
                "teacher_accuracy": _share(teacher_logits.argmax(-1) == labels),
                "loss/soft_target": soft,
                "objective/soft_target": soft,
            }
            self._add(module, stage, means, count)
            if self.buckets is not None:
                self.buckets.update(agrees, labels)
            if self.losses.soft_target and self.losses.soft_target_on == "real_tokens":
                rest = real & ~masked  # the others are in already
                logits, teacher_logits = masked_lm_logits(student, hidden[rest]), teacher.logits(teacher_hidden[rest])
                soft = soft_target_loss(logits, teacher_logits, temperature=temperature)
                self._add(module, stage, {"objective/soft_target": soft}, int(rest.sum()))
        self.similarity.update(
            [layer[real] for layer in layers], [teacher_layers[place][real] for place in self.layers]
        )

    def values(self) -> dict[str, Tensor]:
        """What is measured over all batches and ranks beside the means, which start again; called on every rank."""
        weights = self.losses.weights
        terms = [weight * self.means.compute(f"objective/{name}") for name, weight in weights.items()]
        values = {TOTAL: sum(terms[1:], start=terms[0])}
        if self.buckets is not None and all(self.heads):
            values |= {f"agreement/{name}": share for name, share in self.buckets.compute().items()}
            self.buckets.reset()
        values |= self.similarity.compute()
        self.similarity.reset()
        return values

    def _add(self, module: pl.LightningModule, stage: str, means: dict[str, Tensor], count: int) -> None:
        """Add means over `count` tokens; loss terms without weight are left out."""
        for name, mean in means.items():
            if not name.startswith("objective/") or name.removeprefix("objective/") in self.losses.weights:
                self.means.add(module, stage, name, mean, count)


def _share(right: Tensor) -> Tensor:
    """Share of what is true among N values; 0 of none."""
    return right.float().sum() / max(len(right), 1)
