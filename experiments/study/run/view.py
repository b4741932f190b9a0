"""Progress of a study: its runs as a live tree, or table, at a terminal, lines elsewhere."""

import time
from collections import Counter
from collections.abc import Collection, Mapping
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from distilkobert.io.durations import duration
from experiments._shared.plan_file import DISTIL, Plan
from experiments.study.run.status import Remaining, Status

_STYLES: dict[Status, str] = {
    "running": "bold cyan",
    "elsewhere": "cyan",
    "ready": "dim",
    "waiting": "dim",
    "done": "green",
    "failed": "bold red",
    "skipped": "yellow",
}
_EVERY_SECONDS = 5.0
"""Between two pictures while no status changes."""
_TOLD: tuple[Status, ...] = ("failed", "skipped", "running", "elsewhere")


class View:
    """Shows what happens. Use it as a context manager.

    Args:
        console: where to; the process' own by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        # No thread of its own: a worker starts processes, and does so from one thread.
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._shown: dict[str, Status] = {}
        self._drawn = 0.0

    def __enter__(self) -> "View":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """One event, above the table."""
        self._console.print(f"{time.strftime('%H:%M:%S')} {text}", markup=False, highlight=False, soft_wrap=True)

    def show(self, plan: Plan, status: Mapping[str, Status], left: Remaining) -> None:
        """The state of all runs and the time that they still take; says which are skipped, once."""
        for run in plan.all_runs:
            if status[run.label] == "skipped" and self._shown.get(run.label) != "skipped":
                failed = next(need for need in run.needs if status[need] in ("failed", "skipped"))
                self.say(f"{run.label} is skipped, because {failed} {'failed' if status[failed] == 'failed' else 'is'}")
        now = time.monotonic()
        if self._live and (dict(status) != self._shown or now - self._drawn >= _EVERY_SECONDS):
            self._drawn = now
            self._live.update(status_picture(plan, status, left, self._console), refresh=True)
        self._shown = dict(status)


def status_picture(plan: Plan, status: Mapping[str, Status], left: Remaining, console: Console) -> RenderableType:
    """A tree of all runs; arms by stages, or the totals alone, where the terminal is too low for it."""
    totals = Text.from_markup(f"all {_cell([status[run.label] for run in plan.counted])}", overflow="fold")
    for run in plan.all_runs:
        if run.stage not in _stages(plan):
            totals.append(f"; {run.stage} ").append(status[run.label], _STYLES[status[run.label]])
    totals.append(f"; {left}" if str(left) else "")
    pictures = (Group(_tree(plan, status, left), totals), _table(plan, status, totals))
    low_enough = (one for one in pictures if len(console.render_lines(one, console.options)) < console.height)
    return next(low_enough, Group(Text(plan.study), totals))


def _tree(plan: Plan, status: Mapping[str, Status], left: Remaining) -> Tree:
    """Each run below the last one that it needs, with the time until it ends from its start or from now."""
    tree = Tree(f"{escape(plan.study)}: {escape(plan.question)}")
    nodes: dict[str, Tree] = {}
    for run in plan.all_runs:
        text = Text(f"{run.label} ").append(status[run.label], _STYLES[status[run.label]])
        if (seconds := left.seconds.get(run.label)) is not None:
            text.append(f", about {duration(seconds)}", "dim")
        parent = tree if run == plan.latency or not run.needs else nodes[run.needs[-1]]
        nodes[run.label] = parent.add(text)
    return tree


def _table(plan: Plan, status: Mapping[str, Status], totals: Text) -> Table:
    """Arms by stages, a line for each arm in the order of a report's tables."""
    stages = _stages(plan)
    table = Table(title=f"{escape(plan.study)}: {escape(plan.question)}", caption=totals, caption_justify="left")
    table.add_column("arm", no_wrap=True)
    for stage in stages:
        table.add_column(escape(stage), no_wrap=True)
    for arm in plan.arms:
        own = [[status[run.label] for run in plan.runs if (run.arm, run.stage) == (arm.name, at)] for at in stages]
        table.add_row(escape(arm.name), *(_cell(values) for values in own))
    return table


def _stages(plan: Plan) -> list[str]:
    """Stages of the arms; steps that a study has once, corpus, teacher and latency, are named with the totals."""
    return [stage for stage in dict.fromkeys(run.stage for run in plan.runs) if stage in (DISTIL, *plan.tasks)]


def _cell(values: Collection[Status]) -> str:
    """`2/3 1 running`: how many are done, and what else is not merely waiting, the gravest first."""
    if not values:
        return ""
    counts = Counter(values)
    style = _STYLES["done" if counts["done"] == len(values) else "waiting"]
    parts = [f"[{style}]{counts['done']}/{len(values)}[/]"]
    parts += [f"[{_STYLES[name]}]{counts[name]} {name}[/]" for name in _TOLD if counts[name]]
    return " ".join(parts)
