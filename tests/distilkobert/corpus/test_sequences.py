"""From lines to sequences: framing, cutting, dropping, packing and the split, against step-by-step versions."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert import KoBertTokenizer
from distilkobert.corpus.sequences import (
    PARTS,
    CorpusSettings,
    EncodedLines,
    LineCounts,
    Packer,
    Rows,
    encode_lines,
    part_of,
)
from tests.support.tokenizers.sentences import SENTENCES

LINES = st.lists(
    st.lists(st.sampled_from([word for sentence in SENTENCES for word in sentence.split()]), max_size=25).map(" ".join),
    max_size=12,
)
BOUNDS = st.tuples(st.integers(3, 20), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def sequences(rows: Rows) -> list[list[int]]:
    return [part.tolist() for part in np.split(rows.ids, np.cumsum(rows.lengths))[:-1]]


def slow_ids(tokenizer: KoBertTokenizer, text: str) -> list[int]:
    return tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))


@settings(max_examples=60, deadline=None)
@given(lines=LINES, bounds=BOUNDS, fraction=st.sampled_from([0.0, 0.3]))
def test_lines_against_a_step_by_step_version(
    tiny_tokenizer: KoBertTokenizer, lines: list[str], bounds: tuple[int, int], fraction: float
) -> None:
    low, high = bounds
    result = encode_lines(
        lines, tiny_tokenizer, CorpusSettings(min_tokens=low, max_tokens=high, validation_fraction=fraction)
    )
    expected: dict[str, list[list[int]]] = {"train": [], "validation": []}
    counts = LineCounts(read=len(lines))
    cls, sep = tiny_tokenizer.cls_token_id, tiny_tokenizer.sep_token_id
    for line in lines:
        ids = slow_ids(tiny_tokenizer, line)
        part = part_of(line, fraction)
        if not ids:
            counts.empty += 1
        elif len(ids) + 2 > high:
            counts.cut += 1
            while ids:
                piece, ids = [cls, *ids[: high - 2], sep], ids[high - 2 :]
                if len(piece) >= low:
                    expected[part].append(piece)
                else:
                    counts.ends_dropped += 1
        elif len(ids) + 2 < low:
            counts.too_short += 1
        else:
            expected[part].append([cls, *ids, sep])
    assert {part: sequences(result.rows[part]) for part in PARTS} == expected
    assert result.counts == counts
    assert all(rows.ids.dtype == np.uint16 and rows.lengths.dtype == np.int32 for rows in result.rows.values())


def test_the_original_rules_keep_12_to_512_tokens(tiny_tokenizer: KoBertTokenizer) -> None:
    """Full stops, apart from one another, give texts of any number of pieces."""
    lone = len(slow_ids(tiny_tokenizer, "."))

    def encode(pieces: int) -> EncodedLines:
        text = " ".join(["."] * (pieces // lone))
        assert len(slow_ids(tiny_tokenizer, text)) == pieces
        return encode_lines([text], tiny_tokenizer, CorpusSettings(validation_fraction=0))

    assert encode(9 // lone * lone).counts.too_short == 1
    assert encode(10 // lone * lone).rows["train"].lengths.tolist() == [12]
    assert encode(510).rows["train"].lengths.tolist() == [512]
    assert encode(520).rows["train"].lengths.tolist() == [512, 12]
    short_end = encode(518)
    assert short_end.rows["train"].lengths.tolist() == [512]
    assert short_end.counts == LineCounts(read=1, cut=1, ends_dropped=1)
    assert short_end.counts.kept == 1


def test_text_of_users_is_text(tiny_tokenizer: KoBertTokenizer) -> None:
    rows = encode_lines(["[SEP] [MASK] [CLS]"], tiny_tokenizer, CorpusSettings(min_tokens=3, validation_fraction=0))
    ids = sequences(rows.rows["train"])[0]
    special = set(tiny_tokenizer.special_ids) - {tiny_tokenizer.unk_token_id}
    assert ids[0] == tiny_tokenizer.cls_token_id
    assert ids[-1] == tiny_tokenizer.sep_token_id
    assert not set(ids[1:-1]) & special


@settings(max_examples=60, deadline=None)
@given(lines=LINES, bounds=BOUNDS, cuts=st.lists(st.integers(0, 12), max_size=4))
def test_packing_does_not_depend_on_how_lines_arrive(
    tiny_tokenizer: KoBertTokenizer, lines: list[str], bounds: tuple[int, int], cuts: list[int]
) -> None:
    low, high = bounds
    options = CorpusSettings(layout="packed", min_tokens=low, max_tokens=high, validation_fraction=0)
    packer = Packer(tiny_tokenizer, options)
    packed: list[list[int]] = []
    places = [0, *sorted(cuts), len(lines)]
    for start, end in pairwise(places):
        packed += sequences(packer.pack(encode_lines(lines[start:end], tiny_tokenizer, options).rows["train"]))
    last, dropped = packer.finish()
    packed += sequences(last)

    cls, sep = tiny_tokenizer.cls_token_id, tiny_tokenizer.sep_token_id
    stream: list[int] = []
    for line in lines:
        ids = slow_ids(tiny_tokenizer, line)
        stream += [*ids, sep] if ids else []
    body = high - 2
    expected = [[cls, *stream[start : start + body], sep] for start in range(0, len(stream) - body + 1, body)]
    rest = stream[len(expected) * body : -1]
    if rest and len(rest) + 2 >= low:
        expected.append([cls, *rest, sep])
    assert packed == expected
    assert dropped == int(bool(rest) and len(rest) + 2 < low)


def test_the_split_follows_the_text_alone() -> None:
    texts = [f"{number} {sentence}" for number in range(200) for sentence in SENTENCES[:25]]
    held_out = {text for text in texts if part_of(text, 0.02) == "validation"}
    more = {text for text in texts if part_of(text, 0.05) == "validation"}
    # 5,000 texts: mean 100, standard deviation 9.9.
    assert abs(len(held_out) - 100) < 5 * 9.9
    assert held_out < more
    assert all(part_of(text, 0) == "train" for text in texts)
    assert all(part_of(f"  {text.replace(' ', chr(9))} ", 0.02) == "validation" for text in held_out)
    assert part_of("이 문장은 언제나 같은 쪽에 있다.", 0.5) == "validation"


def test_counts_add_up() -> None:
    counts = LineCounts(read=10, empty=1, too_short=2, cut=3, ends_dropped=4)
    counts.add(LineCounts(read=1, empty=1))
    assert counts == LineCounts(read=11, empty=2, too_short=2, cut=3, ends_dropped=4)
    assert counts.kept == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_tokens": 2}, "min_tokens is 2; expected at least 3"),
        ({"max_tokens": 11}, "max_tokens is 11; expected at least min_tokens = 12"),
        ({"validation_fraction": 1.0}, "validation_fraction is 1.0; expected 0 or more and less than 1"),
        ({"validation_fraction": -0.1}, "validation_fraction is -0.1"),
    ],
)
def test_settings_out_of_range(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CorpusSettings(**change)
