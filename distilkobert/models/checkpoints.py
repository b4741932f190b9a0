"""Between Lightning checkpoints and transformers models.

A checkpoint of this project has, besides Lightning's own entries, the key `transformers`: the configuration and the
head of the network it holds and the prefix of its weights. So a network can be rebuilt from the checkpoint alone,
without the module that trained it, and without running any code that a checkpoint names (everything is read with
`weights_only=True`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from distilkobert.io.checkpoint_files import UNPICKLING, load_checkpoint, refused_pickle
from distilkobert.io.hub_names import NotFetchedError, check_hub, is_local, refuse_mistyped_folder
from distilkobert.io.model_files import why_no_model
from distilkobert.io.pretrained import build_from_config, load_pretrained
from distilkobert.io.run_files import no_checkpoint
from distilkobert.models.checks import check_left_out
from distilkobert.models.families import FAMILIES, head_parameters
from distilkobert.tasks.kinds import Task, head_named, head_of_class

ENTRY = "transformers"
"""Key under which a checkpoint describes its network."""


def describe(model: PreTrainedModel, task: Task, prefix: str) -> dict[str, Any]:
    """The checkpoint entry for `model`: plain types only, so that `weights_only=True` can read it.

    Args:
        model: the network.
        task: its head.
        prefix: what precedes its weights' names in the module's state dict, for example `student.`.
    """
    return {"task": task, "prefix": prefix, "config": model.config.to_dict()}


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A Lightning checkpoint, on the CPU, plain types and tensors only.

    Raises:
        FileNotFoundError: no such file.
        ValueError: see `load_checkpoint`; or the file was not written by this project.
    """
    path = Path(path)
    if not path.is_file():
        raise no_checkpoint(path)
    checkpoint = load_checkpoint(path)
    if not isinstance(checkpoint, dict) or ENTRY not in checkpoint:
        raise ValueError(f"{path}: a checkpoint, but not one of this project: it has no '{ENTRY}' entry")
    return checkpoint


def model_from_checkpoint(checkpoint: Mapping[str, Any], path: str | Path) -> PreTrainedModel:
    """Rebuild the network that a checkpoint holds, in evaluation mode.

    Args:
        checkpoint: what `read_checkpoint` returned.
        path: the checkpoint's file, for messages.

    Raises:
        ValueError: the weights do not fit the configuration next to them.
    """
    entry = checkpoint[ENTRY]
    try:
        head = head_named(entry["task"])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    config = AutoConfig.for_model(**entry["config"])
    model = cast(PreTrainedModel, build_from_config(head.auto_class, config, **_class_options(head.name, config)))
    prefix = entry["prefix"]
    weights = {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path}: the weights do not fit the configuration stored with them: {error}") from error
    model.train(False)
    return model


def load_model(
    source: str | Path, task: Task, labels: Sequence[str] | None = None
) -> tuple[PreTrainedModel, list[str]]:
    """Load a network with the head of `task` from a folder, a checkpoint of this project, or a hub id.

    A source whose own head is another one gives its encoder; the head then starts random. Weights that are left out, a
    pooler or another head, are named in a log message; every weight of the encoder must have its place.

    Args:
        source: folder, checkpoint file, or hub id.
        task: head wanted.
        labels: names of the head's classes, in the order of their ids; None where the head has none. A source with a
            head of this task that has names of its own keeps them.

    Returns:
        The network in evaluation mode, and the names of the weights the source did not have.

    Raises:
        FileNotFoundError: the source is not a folder or file here and could not be fetched from the hub.
        ValueError: see `read_checkpoint`; or the weights and the configuration of the source do not fit together.
    """
    path = Path(source)
    if path.suffix == ".ckpt" or path.is_file():
        checkpoint = read_checkpoint(path)
        model, missing, own = model_from_checkpoint(checkpoint, path), list[str](), checkpoint[ENTRY]["task"]
    else:
        model, missing, own = _from_folder_or_hub(source, task, labels)
    if own != task and task == "encoder":
        model, missing = (
            cast(PreTrainedModel, model.base_model),
            [name for name in missing if name not in head_parameters(model)],
        )
    elif own != task:
        model, missing = with_new_head(model, missing, task, labels, source)
    model.train(False)
    return model, sorted(missing)


