"""The state of every run of a study, worked out from the journal and from what this worker is running."""

from collections.abc import Collection, Mapping
from typing import Literal

from experiments._shared.plan_file import LATENCY, Plan
from experiments.study.run.trials import Entry

Status = Literal["waiting", "ready", "elsewhere", "running", "done", "failed", "skipped"]

ENDED: tuple[Status, ...] = ("done", "failed", "skipped")
OPEN: tuple[Status, ...] = ("ready", "elsewhere")
"""A worker may try these: what the journal calls running elsewhere may have been killed."""


def statuses(
    plan: Plan, entries: Mapping[str, Entry], running: Collection[str], redo: Collection[str]
) -> dict[str, Status]:
    """The status of every run, in the plan's order.

    A run whose need has failed is skipped. The latency waits until nothing else runs, because it is measured, and
    measures the models that are there.

    Args:
        plan: the study's plan.
        entries: what the journal says.
        running: labels that this worker is running.
        redo: labels that are done by the journal, but whose result is no longer there.
    """
    found: dict[str, Status] = {}
    for run in plan.all_runs:
        label, entry = run.label, entries.get(run.label)
        ended = all(value in ENDED for value in found.values())
        needs = {found[need] for need in run.needs}
        if label in running:
            found[label] = "running"
        elif entry is not None and entry.state == "done" and label not in redo:
            found[label] = "done"
        elif entry is not None and entry.state == "failed":
            found[label] = "failed"
        elif needs & {"failed", "skipped"} and (run.stage != LATENCY or "done" not in needs):
            found[label] = "skipped"
        elif entry is None or (not ended if run.stage == LATENCY else needs - {"done"}):
            found[label] = "waiting"
        else:
            found[label] = "elsewhere" if entry.state == "running" else "ready"
    return found
