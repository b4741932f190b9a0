"""What the codecs make of texts, worked by hand and against the tokenizer's own framing."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert import KoBertTokenizer
from distilkobert.tasks.codec import Codec
from distilkobert.tasks.examples import CharacterExample, TaggedExample, WordExample
from distilkobert.tasks.files.ner import TaggedSentence
from distilkobert.tasks.files.tagged import TagFiles
from distilkobert.tasks.files.text_examples import TextExample
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.questions.answering import AnsweringCodec
from distilkobert.tasks.tags.tagging import TaggingCodec
from distilkobert.tasks.texts.classification import ClassificationCodec
from distilkobert.tokenizers.framing import Frame

TEXTS = ("영화가 정말 좋았다", "나쁘다", "")
ROBERTA = Frame((7,), (8, 8), (8,), 9, (0, 0, 0), (0,) * 6)


class Words:
    """A tokenizer of one id per word, from 100, with RoBERTa's frame."""

    unk_token_id, pad_token_id, cls_token_id, sep_token_id = 3, 9, 7, 8
    frame = ROBERTA

    def encode_batch(self, texts: list[str]) -> list[Any]:
        return [torch.tensor([100 + number for number, _ in enumerate(text.split())]).numpy() for text in texts]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        spans, end = [], 0
        for word in text.split():
            start = text.index(word, end)
            end = start + len(word)
            spans.append((start, end))
        return [100 + number for number, _ in enumerate(spans)], spans


def inputs(batch: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: batch[name].tolist() for name in ("input_ids", "attention_mask", "token_type_ids")}


def test_texts_are_framed_as_the_tokenizer_frames_them(tiny_tokenizer: KoBertTokenizer) -> None:
    codec = ClassificationCodec(tiny_tokenizer, InputSettings(6), ["no", "yes"])
    rows = list(codec.encode(TextExample(str(n), text, None, n % 2) for n, text in enumerate(TEXTS)))
    batch = codec.batch(rows, [4, 5, 6])
    own = tiny_tokenizer(list(TEXTS), max_length=6, truncation="longest_first", padding="longest")
    assert inputs(batch) == {name: own[name] for name in inputs(batch)}
    assert (batch["labels"].tolist(), batch["rows"]) == ([0, 1, 0], [4, 5, 6])
    assert [row["pieces"] for row in rows] == [len(tiny_tokenizer.tokenize(text)) for text in TEXTS]


def test_pairs_are_framed_and_cut_as_the_tokenizer_does_it(tiny_tokenizer: KoBertTokenizer) -> None:
    codec = ClassificationCodec(tiny_tokenizer, InputSettings(9, pair=True), ["no", "yes"])
    pairs = [(TEXTS[0], TEXTS[1]), (TEXTS[1], TEXTS[0]), (TEXTS[0], TEXTS[0])]
    batch = codec.batch([codec.read(codec.split("\t".join(pair))) for pair in pairs], range(3))
    firsts, seconds = map(list, zip(*pairs, strict=True))
    own = tiny_tokenizer(firsts, seconds, max_length=9, truncation="longest_first", padding="longest")
    assert inputs(batch) == {name: own[name] for name in inputs(batch)}
    assert batch["labels"].tolist() == [-100] * 3
    for line in ("one text", "a\tb\tc"):
        with pytest.raises(ValueError, match="tabs; expected text<TAB>text_pair with one tab"):
            codec.split(line)


def test_frames_of_other_tokenizers_are_theirs() -> None:
    codec: Codec = ClassificationCodec(Words(), InputSettings(5), ["a"])  # type: ignore[arg-type]
    batch = codec.batch([codec.read(["one two three four"]), codec.read(["one"])], range(2))
    assert batch["input_ids"].tolist() == [[7, 100, 101, 102, 8], [7, 100, 8, 9, 9]]
    pair = ClassificationCodec(Words(), InputSettings(20, pair=True), ["a"])  # type: ignore[arg-type]
    assert pair.batch([pair.read(["one two", "three"])], [0])["input_ids"].tolist() == [[7, 100, 101, 8, 8, 100, 8]]
    asked = AnsweringCodec(Words(), InputSettings(9, stride=2, max_question=2))  # type: ignore[arg-type]
    batch = asked.batch([asked.read(["who went there", "one two three four five"])], [0])
    assert batch["input_ids"].tolist() == [
        [7, 100, 101, 8, 8, 100, 101, 102, 8],
        [7, 100, 101, 8, 8, 102, 103, 104, 8],
    ]
    assert not batch["token_type_ids"].any()


