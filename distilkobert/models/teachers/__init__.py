"""Teachers: built, loaded, checked and run without gradients."""

from distilkobert.models.teachers.loading import (
    EncoderSpec,
    FrozenTeacher,
    TeacherType,
    build_encoder,
    load_teacher,
    weights_sum,
)

__all__ = ["EncoderSpec", "FrozenTeacher", "TeacherType", "build_encoder", "load_teacher", "weights_sum"]
