"""What all tables of arms have in common: measured columns, seeds written once, the best arm bold, marks explained."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from distilkobert.io.metric_names import LIMITED_TEST
from experiments._shared.plan_file import Arm
from experiments.report.reading.runs import Run, Study
from experiments.report.scores import spread_of
from experiments.report.statistics import Seeds
from experiments.report.tables import SPREAD, Cell, Column, Table, marks_in, marks_of, seeds_text, value_cell


def measured(
    study: Study,
    heading: str,
    stage: str,
    read: Callable[[Run], float | None],
    form: Callable[[float], str] = "{:.2f}".format,
    limited: str | None = LIMITED_TEST,
    *,
    ranked: bool = False,
) -> Column:
    """A column of means over seeds; missing where an arm has runs and none of them has ended.

    Args:
        study: its runs are read.
        heading: above the column.
        stage: whose runs.
        read: the value of a run.
        form: writes mean and standard deviation.
        limited: entry of `metrics.json` that a run has where its value is that of a part of the file; None
            where no part changes it.
        ranked: more is better, and the best arm is bold.
    """

    def cell(arm: Arm) -> Cell:
        runs = study.of(stage, arm.name)
        planned = bool(runs) and not any(run.metrics for run in runs)
        return value_cell(spread_of(runs, read, limited), planned=planned, form=form)

    return Column(heading, SPREAD, cell, ranked)


def arm_table(
    study: Study,
    slug: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[tuple[str, Any]] | None = None,
    last: Sequence[Cell] = (),
    explained: str = "",
    notes: Sequence[str] = (),
) -> Table:
    """A table whose first column names arms.

    The seeds that most cells have are written once, in the caption; cells over other seeds say theirs, with marks. In
    a ranked column the best arm is bold, the teacher left out, if its value has a spread and is of whole files.

    Args:
        study: whose teachers are not ranked.
        slug: name of its files.
        title: what it shows.
        columns: its columns after the first.
        rows: the name of each row, and what its cells are made from; by default all arms.
        last: a row without a model.
        explained: how the numbers are to be read.
        notes: sentences below it, before those on marks.
    """
    chosen = [(arm.name, arm) for arm in study.arms] if rows is None else rows
    cells = [[Cell(name), *(column.of(about) for column in columns)] for name, about in chosen]
    cells += [list(last)] if last else []
    counts = Counter(_bare(cell.seeds) for row in cells for cell in row if cell.seeds)
    most = max(counts, key=lambda seeds: (counts[seeds], seeds.n, seeds.starts), default=None)
    teachers = {arm.name for arm in study.arms if arm.kind == "teacher"}
    ranked = [row for row in cells if row[0].text not in teachers]
    all_columns = (Column("arm"), *columns)
    tops = [_top([row[place] for row in ranked]) if column.ranked else "" for place, column in enumerate(all_columns)]
    marked = tuple(
        tuple(
            replace(_marked(cell, most), bold=_mean(cell) == top and row[0].text not in teachers)
            for cell, top in zip(row, tops, strict=True)
        )
        for row in cells
    )
    sentences = [explained, _seeds_sentence(most, alike=len(counts) == 1) if most else ""]
    if any(tops):
        others = f", {', '.join(sorted(teachers))} left out" if teachers else ""
        sentences.append(f"Bold: the highest mean of a column, where it has a spread{others}.")
    marks = marks_in(cell.text for row in marked for cell in row if cell.values)
    return Table(slug, title, all_columns, marked, " ".join(filter(None, sentences)), (*notes, *marks))


def _bare(seeds: Seeds) -> Seeds:
    """Without what every cell says for itself."""
    return replace(seeds, in_part=0)


def _marked(cell: Cell, most: Seeds | None) -> Cell:
    """The cell with its marks, and its seeds if they are not those of most cells."""
    if cell.seeds is None:
        return cell
    usual = _bare(cell.seeds) == most
    seeds = "" if usual else f"({seeds_text(cell.seeds)})"
    return replace(cell, text=" ".join(filter(None, [cell.text, marks_of(cell.seeds, of_part_alone=usual), seeds])))


def _seeds_sentence(seeds: Seeds, *, alike: bool) -> str:
    """What is behind most cells; the sentences on marks say the same of single cells."""
    sentence = f"Seeds: {seeds_text(seeds)}" + ("" if alike else " unless a cell says otherwise")
    if seeds.n == 1:
        sentence += "; one seed says nothing about the spread over seeds"
    elif seeds.starts < seeds.n:
        sentence += "; the spread leaves out what another starting model would change"
    if seeds.partial:
        sentence += "; planned seeds are missing, of the arm or of the one it is compared with"
    return f"{sentence}."


def _top(cells: Sequence[Cell]) -> str:
    """The highest mean of a column, as it is shown; empty without a second arm, or where the best has no spread."""
    means = [mean for cell in cells if (mean := _mean(cell)) is not None]
    top = max(means, key=float, default="")
    spread = all("±" in cell.text for cell in cells if _mean(cell) == top)
    return top if len(means) > 1 and spread else ""


def _mean(cell: Cell) -> str | None:
    """The mean as it is shown; None where it is not comparable."""
    return cell.text.split(" ")[0] if cell.seeds is not None and not cell.seeds.in_part else None
