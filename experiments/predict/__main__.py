"""Predict with a fine-tuned model, from a terminal, through a pipe, or from file to file.

    python -m experiments.predict --model RUN_OR_EXPORT --text '정말 재미있다'
    python -m experiments.predict --model RUN_OR_EXPORT --input reviews.csv --output predictions.jsonl
    printf '누가 그렸나?\\t이 그림은 김홍도가 그렸다.\\n' | python -m experiments.predict --model exported/korquad

The output has one line per example, with tabs between columns:

    classification       label, probability; for multi-label tasks every predicted label, or -
    regression           score
    entities             TYPE:START-END:TEXT for each entity, or - if there is none
    question answering   answer, START-END in the context, probability

Separate the texts of a pair, or question and context, with a tab. `--input` takes .txt and .tsv files of such lines,
and tables (.csv, .tsv, .jsonl, .json, .parquet, plain or compressed) with the columns `text` and `text_pair`, or
`question` and `context`. `--output` writes one JSON object per example: its texts and the complete prediction.

Positions count characters from 0, excluding the end. Task, labels, lengths and the splitting of words come from the
model, so texts are encoded as in training.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from distilkobert.io.files import atomic_file
from distilkobert.tasks.files.tables import Quotes
from distilkobert.tasks.kinds import TaskName, kind_named
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT, require_limit
from experiments._shared.commandline import call_with_options, run_command
from experiments._shared.quiet import quieten_transformers
from experiments.predict.source import Source
from experiments.predict.table import Table

if TYPE_CHECKING:
    from experiments.predict.inputs import Asked
    from experiments.predict.model import Predictor

_INPUT = "standard input"


def predict(
    model: str,
    text: str | None = None,
    text_pair: str | None = None,
    input: str | None = None,
    output: str | None = None,
    columns: list[str] | None = None,
    delimiter: str | None = None,
    quotes: Quotes = "auto",
    header: list[str] | None = None,
    task: Literal["auto", TaskName] = "auto",
    max_length: int | None = None,
    batch_size: int = 16,
    unknown_limit: float = UNKNOWN_LIMIT,
) -> None:
    """Print a prediction for each example, or write them to a file.

    Args:
        model: run folder of a fine-tuning (its best checkpoint), exported folder, one of its ONNX files, or a
            checkpoint.
        text: the text, the first text of a pair, or the question; without `text` and `input`, lines of standard input.
        text_pair: the second text of a pair, or the context.
        input: file of texts.
        output: JSONL file to write instead of printing; an existing file is overwritten.
        columns: columns of `input` with the texts, one or two: `[review]`; by default those named above.
        delimiter: character between fields of `input`; None: a tab in .tsv, else whichever of comma, tab, semicolon and
            bar is most frequent in the first line.
        quotes: whether quotes in `input` `enclose` fields or are `text`; `auto` tries both.
        header: names of the columns of `input`, for files without a header line.
        task: task head to use; auto reads it from the model.
        max_length: longest input in tokens; longer texts are truncated (for question answering read in windows). By
            default that of training, or, if the folder does not record it, the model's maximum up to 512.
        batch_size: examples at a time; in a terminal each line is answered at once.
        unknown_limit: share of unknown pieces, over all examples so far, from which the command stops: above 0 to 1; 1
            accepts any text.

    Raises:
        FileNotFoundError: the model, its tokenizer or the input is not there.
        ValueError: the folder holds no fine-tuned model, options do not go together, or an example is not what the task
            needs (from a terminal, such a line is reported and the next one is read).
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: must be 1 or more")
    require_limit(unknown_limit)
    if text is None and text_pair is not None:
        raise ValueError("--text_pair needs --text; expected both texts of a pair")
    if text is not None and input is not None:
        raise ValueError("--text and --input are both given; give only one of them")
    table = Table(columns, delimiter, quotes, header)
    if table != Table() and input is None:
        raise ValueError("--columns, --delimiter, --quotes and --header need --input")
    source = Source.of(Path(model))

    from experiments.predict.inputs import given_texts, read_file
    from experiments.predict.model import Predictor, kind_of

    quieten_transformers()
    kind = kind_of(source.weights) if task == "auto" else kind_named(task)
    predictor = Predictor.of(source, kind, max_length)
    asked = None
    if text is not None:
        asked = given_texts(predictor.codec, text, text_pair)
    elif input is not None:
        asked = read_file(Path(input), predictor.codec, table)
    with _writer(output) as write:
        if asked is None:
            _answer_lines(predictor, write, batch_size, unknown_limit)
        else:
            _answer(predictor, asked, write, batch_size, unknown_limit, input or "--text")


