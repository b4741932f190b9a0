"""Build a student out of a teacher: a DistilBERT, or the teacher's own class, of chosen layers and of any width."""

import copy
from dataclasses import dataclass
from typing import Literal

from transformers import PreTrainedModel

from distilkobert.models.checkpoints import load_model
from distilkobert.models.checks import check_new_weights
from distilkobert.models.dropout import DropoutSpec, set_dropout
from distilkobert.models.families import family_of, has_head, part
from distilkobert.models.heads import is_tied, new_model
from distilkobert.models.students.distilbert import copy_into_distilbert, distilbert_config
from distilkobert.models.students.same import copy_same, same_config
from distilkobert.models.students.widths import narrow_config, narrowed


@dataclass(frozen=True)
class StudentSpec:
    """How the student is built from its teacher.

    Args:
        architecture: DistilBERT, for teachers with the layers of BERT, RoBERTa or DistilBERT; or the teacher's class,
            for every family.
        layers: 0-based teacher layers, in the order of the student's layers; their number is the student's depth.
        init: copy the teacher's weights, or use random weights of the same shape.
        init_from: student to continue from, instead of building one: exported folder, checkpoint of this project, or
            hub id. It defines architecture, depth and widths; `layers` names the teacher layers for comparison.
        hidden_size: width of the hidden states; None: the teacher's.
        intermediate_size: width inside feed-forward blocks; None: the teacher's.
        heads: attention heads per layer; None: heads as wide as the teacher's.
        width_init: for matrices smaller than the teacher's: their first units, or random weights.
        fold_token_types: in DistilBERT, add the teacher's token-type row 0 to every position, so that the student's
            embedding output equals the teacher's for single sentences. The original did not fold; the sum was lost.
        copy_head: copy the teacher's masked-LM head; otherwise the head starts random (its tied embedding excepted).
        freeze_positions: keep the position embeddings at their initial values. The original's student did, because of
            its sinusoidal flag, after the teacher's learned table was copied.
        dropout: all dropouts of the encoder; None: the teacher's values.
    """

    architecture: Literal["distilbert", "same"] = "distilbert"
    layers: tuple[int, ...] = (0, 4, 8)
    init: Literal["teacher", "random"] = "teacher"
    init_from: str | None = None
    hidden_size: int | None = None
    intermediate_size: int | None = None
    heads: int | None = None
    width_init: Literal["slice", "random"] = "slice"
    fold_token_types: bool = True
    copy_head: bool = True
    freeze_positions: bool = False
    dropout: float | None = None

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("student.layers is empty; name at least one 0-based teacher layer, for example [0, 4, 8]")
        if any(layer < 0 for layer in self.layers):
            raise ValueError(f"student.layers={list(self.layers)}: layers are 0-based indices of 0 or more")
        if len(set(self.layers)) != len(self.layers):
            raise ValueError(f"student.layers={list(self.layers)}: a teacher layer is named twice")
        if self.dropout is not None and not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"student.dropout={self.dropout}: must be in [0, 1), or null for the teacher's values")
        widths = {name: getattr(self, name) for name in ("hidden_size", "intermediate_size", "heads")}
        for name, width in widths.items():
            if width is not None and width < 1:
                raise ValueError(f"student.{name}={width}: must be 1 or more, or null for the teacher's")
        if self.hidden_size and self.heads and self.hidden_size % self.heads:
            raise ValueError(f"student.heads={self.heads}: must divide student.hidden_size={self.hidden_size}")
        if self.init_from is not None:
            given = [name for name, width in widths.items() if width is not None]
            if self.init != "teacher":
                given.append("init")
            if given:
                raise ValueError(
                    f"student.{given[0]}={getattr(self, given[0])}: student.init_from={self.init_from} already "
                    "defines the student's shape and weights; give only one of the two"
                )

        if not self.copy_head and (self.init_from is not None or self.init == "random"):
            source = "init=random" if self.init_from is None else f"init_from={self.init_from}"
            raise ValueError(f"student.copy_head=false has no effect with student.{source}; leave it out")
        if self.width_init == "random" and (not self.changes_width or self.init == "random"):
            raise ValueError(
                "student.width_init=random has no effect: it is for a student of another hidden_size, "
                "intermediate_size or heads with init=teacher; leave it out"
            )

    @property
    def changes_width(self) -> bool:
        """Whether a width differs from the teacher's."""
        return any(width is not None for width in (self.hidden_size, self.intermediate_size, self.heads))


