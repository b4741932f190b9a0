"""The parser of the trainer's commands, and its help: our groups first, Lightning's options in a line each."""

import re
from argparse import SUPPRESS, Action, _ArgumentGroup
from typing import Any, Final

from jsonargparse import Namespace
from pytorch_lightning.cli import LightningArgumentParser

from experiments._shared.command_checks import FIXED_BEST
from experiments._shared.parsing.class_names import named_by
from experiments._shared.parsing.parsers import HelpFormatter, StrictParser
from experiments._shared.training.data_tokenizer import default_tokenizer
from experiments._shared.training.loggers import fill_folder

_TITLES: Final = {
    "config": "Configuration files and seed",
    "run": "Run folder and resume",
    "ckpt_path": "Checkpoint",
    "model": "Model",
    "data": "Data",
    "best_checkpoint": "Best checkpoint (Lightning's ModelCheckpoint)",
    "last_checkpoint": "Checkpoint to resume from",
    "gradients": "NaN and Inf in losses and gradients",
    "progress": "Progress lines, if the output is not a terminal",
    "probe": "Linear probe during distillation",
    "trainer": "Trainer (PyTorch Lightning's own options)",
}
"""Titles of the groups of options, in the order in which they are shown, by the first part of their names."""

_OBJECTIVE_PAGES: Final = (
    "--model.objectives.help lists the objectives; --model.objectives.help=SoftTargets shows the options of one."
)
_OWN_WORDS: Final = {
    "ckpt_path": "Checkpoint to load: a file, or 'last' or 'best' for those in the run's folder. 'fit' resumes from "
    "it as the run was; other commands evaluate its weights. Without -c, the settings are those of the file's own run. "
    "(type: str | null, default: null)",
    "trainer.logger": "Loggers in addition to TensorBoard: --trainer.logger+=CSVLogger (or MLFlowLogger, "
    "WandbLogger, a class of your own). --trainer.logger.help lists them.",
    "trainer.callbacks": "Callbacks added to the run's own: --trainer.callbacks+=CLASS. --trainer.callbacks.help lists "
    "them; --trainer.callbacks.help=CLASS shows the options of one.",
    "best_checkpoint.save_top_k": "1 keeps the best checkpoint, checkpoints/best.ckpt; 0 keeps none. (type: int, "
    "default: 1)",
    "best_checkpoint.monitor": "metric that selects the best checkpoint; null: the one validated last. (type: str | "
    "null, default: %(default)s)",
    "best_checkpoint.mode": "whether the smallest or the largest value of the metric is the best: min or max. "
    "(type: str, default: %(default)s)",
}
_NOT_TAKEN: Final = frozenset(
    (
        "weights_only",
        *(f"best_checkpoint.{name}" for name in (*FIXED_BEST, "save_last")),
        *(f"trainer.{name}" for name in ("barebones", "default_root_dir", "enable_checkpointing", "overfit_batches")),
        "trainer.use_distributed_sampler",
    )
)
"""Options that a run refuses, or always sets itself."""

COMMANDS: Final = {
    "fit": "Train with validations; keep the last and the best checkpoint.",
    "validate": "Evaluate a checkpoint on the validation data.",
    "test": "Evaluate a checkpoint of a task on the test data, which `fit` and `validate` do not score.",
    "predict": "Write a checkpoint's predictions for a file.",
}
"""What each command does."""

_OF_LIGHTNING = ("trainer.", "best_checkpoint.")