def _answer(
    predictor: "Predictor", asked: "list[Asked]", write: Any, batch_size: int, unknown_limit: float, where: str
) -> None:
    """Answer examples that are all there."""
    from rich.progress import track

    from experiments._shared.bars import bar_console
    from experiments.predict.tally import Tally

    tally = Tally(predictor.codec, where, unknown_limit)
    console = bar_console()
    starts = range(0, len(asked), batch_size)
    for start in track(starts, "predicting", console=console, disable=len(starts) < 2 or console.quiet):
        questions = [predictor.read(one) for one in asked[start : start + batch_size]]
        tally.add(questions)
        tally.check()
        for question, record in zip(questions, predictor.records(questions, start), strict=True):
            write(predictor, question, record)
    tally.tell()


def _answer_lines(predictor: "Predictor", write: Any, batch_size: int, unknown_limit: float) -> None:
    """Answer standard input as it comes.

    Raises:
        ValueError: it is empty, and no terminal; or see `predict`.
    """
    from experiments.predict.tally import Tally

    terminal = sys.stdin.isatty()
    if terminal:
        form = predictor.codec.line_form
        print(f"type {form} and press Enter; end with Ctrl-D", file=sys.stderr)
    tally = Tally(predictor.codec, _INPUT, unknown_limit)
    numbered, answered, number = enumerate(sys.stdin.buffer, start=1), 0, 0
    while lines := list(islice(numbered, 1 if terminal else batch_size)):
        questions = []
        bad: ValueError | None = None
        for number, line in lines:
            try:
                questions.append(predictor.read_line(number, line))
            except ValueError as error:
                bad = error
                break
        tally.add(questions)
        if not terminal:
            tally.check()
        records = predictor.records(questions, answered) if questions else []
        for question, record in zip(questions, records, strict=True):
            write(predictor, question, record)
        answered += len(questions)
        if bad is not None and not terminal:
            raise bad
        if bad is not None:
            print(f"error: {bad}", file=sys.stderr)
    if not number and not terminal:
        raise ValueError(
            f"{_INPUT} is empty, so there is nothing to predict; expected {predictor.codec.line_form} in each line, or "
            "give --text or --input"
        )
    tally.tell()


@contextmanager
def _writer(output: str | None) -> Iterator[Any]:
    """What takes an example and its record: a line on standard output, or an object of a JSONL file."""
    if output is None:

        def show(predictor: "Predictor", question: Any, record: dict[str, Any]) -> None:
            print(predictor.line(record, question), flush=sys.stdin.isatty())

        yield show
        return
    if not output.endswith(".jsonl"):
        raise ValueError(f"--output={output}: expected a name that ends in .jsonl, one JSON object an example")
    with atomic_file(Path(output)) as stream:

        def store(predictor: "Predictor", question: Any, record: dict[str, Any]) -> None:
            texts = dict(zip(predictor.codec.fields, question.texts, strict=True))
            stream.write((json.dumps({"row": record["row"], **texts, **record}, ensure_ascii=False) + "\n").encode())

        yield store
    print(f"predictions in {output}", file=sys.stderr)


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
    sys.exit(run_command(main, needs_reader=True))
