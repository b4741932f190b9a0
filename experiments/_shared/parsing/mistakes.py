"""What people type by habit of other tools, and what it is called here: the one table of common mistakes."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from experiments._shared.parsing.config_files import RECIPE_PARTS

OPTIONS: Final = {
    "batch_size": "data.batch_size",
    "ckpt": "ckpt_path",
    "data_dir": "data.data_dir",
    "epochs": "trainer.max_epochs",
    "eval_steps": "trainer.val_check_interval",
    "gpus": "trainer.devices",
    "gradient_accumulation_steps": "trainer.accumulate_grad_batches",
    "init_from": "model.init_from",
    "learning_rate": "model.optimizer.lr",
    "logging_steps": "trainer.log_every_n_steps",
    "lr": "model.optimizer.lr",
    "max_grad_norm": "trainer.gradient_clip_val",
    "max_length": "data.max_length",
    "max_seq_len": "data.max_length",
    "max_seq_length": "data.max_length",
    "max_tokens": "data.max_tokens",
    "model_name_or_path": "model.init_from",
    "num_epochs": "trainer.max_epochs",
    "num_gpus": "trainer.devices",
    "num_train_epochs": "trainer.max_epochs",
    "num_workers": "data.num_workers",
    "optimizer": "model.optimizer.lr",
    "output_dir": "run.root",
    "per_device_train_batch_size": "data.batch_size",
    "pretrained_model_name_or_path": "model.init_from",
    "resume": "run.resume",
    "resume_from_checkpoint": "ckpt_path",
    "save_steps": "last_checkpoint.every_n_steps",
    "seed": "seed_everything",
    "steps": "trainer.max_steps",
    "teacher": "model.teacher",
    "tokenizer": "data.tokenizer",
    "train_batch_size": "data.batch_size",
    "warmup": "model.optimizer.warmup",
    "warmup_ratio": "model.optimizer.warmup",
    "warmup_steps": "model.optimizer.warmup",
    "weight_decay": "model.optimizer.weight_decay",
}
"""Last part of an option's name elsewhere to the option here."""

VALUES: Final = {
    "amp": "16-mixed",
    "bfloat16": "bf16-mixed",
    "float16": "16-mixed",
    "float32": "32-true",
    "fp16": "16-mixed",
    "fp32": "32-true",
    "half": "16-mixed",
}
"""Value of a choice elsewhere to the one here."""

_NEW_NAMES: Final = {"losses": "objectives.NAME.weight", "seed_compatible": "reference_decoding"}
"""Part of an option's former name to what it and the parts after it are now."""

_ELSEWHERE: Final = {
    "objectives+": "an objective is added under a name: --model.objectives.NAME=CLASS",
    "unlabelled_file": "unlabelled texts work for classes, several labels and scores only (TableDataModule, "
    "NSMCDataModule)",
}
"""Option of some classes, or of none, to what it is for."""


def near_options(name: str, known: Collection[str]) -> list[str]:
    """Options that were probably meant.

    Args:
        name: as it was typed, without dashes.
        known: the options that there are; of one class, those of its constructor.
    """
    last = name.rpartition(".")[2]
    found = [option for option in known if option.rpartition(".")[2] == last] if "." not in name else []
    meant = OPTIONS.get(last, "")
    own = meant.partition(".")[2]
    if not found and meant:
        of_class = meant.startswith(tuple(f"{group}." for group in RECIPE_PARTS))
        found = [meant] if meant in known or own in known or (of_class and set(RECIPE_PARTS) <= set(known)) else []
    return found[:2] or get_close_matches(name, known, n=2, cutoff=0.75)


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """`did you mean X?`, with the nearest of the names that there are; empty where none is near."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def expected_one_of(written: Sequence[str], value: str) -> str:
    """The choices that there are, what was given, and what was probably meant.

    Args:
        written: the choices, as Python shows them.
        value: as it was given.
    """
    choices = [choice.strip(" '\"") for choice in written]
    usual = VALUES.get(value.lower(), "")
    near = [usual] if usual in choices else get_close_matches(value.rpartition(".")[2], choices, n=1)
    question = f"; did you mean {near[0]}?" if near else ""
    listed = " or ".join([", ".join(choices[:-1]), choices[-1]] if choices[1:] else choices)
    return f"expected {listed}, got {value}{question}"


def meant_or_known(name: str, known: Sequence[str]) -> str:
    """The nearest of the names that there are, or all of them."""
    return did_you_mean(name, known) or f"there are {', '.join(dict.fromkeys(known))}"


def remedy(name: str) -> str:
    """What to say of an option that a class or command does not have; empty where nothing is known of it."""
    parts = name.split(".")
    for number, part in enumerate(parts):
        if part in _NEW_NAMES:
            return f"; it is now {'.'.join([*parts[:number], _NEW_NAMES[part]])}"
    last = parts[-1]
    return f"; {_ELSEWHERE[last]}" if last in _ELSEWHERE else ""


def misplaced_word(program: str, arguments: Sequence[str], commands: Collection[str]) -> str:
    """What is wrong with the order or the form of the words of a command line; empty where nothing is.

    Args:
        program: how the command is started.
        arguments: its words.
        commands: those of which the first word has to be one; may be empty.
    """
    command = next((word for word in arguments if word in commands), None)
    if command and arguments[0] != command:
        rest = list(arguments)
        rest.remove(command)
        return f"the command comes first: {program} {command} {' '.join(rest)}"
    for before, word in zip(("", *arguments), arguments, strict=False):
        if word.startswith("-") or word in commands or (before.startswith("-") and "=" not in before):
            continue
        if word.endswith((".yaml", ".yml")):
            return f"{word}: a file of settings follows -c; write -c {word}"
        name, equals, value = word.partition("=")
        overlay = Path("configs") / name / f"{value}.yaml"
        if equals:
            written = f"-c {overlay}" if overlay.is_file() else f"--{word.lstrip('+~')}"
            return f"{word}: options begin with -- and files follow -c; write {written}"
    return ""
