"""What all tables of arms have in common: measured columns, seeds written once, the best arm bold, marks explained."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from distilkobert.io.metric_names import LIMITED_TEST
from experiments.report.formatting import (
    absent,
    marks_in,
    part_mark,
    seeds_mark,
    seeds_text,
    spread_cell,
    spread_column,
)
from experiments.report.reading.runs import Run, Study
from experiments.report.scores import spread_of
from experiments.report.statistics import Seeds
from experiments.report.tables import Cell, Column, Table


@dataclass(frozen=True)
class Measure:
    """A measured column of a table of arms.

    Args:
        heading: above it.
        stage: whose runs are read.
        read: the value of a run.
        form: writes mean and standard deviation.
        limited: entry of `metrics.json` that a run has where its value is that of a part of the file.
        ranked: more is better, and the best arm is bold.
    """

    heading: str
    stage: str
    read: Callable[[Run], float | None]
    form: Callable[[float], str] = "{:.2f}".format
    limited: str = LIMITED_TEST
    ranked: bool = False

    @property
    def column(self) -> Column:
        """Mean, standard deviation and seeds."""
        return spread_column(self.heading, ranked=self.ranked)

    def cell(self, study: Study, arm: str) -> Cell:
        """The arm's mean over seeds; missing where it has runs and none of them has ended."""
        runs = study.of(self.stage, arm)
        spread = spread_of(runs, self.read, self.limited)
        if spread is None:
            return absent(bool(runs) and not any(run.metrics for run in runs))
        return spread_cell(spread, self.form)


def arm_table(
    study: Study,
    slug: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
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
        columns: its columns.
        rows: cells without their seeds.
        explained: how the numbers are to be read.
        notes: sentences below it, before those on marks.
    """
    counts = Counter(_bare(cell.seeds) for row in rows for cell in row if cell.seeds)
    most = max(counts, key=lambda seeds: (counts[seeds], seeds.n, seeds.distillations), default=None)
    teachers = {arm.name for arm in study.arms if arm.kind == "teacher"}
    ranked = [row for row in rows if row[0].text not in teachers]
    tops = [_top([row[place] for row in ranked]) if column.ranked else "" for place, column in enumerate(columns)]
    told = tuple(
        tuple(
            replace(_told(cell, most), bold=_mean(cell) == top and row[0].text not in teachers)
            for cell, top in zip(row, tops, strict=True)
        )
        for row in rows
    )
    sentences = [explained, _seeds_sentence(most, alike=len(counts) == 1) if most else ""]
    if any(tops):
        others = f", {', '.join(sorted(teachers))} left out" if teachers else ""
        sentences.append(f"Bold: the highest mean of a column, where it has a spread{others}.")
    marks = marks_in([cell.text for row in told for cell in row if cell.values])
    return Table(slug, title, tuple(columns), told, " ".join(filter(None, sentences)), (*notes, *marks))


def _bare(seeds: Seeds) -> Seeds:
    """Without what every cell says for itself."""
    return replace(seeds, in_part=0)


def _told(cell: Cell, most: Seeds | None) -> Cell:
    """The cell with its marks, and its seeds if they are not those of most cells."""
    if cell.seeds is None:
        return cell
    other = _bare(cell.seeds) != most
    marks = (seeds_mark(cell.seeds) if other else "") + part_mark(cell.seeds)
    seeds = f"({seeds_text(cell.seeds)})" if other else ""
    return replace(cell, text=" ".join(filter(None, [cell.text, marks, seeds])))


def _seeds_sentence(seeds: Seeds, *, alike: bool) -> str:
    """What is behind most cells; the sentences on marks say the same of single cells."""
    sentence = f"Seeds: {seeds_text(seeds)}" + ("" if alike else " where a cell does not say otherwise")
    if seeds.n == 1:
        sentence += "; one seed says nothing about the spread over seeds"
    elif seeds.distillations < seeds.n:
        sentence += "; the spread leaves out what another distillation would change"
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
