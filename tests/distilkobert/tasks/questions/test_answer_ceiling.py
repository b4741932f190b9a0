"""The label ceiling on the real KorQuAD 1.0 development set: how well perfect span predictions score officially.

No model is needed: the scores of the labelled positions are 1, all others 0, and go through the whole decoding.
"""

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distilkobert.korean.particles import encode_text, strip_particle
from distilkobert.metrics import EntityF1
from distilkobert.metrics.korquad import total_scores
from distilkobert.tasks.questions.reference_decoding import read_context, reference_answer_pieces, reference_answer_text
from distilkobert.tasks.questions.spans import PieceSpan, best_spans, to_answers
from distilkobert.tasks.questions.windows import (
    NO_ANSWER,
    PieceRange,
    Window,
    WindowSettings,
    answer_pieces,
    build_windows,
    window_label,
)
from distilkobert.tasks.tags.alignment import character_tags, piece_tags
from distilkobert.tasks.tags.labels import KLUE_NER_LABELS
from distilkobert.tokenizers.kobert import KoBertTokenizer
from tests.support.tasks.gold_answers import gold_answers

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def tokenizer(real_data_dir: Path) -> KoBertTokenizer:
    return KoBertTokenizer.from_pretrained(real_data_dir / "kobert_tokenizer")


@pytest.fixture(scope="module")
def korquad(real_data_dir: Path) -> dict[str, Any]:
    return json.loads((real_data_dir / "korquad" / "KorQuAD_v1.0_dev.json").read_text("utf-8"))


def perfect_span(windows: list[Window], pieces: PieceRange) -> PieceRange:
    """The best span of a model that is sure of the labels in every window that holds the whole answer."""
    starts, ends = ([np.zeros(len(window.input_ids)) for window in windows] for _ in range(2))
    for number, window in enumerate(windows):
        start, end = window_label(window, pieces)
        if (start, end) != NO_ANSWER:
            starts[number][start] = ends[number][end] = 1.0
    best = best_spans(windows, starts, ends)[0]
    return best.first, best.last


def scores(
    korquad: dict[str, Any],
    tokenizer: KoBertTokenizer,
    read: Callable[[str], Any],
    ids_of: Callable[[Any], list[int]],
    label: Callable[[Any, str, int], PieceRange | None],
    say: Callable[[str, Any, int, int], str],
) -> tuple[float, float]:
    """Exact match and F1 in percent."""
    predictions = {}
    for article in korquad["data"]:
        for paragraph in article["paragraphs"]:
            context = read(paragraph["context"])
            for question in paragraph["qas"]:
                (answer,) = question["answers"]
                asked = tokenizer.encode_with_offsets(question["question"])[0]
                windows = build_windows(asked, ids_of(context), WindowSettings(), tokenizer.frame)
                pieces = label(context, answer["text"], answer["answer_start"])
                assert pieces is not None
                predictions[question["id"]] = say(paragraph["context"], context, *perfect_span(windows, pieces))
    result = total_scores(predictions, gold_answers(korquad))
    assert (result.questions, result.missing) == (5774, 0)
    return 100 * result.exact_match / 5774, 100 * result.f1 / 5774


@pytest.mark.parametrize(
    ("particles", "exact_match", "f1", "below"),
    [("none", 88.7, 98.6, 90), ("strip", 97.5, 99.5, 100), ("split", 99.0, 99.8, 100)],
)
def test_perfect_spans_reach_the_ceiling(
    korquad: dict[str, Any], tokenizer: KoBertTokenizer, particles: Any, exact_match: float, f1: float, below: float
) -> None:
    def say(text: str, encoding: Any, first: int, last: int) -> str:
        answer = to_answers(text, encoding[1], [PieceSpan(first, last, 0.0)])[0].text
        return strip_particle(answer) if particles == "strip" else answer

    matches, overlap = scores(
        korquad,
        tokenizer,
        read=lambda text: encode_text(text, tokenizer.encode_with_offsets, particles),
        ids_of=lambda encoding: encoding[0],
        label=lambda encoding, text, start: answer_pieces(encoding[1], start, start + len(text)),
        say=say,
    )
    assert exact_match <= matches < below
    assert overlap >= f1


def test_reference_decoding_labels_and_decoding_reach_what_the_original_could(
    korquad: dict[str, Any], tokenizer: KoBertTokenizer
) -> None:
    matches, overlap = scores(
        korquad,
        tokenizer,
        read=lambda text: read_context(text, tokenizer.tokenize),
        ids_of=lambda context: tokenizer.convert_tokens_to_ids(context.pieces),
        label=lambda context, text, start: reference_answer_pieces(context, text, start, tokenizer.tokenize),
        say=lambda text, context, first, last: reference_answer_text(context, first, last),
    )
    assert matches == pytest.approx(77.3, abs=0.5)
    assert overlap == pytest.approx(96.7, abs=0.5)


@pytest.mark.parametrize(("particles", "at_least", "below"), [("none", 0.89, 0.90), ("split", 0.985, 1.0)])
def test_klue_tags_survive_the_way_through_pieces(
    real_data_dir: Path, tokenizer: KoBertTokenizer, particles: Any, at_least: float, below: float
) -> None:
    metric = EntityF1(KLUE_NER_LABELS)
    with lzma.open(real_data_dir / "klue_ner" / "klue-ner-v1.1_dev.tsv.xz", "rt", encoding="utf-8") as stream:
        blocks = stream.read().split("\n\n")
    for block in blocks:
        lines = [line.split("\t") for line in block.split("\n") if line and not line.startswith("##")]
        text, tags = "".join(line[0] for line in lines), [line[1] for line in lines]
        offsets = encode_text(text, tokenizer.encode_with_offsets, particles)[1]
        labels = piece_tags(tags, offsets)
        metric.update([character_tags(labels, offsets, len(text))], [tags])
    f1 = float(metric.compute()["f1"])
    assert at_least <= f1 < below
