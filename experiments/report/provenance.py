"""The tables of what produced the results: the tasks' data, and code, machine and seeds."""

from collections.abc import Callable, Sequence
from typing import Any

from distilkobert.io.metric_names import (
    ALSO_IN_TEST,
    CORPUS_CONTENT,
    EXAMPLES,
    FILE_CONTENT,
    PRECISION,
    SPLIT,
    TEACHER_CONTENT,
    TOKENIZER_CONTENT,
    UNANSWERABLE_LEFT_OUT,
)
from distilkobert.tasks.splits import LABELLED
from experiments._shared.plan_file import CORPUS, DISTIL
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import task_title
from experiments.report.tables import NONE, Cell, Column, Table

_SHARED = (*map(FILE_CONTENT.format, LABELLED), CORPUS_CONTENT, TOKENIZER_CONTENT, TEACHER_CONTENT, PRECISION)
"""Facts that the runs of a stage share, or their scores differ for another reason than the arm."""

_LEFT_OUT = {
    ALSO_IN_TEST: "training examples left out: their text is in the test file",
    **{UNANSWERABLE_LEFT_OUT.format(part): f"questions left out of {part}: they have no answer" for part in LABELLED},
}
"""What is said of a number of examples that a data module has left out."""


def counts(study: Study) -> tuple[int, int]:
    """Runs that have their results, and all that are planned."""
    runs = [run for run in study.runs if run.stage != CORPUS]
    return sum(bool(run.metrics) for run in runs), len(runs)


def data_table(study: Study) -> Table | None:
    """How many examples each task has, and how its files are split; None where no run has recorded it."""
    rows = []
    for task in study.tasks:
        runs = [run for run in study.of(task) if run.metrics]
        numbers = [_distinct(runs, EXAMPLES.format(part), "{:,}".format) for part in ("train", "dev", "test")]
        found = [*numbers, _parts(runs)]
        if any(found):
            rows.append((Cell(task_title(task)), *(Cell("; ".join(values) or NONE) for values in found)))
    if not rows:
        return None
    columns = tuple(map(Column, ("task", "train", "dev", "test", "split")))
    explained = "Examples of each part, and how the runs made the parts; a part of one file is no published test set."
    return Table("data", "The tasks' data", columns, tuple(rows), explained)


def provenance_table(study: Study, declared: Study) -> Table:
    """What the runs say of the code, the machine and the seeds they had; counted of all that are declared."""
    runs = [run for run in study.runs if run.metrics]
    packages = sorted({name for run in runs for name in run.metrics if name.startswith("version/")})
    facts: dict[str, Sequence[object]] = {
        "study": [study.name],
        "runs": ["{} of {}".format(*counts(declared))],
        "seeds": sorted({run.seed for run in runs}),
        "hardware": _distinct(runs, "hardware"),
        "git revision": _distinct(runs, "git_revision"),
        "Python": _distinct(runs, "python"),
        **{name.removeprefix("version/"): _distinct(runs, name) for name in packages},
    }
    rows = ((Cell(name), Cell(", ".join(map(str, values)) or "not recorded")) for name, values in facts.items())
    return Table("provenance", "What produced these results", (Column("what"), Column("value")), tuple(rows))


def _parts(runs: Sequence[Run]) -> list[str]:
    """How the runs made their parts, and how many examples are in none of them."""
    numbers = [(number, what) for fact, what in _LEFT_OUT.items() for number in _distinct(runs, fact, "{:,}".format)]
    return [*_distinct(runs, SPLIT), *(f"{number} {what}" for number, what in numbers if number != "0")]


def mixed_facts(study: Study) -> list[str]:
    """A sentence for each stage and `_SHARED` fact that has several values; facts that differ alike are in one.

    A model that is fine-tuned as it is may have a tokenizer of its own. Runs that have not recorded a fact are skipped.
    """
    models = _models(study)
    notes = []
    for stage in (*study.distil_stages, *study.tasks):
        differing: dict[str, list[str]] = {}
        for fact in _SHARED:
            runs = [run for run in study.of(stage) if fact in run.metrics]
            runs = [run for run in runs if fact != TOKENIZER_CONTENT or run.arm not in models]
            if len(_distinct(runs, fact)) > 1:
                differing.setdefault(_by_value(runs, fact), []).append(fact)
        notes += [f"{stage}: runs differ in {', '.join(facts)}: {values}." for values, facts in differing.items()]
    return notes


def _models(study: Study) -> set[str]:
    """Names of the arms that are models fine-tuned as they are, as far as a plan says so: controls not distilled."""
    controls = [arm.name for arm in study.arms if arm.kind == "control" and study.is_planned]
    return {name for name in controls if not study.of(DISTIL, name)}


def _by_value(runs: Sequence[Run], fact: str) -> str:
    """`aaa… (base, teacher), bbb… (no_cosine)`; an arm with several values is named by its runs."""
    names: dict[str, list[str]] = {}
    for run in runs:
        is_alike = len(_distinct([other for other in runs if other.arm == run.arm], fact)) == 1
        names.setdefault(str(run.metrics[fact]), []).append(run.arm if is_alike else f"{run.arm}_seed{run.seed}")
    return ", ".join(f"{_short(value)} ({', '.join(dict.fromkeys(own))})" for value, own in names.items())


def _distinct(runs: Sequence[Run], key: str, form: Callable[[Any], str] = str) -> list[str]:
    """What the runs have recorded under a name, each value once."""
    return sorted({form(run.metrics[key]) for run in runs if key in run.metrics})


def _short(value: str) -> str:
    """The beginning of a hash; a shorter value as it is."""
    return value if len(value) <= 12 else f"{value[:12]}…"