def test_tags_are_read_behind_a_prefix_of_any_length() -> None:
    encoder = Words()
    encoder.frame = Frame((), (8,), (8, 7), 9, (0, 0, 0), (0, 0, 0, 0, 0))  # XLNet's: all at the end
    codec = TaggingCodec(encoder, InputSettings(20, units="words"), ["O", "PER-B"])  # type: ignore[arg-type]
    (row,) = codec.encode([TaggedSentence("x", ("kim", "went"), ("PER-B", "O"))])
    batch = codec.batch([row], [0])
    assert batch["labels"].tolist() == [[1, 0, -100, -100]]
    logits = torch.nn.functional.one_hot(batch["labels"].clamp(min=0), 2).float()
    (record,) = codec.records(batch, (logits,), codec.labels)
    assert record["predicted"] == ["PER-B", "O"]
    assert codec.line(record, " kim  went") == "PER:1-4:kim"


@pytest.mark.parametrize("space", ["\n", "\r\n", "\xa0", "\u3000", "\t", "\u2028"])
def test_words_of_predict_are_those_of_your_own_files(space: str, tmp_path: Path) -> None:
    """Any white space ends a word; none of it starts a line or a column of the answer."""
    path = tmp_path / "spans.jsonl"
    text = f"kim{space}minsu went"
    path.write_text(json.dumps({"text": text, "entities": [[0, 3 + len(space) + 5, "PER"]]}), encoding="utf-8")
    (sentence,) = TagFiles("spans", "words").read(path)
    codec = TaggingCodec(Words(), InputSettings(20, units="words"), ["O", "B-PER", "I-PER"])  # type: ignore[arg-type]
    assert tuple(codec.read([text])["units"]) == sentence.units == ("kim", "minsu", "went")
    shown = f"kim{' ' * len(space)}minsu"
    assert codec.line({"predicted": sentence.tags}, text) == f"PER:0-{len(shown)}:{shown}"


def test_words_of_naver_ner_may_be_white_space() -> None:
    """As in its files, where words end at spaces, tabs and line ends alone."""
    codec = TaggingCodec(Words(), InputSettings(20, units="words"), ["O", "PER-B"])  # type: ignore[arg-type]
    assert codec.read(["kim \u3000 went\xa0home\tand\nback"])["units"] == (
        "kim",
        "\u3000",
        "went\xa0home",
        "and",
        "back",
    )


def test_an_answer_over_two_lines_is_printed_in_one() -> None:
    codec = AnsweringCodec(Words(), InputSettings(9, stride=2, max_question=2))  # type: ignore[arg-type]
    record = {"predicted": "kim\nwent\thome", "start": 0, "end": 13, "probability": 0.5}
    assert codec.line(record, "kim\nwent\thome") == "kim went home\t0-13\t0.5000"


@pytest.mark.parametrize(
    ("example", "places"),
    [
        (WordExample(("김민수는", "갔다"), (), first_pieces=(0, 3), pieces=4), [1, 4]),
        (CharacterExample(("가", " ", "나"), (), ((0, 0), (0, 1), (2, 2), (2, 3)), cut=False), [2, 4]),
        (WordExample((), (), first_pieces=(), pieces=4), []),
    ],
)
def test_the_probability_is_that_of_the_tags_that_are_read(example: TaggedExample, places: list[int]) -> None:
    """Not of special tokens, further pieces of a word and lone marks, nor of padding; 1 where no tag is read."""
    sure = torch.tensor([0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.65])
    batch = {"attention_mask": torch.tensor([[1] * 6 + [0]]), "examples": [example], "rows": [0]}
    logits = torch.stack([sure.log(), (1 - sure).log()], dim=-1)[None]
    (record,) = TaggingCodec.records(batch, (logits,), ["O", "B-PS"])
    assert record["probability"] == pytest.approx(sure[places].mean().item() if places else 1.0)


@pytest.mark.parametrize("units", ["words", "characters"])
def test_a_line_without_tags_needs_no_label(units: Any, tiny_tokenizer: KoBertTokenizer) -> None:
    """A head of other labels than ours, without O, still reads lines."""
    codec = TaggingCodec(tiny_tokenizer, InputSettings(20, units=units), ["B-XX"])
    batch = codec.batch([codec.read(["부산에 갔다"])], [0])
    assert set(batch["labels"].flatten().tolist()) == {-100}
    assert batch["examples"][0].tags == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (InputSettings(2), "max_length is 2; expected at least 3: 2 special tokens and one piece"),
        (InputSettings(4, pair=True), "max_length is 4; expected at least 5: 3 special tokens and one piece of each"),
    ],
)
def test_inputs_without_a_place_for_a_piece_are_refused(
    settings: InputSettings, message: str, tiny_tokenizer: KoBertTokenizer
) -> None:
    with pytest.raises(ValueError, match=message):
        ClassificationCodec(tiny_tokenizer, settings)
