"""Small tokenizers of every kind that an encoder of transformers comes with, trained on sentences of our own.

Each is made with transformers' own class of the model, so that its frame is the library's, not ours. The mask tokens of
byte-level kinds take the space before them in, as those of the published RoBERTa and ModernBERT do.
"""

import json
from collections.abc import Callable
from pathlib import Path

from tokenizers import AddedToken, ByteLevelBPETokenizer, SentencePieceUnigramTokenizer, processors
from tokenizers.implementations import BertWordPieceTokenizer
from transformers import (
    AlbertTokenizer,
    BertTokenizer,
    CamembertTokenizer,
    DebertaV2Tokenizer,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
    XLMRobertaTokenizer,
    XLNetTokenizer,
)

from tests.support.tokenizers.sentences import SENTENCES

BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
ALBERT_SPECIALS = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
DEBERTA_SPECIALS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
XLNET_SPECIALS = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"]


def wordpiece(lowercase: bool = False) -> PreTrainedTokenizerFast:
    """BERT's, ELECTRA's and DistilBERT's kind; its [PAD] is id 0."""
    trained = BertWordPieceTokenizer(lowercase=lowercase, strip_accents=False)
    trained.train_from_iterator(SENTENCES, vocab_size=600, special_tokens=BERT_SPECIALS, show_progress=False)
    return BertTokenizer(vocab=trained.get_vocab(), do_lower_case=lowercase, strip_accents=False)


def byte_bpe() -> PreTrainedTokenizerFast:
    """RoBERTa's kind: bytes joined by merges, the space before a word part of its first piece."""
    vocab, merges = _byte_merges(ROBERTA_SPECIALS)
    return RobertaTokenizer(vocab=vocab, merges=merges, mask_token=AddedToken("<mask>", lstrip=True, special=True))


def modernbert() -> PreTrainedTokenizerFast:
    """ModernBERT's kind: bytes joined by merges in BERT's frame, special tokens behind the pieces."""
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(SENTENCES, vocab_size=500, show_progress=False)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer,
        **{f"{special[1:-1].lower()}_token": special for special in BERT_SPECIALS[:-1]},
        mask_token=AddedToken("[MASK]", lstrip=True, special=True),
    )
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.convert_tokens_to_ids(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def xlm_roberta() -> PreTrainedTokenizerFast:
    """XLM-R's and E5's kind: SentencePiece unigram, <pad> is id 1."""
    return XLMRobertaTokenizer(vocab=_unigram(ROBERTA_SPECIALS, "<unk>"))


def camembert() -> PreTrainedTokenizerFast:
    """CamemBERT's kind."""
    return CamembertTokenizer(vocab=_unigram(ROBERTA_SPECIALS, "<unk>"))


def albert() -> PreTrainedTokenizerFast:
    """ALBERT's kind: SentencePiece unigram in BERT's frame, with letters kept as they are."""
    return AlbertTokenizer(vocab=_unigram(ALBERT_SPECIALS, "<unk>"), do_lower_case=False, keep_accents=True)


def deberta() -> PreTrainedTokenizerFast:
    """DeBERTa-v2's kind: SentencePiece unigram."""
    return DebertaV2Tokenizer(vocab=_unigram(DEBERTA_SPECIALS, "[UNK]"), unk_id=3)


def xlnet() -> PreTrainedTokenizerFast:
    """XLNet's kind: all special tokens at the end, the last one in a segment of its own."""
    return XLNetTokenizer(vocab=_unigram(XLNET_SPECIALS, "<unk>"), keep_accents=True)


KINDS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "bert": wordpiece,
    "bert_uncased": lambda: wordpiece(lowercase=True),
    "roberta": byte_bpe,
    "modernbert": modernbert,
    "xlm_roberta": xlm_roberta,
    "camembert": camembert,
    "albert": albert,
    "deberta": deberta,
    "xlnet": xlnet,
}


def save_kind(kind: str, folder: Path) -> Path:
    """Write the tokenizer of a kind, as its model's folder holds it."""
    KINDS[kind]().save_pretrained(folder)
    return folder


def _byte_merges(specials: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(SENTENCES, vocab_size=500, special_tokens=specials, show_progress=False)
    model = json.loads(trained.to_str())["model"]
    return model["vocab"], [(first, second) for first, second in model["merges"]]


def _unigram(specials: list[str], unknown: str) -> list[tuple[str, float]]:
    trained = SentencePieceUnigramTokenizer()
    trained.train_from_iterator(
        SENTENCES, vocab_size=350, special_tokens=specials, unk_token=unknown, show_progress=False
    )
    return [(piece, score) for piece, score in json.loads(trained.to_str())["model"]["vocab"]]
