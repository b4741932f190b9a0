"""Corpora of every kind of tokenizer: what is stored and masked, against transformers' own encoding of each line."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import load_from_disk
from transformers import AutoTokenizer

from datamodules import CorpusDataModule
from distilkobert.corpus.integrity import content_fingerprint
from distilkobert.corpus.masked_texts import read_masked_texts
from distilkobert.corpus.masking import MaskingSpec
from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings, part_of
from distilkobert.tokenizers import load_tokenizer
from tests.support.tokenizers.kinds import KINDS, save_kind
from tests.support.tokenizers.sentences import SENTENCES
from tests.support.tokenizers.wide_vocabulary import save_wide_vocabulary

SETTINGS = CorpusSettings(min_tokens=8, max_tokens=24, validation_fraction=0.2)
LINES = [f"{number} {sentence}" for number in range(3) for sentence in SENTENCES]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("kinds")
    (root / "text.txt").write_text("\n".join(LINES), encoding="utf-8")
    return {"text": root / "text.txt", **{kind: save_kind(kind, root / kind) for kind in KINDS}}


def prepare(folders: dict[str, Path], kind: str, output: Path, settings: CorpusSettings, num_proc: int = 1) -> Path:
    # ALBERT's and XLNet's normalisation takes Hangul apart, for which these vocabularies have no pieces.
    prepare_corpus([str(folders["text"])], str(folders[kind]), output, settings, num_proc=num_proc, unknown_limit=1)
    return output


def chunks(ids: list[int], size: int) -> list[list[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


@pytest.mark.parametrize("kind", KINDS)
def test_lines_in_the_tokenizers_own_frame(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    output = prepare(folders, kind, tmp_path / "corpus", SETTINGS)
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    specials = tokenizer("")["input_ids"]
    begin = 0 if kind == "xlnet" else 1
    expected: dict[str, list[list[int]]] = {"train": [], "validation": []}
    pieces: Counter[int] = Counter()
    for line in LINES:
        ids = tokenizer(line, add_special_tokens=False)["input_ids"]
        for chunk in chunks(ids, 24 - len(specials)):
            framed = [*specials[:begin], *chunk, *specials[begin:]]
            if len(framed) >= 8:
                expected[part_of(line, 0.2)].append(framed)
                pieces.update(chunk)
    corpus = load_from_disk(str(output))
    for part, rows in expected.items():
        assert corpus[part]["input_ids"][:] == rows
    data = CorpusDataModule(str(output), str(folders[kind]), max_tokens=200)
    unknown = pieces[tokenizer.unk_token_id] / sum(pieces.values())
    assert data.manifest["unknown_rate"] == pytest.approx(unknown)
    assert data.facts == {
        "data/corpus_unknown": data.manifest["unknown_rate"],
        "data/corpus_fingerprint": content_fingerprint(data.manifest),
    }
    assert data.vocab_size == len(tokenizer)
    assert data.pad_token_id == tokenizer.pad_token_id


@pytest.mark.parametrize("kind", ["roberta", "modernbert", "xlnet"])
def test_packed_lines_end_with_the_frames_suffix(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    settings = CorpusSettings(layout="packed", min_tokens=8, max_tokens=24, validation_fraction=0)
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    frame = load_tokenizer(folders[kind]).frame
    stream: list[int] = []
    for line in LINES:
        stream += [*tokenizer(line, add_special_tokens=False)["input_ids"], *frame.suffix]
    *whole, last = chunks(stream, 24 - frame.special_count(1))
    rows = load_from_disk(str(prepare(folders, kind, tmp_path / "corpus", settings)))["train"]["input_ids"][:]
    assert rows[: len(whole)] == [frame.single(chunk) for chunk in whole]
    end = frame.single(last[: len(last) - len(frame.suffix)])
    assert rows[len(whole) :] == ([end] if len(end) >= 8 else [])


@pytest.mark.slow
def test_several_processes_give_the_same_corpus(folders: dict[str, Path], tmp_path: Path) -> None:
    corpora = [prepare(folders, "xlm_roberta", tmp_path / str(n), SETTINGS, num_proc=n) for n in (1, 2)]
    rows = [load_from_disk(str(corpus))["train"]["input_ids"][:] for corpus in corpora]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("kind", KINDS)
def test_masks_never_hide_or_insert_special_ids(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    output = prepare(folders, kind, tmp_path / "corpus", SETTINGS)
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    masking = MaskingSpec(probability=0.5, mask=0.4, keep=0.1, random=0.5)
    data = CorpusDataModule(str(output), str(folders[kind]), max_tokens=400, masking=masking)
    specials = set(tokenizer.all_special_ids)
    masks = replaced = 0
    stored = Counter(tuple(row) for row in load_from_disk(str(output))["train"]["input_ids"])
    for batch in data.train_dataloader():
        drawn = batch["labels"] != -100
        assert not specials & set(batch["labels"][drawn].tolist())
        shown = batch["input_ids"][drawn]
        inserted = shown[(shown != batch["labels"][drawn]) & (shown != tokenizer.mask_token_id)]
        assert not specials & set(inserted.tolist())
        masks, replaced = masks + int((shown == tokenizer.mask_token_id).sum()), replaced + len(inserted)
        assert (batch["input_ids"][batch["attention_mask"] == 0] == tokenizer.pad_token_id).all()
        before = torch.where(drawn, batch["labels"], batch["input_ids"])
        stored.subtract(
            tuple(row[mask.bool()].tolist()) for row, mask in zip(before, batch["attention_mask"], strict=True)
        )
    assert not +stored
    assert masks > 50
    assert replaced > 50


def test_ids_beyond_65535_are_stored_whole(tmp_path: Path) -> None:
    folder = save_wide_vocabulary(tmp_path / "wide", pieces=70_000)
    draw = random.Random(1)
    lines = [" ".join(f"w{draw.randrange(70_000)}" for _ in range(20)) for _ in range(60)]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    prepare_corpus(
        [str(tmp_path / "text.txt")], str(folder), tmp_path / "corpus", CorpusSettings(validation_fraction=0.1)
    )
    corpus = load_from_disk(str(tmp_path / "corpus"))
    assert str(corpus["train"].data.schema.field("input_ids").type) == "list<item: uint32>"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [tuple(row) for part in corpus.values() for row in part["input_ids"]]
    assert sorted(rows) == sorted(tuple(tokenizer(line)["input_ids"]) for line in lines)
    assert max(map(max, rows)) > 65_535
    data = CorpusDataModule(str(tmp_path / "corpus"), str(folder), max_tokens=200)
    assert np.count_nonzero(data.token_counts) > 500
    assert all(batch["input_ids"].max() > 65_535 for batch in data.train_dataloader())


def test_a_tokenizer_without_mask_token_is_refused(tmp_path: Path) -> None:
    folder = save_wide_vocabulary(tmp_path / "t", pieces=50, mask=False)
    (tmp_path / "text.txt").write_text("\n".join([" ".join(f"w{n % 50}" for n in range(i, i + 20)) for i in range(9)]))
    prepare_corpus(
        [str(tmp_path / "text.txt")], str(folder), tmp_path / "corpus", CorpusSettings(validation_fraction=0)
    )
    with pytest.raises(ValueError, match=r"has no mask token.*tokenizer_config\.json \(mask_token\)"):
        CorpusDataModule(str(tmp_path / "corpus"), str(folder))
    with pytest.raises(ValueError, match="has no mask token"):
        read_masked_texts(tmp_path / "text.txt", load_tokenizer(folder), 99)


@pytest.mark.parametrize("kind", KINDS)
def test_masked_texts_are_those_of_transformers(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    """Both spellings of the mask give what transformers makes of its own."""
    tokenizer, encoder = AutoTokenizer.from_pretrained(folders[kind]), load_tokenizer(folders[kind])
    lines = ["오늘은 * 맑아서", "* 바람이 불었다", "강가를 천천히 *", "오늘은 * * 걸었습니다."]
    expected = [tokenizer(line.replace("*", tokenizer.mask_token))["input_ids"] for line in lines]
    for spelling in ("[MASK]", tokenizer.mask_token):
        (tmp_path / "m.txt").write_text("\n".join(line.replace("*", spelling) for line in lines), encoding="utf-8")
        texts = read_masked_texts(tmp_path / "m.txt", encoder, 99)
        assert [text.ids for text in texts] == expected
    (tmp_path / "m.txt").write_text("오늘은 맑음", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1: found no \[MASK\]"):
        read_masked_texts(tmp_path / "m.txt", encoder, 99)
