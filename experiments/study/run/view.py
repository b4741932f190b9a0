"""Progress of a study: a live table at a terminal, lines elsewhere."""

import time
from collections import Counter
from collections.abc import Collection, Mapping
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from experiments._shared.plan_file import DISTIL
from experiments.study.plan.plan import Plan
from experiments.study.run.status import Status

_STYLES: dict[Status, str] = {
    "running": "bold cyan",
    "elsewhere": "cyan",
    "ready": "dim",
    "waiting": "dim",
    "done": "green",
    "failed": "bold red",
    "skipped": "yellow",
}
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

    def show(self, plan: Plan, status: Mapping[str, Status]) -> None:
        """The state of all runs; says which are skipped, once."""
        if dict(status) == self._shown:
            return
        for run in plan.all_runs:
            if status[run.label] == "skipped" and self._shown.get(run.label) != "skipped":
                failed = next(need for need in run.needs if status[need] in ("failed", "skipped"))
                self.say(f"{run.label} is skipped, because {failed} {'failed' if status[failed] == 'failed' else 'is'}")
        self._shown = dict(status)
        if self._live:
            self._live.update(status_table(plan, status, self._console), refresh=True)


def status_table(plan: Plan, status: Mapping[str, Status], console: Console) -> RenderableType:
    """Arms by stages, a line for each arm in the order of the tables; totals alone where the terminal is too low.

    Steps that a study has once, corpus, teacher and latency, stand below with the totals.
    """
    stages = [stage for stage in dict.fromkeys(run.stage for run in plan.runs) if stage in (DISTIL, *plan.tasks)]
    totals = Text.from_markup(f"all {_cell(status.values())}", overflow="fold")
    for run in plan.all_runs:
        if run.stage not in stages:
            totals.append(f"; {run.stage} ").append(status[run.label], _STYLES[status[run.label]])
    table = Table(title=f"{escape(plan.study)}: {escape(plan.question)}", caption=totals, caption_justify="left")
    table.add_column("arm", no_wrap=True)
    for stage in stages:
        table.add_column(escape(stage), no_wrap=True)
    for arm in plan.arms:
        own = [[status[run.label] for run in plan.runs if (run.arm, run.stage) == (arm.name, at)] for at in stages]
        table.add_row(escape(arm.name), *(_cell(values) for values in own))
    lines = console.render_lines(table, console.options)
    return table if len(lines) < console.height else Group(Text(plan.study), totals)


def _cell(values: Collection[Status]) -> str:
    """`2/3 1 running`: how many are done, and what else is not merely waiting, the gravest first."""
    if not values:
        return ""
    counts = Counter(values)
    style = _STYLES["done" if counts["done"] == len(values) else "waiting"]
    parts = [f"[{style}]{counts['done']}/{len(values)}[/]"]
    parts += [f"[{_STYLES[name]}]{counts[name]} {name}[/]" for name in _TOLD if counts[name]]
    return " ".join(parts)
