"""How fast questions over long contexts become windows: each context encoded once, against once for every question.

The naive way is that of the SQuAD scripts (huggingface/transformers, run_qa.py): the fast tokenizer cuts question and
context into overlapping inputs, and the answer's pieces are found by a walk over the offsets of every window. Both ways
make the same windows: transformers' `stride` is the overlap of two windows, ours is the distance between their starts.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jsonargparse import Namespace

from experiments._shared.machine.processor import processor_name
from experiments.bench.steps.distil import NAIVE, OURS
from experiments.bench.timing.turns import Turns, take_turns

if TYPE_CHECKING:
    from distilkobert.tasks.files.korquad import Paragraph

LENGTH, STRIDE, QUESTION = 384, 128, 64


class Asked(NamedTuple):
    """A question as the naive way takes it.

    Args:
        question: its text, cut to the pieces that are kept.
        context: its text.
        overlap: pieces that two windows share.
        answer: characters of the context from which and up to which the answer is; None where there is none.
    """

    question: str
    context: str
    overlap: int
    answer: tuple[int, int] | None


def bench_qa_features(tokenizer: str, data: Path, rounds: int) -> tuple[Turns, int]:
    """Seconds of both ways for all questions of a file, and how many there are.

    Args:
        tokenizer: folder of the tokenizer.
        data: KorQuAD or SQuAD file.
        rounds: times that count.

    Raises:
        FileNotFoundError, ValueError: tokenizer or file is missing or unusable.
    """
    from distilkobert.tasks.files.korquad import read_korquad
    from distilkobert.tasks.input_settings import InputSettings
    from distilkobert.tasks.questions.answering import AnsweringCodec
    from distilkobert.tokenizers.loading import load_tokenizer

    paragraphs = list(read_korquad(data))
    encoder = load_tokenizer(tokenizer)
    settings = InputSettings(max_length=LENGTH, stride=STRIDE, max_question=QUESTION)
    fast = encoder.to_transformers(model_max_length=LENGTH, segment_ids=True)

    def ours() -> None:
        codec = AnsweringCodec(encoder, settings)
        contexts, questions = codec.encode(paragraphs)
        for question in questions:
            row = {**question, "context": contexts[question["context"]]}
            codec.window_batch([(row, window) for window in codec.build(row)])

    asked = list(naive_inputs(fast, paragraphs, encoder.frame.special_count(2)))

    def naive() -> None:
        for one in asked:
            naive_windows(fast, one)

    return take_turns({OURS: ours, NAIVE: naive}, rounds), len(asked)


def naive_inputs(fast: Any, paragraphs: "Iterable[Paragraph]", special_tokens: int) -> Iterator[Asked]:
    """Yield the questions of paragraphs, so that windows are as long and as far from each other as ours.

    Args:
        fast: fast tokenizer of transformers.
        paragraphs: of a file.
        special_tokens: around and between question and context.
    """
    for paragraph in paragraphs:
        for question in paragraph.questions:
            spans = fast(question.text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
            text = question.text[: spans[:QUESTION][-1][1]] if spans else ""
            pieces = len(fast(text, add_special_tokens=False)["input_ids"])
            answer = next(((one.start, one.start + len(one.text)) for one in question.answers), None)
            yield Asked(text, paragraph.context, LENGTH - special_tokens - pieces - STRIDE, answer)


def naive_windows(fast: Any, asked: Asked) -> list[tuple[int, int]]:
    """First and last piece of the answer in every window; (0, 0) where it is not whole in it, or there is none.

    Args:
        fast: fast tokenizer of transformers.
        asked: question, context and answer.
    """
    made = fast(
        asked.question, asked.context, truncation="only_second", max_length=LENGTH, stride=asked.overlap,
        padding="max_length", return_overflowing_tokens=True, return_offsets_mapping=True,
    )  # fmt: skip
    if asked.answer is None:
        return [(0, 0)] * len(made["offset_mapping"])
    (start, end), found = asked.answer, []
    for number, offsets in enumerate(made["offset_mapping"]):
        inside = [place for place, part in enumerate(made.sequence_ids(number)) if part == 1]
        first = [place for place in inside if offsets[place][0] <= start < offsets[place][1]]
        last = [place for place in inside if offsets[place][0] < end <= offsets[place][1]]
        found.append((first[0], last[-1]) if first and last else (0, 0))
    return found


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    turns, count = bench_qa_features(options.tokenizer, Path(options.input), options.rounds)
    speed = count / turns.spread(OURS).median
    print(f"{processor_name()}; {speed:,.0f} questions/s, {turns.ratio(OURS, NAIVE).text('.2f')} times the naive way")
    return {"processor": processor_name(), "questions": count, "questions_per_s": speed, "ways": turns.as_json(NAIVE)}
