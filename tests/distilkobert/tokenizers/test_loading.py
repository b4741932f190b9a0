"""The interface over tokenizers: fast ones of transformers beside KoBERT's."""

import pickle
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from distilkobert import KoBertTokenizer
from distilkobert.tokenizers import FastEncoder, load_tokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "서울", "##은", "##의", "수도", "[", "]", "SEP", "!", "큰"]


def save_wordpiece(folder: Path, **specials: str) -> Path:
    """A WordPiece tokenizer like multilingual BERT's, with a few words of Korean."""
    tokenizer = Tokenizer(models.WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"} | specials
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return folder


@pytest.fixture
def wordpiece(tmp_path: Path) -> Path:
    return save_wordpiece(tmp_path / "wordpiece")


def test_ids_and_offsets_of_wordpiece(wordpiece: Path) -> None:
    encoder = load_tokenizer(wordpiece)
    assert isinstance(encoder, FastEncoder)
    text = "서울은  큰 수도 👍!"
    ids, spans = encoder.encode_with_offsets(text)
    assert ids == [5, 6, 13, 8, 1, 12]
    assert [text[start:end] for start, end in spans] == ["서울", "은", "큰", "수도", "👍", "!"]
    assert [row.tolist() for row in encoder.encode_batch([text, "", "수도의"])] == [ids, [], [8, 7]]
    assert (encoder.vocab_size, encoder.pad_token_id, encoder.cls_token_id, encoder.sep_token_id) == (14, 0, 2, 3)


def test_special_tokens_in_a_text_are_text(wordpiece: Path) -> None:
    ids, _ = load_tokenizer(wordpiece).encode_with_offsets("서울 [SEP]")
    assert ids == [5, 9, 11, 10]


@pytest.mark.parametrize("segment_ids", [True, False])
def test_the_transformers_form_frames_texts_and_loads_by_itself(
    segment_ids: bool, wordpiece: Path, tmp_path: Path
) -> None:
    """The one given frames nothing; inputs of the task data are framed."""
    encoder = load_tokenizer(wordpiece)
    encoder.to_transformers(model_max_length=6, segment_ids=segment_ids).save_pretrained(tmp_path / "saved")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "saved")
    inputs = tokenizer("서울은", "큰 수도", return_offsets_mapping=True)
    assert inputs["input_ids"] == [2, 5, 6, 3, 13, 8, 3]
    assert inputs["offset_mapping"] == [(0, 0), (0, 2), (2, 3), (0, 0), (0, 1), (2, 4), (0, 0)]
    assert inputs.get("token_type_ids") == ([0, 0, 0, 0, 1, 1, 1] if segment_ids else None)
    assert tokenizer("큰 수도 서울은 큰", truncation=True)["input_ids"] == [2, 13, 8, 5, 6, 3]
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.mask_token) == (0, 1, None)


def test_copies_and_saved_files_have_the_same_fingerprint(wordpiece: Path, tmp_path: Path) -> None:
    encoder = load_tokenizer(wordpiece)
    copy = pickle.loads(pickle.dumps(encoder))  # noqa: S301 - made above
    assert copy.fingerprint == encoder.fingerprint
    assert copy.encode_with_offsets("서울은") == encoder.encode_with_offsets("서울은")
    encoder.save_pretrained(tmp_path / "saved")
    assert load_tokenizer(tmp_path / "saved").fingerprint == encoder.fingerprint
    other = save_wordpiece(tmp_path / "other", cls_token="!")
    assert load_tokenizer(other).fingerprint != encoder.fingerprint


def test_kobert_folders_give_the_kobert_tokenizer(tiny_tokenizer: KoBertTokenizer, tmp_path: Path) -> None:
    tiny_tokenizer.save_pretrained(tmp_path / "both")
    tiny_tokenizer.to_transformers().save_pretrained(tmp_path / "both")
    loaded = load_tokenizer(tmp_path / "both")
    assert isinstance(loaded, KoBertTokenizer)
    assert loaded.fingerprint == tiny_tokenizer.fingerprint


def test_the_fast_form_of_the_kobert_tokenizer_gives_its_ids_and_spans(
    tiny_tokenizer: KoBertTokenizer, tmp_path: Path
) -> None:
    tiny_tokenizer.to_transformers().save_pretrained(tmp_path / "fast")
    fast = load_tokenizer(tmp_path / "fast")
    assert isinstance(fast, FastEncoder)
    text = "오늘은 날씨가 맑아서 강가를 천천히 걸었습니다."
    ids, spans = fast.encode_with_offsets(text)
    slow_ids, slow_spans = tiny_tokenizer.encode_with_offsets(text)
    assert ids == slow_ids
    whole = [number for number, (start, end) in enumerate(slow_spans) if end > start]
    assert [spans[number] for number in whole] == [slow_spans[number] for number in whole]


def test_what_is_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="contains no tokenizer"):
        load_tokenizer(tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .* Without a network, make a folder"):
        load_tokenizer("nobody/nothing")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*; expected one with") as error:
        load_tokenizer(tmp_path / "nowhere")
    assert "hub" not in str(error.value)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tokenizer.json").write_text("{")
    with pytest.raises(ValueError, match="does not load"):
        load_tokenizer(tmp_path / "broken")


def test_a_tokenizer_without_a_separator_is_refused(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordPiece({"[PAD]": 0, "[UNK]": 1}, unk_token="[UNK]"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"has no cls, sep token"):
        load_tokenizer(tmp_path)


def save_vocab_alone(folder: Path, **files: str) -> Path:
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.json").write_text(content)
    return folder


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, "there is no config.json and there is no tokenizer_config.json"),
        ({"config": '{"vocab_size": 14}'}, "config.json has no model_type and there is no tokenizer_config.json"),
    ],
)
def test_a_vocabulary_alone_does_not_say_what_it_is(files: dict[str, str], found: str, tmp_path: Path) -> None:
    folder = save_vocab_alone(tmp_path / "kr", **files)
    message = rf'does not load: {found}; add "model_type": "bert".*"tokenizer_class": "BertTokenizer"'
    with pytest.raises(ValueError, match=message) as error:
        load_tokenizer(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("config", ["{}", '{"vocab_size": 14}', None])
def test_settings_without_a_class_beside_berts_vocabulary(
    config: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"tokenizer_config": '{"do_lower_case": false}'}
    folder = save_vocab_alone(tmp_path / "klue", **settings, **({} if config is None else {"config": config}))
    encoder = load_tokenizer(folder)
    assert encoder.encode_with_offsets("서울은 큰")[0] == [5, 6, 13]
    assert encoder.frame.pair([5], [6])[0] == [2, 5, 3, 6, 3]
    assert "names no tokenizer_class; its vocab.txt is read as BERT's" in caplog.text


def test_the_librarys_message_comes_in_one_line(tmp_path: Path) -> None:
    folder = save_vocab_alone(tmp_path / "odd", config='{"model_type": "nonsense"}')
    with pytest.raises(ValueError, match=r"does not load: Couldn't instantiate .* slow tokenizer") as error:
        load_tokenizer(folder)
    assert "\n" not in str(error.value)
