"""Progress of a study: a live table at a terminal, lines elsewhere."""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from distilkobert.run_files import read_metrics
from experiments.studies.plan import Plan
from experiments.studies.status import Status

_STYLES: dict[Status, str] = {
    "running": "bold cyan",
    "elsewhere": "cyan",
    "ready": "dim",
    "waiting": "dim",
    "done": "green",
    "failed": "bold red",
    "skipped": "yellow",
}


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
            self._live.update(status_table(plan, status), refresh=True)


def status_table(plan: Plan, status: Mapping[str, Status]) -> Table:
    """Arms by stages, each cell the number of runs in each state."""
    stages = list(dict.fromkeys(run.stage for run in plan.all_runs))
    table = Table(title=f"{escape(plan.study)}: {escape(plan.question)}")
    table.add_column("arm")
    for stage in stages:
        table.add_column(escape(stage))
    for arm in dict.fromkeys(run.arm for run in plan.all_runs):
        cells = []
        for stage in stages:
            counts = Counter(status[run.label] for run in plan.all_runs if (run.arm, run.stage) == (arm, stage))
            cells.append("\n".join(f"[{_STYLES[name]}]{count} {name}[/]" for name, count in counts.items()))
        table.add_row(escape(arm), *cells)
    return table


def metric_lines(plan: Plan, metric: str, folder: Path) -> list[str]:
    """The deciding figure of each arm, mean over its seeds, with their number."""
    stage, _, key = metric.partition("/")
    lines = []
    for arm in plan.arms:
        runs = [run for run in plan.runs if (run.stage, run.arm) == (stage, arm.name)]
        found = (read_metrics(folder / run.label).get(key) for run in runs)
        values = [float(value) for value in found if isinstance(value, (int, float))]
        mean = f"{sum(values) / len(values):.4f}" if values else "missing"
        lines.append(f"{metric}  {arm.name}: {mean} ({len(values)} of {len(runs)} runs)")
    return lines