class TrainerHelp(HelpFormatter):
    """Help with Lightning's own texts cut to their first sentence, and classes by the names that can be typed."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, max_help_position=32, **options)  # type: ignore[no-untyped-call]

    def _get_help_string(self, action: Action) -> str:
        if action.dest in ("model", "data"):
            names = ", ".join(named_by(getattr(action, "_typehint", None)))
            more = f" {_OBJECTIVE_PAGES}" if action.dest == "model" else ""
            return f"One of {names}, or a class of your own. --{action.dest}.help=NAME shows the options of one.{more}"
        if action.dest == "model.objectives":
            return f"{action.help} {_OBJECTIVE_PAGES} (required, type: objectives by name)"
        if action.dest in _OWN_WORDS:
            return _OWN_WORDS[action.dest]
        if not action.dest.startswith(_OF_LIGHTNING):
            return super()._get_help_string(action)
        kind = _short_type(self._get_type_str(action) or "")
        facts = [
            *(["required"] if action.required else []),
            *([f"type: {kind}"] if kind else []),
            *([] if action.required else ["default: %(default)s"]),
        ]
        return f"{first_sentence(action.help or '')} ({', '.join(facts)})"

    def _get_default_metavar_for_optional(self, action: Action) -> str:
        return "VALUE"


def _short_type(text: str) -> str:
    """A type in the form of our own options; empty where it names classes, of which the text says more."""
    plain = re.sub(r"Optional\[(.*)\]$", r"\1 | null", text)
    plain = re.sub(r"^Union\[(.*)\]$", lambda found: re.sub(r", (?![^[]*\])", " | ", found[1]), plain)
    return plain if len(plain) < 60 else ""


def first_sentence(text: str) -> str:
    """The first sentence of a docstring's paragraph, without marks of reStructuredText."""
    plain = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"\1", " ".join(text.split())).replace("`", "")
    found = re.match(r".+?[.:](?=\s+[A-Z]|$)(?<!i\.e\.)(?<!e\.g\.)", plain)
    return found[0] if found else plain


class TrainerParser(StrictParser, LightningArgumentParser):
    """LightningCLI's parser, as strict as that of all other commands."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", TrainerHelp)
        super().__init__(*args, **kwargs)

    def validate(self, namespace: Namespace, *args: Any, **kwargs: Any) -> None:
        """Check the settings, once those are there that their classes require and a run gives its loggers and data."""
        command = namespace.get("subcommand")
        own = namespace.get(command) if command else namespace
        if isinstance(own, Namespace) and own.get("trainer") is not None and own.get("run") is not None:
            fill_folder(own.trainer.get("logger"), own.run.root)
            default_tokenizer(own.get("data"))
        super().validate(namespace, *args, **kwargs)

    def format_help(self, *args: Any) -> str:
        """The page of help, which the options are put in order for."""
        for group in self._action_groups:
            _tidy(group)
        self._action_groups = sorted(self._action_groups, key=_rank)
        if self._subcommands_action:
            for choice in self._subcommands_action._choices_actions:
                choice.help = COMMANDS.get(choice.dest, choice.help)
        return super().format_help(*args)


def loads_settings(action: Action) -> bool:
    """Whether an option names a file with the settings of its group."""
    return type(action).__name__ == "_ActionConfigLoad"


def _tidy(group: _ArgumentGroup) -> None:
    """Give a group its title, and hide options that are shown elsewhere or are not taken."""
    for action in group._group_actions:
        of_classes = action.dest.endswith(".help") and action.dest not in ("model.help", "data.help")
        loads_group = action.dest in _TITLES and loads_settings(action)
        if of_classes or loads_group or action.dest in _NOT_TAKEN:
            action.help = SUPPRESS
        elif action.dest.endswith(".help"):
            action.help = "List the classes, or show the options of one, and exit."
    if group.title == "Linked arguments":  # they cannot be set
        group._group_actions.clear()
    elif first := _first(group):
        group.title, group.description = _TITLES[first], None


def _first(group: _ArgumentGroup) -> str:
    """The first part of the names of a group's options; empty where they have none of the table."""
    names = (action.dest.partition(".")[0] for action in group._group_actions)
    return next((name for name in names if name in _TITLES), "")


def _rank(group: _ArgumentGroup) -> int:
    first = _first(group)
    return list(_TITLES).index(first) if first else len(_TITLES)
