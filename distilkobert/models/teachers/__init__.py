"""Teachers: built, loaded, checked and placed on a device."""

from distilkobert.models.teachers.loading import (
    EncoderSpec,
    TeacherType,
    build_encoder,
    load_teacher,
    place_teacher,
    weights_sum,
)

__all__ = ["EncoderSpec", "TeacherType", "build_encoder", "load_teacher", "place_teacher", "weights_sum"]
