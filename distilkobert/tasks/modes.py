"""Which end of a metric is the better one."""

from typing import Final, Literal

from distilkobert.tasks.kinds import KINDS

_SMALL: Final = ("loss", "objective", "cosine", "soft_target")
_LARGE: Final = ("accuracy", "agreement", "retention", "f1")


def usual_mode(name: str) -> Literal["min", "max", ""]:
    """`min` for losses, distances and divergences, `max` for scores; empty where that is not known.

    Args:
        name: of a metric in `metrics.json`, such as `val/loss` or `best/val/objective/total`.
    """
    parts = name.split("/")
    if not {*_SMALL}.isdisjoint(parts):
        return "min"
    modes = {score.key: score.mode for kind in KINDS for score in kind.scores}
    return modes.get(parts[-1], "max" if parts[-1].endswith(_LARGE) else "")


def wrong_mode(option: str, monitor: str | None, mode: str) -> str:
    """What is wrong with the mode by which a metric chooses, in words; empty where it is right or not known.

    Args:
        option: what is chosen: `best_checkpoint`, `EarlyStopping`.
        monitor: name of the metric, if there is one.
        mode: `min` or `max`.
    """
    usual = usual_mode(monitor or "")
    if not usual or mode == usual:
        return ""
    better = "lower" if usual == "min" else "higher"
    result = "training would stop as it improves" if option == "EarlyStopping" else "the worst checkpoint would be kept"
    return f"{option}.mode={mode}: {monitor} is better the {better} it is, so {result}; set mode to {usual}"