def build_student(
    teacher: PreTrainedModel, spec: StudentSpec | None = None, *, head: bool | None = None
) -> PreTrainedModel:
    """A student in training mode, built as `spec` says.

    Args:
        teacher: what `load_teacher` returned.
        spec: how it is built.
        head: whether it has a masked-LM head; a fresh one is tied to the embedding. None: as the teacher. A student
            that is continued keeps the head it has.

    Raises:
        ValueError: the teacher's family cannot give this student, a layer is beyond the teacher's depth, a width does
            not fit, or the student to continue from does not fit the teacher.
    """
    spec = spec or StudentSpec()
    head = has_head(teacher) if head is None else head
    if spec.init_from is not None:
        student = _continued(spec.init_from, teacher, spec, head=head)
    else:
        student = _from_teacher(teacher, spec, head=head)
    if spec.freeze_positions:
        freeze_positions(student)
    student.train()
    return student


def _from_teacher(teacher: PreTrainedModel, spec: StudentSpec, *, head: bool) -> PreTrainedModel:
    depth = teacher.config.num_hidden_layers
    beyond = [layer for layer in spec.layers if layer >= depth]
    if beyond:
        raise ValueError(
            f"student.layers={list(spec.layers)}: the teacher has layers 0 to {depth - 1}, not {beyond[0]}"
        )
    same = spec.architecture == "same" or teacher.config.model_type == "distilbert"
    config = (same_config if same else distilbert_config)(teacher, spec.layers)
    config.tie_word_embeddings = is_tied(teacher)
    set_dropout(config, DropoutSpec(spec.dropout, spec.dropout))
    target = config
    if spec.changes_width:
        cut = spec.init == "teacher" and spec.width_init == "slice"
        target = narrow_config(config, spec.hidden_size, spec.intermediate_size, spec.heads, cut=cut)
    if spec.init == "random":
        return new_model(target, head=head)
    student = new_model(config, head=head)
    copied_head = spec.copy_head and head and has_head(teacher)
    if same:
        copy_same(student, teacher, spec.layers, head=copied_head)
    else:
        copy_into_distilbert(student, teacher, spec.layers, fold_token_types=spec.fold_token_types, head=copied_head)
    return narrowed(student, target, fill=spec.width_init) if spec.changes_width else student


def _continued(source: str, teacher: PreTrainedModel, spec: StudentSpec, *, head: bool) -> PreTrainedModel:
    """The student in `source`, its head with it; a head that is needed and missing starts random and tied."""
    model, missing = load_model(source, "masked_lm")
    check_new_weights(model, missing, f"student.init_from={source}")
    depth, pieces = model.config.num_hidden_layers, model.config.vocab_size
    if depth != len(spec.layers):
        raise ValueError(
            f"student.init_from={source} has {depth} layers, student.layers={list(spec.layers)} names "
            f"{len(spec.layers)}; give one teacher layer to compare with for each of its layers"
        )
    if pieces != teacher.config.vocab_size:
        raise ValueError(
            f"student.init_from={source} has a vocabulary of {pieces} pieces, the teacher {teacher.config.vocab_size}; "
            "student and teacher must share one tokenizer"
        )
    config = copy.deepcopy(model.config)
    config.name_or_path = ""
    config.tie_word_embeddings = bool(missing) or is_tied(model)
    set_dropout(config, DropoutSpec(spec.dropout, spec.dropout))
    student = new_model(config, head=head or not missing)
    if missing:
        student.base_model.load_state_dict(model.base_model.state_dict())
    else:
        student.load_state_dict(model.state_dict())
    return student


def freeze_positions(student: PreTrainedModel) -> None:
    """Keep the position embeddings at their values.

    Raises:
        ValueError: the network has no table of positions.
    """
    table = part(student, family_of(student.config).positions)
    if table is None:
        raise ValueError(
            f"student.freeze_positions=true: {student.config.model_type} has no table of positions; set it to false"
        )
    table.requires_grad_(False)
