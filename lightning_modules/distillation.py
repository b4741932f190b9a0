"""Distillation of a masked-LM teacher into a DistilBERT student."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.corpus.frequency import frequency_buckets
from distilkobert.metrics import BucketAgreement, LayerSimilarity
from distilkobert.models.heads import encode, encode_layers, masked_lm_logits
from distilkobert.models.students import StudentSpec, build_student
from distilkobert.models.teachers import FrozenTeacher, load_teacher, weights_sum
from distilkobert.objectives.functions import (
    DistillationLosses,
    cosine_hidden_loss,
    masked_lm_loss,
    soft_target_loss,
)
from distilkobert.optim import OptimizerSpec
from lightning_modules.base import TokenMeans
from lightning_modules.masked_lm import MaskedLMModule

TEACHER_ENTRY = "teacher"
"""Key under which a checkpoint keeps the sum of the teacher's weights."""


class Distillation(MaskedLMModule):
    """Train a student on soft targets, masked tokens and the direction of the teacher's last hidden states.

    The teacher never learns, runs without dropout, and is in no checkpoint.

    Args:
        teacher: folder, checkpoint or hub id of a BERT with a trained masked-LM head.
        student: how the student is built from the teacher.
        losses: weights and settings of the three terms.
        optimizer: AdamW and its schedule.
        teacher_dtype: number format of the teacher's copy; bfloat16 halves its memory.
        vocab_size: pieces of the corpus' tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        max_length: longest sequence of the corpus, in tokens; filled in from the data.
        token_counts: occurrences of each piece in the corpus; filled in from the data. Without them agreement is not
            divided by token frequency.
    """

    def __init__(
        self,
        teacher: str,
        student: StudentSpec = StudentSpec(),  # noqa: B008 - frozen, and the command line shows its defaults
        losses: DistillationLosses = DistillationLosses(),  # noqa: B008
        optimizer: OptimizerSpec = OptimizerSpec(),  # noqa: B008
        teacher_dtype: Literal["float32", "bfloat16"] = "float32",
        vocab_size: int = 8002,
        pad_token_id: int = 1,
        max_length: int = 512,
        token_counts: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            task="masked_lm",
            optimizer=optimizer,
            settings={
                "teacher": teacher,
                "student": asdict(student),
                "losses": asdict(losses),
                "optimizer": asdict(optimizer),
                "teacher_dtype": teacher_dtype,
            },
        )
        self.teacher_source = teacher
        self.student = student
        self.losses = losses
        self.teacher_dtype: Literal["float32", "bfloat16"] = teacher_dtype
        self.vocab_size = vocab_size
        self.pad_token_id = pad_token_id
        self.max_length = max_length
        self.means = TokenMeans(
            "loss", "accuracy", "agreement", "teacher_loss", "teacher_accuracy", "loss/soft_target", "loss/cosine"
        )
        self.bucket_agreement = None if token_counts is None else BucketAgreement(frequency_buckets(token_counts))

    def configure_model(self) -> None:
        """Load and check the teacher, and build the student from it."""
        if self.is_configured:
            return
        teacher = load_teacher(
            self.teacher_source,
            vocab_size=self.vocab_size,
            pad_token_id=self.pad_token_id,
            max_length=self.max_length,
        )
        self.teacher_sum = weights_sum(teacher)
        self.network = build_student(teacher, self.student)
        self.similarity = LayerSimilarity(len(self.student.layers), teacher.config.hidden_size)
        if not (self.losses.soft_target or self.losses.masked_lm):
            # The cosine term alone never reaches the head; DDP refuses parameters that get no gradient.
            for name, parameter in self.network.named_parameters():
                if name.startswith("vocab_"):
                    parameter.requires_grad_(False)
        # FrozenTeacher is no nn.Module, which keeps it out of state dict, optimizer, DDP and train().
        self.teacher = FrozenTeacher.load(teacher, dtype=self.teacher_dtype, device=self.trainer.strategy.root_device)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Note which teacher the student learnt from."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[TEACHER_ENTRY] = self.teacher_sum

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a student of another teacher, wherever the teacher lies.

        Raises:
            ValueError: the teacher's weights are not those that the student has learnt from so far.
        """
        super().on_load_checkpoint(checkpoint)
        if checkpoint.get(TEACHER_ENTRY, self.teacher_sum) != self.teacher_sum:
            raise ValueError(
                f"--ckpt_path={self.trainer.ckpt_path}: its student has learnt from another teacher than the one in "
                f"{self.teacher_source}, whose weights differ. Name the same teacher with --model.teacher, or start a "
                "new run with another --run.arm"
            )

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Any]:
        """Weighted sum of the loss terms for one batch: `input_ids`, `attention_mask`, `labels`, each (B, T)."""
        losses = self.losses
        real, masked = batch["attention_mask"].bool(), batch["labels"] != IGNORE_INDEX
        hidden = encode(self.network, batch["input_ids"], batch["attention_mask"])
        terms: dict[str, Tensor] = {}
        if losses.needs_teacher:
            teacher_hidden = self.teacher.hidden(batch["input_ids"], batch["attention_mask"])
        if losses.cosine:
            terms["cosine"] = cosine_hidden_loss(hidden[real], teacher_hidden[real])
        # One vocabulary projection serves both terms: over every real token only if the soft targets want them all.
        projected = real if losses.soft_target and losses.soft_target_on == "real_tokens" else masked
        if losses.soft_target or losses.masked_lm:
            logits = masked_lm_logits(self.network, hidden[projected])
        if losses.soft_target:
            teacher_logits = self.teacher.logits(teacher_hidden[projected])
            terms["soft_target"] = soft_target_loss(logits, teacher_logits, temperature=losses.temperature)
        if losses.masked_lm:
            terms["masked_lm"] = masked_lm_loss(logits, batch["labels"][projected])
        weights = asdict(losses)
        total = sum((weights[name] * term for name, term in terms.items()), start=hidden.new_zeros(()))
        return {"loss": total, "terms": {name: term.detach() for name, term in {"total": total, **terms}.items()}}

    def evaluate(self, stage: str, batch: dict[str, Tensor]) -> None:
        """On the masked tokens: held-out loss, accuracy, agreement with the teacher's first choice, soft-target loss.

        The teacher's own loss and accuracy on the same masks stand beside them, so that a student is never compared
        with a figure from other masks. The cosine term is taken over all real tokens, as in training, and so is the
        similarity of each student layer to the teacher layer that `student.layers` maps it to.
        """
        real, masked = batch["attention_mask"].bool(), batch["labels"] != IGNORE_INDEX
        labels = batch["labels"][masked]
        layers = encode_layers(self.network, batch["input_ids"], batch["attention_mask"])
        teacher_layers = self.teacher.layers(batch["input_ids"], batch["attention_mask"])
        hidden, teacher_hidden = layers[-1], teacher_layers[-1]
        logits = masked_lm_logits(self.network, hidden[masked])
        teacher_logits = self.teacher.logits(teacher_hidden[masked])
        choice, teacher_choice = logits.argmax(-1), teacher_logits.argmax(-1)
        count = len(labels)
        means = {
            "loss": masked_lm_loss(logits, labels),
            "accuracy": (choice == labels).float().sum() / max(count, 1),
            "agreement": (choice == teacher_choice).float().sum() / max(count, 1),
            "teacher_loss": masked_lm_loss(teacher_logits, labels),
            "teacher_accuracy": (teacher_choice == labels).float().sum() / max(count, 1),
            "loss/soft_target": soft_target_loss(logits, teacher_logits, temperature=self.losses.temperature),
        }
        for name, mean in means.items():
            self.means.add(self, stage, name, mean, count)
        self.means.add(
            self, stage, "loss/cosine", cosine_hidden_loss(hidden[real], teacher_hidden[real]), int(real.sum())
        )
        if self.bucket_agreement is not None:
            self.bucket_agreement.update(choice == teacher_choice, labels)
        self.similarity.update(
            [layer[real] for layer in layers], [teacher_layers[place][real] for place in self.student.layers]
        )

    def log_measures(self, stage: str) -> None:
        """Log `agreement/<bucket>`, and `similarity/layer<s>` and `cka/layer<s>` of student layer s."""
        if self.bucket_agreement is not None:
            shares = self.bucket_agreement.compute()
            self.bucket_agreement.reset()
            self.log_measured(stage, {f"agreement/{name}": share for name, share in shares.items()})
        self.log_measured(stage, self.similarity.compute())
        self.similarity.reset()
