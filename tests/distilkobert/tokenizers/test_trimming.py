"""Trimmed tokenizers: what a corpus uses comes out as before, with all that needs to be kept for it."""

import json

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from distilkobert.tokenizers.fast import FastEncoder
from distilkobert.tokenizers.piece_counts import PieceCounter, taken_before_failing
from distilkobert.tokenizers.trimming import TrimmedTokenizer, trim_tokenizer
from tests.support.tokenizers.fast import KINDS, build
from tests.support.tokenizers.sentences import SENTENCES

CORPUS = SENTENCES[::3]
TYPED = "친구와 <s> 영화를 [SEP] 봤다 </s> 쀍 ẍ"


def trimmed(tokenizer: PreTrainedTokenizerFast, corpus: list[str], min_count: int = 1) -> TrimmedTokenizer:
    encoder = FastEncoder(tokenizer, "x")
    counter = PieceCounter(encoder, "x")
    counter.add(corpus)
    return trim_tokenizer(encoder, counter, min_count, "x")


FRAME = {"[PAD]", "[CLS]", "[SEP]"}


def of(model: models.Model, unknown: str, normalizer: normalizers.Normalizer | None = None) -> PreTrainedTokenizerFast:
    """A tokenizer by hand; the tokens of its frame are added behind its pieces."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token=unknown, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_line_keeps_its_pieces_and_ids_follow_the_map(kind: str, typed: bool) -> None:
    old = build(kind, SENTENCES)
    corpus = [*CORPUS, *([TYPED] if typed else [])]
    found = trimmed(old, corpus)
    new = found.new.tokenizer
    assert len(new) < len(old)
    assert len(found.old_ids) == len(new)
    for line in corpus:
        for arguments in ((line,), (line, corpus[0])):
            before, after = old(*arguments), new(*arguments)
            assert found.old_ids[after["input_ids"]].tolist() == before["input_ids"]
            assert after.keys() == before.keys()
        assert new.tokenize(line) == old.tokenize(line)
    assert found.changed(corpus) == 0
    for role in ("pad", "unk", "cls", "sep", "mask"):
        assert getattr(new, f"{role}_token") == getattr(old, f"{role}_token")
    names = {number: piece for piece, number in old.get_vocab().items()}
    assert {piece: names[found.old_ids[number]] for piece, number in new.get_vocab().items()} == {
        piece: piece for piece in new.get_vocab()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_used_or_needed_is_kept(kind: str) -> None:
    """Counted a second time, by whole tokenizer calls; what is kept beside is named by the kind."""
    old = build(kind, SENTENCES)
    new = trimmed(old, CORPUS, min_count=3).new.tokenizer
    uses: dict[str, int] = {}
    for line in CORPUS:
        for number in old(line, add_special_tokens=False)["input_ids"]:
            piece = old.convert_ids_to_tokens(number)
            uses[piece] = uses.get(piece, 0) + 1
    expected = {piece for piece, count in uses.items() if count >= 3} | set(old.all_special_tokens)
    beside = set(new.get_vocab()) - expected
    assert expected <= set(new.get_vocab())
    definition = json.loads(old.backend_tokenizer.to_str())["model"]
    if kind == "wordpiece":
        assert not beside
    elif kind == "unigram":
        assert beside <= {min(definition["vocab"], key=lambda entry: entry[1])[0]}
    else:
        parts = {left + right: (left, right) for left, right in definition["merges"]}
        needed: set[str] = set()
        for piece in expected:
            waiting = [piece]
            while waiting:
                for part in parts.get(waiting.pop(), ()):
                    needed.add(part)
                    waiting.append(part)
        alphabet = set(pre_tokenizers.ByteLevel.alphabet()) if kind == "byte_level" else set()
        assert beside == (needed | alphabet) - expected


@pytest.mark.parametrize("kind", KINDS)
def test_the_count_of_changed_lines_is_that_of_a_comparison_of_pieces(kind: str) -> None:
    old = build(kind, SENTENCES)
    found = trimmed(old, CORPUS, min_count=8)
    changed = sum(old.tokenize(line) != found.new.tokenizer.tokenize(line) for line in SENTENCES)
    assert 0 < changed == found.changed(SENTENCES)


def test_a_word_that_fails_goes_on_failing() -> None:
    """Without the unused `ab`, the greedy cut of `abc` would find `a` and `##bc`."""
    old = of(models.WordPiece({"[UNK]": 0, "a": 1, "ab": 2, "##bc": 3, "##x": 4}, unk_token="[UNK]"), "[UNK]")
    corpus = ["abc", "abc abc", "a", "abcbc"]
    corpus.append("a" * 101)
    used = [*corpus, "aabc"]
    assert old.tokenize("abc") == ["[UNK]"]
    new = trimmed(old, used).new.tokenizer
    assert [new.tokenize(line) for line in used] == [old.tokenize(line) for line in used]
    assert "ab" in new.get_vocab()
    assert "##x" not in new.get_vocab()


def test_pieces_taken_before_failing_by_hand() -> None:
    model = {
        "vocab": dict.fromkeys(("a", "ab", "##c", "##cd"), 0), "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 6,
    }  # fmt: skip
    assert taken_before_failing("abcx", model) == ["ab", "##c"]
    assert taken_before_failing("abcd", model) == []
    assert taken_before_failing("x", model) == []
    assert taken_before_failing("abcdabx", model) == []


def test_the_worst_score_of_unigram_stays() -> None:
    """An unknown letter costs the worst score and 10 more, so `ab cd` (40) beats `abc` and an unknown `d` (41)."""
    vocabulary = [("<unk>", 0.0), ("ab", -20.0), ("cd", -20.0), ("abc", -1.0), ("worst", -30.0), ("rare", -25.0)]
    old = of(models.Unigram(vocabulary, unk_id=0, byte_fallback=False), "<unk>")
    assert old.tokenize("abcd") == ["ab", "cd"]
    without = of(models.Unigram(vocabulary[:4], unk_id=0, byte_fallback=False), "<unk>")
    assert without.tokenize("abcd") == ["abc", "d"]
    found = trimmed(old, ["abcd", "abc"])
    assert found.new.tokenizer.tokenize("abcd") == ["ab", "cd"]
    assert set(found.new.tokenizer.get_vocab()) == FRAME | {"<unk>", "ab", "cd", "abc", "worst"}


def test_all_ways_to_a_piece_are_kept() -> None:
    vocabulary = {piece: number for number, piece in enumerate(("<unk>", "a", "b", "c", "ab", "bc", "abc", "ca"))}
    merges = [("a", "b"), ("b", "c"), ("a", "bc"), ("ab", "c"), ("c", "a")]
    old = of(models.BPE(vocabulary, merges, unk_token="<unk>"), "<unk>")
    found = trimmed(old, ["abc"])
    assert set(found.new.tokenizer.get_vocab()) == FRAME | {"<unk>", "a", "b", "c", "ab", "bc", "abc"}
    kept = json.loads(found.new.tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    assert kept == [["a", "b"], ["b", "c"], ["a", "bc"], ["ab", "c"]]
    assert found.new.tokenizer.tokenize("abc") == ["abc"]


def test_bytes_to_fall_back_to_are_kept() -> None:
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "b"]
    old = of(
        models.Unigram([(piece, -float(number)) for number, piece in enumerate(pieces)], unk_id=0, byte_fallback=True),
        "<unk>",
    )
    found = trimmed(old, ["a"])
    assert len(found.new.tokenizer) == 259 + len(FRAME)
    assert found.new.tokenizer.tokenize("é") == old.tokenize("é") == ["<0xC3>", "<0xA9>"]


def test_added_tokens_frames_and_padding_get_their_new_ids() -> None:
    old = build("unigram", SENTENCES)
    old.add_tokens(["덧붙인말"])
    old.add_special_tokens({"additional_special_tokens": ["<extra>"]})
    backend = old.backend_tokenizer
    backend.post_processor = processors.RobertaProcessing(("</s>", old.sep_token_id), ("<s>", old.cls_token_id))
    backend.enable_padding(pad_id=old.pad_token_id, pad_token="<pad>")
    found = trimmed(old, CORPUS)
    new = found.new.tokenizer
    line = f"{CORPUS[0]} 덧붙인말 <extra>"
    assert found.old_ids[new(line)["input_ids"]].tolist() == old(line)["input_ids"]
    assert new.tokenize(line) == old.tokenize(line)
    assert new(CORPUS[:2], padding=True)["input_ids"][0][0] == new.cls_token_id
    definition = json.loads(new.backend_tokenizer.to_str())
    assert definition["post_processor"]["sep"] == ["</s>", new.sep_token_id]


def test_normalization_comes_before_the_count() -> None:
    model = models.WordPiece({"[UNK]": 0, "ab": 1, "##c": 2, "AB": 3}, unk_token="[UNK]")
    old = of(model, "[UNK]", normalizers.Lowercase())
    assert set(trimmed(old, ["ABX"]).new.tokenizer.get_vocab()) == FRAME | {"[UNK]", "ab"}


def test_what_cannot_be_trimmed_is_refused() -> None:
    old = build("unigram", SENTENCES)
    with pytest.raises(ValueError, match="min_count is 0; expected 1 or more"):
        trimmed(old, CORPUS, min_count=0)
    words = of(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"), "[UNK]")
    with pytest.raises(ValueError, match="the tokenizer x is a WordLevel; supported are WordPiece, Unigram, BPE"):
        trimmed(words, CORPUS)


def test_special_tokens_written_in_a_text_count_as_text_and_as_tokens() -> None:
    """`<mask>` in a text is text for training and the token for `AutoTokenizer`; both come out as before."""
    old = build("unigram", [*SENTENCES, "mask < > masks <<>>"] * 3)
    line = "영화 <mask> 친구 <s>"
    found = trimmed(old, [line])
    encoders = FastEncoder(old, "x"), found.new
    before, after = (encoder.encode_batch([line])[0] for encoder in encoders)
    assert old.mask_token_id not in before.tolist()
    assert found.old_ids[after].tolist() == before.tolist()
    assert old.mask_token_id in old(line)["input_ids"]
    assert found.old_ids[found.new.tokenizer(line)["input_ids"]].tolist() == old(line)["input_ids"]
