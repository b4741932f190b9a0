"""The task of an exported folder, its lines as model inputs, and one forward pass over several of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from transformers import AutoConfig, PreTrainedModel

from distilkobert.io.pretrained import load_pretrained
from distilkobert.models.checkpoints import Task, task_of
from experiments.predict.tasks import PREPARE, Prepared, Reader


def head_of(folder: Path) -> Task:
    """The task of an exported folder, from the architecture in its `config.json`.

    Raises:
        FileNotFoundError: there is no such folder, or it holds no model.
        ValueError: the model is not fine-tuned for one of the three tasks.
    """
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(
            f"{folder} holds no config.json; name a folder written by python -m experiments.export --checkpoint ..."
        )
    config = load_pretrained(AutoConfig, folder)
    task = task_of(config)
    if task is not None and task != "masked_lm":
        return task
    held = config.architectures[0] if config.architectures else "a model without a head"
    raise ValueError(
        f"{folder} holds {held}, which answers none of the three tasks; fine-tune it first with "
        "python -m experiments.train fit -c configs/finetune/... --model.init_from, then export the checkpoint"
    )


def prepare_line(number: int, line: bytes, task: Task, reader: Reader) -> Prepared:
    """Encode one line.

    Raises:
        ValueError: the line, named by its number, is not UTF-8, or is not what the task needs. An empty line is a text
            without words, of which NSMC has a few, and gets its line of output.
    """
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        return PREPARE[task](text, reader)
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x} at position {error.start + 1}"
        raise ValueError(
            f"line {number}: not UTF-8 ({found}); convert the text first, for example with: iconv -f CP949 -t UTF-8"
        ) from error
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error


@torch.inference_mode()
def answers(network: PreTrainedModel, prepared: Sequence[Prepared], reader: Reader) -> Iterator[str]:
    """One printed line for each prepared one, all in one forward pass."""
    rows = [row for line in prepared for row in line.rows]
    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[reader.encoder.pad_token_id] * (longest - len(row.ids))] for row in rows])
    mask = torch.tensor([[1] * len(row.ids) + [0] * (longest - len(row.ids)) for row in rows])
    inputs = {"input_ids": ids, "attention_mask": mask}
    if getattr(network.config, "type_vocab_size", 0) > 1:
        segments = [[0] * row.first_segment + [1] * (len(row.ids) - row.first_segment) for row in rows]
        inputs["token_type_ids"] = torch.tensor([s + [0] * (longest - len(s)) for s in segments])
    output = network(**inputs)
    logits = (output.start_logits, output.end_logits) if hasattr(output, "start_logits") else (output.logits,)
    done = 0
    for line in prepared:
        part = slice(done, done + len(line.rows))
        done = part.stop
        yield line.render(*(values[part].float() for values in logits))
