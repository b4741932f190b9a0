"""Ask a fine-tuned model: lines in, predictions out, from a terminal or through a pipe.

    python -m experiments.predict --model exported/nsmc < reviews.txt
    printf '누가 그렸나?\\t이 그림은 김홍도가 그렸다.\\n' | python -m experiments.predict --model exported/korquad

One line gives one line, columns between tabs:

    classification       label, probability
    entities             TYPE:START-END:TEXT for each entity, or - where there is none
    question answering   answer, START-END in the context, probability; the input is QUESTION<TAB>CONTEXT

Positions count characters from 0, the end excluded. Task, labels and the way words are cut come from the folder.
"""

import os
import sys
from itertools import islice
from pathlib import Path
from typing import Literal

from experiments._shared.commandline import call_with_options, run_command
from experiments._shared.quiet import quieten_transformers


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
    from distilkobert.models.checkpoints import load_model
    from distilkobert.tokenizers.loading import load_tokenizer
    from experiments.predict.lines import answers, head_of, prepare_line
    from experiments.predict.tasks import Prepared, Reader

    quieten_transformers()
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: must be 1 or more")
    folder = Path(model)
    chosen = head_of(folder) if task == "auto" else task
    network, missing = load_model(folder, chosen)
    if missing:
        raise ValueError(f"{folder} has no trained head for {chosen}: it lacks {', '.join(missing)}; leave --task out")
    reader = Reader.of(network, load_tokenizer(folder), max_length)
    terminal = sys.stdin.isatty()
    if terminal:
        wanted = "question<TAB>context" if chosen == "question_answering" else "a text"
        print(f"{chosen}: type {wanted} and press Enter; end with Ctrl-D", file=sys.stderr)
    numbered = enumerate(sys.stdin.buffer, start=1)
    while lines := list(islice(numbered, 1 if terminal else batch_size)):
        prepared: list[Prepared] = []
        bad: ValueError | None = None
        for number, line in lines:
            try:
                prepared.append(prepare_line(number, line, chosen, reader))
            except ValueError as error:
                bad = error
                break
        for answer in answers(network, prepared, reader) if prepared else ():
            print(answer, flush=terminal)
        if bad is not None and not terminal:
            raise bad
        if bad is not None:
            print(f"error: {bad}", file=sys.stderr)


def main() -> None:
    """Command line of the prediction; quiet where the reader of its output, such as `head`, has seen enough."""
    # Korean text needs it, whatever the locale says.
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        call_with_options(predict, "python -m experiments.predict", __doc__)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer must go somewhere when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(run_command(main))
