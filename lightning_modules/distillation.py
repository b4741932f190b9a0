"""Distillation of any encoder into a smaller one."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.batching import IGNORE_INDEX
from distilkobert.io.metric_names import LOSS, VAL
from distilkobert.models.checks import longest_input
from distilkobert.models.families import describe_encoder, has_head, head_parameters
from distilkobert.models.heads import encode, masked_lm_logits
from distilkobert.models.students import StudentSpec, build_student
from distilkobert.models.teachers import FrozenTeacher, load_teacher, weights_sum
from distilkobert.objectives.functions import (
    DistillationLosses,
    cosine_hidden_loss,
    masked_lm_loss,
    soft_target_loss,
)
from distilkobert.optim import OptimizerSpec
from lightning_modules.held_out import TOTAL, HeldOutMeasures
from lightning_modules.masked_lm import MaskedLMModule

TEACHER_ENTRY = "teacher"
"""Key under which a checkpoint keeps the sum of the teacher's weights."""


class Distillation(MaskedLMModule):
    """Train a student on soft targets, masked tokens and the direction of the teacher's last hidden states.

    The teacher never learns, runs without dropout, and is in no checkpoint. One without a trained masked-LM head can
    teach hidden states only: with `losses.soft_target=0`. Its student has a masked-LM head of its own, tied to the
    embedding, if `losses.masked_lm` is above 0, else none.

    Args:
        teacher: folder, checkpoint or hub id of an encoder of a known family.
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
        self.measures = HeldOutMeasures(losses, token_counts)

    def configure_model(self) -> None:
        """Load and check the teacher, and build the student from it; say what they are.

        Raises:
            FileNotFoundError: the teacher, or the student to continue from, is not there.
            ValueError: teacher, student, losses and data do not fit together.
        """
        if self.is_configured:
            return
        losses = self.losses
        teacher = load_teacher(
            self.teacher_source,
            logits=losses.soft_target > 0,
            vocab_size=self.vocab_size,
            pad_token_id=self.pad_token_id,
            max_length=self.max_length,
        )
        rank_zero_info(f"teacher {self.teacher_source}: {describe_encoder(teacher)}")
        self.teacher_sum = weights_sum(teacher)
        student = build_student(teacher, self.student, head=has_head(teacher) or losses.masked_lm > 0)
        rank_zero_info(f"student: {describe_encoder(student)}")
        self._check_student(student, teacher)
        self.network = student
        if not (losses.soft_target or losses.masked_lm):
            # The cosine term alone never reaches the head; DDP refuses parameters that get no gradient.
            for parameter in head_parameters(student).values():
                parameter.requires_grad_(False)
        if not has_head(student):
            self.task = "encoder"
            self._choose_by_total()
        # FrozenTeacher is no nn.Module, which keeps it out of state dict, optimizer, DDP and train().
        self.teacher = FrozenTeacher.load(teacher, dtype=self.teacher_dtype, device=self.trainer.strategy.root_device)
        self.measures.compare(student, self.teacher, self.student.layers)

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
        total = sum((losses.weights[name] * term for name, term in terms.items()), start=hidden.new_zeros(()))
        return {"loss": total, "terms": {name: term.detach() for name, term in {"total": total, **terms}.items()}}

    def on_predict_start(self) -> None:
        """Refuse a student that cannot fill a [MASK]."""
        if not has_head(self.network):
            raise ValueError("the student has no masked-LM head, so there is nothing to predict")

    def evaluate(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Count one held-out batch; see `HeldOutMeasures`."""
        self.measures.add(self, stage, self.network, self.teacher, batch)

    def log_measures(self, stage: str) -> None:
        """Log what is measured beside means over tokens."""
        self.log_measured(stage, self.measures.values())

    def _check_student(self, student: PreTrainedModel, teacher: PreTrainedModel) -> None:
        width, student_width = teacher.config.hidden_size, student.config.hidden_size
        if self.losses.cosine and width != student_width:
            raise ValueError(
                f"losses.cosine={self.losses.cosine} compares hidden states of one width, but the student has "
                f"{student_width} and the teacher {width}; set --model.losses.cosine=0"
            )
        longest = longest_input(student.config)
        if longest < self.max_length:
            raise ValueError(
                f"student.init_from={self.student.init_from} takes {longest} tokens at most, the corpus has sequences "
                f"of up to {self.max_length}; prepare the corpus with --max_tokens {longest}"
            )

    def _choose_by_total(self) -> None:
        """Let the best checkpoint follow the loss terms, where a student without head has no loss of its own."""
        for callback in self.trainer.checkpoint_callbacks:
            if getattr(callback, "monitor", None) == LOSS:
                callback.monitor = f"{VAL}{TOTAL}"  # type: ignore[attr-defined]
                rank_zero_info(f"the student has no masked-LM head: best.ckpt follows {callback.monitor}")  # type: ignore[attr-defined]
