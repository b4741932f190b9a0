"""Entities of one's own: formats and ways to write tags give the same examples; what is wrong is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from datamodules import KlueNERDataModule, NaverNERDataModule, TaggingDataModule
from distilkobert.metrics.entities import lenient_entities
from distilkobert.tasks.files.table_rows import LinePlace
from distilkobert.tasks.files.tagged import TagFiles
from distilkobert.tasks.tags.tag_forms import bio_tags, form_of
from tests.distilkobert.tasks.files.test_tables import written

Build = Callable[..., TaggingDataModule]
HERE = LinePlace(Path("here"), 1)
SENTENCES = [(("독감", "환자가", f"{n}명", "늘었다"), ("B-DIS", "O", "B-NUM", "O")) for n in range(40)]
SENTENCES += [(("서울", "대학교", "병원에", f"{n}번"), ("B-ORG", "I-ORG", "I-ORG", "B-NUM")) for n in range(40)]


def bioes(tags: tuple[str, ...]) -> list[str]:
    """Tags in BIOES, from the entities that seqeval finds."""
    result = ["O"] * len(tags)
    for kind, first, last in get_entities(list(tags)):
        result[first : last + 1] = [f"I-{kind}"] * (last - first + 1)
        result[first], result[last] = f"B-{kind}", f"E-{kind}"
        if first == last:
            result[first] = f"S-{kind}"
    return result


def suffixed(tags: list[str]) -> list[str]:
    return [tag if tag == "O" else f"{tag[2:]}-{tag[0]}" for tag in tags]


def spans(words: tuple[str, ...], tags: tuple[str, ...]) -> str:
    text, entities = " ".join(words), []
    for kind, first, last in get_entities(list(tags)):
        start = len(" ".join(words[:first])) + (first > 0)
        entities.append([start, start + len(" ".join(words[first : last + 1])), kind])
    return json.dumps({"text": text, "entities": entities}, ensure_ascii=False) + "\n"


def tool_spans(words: tuple[str, ...], tags: tuple[str, ...]) -> str:
    item = json.loads(spans(words, tags))
    marks = [
        {"id": 7, "start_offset": start, "end_offset": end, "label": kind} for start, end, kind in item["entities"]
    ]
    return json.dumps({"글": item["text"], "표시": marks}, ensure_ascii=False) + "\n"


WAYS: dict[str, tuple[Callable[[tuple[str, ...], tuple[str, ...]], str], dict[str, Any]]] = {
    "conll": (lambda w, t: "".join(f"{a}\t{b}\n" for a, b in zip(w, t, strict=True)) + "\n", {}),
    "conll with spaces": (lambda w, t: "".join(f"{a} NNP {b}\n" for a, b in zip(w, t, strict=True)) + "\n", {}),
    "conll numbered": (
        lambda w, t: "".join(f"{n}\t{a}\t{b}\n" for n, (a, b) in enumerate(zip(w, t, strict=True))) + "\n",
        {"word_column": 1},
    ),
    "bioes": (lambda w, t: "".join(f"{a}\t{b}\n" for a, b in zip(w, bioes(t), strict=True)) + "\n", {}),
    "suffix": (lambda w, t: f"{' '.join(w)}\t{' '.join(suffixed(list(t)))}\n", {"format": "lines"}),
    "suffix bioes": (lambda w, t: f"{' '.join(w)}\t{' '.join(suffixed(bioes(t)))}\n", {"format": "lines"}),
    "lines": (lambda w, t: f"{' '.join(w)}\t{' '.join(t)}\n", {"format": "lines"}),
    "spans": (spans, {"format": "spans"}),
    "spans of a tool": (tool_spans, {"format": "spans", "text": "글", "entities": "표시"}),
}


@pytest.fixture
def build(tmp_path: Path, tiny_tokenizer_dir: Path) -> Build:
    def call(content: str, name: str = "train", **settings: Any) -> TaggingDataModule:
        end = ".jsonl" if settings.get("format") == "spans" else ".txt"
        file = written(tmp_path, content, f"{name}{end}")
        given = {"data_dir": str(tmp_path), "cache_dir": str(tmp_path / "cache"), "train_file": file.name}
        return TaggingDataModule(str(tiny_tokenizer_dir), **(given | settings))

    return call


def examples(data: TaggingDataModule) -> list[tuple[Any, ...]]:
    found = {}
    for batch in data.train_dataloader():
        for row, labels, example in zip(batch["rows"], batch["labels"].tolist(), batch["examples"], strict=True):
            found[row] = (example.words, example.tags, [label for label in labels if label >= 0])
    return [found[row] for row in sorted(found)]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write_tags_gives_the_same_examples(build: Build, way: str) -> None:
    write, settings = WAYS[way]
    data = build("".join(write(*sentence) for sentence in SENTENCES), **settings)
    assert data.labels == ["B-DIS", "I-DIS", "B-NUM", "I-NUM", "B-ORG", "I-ORG", "O"]
    found = examples(data)
    assert found
    assert {(words, tags) for words, tags, _ in found} <= set(SENTENCES)
    for _, tags, labels in found:
        assert [data.labels[label] for label in labels] == list(tags)
    rule = "one file, train.*, by MD5 of the sentence modulo 10: 8 dev, 9 test, others train"
    assert str(data.facts["data/split"]).split(",")[0] == rule.split(",")[0]


@pytest.mark.parametrize("particles", ["none", "split"])
def test_spans_may_end_inside_a_word_where_characters_are_tagged(build: Build, particles: Any) -> None:
    lines = [{"text": f"서울에서 {n}명이", "entities": [[0, 2, "LC"], [5, 5 + len(str(n)), "QT"]]} for n in range(30)]
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    data = build(content, format="spans", units="characters", particles=particles)
    words, tags, _ = examples(data)[0]
    assert "".join(words[:5]) == "서울에서 "
    assert tags[:6] == ("B-LC", "I-LC", "O", "O", "O", "B-QT")
    with pytest.raises(ValueError, match=r"line 1: the entity '서울' \(LC\) begins or ends inside a word; set units"):
        build(content, format="spans", units="words")


@given(st.lists(st.sampled_from(["B-A", "I-A", "B-C", "I-C", "O"]), max_size=8).map(tuple))
def test_other_ways_leave_the_entities_as_they_are(tags: tuple[str, ...]) -> None:
    clean = ["O"] * len(tags)
    for kind, first, last in get_entities(list(tags)):
        clean[first : last + 1] = [f"B-{kind}", *[f"I-{kind}"] * (last - first)]
    again = bio_tags(bioes(tags), "prefix", ["A", "C"], HERE)
    assert list(again) == clean
    assert lenient_entities(again) == lenient_entities(clean)
    assert list(bio_tags(suffixed(bioes(tags)), "suffix", ["A", "C"], HERE)) == clean
    assert list(bio_tags(tags, "prefix", ["A", "C"], HERE)) == clean  # I that opens an entity, as in IOB1


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("가\tB-A\n나\tA-B\n", {}, r"train\.txt, line 1: the tag 'A-B', and 'B-A' in .*; expected tags"),
        ("가\tPERSON\n", {}, "line 1: the tag 'PERSON'; expected tags that are all like B-PER or all like PER-B"),
        ("가\tO\n", {}, "no entity in it, only O"),
        ("가 나\tO B-A\n", {}, r"train\.txt, line 1: several words and several tags in .*; set format: lines"),
        ("가\tB-A\n나\n", {}, "line 2: found '나'; expected a word, a tab or a space, and its tag"),
        ("가나\tB-A\n", {"units": "characters"}, "line 1: found '가나'; expected one character, or set units: words"),
        ("가 나\tB-A\n", {"format": "lines"}, "line 1: 2 words and 1 tags; expected one tag for each word"),
        ("가 나\tB-A O\tx\n", {"format": "lines"}, "line 1: 2 tabs in .*; expected words, a tab, and tags"),
        ("가\tB-A\n나\tO\n\n다\tO\n", {"format": "lines"}, "every line has one word, .*set format: conll"),
        ("가\tB-A\n", {"format": "lines", "units": "characters"}, "format=lines has one tag per word"),
        ('{"text": "가나", "entities": [[0, 2, "A"], [1, 2, "B"]]}', {"format": "spans"}, "the entity 'B' from 1 over"),
        ('{"text": "가나", "entities": [[0, 3, "A"]]}', {"format": "spans"}, "from 0 to 3; the text has 2 characters"),
        ('{"text": "가나", "entities": [[1, 1, "A"]]}', {"format": "spans"}, "from 1 to 1; the text has 2 characters"),
        ('{"text": "가나", "entities": [["0", 1, "A"]]}', {"format": "spans"}, r"expected \[start, end, type\] or"),
        ('{"text": "가나"}', {"format": "spans"}, r"line 1: no 'entities'; write \[\] where there is none"),
        ('{"글": "가나"}', {"format": "spans"}, "line 1: no text in 'text'; the keys are 글"),
        ("# 설명\n\n", {}, "no sentence in it"),
        ("가\tx\tB-A\n", {"word_column": 2}, "word_column=2 and tag_column=-1 are the same of 3 columns"),
        ("가\tB-A\n", {"types": ["B"]}, "line 1: the unknown entity type 'A' in 'B-A'; the types are B. Correct"),
    ],
)  # fmt: skip
def test_wrong_files_are_refused(build: Build, content: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(content, **settings).setup("fit")


def test_a_tag_of_the_test_file_alone_is_refused(build: Build, tmp_path: Path) -> None:
    written(tmp_path, "가\tO\n\n나\tB-DRUG\n", "test.txt")
    data = build("".join(WAYS["conll"][0](*sentence) for sentence in SENTENCES), test_file="test.txt")
    data.setup("fit")
    with pytest.raises(ValueError, match=r"test\.txt, line 3: the unknown entity type 'DRUG'"):
        data.setup("test")


def test_plain_text_is_predicted_without_tags(build: Build, tmp_path: Path) -> None:
    file = written(tmp_path, "독감 환자\n서울  병원에\n", "plain.txt")
    data = build("".join(WAYS["conll"][0](*one) for one in SENTENCES), predict_file=str(file))
    (batch,) = data.predict_dataloader()
    assert [(example.words, example.tags) for example in batch["examples"]] == [
        (("독감", "환자"), ()), (("서울", "병원에"), ()),
    ]  # fmt: skip


def test_layouts_of_the_data_sets_with_types_of_ones_own(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    lines = "".join(f"독감 환자가 {n}명 늘었다\tDIS-B O NUM-B O\n" for n in range(70))
    written(tmp_path, lines, "train.tsv")
    written(tmp_path, lines, "test.tsv")
    settings: dict[str, Any] = {"cache_dir": str(tmp_path / "cache")}
    with pytest.raises(ValueError, match=r"unknown tag 'DIS-B'.*; name other types with --data.types="):
        NaverNERDataModule(str(tmp_path), str(tiny_tokenizer_dir), **settings).setup("fit")
    data = NaverNERDataModule(str(tmp_path), str(tiny_tokenizer_dir), types=["DIS", "NUM"], **settings)
    data.setup("fit")
    assert data.labels == ["UNK", "O", "DIS-B", "DIS-I", "NUM-B", "NUM-I"]
    written(tmp_path, "".join(f"## s{n}\t글\n영\tB-DIS\n화\tI-DIS\n\n" for n in range(70)), "klue-ner-v1.1_train.tsv")
    klue = KlueNERDataModule(str(tmp_path), str(tiny_tokenizer_dir), types=["DIS"], unknown_limit=1, **settings)
    klue.setup("fit")
    assert klue.labels == ["B-DIS", "I-DIS", "O"]


def test_the_form_of_tags_is_seen_where_a_type_is_a_letter() -> None:
    assert form_of([("B-I", HERE), ("PER-B", HERE)]) == "suffix"
    assert form_of([("B-I", HERE), ("I-PER", HERE)]) == "prefix"
    assert TagFiles("conll", "words").read
