"""Seeds are written once a table, and the best arm is bold where its value has a spread."""

from pathlib import Path

import pytest

from experiments._shared.plan_file import Arm
from experiments.report.arm_tables import arm_table, measured
from experiments.report.reading.runs import Run, Study
from experiments.report.tables import DAGGER, SECTION, Table


def table(ranked: bool = True, **values: list[float | str]) -> Table:
    """One column over arms: a number is a seed's value, `part` one of a part of the file, `gone` a missing run."""
    runs, arms = [], []
    for arm, seeds in values.items():
        arms.append(Arm(arm, "teacher" if arm == "teacher" else "student"))
        for seed, value in enumerate(seeds, 1):
            metrics = {} if value == "gone" else {"x": 50.0, "limited/test": "1"} if value == "part" else {"x": value}
            runs.append(Run("task", arm, seed, Path(), metrics))
    study = Study("s", "", Path(), tuple(arms), None, ("task",), (), tuple(runs))
    column = measured(study, "x", "task", lambda run: run.number("x"), ranked=ranked)
    return arm_table(study, "t", "A title", [column])


def texts(found: Table) -> list[str]:
    return [row[1].text for row in found.rows]


def bold(found: Table) -> list[str]:
    return [row[0].text for row in found.rows if row[1].bold]


def test_seeds_that_all_cells_have_are_told_once() -> None:
    found = table(ranked=False, a=[1.0, 2.0], b=[3.0, 3.0])
    assert texts(found) == ["1.50 ± 0.71", "3.00 ± 0.00"]
    assert found.caption == "A title. Seeds: n=2."
    found = table(ranked=False, a=[1.0], b=[3.0])
    assert texts(found) == ["1.00", "3.00"]
    assert found.caption == "A title. Seeds: n=1; one seed says nothing about the spread over seeds."
    assert found.notes == ()


def test_other_seeds_are_told_in_their_cell() -> None:
    found = table(ranked=False, a=[1.0, 2.0], b=[3.0, "gone"], c=[4.0, 4.0], d=["gone", "gone"], e=[])
    assert texts(found) == ["1.50 ± 0.71", "3.00 † (n=1 of 2)", "4.00 ± 0.00", "missing", "–"]
    assert found.caption == "A title. Seeds: n=2 unless a cell says otherwise."
    assert found.notes == (DAGGER,)


def test_of_equally_frequent_seeds_the_higher_number_is_told_above() -> None:
    assert texts(table(ranked=False, a=[1.0], b=[3.0, 3.0])) == ["1.00 † (n=1)", "3.00 ± 0.00"]


def test_a_part_of_a_file_is_told_in_every_cell() -> None:
    found = table(a=["part", "part"], b=[3.0, 3.0])
    assert texts(found) == ["50.00 ± 0.00 §", "3.00 ± 0.00"]
    assert found.notes == (SECTION,)
    assert bold(found) == []  # the other is the only one that is comparable


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ({"a": [1.0, 2.0], "b": [3.0, 2.0]}, ["b"]),
        ({"teacher": [9.0, 9.0], "a": [1.0, 2.0], "b": [3.0, 2.0]}, ["b"]),
        ({"a": [3.0, 4.0], "b": [9.0]}, []),  # the best has no spread
        ({"a": [3.0, 4.0], "b": [1.0]}, ["a"]),
        ({"a": [3.0, 4.0], "b": [3.501, 3.501], "c": [1.0, 1.0]}, ["a", "b"]),  # alike as they are shown
        ({"a": [3.0, 4.0]}, []),
        ({"teacher": [3.0, 4.0], "a": [3.0, 4.0]}, []),
        ({"a": [3.0, 4.0], "b": ["part", "part"], "c": [1.0, 2.0]}, ["a"]),
        ({"a": [10.0, 10.0], "b": [9.0, 9.0]}, ["a"]),  # as numbers, not as letters
        ({"a": ["gone"], "b": []}, []),
    ],
)  # fmt: skip
def test_the_best_arm_is_bold_if_it_has_a_spread(values: dict[str, list[float | str]], best: list[str]) -> None:
    found = table(**values)
    assert bold(found) == best
    assert ("Bold: the highest mean" in found.caption) == bool(best)
    assert bold(table(ranked=False, **values)) == []
