"""What to do instead of resuming, in words: with those options only that the module has."""

from collections.abc import Collection


def new_run(settings: Collection[str], path: str) -> str:
    """How a run with other settings is started.

    Args:
        settings: names of the module's settings.
        path: checkpoint whose weights it may start from; empty where there is none.
    """
    weights = f", from these weights with --model.init_from={path}" if path and "init_from" in settings else ""
    return f"start a new run with another --run.arm{weights}"


def other_weights(settings: Collection[str]) -> str:
    """What gives a module its first weights.

    Args:
        settings: names of the module's settings.
    """
    if "teacher" in settings:
        return "A student starts from its teacher, which --model.teacher names"
    return "To start from other weights use --model.init_from"
