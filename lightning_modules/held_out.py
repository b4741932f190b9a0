"""What a distillation measures on held-out data: its objectives, its heads, its layers."""

from collections.abc import Sequence

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from distilkobert.corpus.frequency import frequency_buckets
from distilkobert.io.metric_names import OBJECTIVES_TOTAL, VAL
from distilkobert.metrics import BucketAgreement, LayerSimilarity
from distilkobert.models.families import has_head
from distilkobert.models.forward import NetworkRun
from distilkobert.objectives import Batch, Objective, SoftTargets, WeightedSum
from distilkobert.objectives.contract.needs import Averaged
from distilkobert.objectives.contract.outputs import Outputs
from distilkobert.objectives.contract.schedules import value_at
from distilkobert.objectives.functions import cosine_hidden_loss, masked_lm_loss, soft_target_loss
from lightning_modules.base import TokenMeans

_TEMPERATURE = 2.0
"""Of `loss/soft_target` where no objective has one: DistilKoBERT's."""


class HeldOutMeasures(nn.Module):
    """Measures over batches and ranks; nothing of it is in a checkpoint.

    `objective/<name>` are the objectives as in training, `objective/total` their weighted sum. Batches count by what
    the objective averages over. A student with a masked-LM head has its loss and accuracy on the masked tokens. Where
    the teacher has one too: agreement with its first choice, the soft-target loss there, and the teacher's own loss and
    accuracy on the same masks, so that a student is never compared with a value from other masks. These logits are made
    without autocast: in bf16 one first choice in twenty would be a tie. The cosine distance is taken over all real
    tokens, and so is the similarity of each student layer to the teacher layer that it is mapped to.

    Args:
        objectives: their weighted sum, as it is trained on.
        token_counts: occurrences of each piece in the corpus; None: agreement is not split by token frequency.
    """

    similarity: LayerSimilarity

    def __init__(self, objectives: WeightedSum, token_counts: Sequence[int] | None) -> None:
        super().__init__()
        # In a tuple, so that their parameters are those of the training module alone.
        self._objectives = (objectives,)
        self.means = TokenMeans(
            *("loss", "accuracy", "agreement", "teacher_loss", "teacher_accuracy", "loss/soft_target", "loss/cosine"),
            *(f"objective/{name}" for name, _ in objectives.items()),
        )
        self.buckets = None if token_counts is None else BucketAgreement(frequency_buckets(token_counts))

    @property
    def objectives(self) -> list[tuple[str, Objective]]:
        """Names and objectives."""
        return self._objectives[0].items()

    def compare(self, student: NetworkRun, teacher: NetworkRun, layers: Sequence[int]) -> None:
        """Take the two networks to be compared.

        Args:
            student: the network that learns.
            teacher: the other.
            layers: for each layer of the student the teacher's that it is compared with.
        """
        self.student, self.teacher, self.layers = student, teacher, tuple(layers)
        self.heads = has_head(student.model), has_head(teacher.model)
        widths = [run.model.config.hidden_size for run in (teacher, student)]
        self.similarity = LayerSimilarity(len(layers), *widths)

    def add(self, module: pl.LightningModule, stage: str, batch: Batch) -> None:
        """Run both networks on one batch and count it.

        Args:
            module: logs the means.
            stage: `val` or `test`.
            batch: one held-out batch.
        """
        student = self.student(batch, every_layer=True)
        with torch.no_grad():
            teacher = self.teacher(batch, every_layer=True)
        real, masked = (len(batch.positions[tokens]) for tokens in ("real_tokens", "masked_tokens"))
        counts: dict[Averaged, int] = {"real_tokens": real, "masked_tokens": masked, "sequences": len(batch.input_ids)}
        for name, objective in self.objectives:
            value = objective(student, teacher, batch)
            self.means.add(module, stage, f"objective/{name}", value, counts[objective.averages_over])
        states = {layer: batch.select(hidden, "real_tokens") for layer, hidden in student.hidden.items()}
        its = {layer: batch.select(teacher.hidden[layer], "real_tokens") for layer in {*self.layers, teacher.last}}
        if states[student.last].shape == its[teacher.last].shape:
            cosine = cosine_hidden_loss(states[student.last], its[teacher.last])
            self.means.add(module, stage, "loss/cosine", cosine, real)
        labels = batch.labels_of("masked_tokens")
        if self.heads[0]:
            logits = _exact_logits(self.student, student, batch)
            means = {"loss": masked_lm_loss(logits, labels), "accuracy": _share(logits.argmax(-1) == labels)}
            if self.heads[1]:
                teacher_logits = _exact_logits(self.teacher, teacher, batch)
                agrees = logits.argmax(-1) == teacher_logits.argmax(-1)
                means |= {
                    "agreement": _share(agrees),
                    "teacher_loss": masked_lm_loss(teacher_logits, labels),
                    "teacher_accuracy": _share(teacher_logits.argmax(-1) == labels),
                    "loss/soft_target": soft_target_loss(
                        logits, teacher_logits, temperature=self._temperature(batch.progress)
                    ),
                }
                if self.buckets is not None:
                    self.buckets.update(agrees, labels)
            for name, mean in means.items():
                self.means.add(module, stage, name, mean, masked)
        self.similarity.update([states[layer] for layer in range(student.last + 1)], [its[t] for t in self.layers])

    def values(self, progress: float) -> dict[str, Tensor]:
        """Metrics over all batches and ranks that are not means; resets them. Called on every rank.

        Args:
            progress: share of training completed; scheduled weights depend on it.
        """
        weights = self._objectives[0].weights_at(progress)
        terms = [weight * self.means.compute(f"objective/{name}") for name, weight in weights.items()]
        values = {OBJECTIVES_TOTAL.removeprefix(VAL): torch.stack(terms).sum()}
        if self.buckets is not None and all(self.heads):
            values |= {f"agreement/{name}": share for name, share in self.buckets.compute().items()}
            self.buckets.reset()
        values |= self.similarity.compute()
        self.similarity.reset()
        return values

    def _temperature(self, progress: float) -> float:
        soft = [objective for _, objective in self.objectives if isinstance(objective, SoftTargets)]
        return value_at(soft[0].temperature, progress) if soft else _TEMPERATURE


def _exact_logits(run: NetworkRun, outputs: Outputs, batch: Batch) -> Tensor:
    """Logits (N, V) of the masked tokens, without autocast."""
    device = batch.input_ids.device.type
    if not torch.is_autocast_enabled(device):
        return outputs.logits("masked_tokens")
    with torch.autocast(device, enabled=False):
        hidden = batch.select(outputs.hidden[outputs.last], "masked_tokens")
        return outputs.project(hidden.to(next(run.model.parameters()).dtype))


def _share(right: Tensor) -> Tensor:
    """Share of what is true among N values; 0 of none."""
    return right.float().sum() / max(len(right), 1)
