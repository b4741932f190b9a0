"""The two files: round trip, what is refused by name, the hub out of reach, and training new ones."""

import shutil
import unicodedata
from pathlib import Path

import pytest

from distilkobert import KoBertTokenizer
from distilkobert.tokenizers.training import train_tokenizer
from tests.support.tokenizers.fixtures import TINY_VOCAB_SIZE
from tests.support.tokenizers.reference import comma_lists, write_tokenizer
from tests.support.tokenizers.sentences import SENTENCES


@pytest.fixture
def folder(tiny_tokenizer_dir: Path, tmp_path: Path) -> Path:
    """A copy of the tiny tokenizer's files to break."""
    return Path(shutil.copytree(tiny_tokenizer_dir, tmp_path / "broken"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def edit_vocab(folder: Path, old: str, new: str) -> None:
    path = folder / "vocab.txt"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_saving_writes_the_same_bytes(
    tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a" / "b"
    tiny_tokenizer.save_pretrained(target)
    assert contents(target) == contents(tiny_tokenizer_dir)
    tiny_tokenizer.save_pretrained(str(target))
    assert KoBertTokenizer.from_pretrained(str(target)).fingerprint == tiny_tokenizer.fingerprint


def test_saving_beside_other_files_and_over_another_tokenizer(
    tiny_tokenizer: KoBertTokenizer, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}")
    tiny_tokenizer.save_pretrained(tmp_path)
    edit_vocab(folder, "▁이\n", "▁저이\n")
    before = contents(folder)
    with pytest.raises(FileExistsError, match=r"another tokenizer's vocab\.txt"):
        tiny_tokenizer.save_pretrained(folder)
    assert contents(folder) == before
    with pytest.raises(FileExistsError, match="is a file"):
        tiny_tokenizer.save_pretrained(tmp_path / "config.json")


def test_the_fingerprint_follows_both_files_and_not_their_names(tiny_tokenizer: KoBertTokenizer, folder: Path) -> None:
    (model,) = folder.glob("*.model")
    model.rename(folder / "renamed.model")
    assert KoBertTokenizer.from_pretrained(folder).fingerprint == tiny_tokenizer.fingerprint
    assert len(tiny_tokenizer.fingerprint) == 64
    edit_vocab(folder, "▁이\n▁읽\n", "▁읽\n▁이\n")
    assert KoBertTokenizer.from_pretrained(folder).fingerprint != tiny_tokenizer.fingerprint


def test_ids_follow_the_order_of_the_vocabulary_file(folder: Path) -> None:
    edit_vocab(folder, "[UNK]\n[PAD]\n[CLS]\n[SEP]\n[MASK]\n", "")
    with (folder / "vocab.txt").open("a", encoding="utf-8") as stream:
        stream.write("[MASK]\n[SEP]\n[CLS]\n[PAD]\n[UNK]\n")
    tokenizer = KoBertTokenizer.from_pretrained(folder)
    size = TINY_VOCAB_SIZE
    assert tokenizer.special_ids == (size - 1, size - 2, size - 3, size - 4, size - 5)
    ids = tokenizer(["뷁", "뷁 뷁"], padding="longest")["input_ids"][0]
    assert (ids[0], ids[2], ids[3], ids[-1]) == (size - 3, size - 1, size - 4, size - 2)


def test_missing_and_surplus_files_are_named(folder: Path, tmp_path: Path) -> None:
    (model,) = folder.glob("*.model")
    shutil.copy(model, folder / "second.model")
    with pytest.raises(ValueError, match=r"2 SentencePiece models \(second\.model, tokenizer_.*expected exactly one"):
        KoBertTokenizer.from_pretrained(folder)
    (folder / "second.model").unlink()
    model.rename(tmp_path / "away.model")
    with pytest.raises(FileNotFoundError, match=r"contains no \*\.model file"):
        KoBertTokenizer.from_pretrained(folder)
    (tmp_path / "away.model").rename(model)
    (folder / "vocab.txt").unlink()
    with pytest.raises(FileNotFoundError, match=rf"contains no vocab\.txt; place the one that belongs to {model.name}"):
        KoBertTokenizer.from_pretrained(folder)
    with pytest.raises(FileNotFoundError, match="is a file; expected the folder"):
        KoBertTokenizer.from_pretrained(model)


def test_broken_files_are_named(folder: Path) -> None:
    (model,) = folder.glob("*.model")
    whole = model.read_bytes()
    model.write_bytes(b"")
    with pytest.raises(ValueError, match=rf"{model.name} is empty"):
        KoBertTokenizer.from_pretrained(folder)
    model.write_bytes(b"version https://git-lfs.example/spec/v1\n")
    with pytest.raises(ValueError, match=rf"{model.name} is not a SentencePiece model"):
        KoBertTokenizer.from_pretrained(folder)
    model.write_bytes(whole)
    (folder / "vocab.txt").write_bytes("[UNK]\n가\n".encode() + "나\n".encode("cp949"))
    with pytest.raises(ValueError, match=r"vocab\.txt, line 3: not UTF-8"):
        KoBertTokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("▁이\n", "", r"in the vocabulary but not in the model: none; in the model but not in the vocabulary: '▁이'"),
        ("▁이\n", "▁이\n▁저이\n", r"in the vocabulary but not in the model: '▁저이'; in the model but not .*: none"),
        ("▁이\n", "▁이\n▁이\n", r"contains '▁이' more than once"),
        ("[MASK]\n", "", r"missing special tokens '\[MASK\]'"),
        ("[PAD]\n", "[PAD]\n\n", r"line 3: empty"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused_by_name(folder: Path, old: str, new: str, message: str) -> None:
    edit_vocab(folder, old, new)
    with pytest.raises(ValueError, match=message) as refusal:
        KoBertTokenizer.from_pretrained(folder)
    assert str(folder / "vocab.txt") in str(refusal.value)


def test_a_vocabulary_of_another_model_names_both_files_and_some_pieces(folder: Path) -> None:
    (folder / "vocab.txt").write_text("[UNK]\n[PAD]\n[CLS]\n[SEP]\n[MASK]\nabc\n", encoding="utf-8")
    (model,) = folder.glob("*.model")
    with pytest.raises(ValueError, match=r"not in the model: 'abc'; .* and \d+ more") as refusal:
        KoBertTokenizer.from_pretrained(folder)
    assert str(model) in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocab_size": 14, "user_defined_symbols": ["[SEP]"]}, r"contains '\[SEP\]' as a piece of text"),
        ({"vocab_size": 269, "byte_fallback": True}, "falls back to bytes"),
    ],
)
def test_models_that_the_format_cannot_hold(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    write_tokenizer(tmp_path, ["abcdefgh hgfedcba"] * 3, settings)
    edit_vocab(tmp_path, "[MASK]\n[SEP]\n" if "user_defined_symbols" in settings else "[MASK]\n", "[MASK]\n")
    with pytest.raises(ValueError, match=message):
        KoBertTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["someone/kobert-not-here", "no/such/folder", "./nowhere"])
def test_without_folder_and_hub_the_error_names_both_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as refusal:
        KoBertTokenizer.from_pretrained(name)
    for expected in (f"no folder {name!r}", "tokenizer_78b3253a26.model", "vocab.txt"):
        assert expected in str(refusal.value)
    assert ("hub" in str(refusal.value)) == (name == "someone/kobert-not-here")  # the form of a hub id


def test_a_hub_name_is_read_from_the_folder_that_the_hub_client_gives(
    tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def snapshot(name: str, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(tiny_tokenizer_dir)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert KoBertTokenizer.from_pretrained("someone/kobert").fingerprint == tiny_tokenizer.fingerprint
    assert asked == [("someone/kobert", ["*.model", "vocab.txt"])]


def test_training_gives_the_format_and_the_same_bytes_again(
    tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path, tmp_path: Path
) -> None:
    train_tokenizer(iter(SENTENCES), tmp_path / "again", vocab_size=TINY_VOCAB_SIZE, seed=7)
    assert contents(tmp_path / "again") == contents(tiny_tokenizer_dir)
    assert tiny_tokenizer.vocab_size == TINY_VOCAB_SIZE
    assert tiny_tokenizer.vocab[:5] == ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
    assert list(tiny_tokenizer.vocab[5:]) == sorted(tiny_tokenizer.vocab[5:])
    assert [piece for piece in tiny_tokenizer.vocab if "," in piece] == [","]
    assert all(unicodedata.is_normalized("NFC", piece) for piece in tiny_tokenizer.vocab)


def test_the_seed_decides_which_texts_are_drawn(tmp_path: Path) -> None:
    texts = [f"{number:03d}가{number * 7 % 100}나 다{number % 9}" for number in range(400)]

    def fingerprint(name: str, seed: int) -> str:
        return train_tokenizer(texts, tmp_path / name, vocab_size=30, seed=seed, max_texts=50).fingerprint

    assert fingerprint("a", 1) == fingerprint("b", 1) != fingerprint("c", 2)


def test_training_refuses_sizes_with_the_limit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"vocab_size=4000 is too large .* at most (\d+) ids") as refusal:
        train_tokenizer(SENTENCES, tmp_path / "t", vocab_size=4000)
    limit = int(str(refusal.value).split("at most ")[1].split()[0])
    assert train_tokenizer(SENTENCES, tmp_path / "t", vocab_size=limit).vocab_size == limit
    with pytest.raises(ValueError, match=r"vocab_size=50 is too small .* at least (\d+) ids"):
        train_tokenizer(SENTENCES, tmp_path / "s", vocab_size=50)
    with pytest.raises(ValueError, match="vocab_size is 3"):
        train_tokenizer(SENTENCES, tmp_path / "s", vocab_size=3)
    with pytest.raises(ValueError, match="max_texts is 0"):
        train_tokenizer(SENTENCES, tmp_path / "s", max_texts=0)
    with pytest.raises(ValueError, match="nothing to train"):
        train_tokenizer(["", " \n"], tmp_path / "s")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("reserved", ["▅", "\x00"])
def test_texts_that_sentencepiece_would_skip_are_used(tmp_path: Path, reserved: str) -> None:
    texts = ["가나다 라마바 사아자"] * 5 + [f"차카 {reserved} 타파"] * 5
    characters = set("".join(train_tokenizer(texts, tmp_path, vocab_size=20).vocab))
    assert set("가나다라마바사아자차카타파") <= characters
    assert reserved not in characters


def test_lines_beyond_the_usual_limit_of_sentencepiece_are_used(tmp_path: Path) -> None:
    texts = ["가나다 라마바"] * 5 + ["차카 타파 " * 1000]
    assert len(texts[-1].encode()) > 4192
    assert set("차카타파") <= set("".join(train_tokenizer(texts, tmp_path, vocab_size=18).vocab))


def test_no_trained_piece_joins_a_digit_and_a_comma(tmp_path: Path) -> None:
    lines = comma_lists()
    (tmp_path / "plain").mkdir()
    write_tokenizer(tmp_path / "plain", lines, {"vocab_size": 50})
    assert "1,\n" in (tmp_path / "plain" / "vocab.txt").read_text(encoding="utf-8"), "these lines tempt no trainer"
    vocab = train_tokenizer([*lines, *SENTENCES], tmp_path / "ours", vocab_size=330).vocab
    assert [piece for piece in vocab if "," in piece] == [","]
