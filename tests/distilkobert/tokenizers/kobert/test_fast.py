"""The transformers build: same ids, frames and offsets; loads offline where this project cannot be imported."""

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from distilkobert import KoBertTokenizer
from tests.support.tokenizers.sentences import SENTENCES

ODD_TEXTS = [
    "",
    "  두   칸 \n 아래 ",
    "``따옴표''",
    "１２３ ① ㎏",
    "ㅋㅋㅋ ㅠㅠ ㅋㅠ",
    unicodedata.normalize("NFD", "천천히 걸었습니다."),
    "café ñ가\u0301나",
    "뷁쀍 漢字 😀",
    "a\u200bb\u00a0c",
    "1,000원,2,000원",
]


@pytest.fixture(scope="module")
def fast(tiny_tokenizer: KoBertTokenizer) -> PreTrainedTokenizerFast:
    return tiny_tokenizer.to_transformers()


def test_ids_and_frames_are_ours(tiny_tokenizer: KoBertTokenizer, fast: PreTrainedTokenizerFast) -> None:
    texts = [*SENTENCES, *ODD_TEXTS]
    for text in texts:
        assert dict(fast(text)) == tiny_tokenizer(text), text
    pairs = texts[::-1]
    assert dict(fast(texts, pairs, padding="longest")) == tiny_tokenizer(texts, pairs, padding="longest")


def test_special_tokens_in_text_are_control_ids_as_in_tokenize(
    tiny_tokenizer: KoBertTokenizer, fast: PreTrainedTokenizerFast
) -> None:
    for text in ("[CLS] 오늘 [MASK]날씨 [SEP]", "[MASK]", "가[MASK] [MASK]나"):
        assert fast.tokenize(text) == tiny_tokenizer.tokenize(text)


def test_offsets_are_ours_for_all_pieces_with_letters(
    tiny_tokenizer: KoBertTokenizer, fast: PreTrainedTokenizerFast
) -> None:
    for text in [*SENTENCES, "  두   칸 \n 아래 ", "１２３ ① ㎏", "café 漢字 😀"]:
        ours = tiny_tokenizer(text, text, return_offsets_mapping=True)
        theirs = fast(text, text, return_offsets_mapping=True)
        pieces = tiny_tokenizer.convert_ids_to_tokens(ours["input_ids"])
        for piece, expected, found in zip(pieces, ours["offset_mapping"], theirs["offset_mapping"], strict=True):
            if piece == "▁":
                assert tuple(found) == (expected[0], expected[0] + 1), text
            else:
                assert tuple(found) == expected, (text, piece)


def test_full_width_letters_spell_no_special_token(fast: PreTrainedTokenizerFast) -> None:
    for text in ("［ＳＥＰ］", "가 ［MASK］나", "[ＣＬＳ]"):
        ids = fast(text, add_special_tokens=False)["input_ids"]
        assert not set(ids) & {fast.cls_token_id, fast.sep_token_id, fast.mask_token_id}


def test_settings(tiny_tokenizer: KoBertTokenizer, fast: PreTrainedTokenizerFast) -> None:
    assert len(fast) == fast.vocab_size == tiny_tokenizer.vocab_size
    assert (fast.unk_token_id, fast.pad_token_id, fast.cls_token_id) == tiny_tokenizer.special_ids[:3]
    assert (fast.sep_token_id, fast.mask_token_id) == tiny_tokenizer.special_ids[3:]
    assert fast.model_max_length == 512
    assert len(fast("책 " * 900, truncation=True)["input_ids"]) == 512
    assert fast.convert_ids_to_tokens(range(len(fast))) == list(tiny_tokenizer.vocab)
    plain = tiny_tokenizer.to_transformers(model_max_length=128, segment_ids=False)
    assert list(plain(SENTENCES[0])) == ["input_ids", "attention_mask"]
    assert plain.model_max_length == 128
    ids = fast(SENTENCES[0])["input_ids"]
    assert fast.decode(ids, skip_special_tokens=True) == tiny_tokenizer.decode(ids) == SENTENCES[0]


def export(tokenizer: KoBertTokenizer, folder: Path, model_type: str) -> None:
    """A folder as an export leaves it: a model's configuration and our own two files are beside the tokenizer."""
    tokenizer.to_transformers(segment_ids=model_type != "distilbert").save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    tokenizer.save_pretrained(folder)


@pytest.mark.parametrize("model_type", ["bert", "distilbert"])
def test_an_exported_folder_loads(tiny_tokenizer: KoBertTokenizer, tmp_path: Path, model_type: str) -> None:
    export(tiny_tokenizer, tmp_path, model_type)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    texts = [*SENTENCES, *ODD_TEXTS]
    expected = tiny_tokenizer(texts, texts)
    if model_type == "distilbert":
        del expected["token_type_ids"]
    assert dict(loaded(texts, texts)) == expected
    assert KoBertTokenizer.from_pretrained(tmp_path).fingerprint == tiny_tokenizer.fingerprint


@pytest.mark.slow
def test_saved_folders_load_where_this_project_cannot_be_imported(
    tiny_tokenizer: KoBertTokenizer, tmp_path: Path
) -> None:
    tiny_tokenizer.to_transformers().save_pretrained(tmp_path / "alone")
    export(tiny_tokenizer, tmp_path / "bert", "bert")
    program = (
        "import json, sys\n"
        "sys.modules['distilkobert'] = None\n"
        "from transformers import AutoTokenizer\n"
        "texts = json.load(sys.stdin)\n"
        "for folder in sys.argv[1:]:\n"
        "    tokenizer = AutoTokenizer.from_pretrained(folder)\n"
        "    print(json.dumps([tokenizer.model_max_length, dict(tokenizer(texts, texts))]))\n"
    )
    texts = [*SENTENCES, *ODD_TEXTS]
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path / "alone"), str(tmp_path / "bert")],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    expected = [512, tiny_tokenizer(texts, texts)]
    assert [json.loads(line) for line in done.stdout.splitlines()] == [expected, expected]
