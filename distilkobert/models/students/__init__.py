"""Students: built out of a teacher, in DistilBERT or in its own class, of any width."""

from distilkobert.models.students.building import StudentSpec, build_student, freeze_positions

__all__ = ["StudentSpec", "build_student", "freeze_positions"]
