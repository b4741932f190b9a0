"""Parts by hash: every key in one of them, the same as a second way to work it out, and a dev part in any case."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.tasks.splits import DEV_CUT, KLUE_SPLIT, KORQUAD_SPLIT, HashSplit, describe, groups_of

KEYS = st.lists(st.text(max_size=5), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(keys=KEYS, split=st.sampled_from([DEV_CUT, KLUE_SPLIT, KORQUAD_SPLIT]))
def test_every_key_is_in_one_part_and_keeps_it(keys: list[str], split: HashSplit) -> None:
    found: dict[str, set[str]] = {}
    rows: list[int] = []
    for part in ("train", "dev", "test"):
        try:
            chosen = split.rows(keys, part, "file", "id")
        except ValueError:
            chosen = []
        rows += chosen
        for row in chosen:
            found.setdefault(keys[row], set()).add(part)
    assert sorted(rows) == list(range(len(keys)))
    assert all(len(parts) == 1 for parts in found.values())
    if not split.test and len(set(keys)) > 1:
        assert "dev" in set.union(*found.values())


def test_hashes_are_the_documented_ones() -> None:
    keys = [f"klue-ner-v1_dev_{number:05}" for number in range(200)]
    expected = {part: [] for part in ("train", "dev", "test")}
    for row, key in enumerate(keys):
        last_digit = int(str(int.from_bytes(hashlib.md5(key.encode()).digest(), "big"))[-1])
        expected["dev" if last_digit == 8 else "test" if last_digit == 9 else "train"].append(row)
    assert {part: KLUE_SPLIT.rows(keys, part, "file", "id") for part in expected} == expected
    assert not set(KORQUAD_SPLIT.rows(keys, "test", "file", "id")) & set(KORQUAD_SPLIT.rows(keys, "dev", "file", "id"))


def test_too_few_keys_are_an_error() -> None:
    message = r"small\.json: none of its 1 different keys \(hashed is the article title\) .* dev_share or dev_file"
    with pytest.raises(ValueError, match=message):
        DEV_CUT.rows(["하나"] * 5, "dev", "small.json", "article title")


def test_the_split_in_one_sentence() -> None:
    assert describe(KORQUAD_SPLIT, "article title", "dev.json", None, None) == (
        "one file, dev.json, by MD5 of the article title modulo 10: 7 dev, 8, 9 test, others train"
    )
    assert describe(DEV_CUT, "review id", "train.txt", None, "test.txt") == (
        "train.txt by MD5 of the review id modulo 20: 0 dev, others train; test: all of test.txt"
    )


def test_groups_are_examples_of_one_key() -> None:
    keys = ["서울", "부산", "서울", "인천", "부산", "서울"]
    assert groups_of(keys, [0, 2, 3, 5]) == [0, 0, 2, 0]
    assert groups_of(keys, [1, 2, 3, 4, 5]) == [0, 1, 2, 0, 1]
    assert groups_of(keys, [0, 1, 3]) is None  # every example stands alone