def load_own(source: str | Path) -> PreTrainedModel:
    """Load a network with its own head, or as a bare encoder if it has none.

    The head of a pretraining (BERT's with next-sentence prediction, ALBERT's) gives its masked-LM part. A bare encoder
    whose pooler is missing has none afterwards either, where transformers would give it a random one.

    Args:
        source: folder, checkpoint file, or hub id.

    Returns:
        The network in evaluation mode.

    Raises:
        FileNotFoundError: the source is not a folder or file here and could not be fetched from the hub.
        ValueError: see `read_checkpoint`; or weights of the source are missing.
    """
    path = Path(source)
    if path.suffix == ".ckpt" or path.is_file():
        return model_from_checkpoint(read_checkpoint(path), path)
    model, missing, task = _from_folder_or_hub(source, None, None)
    if task is None and (model.config.architectures or [""])[0].endswith("ForPreTraining"):
        whole, lost, _ = _from_folder_or_hub(source, "masked_lm", None)
        if not lost:
            return whole
    pooler = [name for name, _ in model.named_parameters() if name.startswith("pooler.")]
    if task is None and pooler and set(pooler) <= set(missing):
        model.register_module("pooler", None)
        missing = [name for name in missing if name not in pooler]
    if missing:
        raise ValueError(f"{source}: incomplete; missing: {', '.join(sorted(missing)[:4])}. Fetch the model again")
    model.train(False)
    return model


def task_of(config: PreTrainedConfig) -> Task | None:
    """The head that a configuration names as its network's, None where it names none or one that is not used here."""
    head = head_of_class((config.architectures or [""])[0], config.problem_type, len(config.id2label or {}))
    return None if head is None else head.name


def _from_folder_or_hub(
    source: str | Path, task: Task | None, labels: Sequence[str] | None
) -> tuple[PreTrainedModel, list[str], Task | None]:
    """The network, the names of its missing weights, and its head: its own, or that of `task` where it has none."""
    path = Path(source)
    if path.is_dir() and (why := why_no_model(path)):
        raise FileNotFoundError(f"{path}: not a transformers model: {why}")
    if not path.is_dir() and is_local(path):
        raise FileNotFoundError(f"{path}: no such model folder or checkpoint, and hub ids look like owner/name")
    refuse_mistyped_folder(path)
    try:
        check_hub(path)
        config = load_pretrained(AutoConfig, source)
        own = task_of(config)
        names = list((config.id2label or {}).values())
        unnamed = names == [f"LABEL_{number}" for number in range(len(names))]
        if own is None or (own == task and unnamed and len(names) == len(labels or ())):
            config.update(_classes(task, labels))
        head = own or task
        model, report = _with_weights(source, head, config)
    except OSError as error:
        reason = str(error).splitlines()[0]
        if path.is_dir():
            raise ValueError(f"{path}: the model in this folder cannot be read: {reason}") from error
        raise NotFetchedError(
            f"there is no folder or checkpoint '{source}' here, and it could not be fetched from the Hugging Face hub: "
            f"{reason}"
        ) from error
    check_left_out(model, report["unexpected_keys"], str(source))
    return model, list(report["missing_keys"]), head


def _with_weights(
    source: str | Path, head: Task | None, config: PreTrainedConfig
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The network with its weights, and what transformers reports of them."""
    kind = AutoModel if head is None else head_named(head).auto_class
    options = {} if head is None else _class_options(head, config)
    try:
        model, report = load_pretrained(
            kind, source, config=config, output_loading_info=True, dtype=torch.float32, **options
        )
    except UNPICKLING as error:
        reason = refused_pickle(error) or "its weights are damaged, or were not written by torch"
        raise ValueError(f"{source}: {reason}") from None  # the cause's text advises to load the file as code
    except (RuntimeError, SafetensorError) as error:
        raise ValueError(f"{source}: the weights cannot be read, or do not fit config.json: {error}") from error
    return model, report


def with_new_head(
    model: PreTrainedModel, missing: Sequence[str], task: Task, labels: Sequence[str] | None, source: str | Path
) -> tuple[PreTrainedModel, list[str]]:
    """The encoder of `model` under a random head of `task`, and the names of all weights that are random."""
    model.config.update(_classes(task, labels))
    target = cast(PreTrainedModel, build_from_config(head_named(task).auto_class, model.config))
    prefix = f"{target.base_model_prefix}."
    encoder, absent = model.base_model.state_dict(), [name for name in missing if name.startswith(prefix)]
    report = target.base_model.load_state_dict(encoder, strict=False)
    bare = model.base_model is model
    head = [] if bare else [name for name in model.state_dict() if not name.startswith(prefix)]
    check_left_out(target, [*(f"{prefix}{name}" for name in report.unexpected_keys), *head], str(source))
    return target, [*absent, *(f"{prefix}{name}" for name in report.missing_keys), *head_parameters(target)]


def _class_options(task: Task, config: PreTrainedConfig) -> dict[str, bool]:
    """What the class is made with: an encoder alone has no pooler, which nothing has trained."""
    family = FAMILIES.get(config.model_type)
    return {"add_pooling_layer": False} if task == "encoder" and family is not None and family.pooler else {}


def _classes(task: Task | None, labels: Sequence[str] | None) -> dict[str, Any]:
    """Settings of a head with these classes; without names, the two outputs that transformers has by default."""
    names = labels or ("LABEL_0", "LABEL_1")
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
        "problem_type": None if task is None else head_named(task).problem_type,
    }
