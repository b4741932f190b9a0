"""Distillation on a task: a student of a fine-tuned teacher, whatever the task is."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.batching import IGNORE_INDEX
from distilkobert.models.checkpoints import load_model, with_new_head
from distilkobert.models.checks import check_facts, check_new_weights, check_trained_head
from distilkobert.models.dropout import NO_CHANGE, DropoutSpec, with_dropout
from distilkobert.models.families import describe_encoder
from distilkobert.models.students import StudentSpec, build_student, freeze_positions
from distilkobert.models.task_forward import TaskRun, TaskTeacherRun, logit_rows, network_inputs
from distilkobert.models.teachers import place_teacher, weights_sum
from distilkobert.models.teachers.task_checks import check_teacher_head, check_teacher_tokenizer, task_network_facts
from distilkobert.objectives import Batch as TokenBatch
from distilkobert.objectives import Loss, Objective, SoftTargets, WeightedSum
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import InputSettings, stored
from distilkobert.tasks.kinds import (
    MULTI_LABEL_CLASSIFICATION,
    QUESTION_ANSWERING,
    SEQUENCE_REGRESSION,
    TOKEN_CLASSIFICATION,
    kind_named,
)
from distilkobert.tasks.task_facts import TaskFacts
from lightning_modules.finetuning import FINE_TUNING, FineTuning
from lightning_modules.question_answering import QuestionAnswering
from lightning_modules.sequence_classification import SequenceClassification
from lightning_modules.sequence_regression import SequenceRegression
from lightning_modules.task_module import Batch, Record, TaskModule
from lightning_modules.taught import TaughtModule, step_output
from lightning_modules.token_classification import TokenClassification

HARD_LABELS: Final = "hard_labels"
"""Name of the term of the true labels; the others are named by the objectives."""


class TaskDistillation(TaughtModule, TaskModule):
    """Train a student on the labels of a task and on the predictions of a teacher fine-tuned on the same task.

    Objectives are those of general distillation; their logits are the task's (see `task_forward.logit_rows`), hidden
    states and attention those of the encoders. Scores, predictions and checkpoints are those of the task's own module.
    From unlabelled texts (`data.unlabelled_file`) the student learns only the teacher's predictions: the loss of the
    true labels is the mean over the labelled examples of a batch, 0 if there are none.

    Args:
        teacher: folder, checkpoint or hub id of a model that was fine-tuned for the task, with the data's tokenizer.
        objectives: what the student learns from the teacher, by name, each with its weight.
        init_from: encoder of the student: exported folder, checkpoint or hub id; None builds it from the teacher's
            layers, as set in `student`.
        student: how the student is built without `init_from`.
        hard_labels: weight of the loss against the true labels.
        optimizer: AdamW and its schedule.
        dropout: dropout of the student in training, where it is not to be its encoder's.
        task_facts: the task, its labels and its tokenizer; filled in from the data.
        vocab_size: pieces of the data's tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        input_settings: how texts become inputs; filled in from the data.
        seed: seed of the objectives' own parameters; filled in from the run's.

    Raises:
        ValueError: a weight is out of range, no objective is left, or one does not fit a task.
    """

    takes_unlabelled = True

    def __init__(
        self,
        teacher: str,
        objectives: dict[str, Objective],
        task_facts: TaskFacts | None = None,
        init_from: str | None = None,
        student: StudentSpec = StudentSpec(),  # noqa: B008 - frozen, and the command line shows its defaults
        hard_labels: float = 0.5,
        optimizer: OptimizerSpec = FINE_TUNING,
        dropout: DropoutSpec = NO_CHANGE,
        vocab_size: int | None = None,
        pad_token_id: int | None = None,
        input_settings: InputSettings | None = None,
        seed: int = 42,
    ) -> None:
        if task_facts is None:
            raise ValueError("task_facts comes from the data; expected one of the task data modules")
        if init_from is not None and student != StudentSpec():
            rank_zero_info(f"note: the student is {init_from} (model.init_from), so model.student is not used")
        kind = kind_named(task_facts.kind)
        super().__init__(
            kind=kind,
            init_from=init_from or teacher,
            optimizer=optimizer,
            dropout=dropout,
            labels=("score",) if kind is SEQUENCE_REGRESSION else task_facts.labels,
            input_settings=input_settings,
            vocab_size=vocab_size,
            pad_token_id=pad_token_id,
        )
        self.check_settings({"objectives": objectives, "hard_labels": hard_labels})
        self.objectives = WeightedSum(objectives)
        for name, objective in self.objectives.items():
            if kind is SEQUENCE_REGRESSION and isinstance(objective, SoftTargets):
                raise ValueError(
                    f"objectives.{name}: SoftTargets compares distributions, but a score is one number; use LogitsMSE"
                )
        self.teacher_source, self.student, self.hard_labels, self.seed = teacher, student, hard_labels, seed
        self.kind, self.task_facts, self.student_source = kind, task_facts, init_from
        self._scorer = _scorer_of(task_facts, input_settings)

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        """See the base class."""
        objectives, hard_labels = settings["objectives"], settings["hard_labels"]
        if not 0.0 <= hard_labels < float("inf"):
            raise ValueError(f"hard_labels={hard_labels}: expected a finite weight of 0 or more")
        if HARD_LABELS in objectives:
            raise ValueError(
                f"objectives.{HARD_LABELS}: the name is reserved; the weight of the true labels is hard_labels"
            )
        learned = WeightedSum(objectives).items()
        for name, objective in learned:
            if not objective.needs.kept:
                raise ValueError(
                    f"objectives.{name}: rows computes vocabulary logits in parts; a task has few logits, leave it out"
                )
            if objective.needs.hidden is not None and getattr(objective, "on", None) == "masked_tokens":
                raise ValueError(
                    f"objectives.{name}: {type(objective).__name__} is on masked_tokens, but a task masks no tokens, "
                    "so it would always be 0; set on: real_tokens"
                )
            if objective.needs.logits and not objective.needs.teacher:
                raise ValueError(
                    f"objectives.{name}: {type(objective).__name__} needs vocabulary logits, which a task does not "
                    "have; leave it out; hard_labels is the weight of the true labels"
                )
        if not hard_labels and not any(objective.needs.logits for _, objective in learned):
            raise ValueError("hard_labels is 0 and no objective is on logits, so nothing would train the head")

    @property
    def scorer(self) -> FineTuning:
        """The task's own module."""
        return self._scorer

    def build(self) -> None:
        """Load and check the teacher, make the student and the objectives; say what they are.

        Raises:
            FileNotFoundError: teacher or student does not exist.
            ValueError: teacher, student, objectives and data do not fit together, or an untrained head is to be tested.
        """
        name = f"teacher {self.teacher_source}"
        teacher, missing = load_model(self.teacher_source, self.kind.name, self.labels or None)
        check_teacher_head(missing, self.kind, self.teacher_source)
        check_facts(teacher, self.facts, self.labels, self.teacher_source, name=name, teacher=True)
        check_teacher_tokenizer(self.teacher_source, self.task_facts.tokenizer_fingerprint)
        self.teacher_sum = weights_sum(teacher)
        student = with_dropout(self._student(teacher), self.kind.name, self.dropout)
        if self.student.freeze_positions and self.student_source is None:
            freeze_positions(student)  # here, as a new head and other dropout each make another network
        if self.input_settings is not None:
            student.config.update(stored(self.scorer.settings_kept(student, self.input_settings)))
        rank_zero_info(f"{name}: {describe_encoder(teacher)}; student: {describe_encoder(student)}")
        networks = task_network_facts(student, "the student"), task_network_facts(teacher, f"the {name}")
        self.objectives.check(*networks)
        self.objectives.build(*networks, self.seed)
        of_student, of_teacher = self.objectives.captured(*networks)
        student.train()
        self.network = student
        # Its modules are the student's, which must be in the state dict once.
        object.__setattr__(self.scorer, "network", student)
        self.student_run = TaskRun(student, of_student)
        teacher.requires_grad_(False)
        teacher.train(False)
        # A run is no nn.Module, which keeps the teacher out of state dict, optimizer, DDP and train().
        self.teacher_run = TaskTeacherRun(teacher, of_teacher)
        place_teacher(teacher, "float32", self.trainer.strategy.root_device)

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """The weighted sum of the true labels' loss and the objectives, for one batch."""
        inputs = self.inputs(batch)
        unmasked = torch.full_like(inputs["input_ids"], IGNORE_INDEX)
        tokens = TokenBatch(inputs["input_ids"], batch["attention_mask"], unmasked, self.progress)
        logits, kept = self.student_run(inputs, self.scorer.logit_names)
        student = self.student_run.outputs(kept, self._rows(logits, batch), tokens)
        teacher = None
        if self.objectives.needs_teacher:
            with torch.no_grad():
                # Its own: it may take segments where the student takes none.
                its = network_inputs(self.teacher_run.model, batch)
                its_logits, its_kept = self.teacher_run(its, self.scorer.logit_names)
            teacher = self.teacher_run.outputs(its_kept, self._rows(its_logits, batch), tokens)
        taught = self.objectives(student, teacher, tokens)
        hard = self.scorer.task_loss(batch, logits).loss
        weighted = self.hard_labels * hard
        terms, parts = {HARD_LABELS: hard, **taught.terms}, {HARD_LABELS: weighted, **taught.weighted}
        return step_output(Loss(taught.total + weighted, terms, parts))

    def save_predictions(self, folder: Path, stem: str, records: Sequence[Record]) -> None:
        """Write them as the task's own module does."""
        self.scorer.save_predictions(folder, stem, records)

    def _student(self, teacher: PreTrainedModel) -> PreTrainedModel:
        source = self.checkpoint or self.student_source
        if source is not None:
            student, missing = load_model(source, self.kind.name, self.labels or None)
            check_new_weights(student, missing, f"student {source}")
        else:
            source = f"layers {list(self.student.layers)} of {self.teacher_source}"
            encoder = cast(PreTrainedModel, copy.deepcopy(teacher.base_model))
            if getattr(encoder, "pooler", None) is not None:
                encoder.register_module("pooler", None)
            built = build_student(encoder, self.student, head=False)
            student, missing = with_new_head(built, [], self.kind.name, self.labels or None, source)
        check_facts(student, self.facts, self.labels, source, name=f"student {source}")
        check_trained_head(missing, f"student {source}", self.command)
        rank_zero_info(f"student from {source}; newly initialised: {', '.join(sorted(missing)) or 'nothing'}")
        return student

    def _rows(self, logits: tuple[Tensor, ...], batch: Batch) -> Tensor:
        return logit_rows(self.kind, logits, batch["attention_mask"], batch.get("labels"))


def _scorer_of(facts: TaskFacts, settings: InputSettings | None) -> FineTuning:
    """The module of a task, without a network."""
    kind = kind_named(facts.kind)
    if kind is SEQUENCE_REGRESSION:
        return SequenceRegression("", input_settings=settings)
    if kind is TOKEN_CLASSIFICATION:
        return TokenClassification("", facts.labels, facts.suffix_tags, input_settings=settings)
    if kind is QUESTION_ANSWERING:
        return QuestionAnswering("", rouge_w=facts.rouge_w, input_settings=settings)
    several = kind is MULTI_LABEL_CLASSIFICATION
    return SequenceClassification("", facts.labels, several, facts.class_weights, input_settings=settings)
