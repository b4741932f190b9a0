"""Ask a fine-tuned model: lines in, predictions out, from a terminal or through a pipe.

    python -m experiments.predict --model exported/nsmc < reviews.txt
    printf '누가 그렸나?\\t이 그림은 김홍도가 그렸다.\\n' | python -m experiments.predict --model exported/korquad

One line gives one line, columns between tabs:

    classification       label, probability
    entities             TYPE:START-END:TEXT for each entity, or - where there is none
    question answering   answer, START-END in the context, probability; the input is QUESTION<TAB>CONTEXT

Positions count characters from 0, the end excluded. Task, labels and the way words are cut come from the folder.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import torch
from transformers import AutoConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from distilkobert.checkpoints import Task, load_model
from distilkobert.text_encoding import load_encoder
from experiments.commandline import call_with_options, run_command
from experiments.prediction_tasks import PREPARE, Prepared, Reader

_ENDINGS: dict[str, Task] = {
    "ForSequenceClassification": "sequence_classification",
    "ForTokenClassification": "token_classification",
    "ForQuestionAnswering": "question_answering",
}


def predict(
    model: str,
    task: Literal["auto", "sequence_classification", "token_classification", "question_answering"] = "auto",
    max_length: int | None = None,
    batch_size: int = 16,
) -> None:
    """Read standard input line by line and print a prediction for each.

    Args:
        model: folder of an exported fine-tuned model.
        task: head to use; auto reads it from the folder.
        max_length: longest input in tokens, what is longer is cut (or read in windows, for question answering); by
            default what the model takes, 512 at most.
        batch_size: lines at a time when reading from a pipe; a terminal gets its answers line by line.

    Raises:
        FileNotFoundError: the folder or its tokenizer is not there.
        ValueError: the folder holds no fine-tuned model; or a line is not what the task needs (from a terminal, such a
            line is reported and the next one is read).
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: must be 1 or more")
    folder = Path(model)
    chosen = head_of(folder) if task == "auto" else task
    network, missing = load_model(folder, chosen)
    if missing:
        raise ValueError(f"{folder} has no trained head for {chosen}: it lacks {', '.join(missing)}; leave --task out")
    reader = Reader.of(network, load_encoder(folder), max_length)
    terminal = sys.stdin.isatty()
    if terminal:
        wanted = "question<TAB>context" if chosen == "question_answering" else "a text"
        print(f"{chosen}: type {wanted} and press Enter; end with Ctrl-D", file=sys.stderr)
    numbered = enumerate(sys.stdin.buffer, start=1)
    while lines := list(islice(numbered, 1 if terminal else batch_size)):
        try:
            prepared = [prepare_line(number, line, chosen, reader) for number, line in lines]
        except ValueError as error:
            if not terminal:
                raise
            print(f"error: {error}", file=sys.stderr)
            continue
        for answer in answers(network, prepared, reader):
            print(answer, flush=terminal)


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
    architectures: Sequence[str] = AutoConfig.from_pretrained(folder).architectures or ["a model without a head"]
    for ending, task in _ENDINGS.items():
        if architectures[0].endswith(ending):
            return task
    raise ValueError(
        f"{folder} holds {architectures[0]}, which answers none of the three tasks; fine-tune it first with "
        "python -m experiments.train fit -c configs/finetune/... --model.init_from, then export the checkpoint"
    )


def prepare_line(number: int, line: bytes, task: Task, reader: Reader) -> Prepared:
    """Encode one line.

    Raises:
        ValueError: the line, named by its number, is not UTF-8, is empty, or is not what the task needs.
    """
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        if not text.strip():
            raise ValueError("the line is empty")
        return PREPARE[task](text, reader)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"line {number}: not UTF-8 (byte {error.start}); convert the file first, for example with iconv -f cp949"
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


def main() -> None:
    """Command line of the prediction."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    call_with_options(predict, "python -m experiments.predict", __doc__)


if __name__ == "__main__":
    sys.exit(run_command(main))
