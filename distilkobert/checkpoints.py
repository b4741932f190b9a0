"""Between Lightning checkpoints and transformers models.

A checkpoint of ours carries, beside Lightning's own entries, the key `transformers`: the configuration and the head of
the network it holds and the prefix of its weights. So a network can be rebuilt from the checkpoint alone, without the
module that trained it, and without running any code that a checkpoint names (everything is read with
`weights_only=True`).
"""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast, get_args

import torch
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

Task = Literal["masked_lm", "sequence_classification", "token_classification", "question_answering"]

_AUTO_CLASSES: dict[Task, Any] = {
    "masked_lm": AutoModelForMaskedLM,
    "sequence_classification": AutoModelForSequenceClassification,
    "token_classification": AutoModelForTokenClassification,
    "question_answering": AutoModelForQuestionAnswering,
}

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
    """The content of a Lightning checkpoint, on the CPU, plain types and tensors only.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no checkpoint, is cut short, or was not written by this project.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path}: not a readable checkpoint (cut short, or not written by torch): {error}") from error
    if not isinstance(content, dict) or ENTRY not in content:
        raise ValueError(f"{path}: a checkpoint, but not one of this project: it has no '{ENTRY}' entry")
    return content


def model_from_checkpoint(content: Mapping[str, Any], path: str | Path) -> PreTrainedModel:
    """Rebuild the network that a checkpoint holds, in evaluation mode.

    Args:
        content: what `read_checkpoint` returned.
        path: the checkpoint's file, for messages.

    Raises:
        ValueError: the weights do not fit the configuration beside them.
    """
    entry = content[ENTRY]
    if entry["task"] not in get_args(Task):
        raise ValueError(f"{path}: unknown head '{entry['task']}', expected one of {', '.join(get_args(Task))}")
    model = cast(PreTrainedModel, _AUTO_CLASSES[entry["task"]].from_config(AutoConfig.for_model(**entry["config"])))
    prefix = entry["prefix"]
    weights = {
        name.removeprefix(prefix): tensor for name, tensor in content["state_dict"].items() if name.startswith(prefix)
    }
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path}: the weights do not fit the configuration stored beside them: {error}") from error
    model.train(False)
    return model


def load_model(
    source: str | Path, task: Task, labels: Sequence[str] | None = None
) -> tuple[PreTrainedModel, list[str]]:
    """Load a network with the head of `task` from a folder, a checkpoint of ours, or a hub id.

    A checkpoint whose own head is another one gives its encoder; the head then starts random.

    Args:
        source: folder, checkpoint file, or hub id.
        task: head wanted.
        labels: names of the head's classes, in the order of their ids; None where the head has none.

    Returns:
        The network in evaluation mode, and the names of the weights the source did not have.

    Raises:
        FileNotFoundError: the source is no folder or file here and could not be fetched from the hub.
        ValueError: see `read_checkpoint`; or weights of the source have other shapes than its configuration says.
    """
    path = Path(source)
    classes: dict[str, Any] = {}
    if labels is not None:
        classes = {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}
    if path.suffix == ".ckpt" or path.is_file():
        content = read_checkpoint(path)
        model = model_from_checkpoint(content, path)
        if content[ENTRY]["task"] == task:
            return model, []
        model.config.update(classes)
        target = cast(PreTrainedModel, _AUTO_CLASSES[task].from_config(model.config))
        missing = target.base_model.load_state_dict(model.base_model.state_dict(), strict=False).missing_keys
        head = [name for name, _ in target.named_parameters() if not name.startswith(f"{target.base_model_prefix}.")]
        target.train(False)
        return target, [f"{target.base_model_prefix}.{name}" for name in missing] + head
    if path.is_dir() and not (path / "config.json").is_file():
        raise FileNotFoundError(f"{path}: the folder has no config.json, so it holds no transformers model")
    try:
        model, report = _AUTO_CLASSES[task].from_pretrained(
            str(source), output_loading_info=True, dtype=torch.float32, **classes
        )
    except OSError as error:
        raise FileNotFoundError(
            f"'{source}' is no model folder or checkpoint here, and could not be fetched from the Hugging Face hub: "
            f"{str(error).splitlines()[0]}"
        ) from error
    except RuntimeError as error:
        raise ValueError(f"{source}: {error}") from error
    model.train(False)
    return model, sorted(report["missing_keys"])
