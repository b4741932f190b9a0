"""Ask a fine-tuned model: lines in, predictions out, from a terminal or through a pipe.

    python -m experiments.predict --model exported/nsmc < reviews.txt
    printf '누가 그렸나?\\t이 그림은 김홍도가 그렸다.\\n' | python -m experiments.predict --model exported/korquad

One line gives one line, columns between tabs:

    classification       label, probability
    entities             TYPE:START-END:TEXT for each entity, or - where there is none
    question answering   answer, START-END in the context, probability; the input is QUESTION<TAB>CONTEXT

Positions count characters from 0, the end excluded. Task, labels, lengths and the way words are cut come from the
folder: a model reads its lines as it read its examples in training.
"""

import os
import sys
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Literal

from distilkobert.tasks.kinds import TaskName, kind_named
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT, PieceCounts, check_unknown, is_refused, require_limit
from experiments._shared.commandline import call_with_options, run_command
from experiments._shared.quiet import quieten_transformers

_INPUT = "standard input"


def predict(
    model: str,
    task: Literal["auto", TaskName] = "auto",
    max_length: int | None = None,
    batch_size: int = 16,
    unknown_limit: float = UNKNOWN_LIMIT,
) -> None:
    """Read standard input line by line and print a prediction for each.

    Args:
        model: folder of an exported fine-tuned model.
        task: head to use; auto reads it from the folder.
        max_length: longest input in tokens, what is longer is cut (or read in windows, for question answering); by
            default that of training, or what the model takes, 512 at most, where the folder does not tell.
        batch_size: lines at a time when reading from a pipe; a terminal gets its answers line by line.
        unknown_limit: share of unknown pieces, of all lines read from a pipe so far, from which no more is answered; 1
            accepts any.

    Raises:
        FileNotFoundError: the folder or its tokenizer is not there.
        ValueError: the folder holds no fine-tuned model; or a line is not what the task needs (from a terminal, such a
            line is reported and the next one is read).
    """
    from experiments.predict.model import Predictor, Question, kind_of

    quieten_transformers()
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: must be 1 or more")
    require_limit(unknown_limit)
    folder = Path(model)
    kind = kind_of(folder) if task == "auto" else kind_named(task)
    predictor = Predictor.of(folder, kind, max_length)
    terminal = sys.stdin.isatty()
    if terminal:
        print(f"{kind.name}: type {predictor.codec.line_form} and press Enter; end with Ctrl-D", file=sys.stderr)
    numbered, counts = enumerate(sys.stdin.buffer, start=1), PieceCounts()
    while lines := list(islice(numbered, 1 if terminal else batch_size)):
        questions: list[Question] = []
        bad: ValueError | None = None
        for number, line in lines:
            try:
                questions.append(predictor.read(number, line))
            except ValueError as error:
                bad = error
                break
        counts = sum((question.count(predictor.codec.encoder.unk_token_id) for question in questions), counts)
        if not terminal and is_refused(counts, unknown_limit):
            check_unknown(counts, _INPUT, unknown_limit)
        for answer in predictor.answers(questions) if questions else ():
            print(answer, flush=terminal)
        if bad is not None and not terminal:
            raise bad
        if bad is not None:
            print(f"error: {bad}", file=sys.stderr)
    check_unknown(counts, _INPUT, unknown_limit=1)  # only warns: the answers are out


def main() -> None:
    """Command line of the prediction; quiet where the reader of its output, such as `head`, has seen enough."""
    # Korean text needs it, whatever the locale says.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        call_with_options(predict, "python -m experiments.predict", __doc__)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer must go somewhere when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(run_command(main))
