"""Build a DistilBERT student out of a BERT teacher.

DistilBERT is BERT without token-type embeddings and pooler; layer for layer the weights have the same shapes, so a
student can start as a copy of chosen teacher layers (Sanh et al., 2019, section 3; DistilKoBERT takes layers 1, 5, 9).
"""

import warnings
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from transformers import DistilBertConfig, DistilBertForMaskedLM, PreTrainedModel

DISTILBERT_LAYER_NORM_EPS = 1e-12
"""transformers' DistilBERT has this value built in (modeling_distilbert.py); KoBERT's configuration has the same."""

_LAYER_MAP = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


@dataclass(frozen=True)
class StudentSpec:
    """How the student is built from its teacher.

    Args:
        layers: 0-based teacher layers, in the order of the student's layers; their number is the student's depth.
        init: copy the teacher's weights, or start from random weights of the same shape.
        fold_token_types: add the teacher's token-type row 0 to every position, so that the student's embedding output
            equals the teacher's for single sentences. The original did not fold; the sum was lost there.
        copy_head: copy the teacher's masked-LM head; otherwise the head starts random (its tied embedding excepted).
        freeze_positions: keep the position embeddings at their start values. The original's student did, through its
            sinusoidal flag, after the teacher's learned table had been copied in.
        dropout: dropout of hidden states and attention; None takes the teacher's two values.
    """

    layers: tuple[int, ...] = (0, 4, 8)
    init: Literal["teacher", "random"] = "teacher"
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
            raise ValueError(f"student.dropout={self.dropout}: must lie in [0, 1), or be null for the teacher's values")


def student_config(teacher: PreTrainedModel, spec: StudentSpec) -> DistilBertConfig:
    """DistilBERT configuration with the teacher's widths, vocabulary, positions and pad id.

    Raises:
        ValueError: the teacher is no BERT, or a layer of the spec is beyond its depth.
    """
    config = teacher.config
    if config.model_type != "bert":
        raise ValueError(
            f"a student is copied from a BERT teacher, got model type '{config.model_type}' "
            "(RoBERTa numbers its positions differently, which DistilBERT cannot express)"
        )
    depth = config.num_hidden_layers
    beyond = [layer for layer in spec.layers if layer >= depth]
    if beyond:
        raise ValueError(
            f"student.layers={list(spec.layers)}: the teacher has layers 0 to {depth - 1}, there is no {beyond[0]}"
        )
    if config.layer_norm_eps != DISTILBERT_LAYER_NORM_EPS:
        warnings.warn(
            f"the teacher's layer_norm_eps is {config.layer_norm_eps}; DistilBERT has {DISTILBERT_LAYER_NORM_EPS} "
            "built in, so copied layers will differ slightly from the teacher's",
            stacklevel=2,
        )
    return DistilBertConfig(
        vocab_size=config.vocab_size,
        max_position_embeddings=config.max_position_embeddings,
        sinusoidal_pos_embds=False,
        n_layers=len(spec.layers),
        n_heads=config.num_attention_heads,
        dim=config.hidden_size,
        hidden_dim=config.intermediate_size,
        dropout=config.hidden_dropout_prob if spec.dropout is None else spec.dropout,
        attention_dropout=config.attention_probs_dropout_prob if spec.dropout is None else spec.dropout,
        activation=config.hidden_act,
        initializer_range=config.initializer_range,
        pad_token_id=config.pad_token_id,
    )


def build_student(teacher: PreTrainedModel, spec: StudentSpec | None = None) -> DistilBertForMaskedLM:
    """A DistilBERT masked-LM student in training mode, its weights set as `spec` says.

    Raises:
        ValueError: see `student_config`.
    """
    spec = spec or StudentSpec()
    student = DistilBertForMaskedLM(student_config(teacher, spec))
    if spec.init == "teacher":
        with torch.no_grad():
            _copy_embeddings(student, teacher, fold_token_types=spec.fold_token_types)
            _copy_layers(student, teacher, spec.layers)
            if spec.copy_head:
                _copy_head(student, teacher)
    student.tie_weights()
    if spec.freeze_positions:
        student.distilbert.embeddings.position_embeddings.weight.requires_grad_(False)
    student.train()
    return student


def _copy_embeddings(student: DistilBertForMaskedLM, teacher: PreTrainedModel, *, fold_token_types: bool) -> None:
    source, target = teacher.get_submodule("bert.embeddings"), student.distilbert.embeddings
    target.word_embeddings.weight.copy_(_parameter(source, "word_embeddings.weight"))
    positions = _parameter(source, "position_embeddings.weight")
    if fold_token_types:
        positions = positions + _parameter(source, "token_type_embeddings.weight")[0]
    target.position_embeddings.weight.copy_(positions)
    target.LayerNorm.load_state_dict(source.get_submodule("LayerNorm").state_dict())


def _copy_layers(student: DistilBertForMaskedLM, teacher: PreTrainedModel, layers: tuple[int, ...]) -> None:
    for position, layer in enumerate(layers):
        source = teacher.get_submodule(f"bert.encoder.layer.{layer}")
        target = student.get_submodule(f"distilbert.transformer.layer.{position}")
        for teacher_name, student_name in _LAYER_MAP.items():
            target.get_submodule(student_name).load_state_dict(source.get_submodule(teacher_name).state_dict())


def _copy_head(student: DistilBertForMaskedLM, teacher: PreTrainedModel) -> None:
    source = teacher.get_submodule("cls.predictions")
    student.vocab_transform.load_state_dict(source.get_submodule("transform.dense").state_dict())
    student.vocab_layer_norm.load_state_dict(source.get_submodule("transform.LayerNorm").state_dict())
    student.vocab_projector.bias.copy_(_parameter(source, "bias"))


def _parameter(module: nn.Module, name: str) -> Tensor:
    return module.get_parameter(name).detach()
