"""Tags of words and characters in batches, against slow second versions."""

from pathlib import Path
from typing import Any

import pytest

from datamodules import KlueNERDataModule, NaverNERDataModule
from distilkobert import KoBertTokenizer
from distilkobert.korean.particles import encode_text
from distilkobert.tasks.files.ner import read_klue_ner, read_naver_ner
from tests.support.tasks.data import Make, unpadded

pytest_plugins = ["tests.support.tasks.fixtures"]


def test_naver_labels_stand_on_first_pieces(
    make: Make, folders: dict[type, Path], tiny_tokenizer: KoBertTokenizer
) -> None:
    data = make(NaverNERDataModule, max_length=14)
    assert (len(data.labels), data.suffix_tags) == (30, True)
    sentences = list(read_naver_ner(folders[NaverNERDataModule] / "test.tsv"))
    lost = 0
    for batch in data.test_dataloader():
        for row, ids, labels, example in zip(
            batch["rows"], unpadded(batch), unpadded(batch, "labels"), batch["examples"], strict=True
        ):
            sentence = sentences[row]
            assert (example.words, example.tags) == (sentence.units, sentence.tags)
            expected: list[tuple[int, int]] = []
            for word, tag in zip(sentence.units, sentence.tags, strict=True):
                pieces = tiny_tokenizer.convert_tokens_to_ids(tiny_tokenizer.tokenize(word))
                marks = [data.labels.index(tag), *[-100] * (len(pieces) - 1)]
                expected += zip(pieces or [tiny_tokenizer.unk_token_id], marks, strict=True)
            assert list(zip(ids[1:-1], labels[1:-1], strict=True)) == expected[:12]
            assert labels[0] == labels[-1] == -100
            tags = [data.labels[label] if label >= 0 else "PER-B" for label in labels]
            assert example.predicted_tags(tags)[: example.kept] == list(sentence.tags[: example.kept])
            lost += len(sentence.units) - example.kept
    assert lost > 0


def test_a_word_without_pieces_becomes_unknown(make: Make, tmp_path: Path, tiny_tokenizer: KoBertTokenizer) -> None:
    lines = [f"날씨가 \u0301 {number} 맑다\tO PER-B NUM-B O\n" for number in range(40)]
    (tmp_path / "train.tsv").write_text("".join(lines), encoding="utf-8")
    data, seen = make(NaverNERDataModule, data_dir=tmp_path), 0
    for batch in data.train_dataloader():
        for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
            (place,) = (labels == data.labels.index("PER-B")).nonzero().flatten().tolist()
            assert ids[place] == tiny_tokenizer.unk_token_id
            seen += 1
    assert seen > 30


@pytest.mark.parametrize("particles", ["none", "split"])
def test_klue_tags_go_through_offsets(
    make: Make, folders: dict[type, Path], tiny_tokenizer: KoBertTokenizer, particles: Any
) -> None:
    data = make(KlueNERDataModule, particles=particles, max_length=200)
    assert (len(data.labels), data.suffix_tags, data.input_settings.particles) == (13, False, particles)
    sentences = list(read_klue_ner(folders[KlueNERDataModule] / "klue-ner-v1.1_dev.tsv"))
    right = 0
    for batch in data.test_dataloader():
        for row, ids, labels, example in zip(
            batch["rows"], unpadded(batch), unpadded(batch, "labels"), batch["examples"], strict=True
        ):
            text = "".join(sentences[row].units)
            expected_ids, spans = encode_text(text, tiny_tokenizer.encode_with_offsets, particles)
            assert ids[1:-1] == expected_ids
            for label, (start, end) in zip(labels[1:-1], spans, strict=True):
                if start == end:  # a lone mark: inside where the entity of the character before goes on
                    inside = sentences[row].tags[start][0] == "I"
                    assert data.labels[label] == (sentences[row].tags[start] if inside else "O")
                else:
                    assert data.labels[label].lstrip("BI") == sentences[row].tags[start].lstrip("BI")
            tags = example.predicted_tags([data.labels[label] if label >= 0 else "O" for label in labels])
            right += tags == list(sentences[row].tags)
    if particles == "split":
        assert right >= 0.9 * len(sentences)


def test_a_cut_klue_sentence_counts_its_kept_characters(make: Make) -> None:
    examples = [one for batch in make(KlueNERDataModule, max_length=20).test_dataloader() for one in batch["examples"]]
    assert {example.cut for example in examples} == {False, True}
    for example in examples:
        assert len(example.offsets) <= 18
        assert example.kept == (example.offsets[-1][1] if example.cut else len(example.words))
