"""Networks: teachers, students, vocabulary heads, checkpoints, and the checks that they fit together."""

from distilkobert.models.students import StudentSpec, build_student
from distilkobert.models.teachers import load_teacher

__all__ = ["StudentSpec", "build_student", "load_teacher"]
