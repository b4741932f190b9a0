"""Networks: families of encoders, teachers, students, heads, checkpoints, and the checks that they fit together.

The public names are imported on first use, because they import torch and transformers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from distilkobert.models.students import StudentSpec, build_student
    from distilkobert.models.teachers import load_teacher

__all__ = ["StudentSpec", "build_student", "load_teacher"]

_HOMES: Final = {"StudentSpec": "students", "build_student": "students", "load_teacher": "teachers"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
