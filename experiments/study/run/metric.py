"""The metric of a study that decides: `STAGE/KEY`, KEY being a name in the `metrics.json` of the stage's runs."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from distilkobert.io.metric_names import BEST, TEST, VAL
from distilkobert.io.run_files import read_metrics
from distilkobert.tasks.modes import usual_mode
from experiments._shared.plan_file import Plan
from experiments._shared.run.results import is_number


def direction_of(metric: str) -> Literal["maximize", "minimize"]:
    """Which end of a metric a search seeks, see `usual_mode`; the larger one where that is not known.

    Args:
        metric: STAGE/KEY.
    """
    return "minimize" if usual_mode(metric.partition("/")[2]) == "min" else "maximize"


def metric_lines(plan: Plan, metric: str, folder: Path) -> list[str]:
    """The deciding metric of each arm that has it planned, mean over its seeds, with their number of those planned; and
    what there is, where it is missing.

    Args:
        plan: the study's plan.
        metric: STAGE/KEY.
        folder: the study's folder.
    """
    stage, _, key = metric.partition("/")
    lines, remarks = [], []
    for arm in plan.arms:
        labels = [run.label for run in plan.runs if (run.stage, run.arm) == (stage, arm.name)]
        if not labels:
            continue
        found = {label: read_metrics(folder / label) for label in labels}
        values = [float(metrics[key]) for metrics in found.values() if is_number(metrics.get(key))]
        mean = f"{sum(values) / len(values):.4f}" if values else "missing"
        lines.append(f"{metric}  {arm.name}: {mean} ({len(values)} of {len(labels)} runs)")
        remarks += [no_such_metric(metric, label, own) for label, own in found.items() if own and key not in own]
    return lines + remarks[:1]


def no_such_metric(
    metric: str, label: str, metrics: Mapping[str, Any], prefixes: tuple[str, ...] = (BEST, TEST, VAL)
) -> str:
    """That a run does not have the metric, and which it has.

    Args:
        metric: STAGE/KEY.
        label: of a run of the stage.
        metrics: what its `metrics.json` holds.
        prefixes: of the metrics that may be named instead.
    """
    names = sorted(name for name in metrics if name.startswith(prefixes))
    known = ", ".join(names) or "no scores yet"
    key = metric.partition("/")[2]
    near = get_close_matches(key, names, n=1)
    return f"metric: {metric}: {label} has no {key}; {f'did you mean {near[0]}? It' if near else 'it'} has {known}"
