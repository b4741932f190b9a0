"""Every part of every task says which share of its pieces is unknown, and texts of another tokenizer are refused."""

import unicodedata
from pathlib import Path

import pytest

from datamodules import KlueNERDataModule, KorQuADDataModule, NaverNERDataModule, NSMCDataModule
from distilkobert import KoBertTokenizer
from distilkobert.tasks.files.korquad import read_korquad
from distilkobert.tasks.files.ner import read_klue_ner, read_naver_ner
from distilkobert.tasks.files.nsmc import read_nsmc
from tests.support.tasks.data import WRITERS, Make
from tests.support.tokenizers.kinds import wordpiece

pytest_plugins = ["tests.support.tasks.fixtures"]


def texts_of_test_part(module: type, folder: Path) -> list[str]:
    """All texts that the module encodes, each once."""
    if module is NSMCDataModule:
        return [review.text for review in read_nsmc(folder / "ratings_test.txt")]
    if module is NaverNERDataModule:
        return [word for sentence in read_naver_ner(folder / "test.tsv") for word in sentence.units]
    if module is KlueNERDataModule:
        (path,) = folder.glob("*dev.tsv")
        return ["".join(sentence.units) for sentence in read_klue_ner(path)]
    paragraphs = list(read_korquad(folder / "KorQuAD_v1.0_dev.json"))
    return [text for paragraph in paragraphs for text in (paragraph.context, *(q.text for q in paragraph.questions))]


@pytest.mark.parametrize("module", WRITERS)
def test_shares_of_all_parts(
    make: Make, folders: dict[type, Path], module: type, tiny_tokenizer: KoBertTokenizer
) -> None:
    data = make(module)
    data.setup("fit")
    data.setup("test")
    ids = [
        tiny_tokenizer.convert_tokens_to_ids(tiny_tokenizer.tokenize(t))
        for t in texts_of_test_part(module, folders[module])
    ]
    pieces = [number for row in ids for number in row]
    assert data.facts["data/test_unknown"] == pytest.approx(pieces.count(tiny_tokenizer.unk_token_id) / len(pieces))
    assert data.facts["data/test_unknown"] > 0
    assert {"data/train_unknown", "data/dev_unknown"} <= data.facts.keys()


@pytest.fixture
def cased(tmp_path: Path) -> Path:
    """A vocab.txt of cased Korean and the word that it is BERT's, as conversions of TensorFlow checkpoints leave it."""
    vocabulary = wordpiece().get_vocab()
    folder = tmp_path / "cased"
    folder.mkdir()
    lines = sorted(vocabulary, key=lambda token: vocabulary[token])
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    return folder


def write_reviews(folder: Path, texts: list[str]) -> Path:
    folder.mkdir()
    rows = "".join(f"{number}\t{text}\t{number % 2}\n" for number, text in enumerate(texts))
    for name in ("ratings_train.txt", "ratings_test.txt"):
        (folder / name).write_text(f"id\tdocument\tlabel\n{rows}", encoding="utf-8")
    return folder


def test_lower_casing_and_decomposed_text_are_refused_and_may_be_accepted(
    make: Make, cased: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [f"오늘은 날씨가 맑아서 강가를 천천히 걸었습니다 {number}" for number in range(60)]
    composed = write_reviews(tmp_path / "nfc", texts)
    decomposed = write_reviews(tmp_path / "nfd", [unicodedata.normalize("NFD", text) for text in texts])
    without_settings = make(NSMCDataModule, data_dir=composed, tokenizer=cased)
    with pytest.raises(ValueError, match=r"ratings_train\.txt \(train\): \d\d\.\d% of .* \(set do_lower_case to false"):
        without_settings.setup("fit")
    accepted = make(NSMCDataModule, data_dir=composed, tokenizer=cased, unknown_limit=1)
    accepted.setup("fit")
    said = [record.getMessage() for record in caplog.records if "unknown to the tokenizer" in record.getMessage()]
    assert ["Usual causes" in message for message in said] == [True, False], "train, then dev"
    assert accepted.facts["data/train_unknown"] > 0.3

    (cased / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    right = make(NSMCDataModule, data_dir=composed, tokenizer=cased)
    right.setup("fit")
    assert right.facts["data/train_unknown"] < 0.05
    wrong_text = make(NSMCDataModule, data_dir=decomposed, tokenizer=cased)
    with pytest.raises(ValueError, match=r"\(train\): .* decomposed \(NFD; normalise it to NFC\)"):
        wrong_text.setup("fit")


def test_the_limit_is_checked_at_once(make: Make) -> None:
    with pytest.raises(ValueError, match="unknown_limit is 0; expected more than 0"):
        make(KorQuADDataModule, unknown_limit=0)
