"""Distillation of any encoder into a smaller one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor

from distilkobert.io.metric_names import LOSS, OBJECTIVES_TOTAL
from distilkobert.listing import few
from distilkobert.models.checks import SHORTER_CORPUS, check_length, longest_input
from distilkobert.models.compute import ComputeSpec
from distilkobert.models.families import describe_encoder, has_head
from distilkobert.models.forward import NetworkRun, TeacherRun, freeze_unreached, network_facts
from distilkobert.models.students import StudentSpec, build_student
from distilkobert.models.teachers import TeacherType, load_teacher, place_teacher, weights_sum
from distilkobert.objectives import Loss, Objective, WeightedSum
from distilkobert.objectives.contract.outputs import batch_of
from distilkobert.optim import OptimizerSpec
from lightning_modules.held_out import HeldOutMeasures
from lightning_modules.masked_lm import MaskedLMModule
from lightning_modules.taught import TaughtModule, step_output


class Distillation(TaughtModule, MaskedLMModule):
    """Train a student on a weighted sum of objectives, most of which compare it with a teacher.

    The teacher is frozen, runs without dropout, and is not part of checkpoints. A teacher without a trained masked-LM
    head can teach hidden states and attention only. Its student then has a new masked-LM head, tied to the embedding,
    if an objective needs the student's logits, else none. Parameters of the student that no objective reaches keep
    their initial values; parameters of objectives are trained and saved for resume, but never exported.

    Args:
        teacher: folder, checkpoint or hub id of an encoder of a known family.
        objectives: what the student learns, by name, each with its weight.
        student: how the student is built from the teacher.
        optimizer: AdamW and its schedule.
        without_teacher: remove every objective that needs the teacher, as a control. The teacher is still loaded and
            evaluated.
        teacher_dtype: number format of the teacher's copy; bfloat16 halves its memory. int8 makes its passes on a CPU
            1.4 to 1.9 times as fast and changes its outputs slightly (docs/performance.md).
        seed: seed of the objectives' own parameters; filled in from the run's.
        vocab_size: pieces of the corpus' tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        max_length: longest sequence of the corpus, in tokens; filled in from the data.
        token_counts: occurrences of each piece in the corpus; filled in from the data. Without them agreement is not
            split by token frequency.
        compute: compilation and gradient checkpointing.

    Raises:
        ValueError: no objective is left, an objective has an invalid name, or an int8 teacher is combined with compile.
    """

    def __init__(
        self,
        teacher: str,
        objectives: dict[str, Objective],
        student: StudentSpec = StudentSpec(),  # noqa: B008 - frozen, and the command line shows its defaults
        optimizer: OptimizerSpec = OptimizerSpec(),  # noqa: B008
        without_teacher: bool = False,
        teacher_dtype: TeacherType = "float32",
        seed: int = 42,
        vocab_size: int = 8002,
        pad_token_id: int = 1,
        max_length: int = 512,
        token_counts: Sequence[int] | None = None,
        compute: ComputeSpec = ComputeSpec(),  # noqa: B008
    ) -> None:
        super().__init__(task="masked_lm", optimizer=optimizer)
        if teacher_dtype == "int8" and compute.compile:
            raise ValueError("teacher_dtype is int8 and compute.compile is on, which is unsupported; drop one of them")
        self.teacher_source = teacher
        self.compute = compute
        chosen = {name: one for name, one in objectives.items() if not (without_teacher and one.needs.teacher)}
        left_out = [name for name in objectives if name not in chosen]
        if left_out:
            rank_zero_info(f"without_teacher removes the objectives that need the teacher: {', '.join(left_out)}")
        self.objectives = WeightedSum(chosen)
        self.student = student
        self.teacher_dtype: TeacherType = teacher_dtype
        self.seed = seed
        self.vocab_size = vocab_size
        self.pad_token_id = pad_token_id
        self.max_length = max_length
        self.measures = HeldOutMeasures(self.objectives, token_counts)

    def build(self) -> None:
        """Load and check the teacher, and build student and objectives from it; say what they are.

        Raises:
            FileNotFoundError: the teacher, or the student to continue from, is not there.
            ValueError: teacher, student, objectives and data do not fit together.
        """
        needs = [objective.needs for _, objective in self.objectives.items()]
        teacher = load_teacher(
            self.teacher_source,
            logits=any(need.logits for need in needs if need.teacher),
            vocab_size=self.vocab_size,
            pad_token_id=self.pad_token_id,
            max_length=self.max_length,
        )
        rank_zero_info(f"teacher {self.teacher_source}: {describe_encoder(teacher)}")
        self.teacher_sum = weights_sum(teacher)
        spec = self.student
        if spec.init_from is not None and self.checkpoint is not None:
            spec = replace(spec, init_from=self.checkpoint)  # has its weights; the source may be missing
        student = build_student(teacher, spec, head=has_head(teacher) or any(need.logits for need in needs))
        rank_zero_info(f"student: {describe_encoder(student)}")
        name = f"student.init_from={spec.init_from}"  # a student of the teacher's layers is as long as the teacher
        check_length(longest_input(student.config), self.max_length, name, SHORTER_CORPUS)
        facts = network_facts(student, "the student"), network_facts(teacher, f"the teacher {self.teacher_source}")
        self.objectives.check(*facts)
        self.objectives.build(*facts, self.seed)
        of_student, of_teacher = self.objectives.captured(*facts)
        # A run is no nn.Module, which keeps the teacher out of state dict, optimizer, DDP and train().
        self.student_run, self.teacher_run = NetworkRun(student, of_student), TeacherRun(teacher, of_teacher)
        self.network = student
        unreached = freeze_unreached(
            self.objectives, self.student_run, self.teacher_run if self.objectives.needs_teacher else None
        )
        if unreached:
            rank_zero_info(
                f"{len(unreached)} weights get no gradient from any objective and keep their initial values: "
                f"{few(unreached)}"
            )
        if not has_head(student):
            self.task = "encoder"
        if not any(need.logits for need in needs):
            self._choose_by_total()
        place_teacher(teacher, self.teacher_dtype, self.trainer.strategy.root_device)
        self.measures.compare(self.student_run, self.teacher_run, self.student.layers)
        self.compute.apply(student, (teacher,))

    def loss(self, batch: dict[str, Tensor]) -> Loss:
        """Weighted sum of the objectives for one batch: `input_ids`, `attention_mask`, `labels`, each (B, T)."""
        tokens = batch_of(batch, self.progress)
        with torch.no_grad():
            teacher = self.teacher_run(tokens) if self.objectives.needs_teacher else None
        return cast(Loss, self.objectives(self.student_run(tokens), teacher, tokens))

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Any]:
        """The loss of one batch, and its terms for the log."""
        return step_output(self.loss(batch))

    def start_bands(self) -> dict[str, tuple[float, float]]:
        """Of the objectives; see `Objective.start_band`."""
        at_random = self.student.init == "random" and self.student.init_from is None
        return self.objectives.start_bands(self.vocab_size, at_random)

    def on_predict_start(self) -> None:
        """Refuse a student that cannot fill a [MASK]."""
        if not has_head(self.network):
            raise ValueError("the student has no masked-LM head, so there is nothing to predict")

    def evaluate(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Count one held-out batch; see `HeldOutMeasures`."""
        tokens = batch_of(batch, self.progress)
        self.measures.add(self, stage, tokens)

    def log_measures(self, stage: str) -> None:
        """Log the metrics that are not means over tokens."""
        self.log_measured(stage, self.measures.values(self.progress))

    def _choose_by_total(self) -> None:
        """Let the best checkpoint follow the objectives, where none of them trains the student's logits."""
        for callback in self.trainer.checkpoint_callbacks:
            if getattr(callback, "monitor", None) == LOSS:
                callback.monitor = OBJECTIVES_TOTAL  # type: ignore[attr-defined]
                rank_zero_info(f"no objective uses the student's logits: best.ckpt follows {callback.monitor}")  # type: ignore[attr-defined]
