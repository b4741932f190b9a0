"""Which layer of the student learns from which layer of the teacher."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

EMBEDDINGS = -1
"""Number of the embedding output among the hidden states; layers are counted from 0."""

Pairs = tuple[tuple[int, int], ...]
"""(student layer, teacher layer), both from 0."""


@dataclass(frozen=True)
class LayerMap:
    """Pairs of a student layer and the teacher layer that it is compared with.

    Args:
        pairs: `uniform`: student layer i of S is compared with the layer of the teacher's T that has the same share of
            layers below it, number ceil((i + 1) * T / S) - 1 (TinyBERT's map, Jiao et al. 2020, where S divides T).
            `last`: the two last layers. Or a list of [student layer, teacher layer], both counted from 0.
        embeddings: also compare the two embedding outputs.
        ends: with `last`, the student's and the teacher's layer instead of the last one where it is not None.

    Raises:
        ValueError: the list is empty, has another form, a negative number, or names a student layer twice.
    """

    pairs: Literal["uniform", "last"] | Sequence[Sequence[int]] = "uniform"
    embeddings: bool = False
    ends: tuple[int | None, int | None] = (None, None)

    def __post_init__(self) -> None:
        if self.pairs in ("uniform", "last"):
            return
        pairs = [[] if isinstance(pair, (str, int)) else list(pair) for pair in self.pairs]
        if not pairs or any(len(pair) != 2 for pair in pairs):
            raise ValueError(
                f"layer map {self.pairs!r}: expected uniform, last, or a list of [student layer, teacher layer]"
            )
        if any(number < 0 for pair in pairs for number in pair):
            raise ValueError(f"layer map {pairs}: layers are counted from 0; none is negative")
        students = [student for student, _ in pairs]
        if len(set(students)) != len(students):
            raise ValueError(f"layer map {pairs}: a student layer is named twice")

    def resolve(self, student_layers: int, teacher_layers: int) -> Pairs:
        """The pairs for networks of these depths, `EMBEDDINGS` first if requested.

        Raises:
            ValueError: a layer is beyond the depth of its network.
        """
        pairs: list[tuple[int, int]]
        if self.pairs == "last":
            depths = (student_layers, teacher_layers)
            student, teacher = (n - 1 if end is None else end for n, end in zip(depths, self.ends, strict=True))
            pairs = [(student, teacher)]
        elif self.pairs == "uniform":
            pairs = [(i, -(-(i + 1) * teacher_layers // student_layers) - 1) for i in range(student_layers)]
        else:
            pairs = [(int(student), int(teacher)) for student, teacher in self.pairs]
        for side, depth in enumerate((student_layers, teacher_layers)):
            beyond = [pair[side] for pair in pairs if pair[side] >= depth]
            if beyond:
                name, named = ("student", "teacher")[side], [list(pair) for pair in pairs]
                raise ValueError(f"layer map {named}: the {name} has layers 0 to {depth - 1}, not {beyond[0]}")
        return ((EMBEDDINGS, EMBEDDINGS), *pairs) if self.embeddings else tuple(pairs)
