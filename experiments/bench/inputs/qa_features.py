"""How fast questions over long contexts become windows: each context encoded once, against once for every question.

The naive way is that of the SQuAD scripts (huggingface/transformers, run_qa.py): the fast tokenizer cuts question and
context into overlapping inputs, and the answer's pieces are found by a walk over the offsets of every window.
"""

from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from experiments._shared.machine.processor import processor_name
from experiments.bench.steps.distil import NAIVE, OURS
from experiments.bench.timing.turns import Turns, take_turns

LENGTH, STRIDE, QUESTION = 384, 128, 64


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

    def naive() -> None:
        for paragraph in paragraphs:
            for question in paragraph.questions:
                answer = question.answers[0]
                naive_windows(fast, question.text, paragraph.context, answer.start, answer.start + len(answer.text))

    count = sum(len(paragraph.questions) for paragraph in paragraphs)
    return take_turns({OURS: ours, NAIVE: naive}, rounds), count


def naive_windows(fast: Any, question: str, context: str, start: int, end: int) -> list[tuple[int, int]]:
    """First and last piece of the answer in every window; (0, 0) where it is not whole in it.

    Args:
        fast: fast tokenizer of transformers.
        question: its text.
        context: its text.
        start: character of the context at which the answer starts.
        end: character behind it.
    """
    made = fast(
        question, context, truncation="only_second", max_length=LENGTH, stride=STRIDE, padding="max_length",
        return_overflowing_tokens=True, return_offsets_mapping=True,
    )  # fmt: skip
    found = []
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
