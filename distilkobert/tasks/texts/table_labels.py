"""Which labels a table's task has: those that are named, or those of the training file, in a stable order."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from distilkobert.tasks.files.table_rows import Place, TableRow, cells_of
from distilkobert.tasks.kinds import MULTI_LABEL_CLASSIFICATION, SEQUENCE_REGRESSION, TaskKind
from distilkobert.tasks.texts.targets import (
    ClassTarget,
    LabelsTarget,
    ScoreTarget,
    Target,
    held_labels,
    labels_in_order,
    word,
)

SCORE_NAMES = ("score",)
"""Name of the one output of a regression's head."""
DEFAULT_SEPARATOR = ","
"""Between several labels in one column."""


def read_target(
    kind: TaskKind,
    columns: Sequence[str],
    given: Sequence[str | int] | Mapping[str | int, str] | None,
    separator: str,
    score_range: tuple[float, float] | None,
    rows: Callable[[], Iterable[TableRow]],
) -> tuple[list[str], Target]:
    """Names of the classes, and what reads the label of an example.

    Args:
        kind: the task kind.
        columns: where labels are.
        given: names of the classes, or what is written to the name; None: those of the rows.
        separator: between labels in one column.
        score_range: lowest and highest score; None for any.
        rows: reads the training file.

    Raises:
        ValueError: a setting that the kind does not have, no label column, several where one is expected, a name twice,
            fewer than two classes, or labels that look alike; see `labels_in_order`.
    """
    several = kind is MULTI_LABEL_CLASSIFICATION
    if not columns:
        raise ValueError("label names no column; expected the column of the label, or several with kind=multi_label")
    if not separator:
        raise ValueError("label_separator is empty; expected the text between two labels, such as ','")
    if separator != DEFAULT_SEPARATOR and not (several and len(columns) == 1):
        raise ValueError(
            f"label_separator is {separator!r}, but is for kind=multi_label with one label column only; leave it out"
        )
    if len(columns) > 1 and not several:
        raise ValueError(f"label names {len(columns)} columns, {', '.join(columns)}; only kind=multi_label has several")
    if kind is SEQUENCE_REGRESSION:
        if given is not None:
            raise ValueError("labels is given, but kind is regression, whose scores have no names; leave labels out")
        low, high = score_range or (None, None)
        if low is not None and high is not None and not low < high:  # also one that is NaN
            raise ValueError(f"score_range is {low:g} to {high:g}; expected two numbers, the least score first")
        return list(SCORE_NAMES), ScoreTarget(columns[0], low, high)
    if score_range is not None:
        raise ValueError("score_range is given, but kind is not regression; leave it out, or set kind: regression")
    if several:
        found = _given(given) if given is not None else {name: name for name in _held(columns, separator, rows)}
        return list(found.values()), LabelsTarget(columns, list(found), separator)
    found = _given(given) if given is not None else {name: name for name in _classes(columns[0], rows)}
    return list(found.values()), ClassTarget(columns[0], found)


def _given(labels: Sequence[str | int] | Mapping[str | int, str]) -> dict[str, str]:
    pairs = labels.items() if isinstance(labels, Mapping) else ((label, label) for label in labels)
    found = [(word(written), word(name)) for written, name in pairs]
    twice = [name for name, count in Counter(name for _, name in found).items() if count > 1]
    if twice or len(found) < 2:
        fault = f"names {twice[0]!r} twice" if twice else f"has {len(found)} name{'s' if len(found) != 1 else ''}"
        raise ValueError(f"labels {fault}; expected two or more different ones")
    return dict(found)


def _classes(column: str, rows: Callable[[], Iterable[TableRow]]) -> list[str]:
    place: Place | None = None
    written = []
    for row in rows():
        place = row.place
        written.append((word(row.cells.get(column)), row.place))
    labels = labels_in_order(written)
    if len(labels) < 2:
        found = f"one class alone, {labels[0]!r}" if labels else "no label"
        file = "" if place is None else f"{place.file}: "
        raise ValueError(f"{file}the column {column!r} has {found}; expected two or more")
    joined = [one for one in labels if DEFAULT_SEPARATOR in one and _parts(one) <= {*labels} - {one}]
    if joined:
        warnings.warn(
            f"{column!r}: {joined[0]!r} is a class of its own, beside {' and '.join(sorted(_parts(joined[0])))}. If an "
            "example can have several labels, set --data.kind=multi_label; if not, name all classes with "
            "--data.labels=[...]",
            stacklevel=2,
        )
    return labels


def _parts(label: str) -> set[str]:
    """The labels that a cell holds if it holds several."""
    return {part.strip() for part in label.split(DEFAULT_SEPARATOR)}


def _held(columns: Sequence[str], separator: str, rows: Callable[[], Iterable[TableRow]]) -> list[str]:
    labels = labels_in_order(
        (label, row.place) for row in rows() for label in held_labels(cells_of(row, columns), columns, separator)
    )
    if not labels:
        raise ValueError(f"no example has a label in {', '.join(map(repr, columns))}; expected at least one")
    if len(columns) == 1:
        return labels
    # In the order of the columns, each column's own words by their letters.
    return sorted(labels, key=lambda label: (columns.index(label.partition(":")[0]), label))


def balanced_weights(numbers: Sequence[int] | Sequence[Sequence[int]], names: Sequence[str]) -> list[float]:
    """Weights by which every class weighs the same: N / (classes * count); of several labels, absent / present.

    Args:
        numbers: the class of each of N examples, or 0 and 1 for each label.
        names: of the classes, in the order of their numbers.

    Raises:
        ValueError: a class has no example.
    """
    if isinstance(numbers[0], int):
        counts = [Counter(numbers)[number] for number in range(len(names))]
    else:
        counts = [sum(column) for column in zip(*numbers, strict=True)]
    if 0 in counts:
        raise ValueError(
            f"class_weights=balanced: the class {names[counts.index(0)]!r} has no example in the training part; "
            "give the weights"
        )
    total = len(numbers)
    if isinstance(numbers[0], int):
        return [total / (len(names) * count) for count in counts]
    return [(total - count) / count for count in counts]
