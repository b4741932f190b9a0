"""Fast tokenizers of transformers behind the project's interface (`distilkobert.tokenizers.loading.TextEncoder`)."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distilkobert.tokenizers.framing import Frame
from distilkobert.tokenizers.inputs import Encoding
from distilkobert.tokenizers.pieces import PieceSpelling

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

_SPECIALS = ("pad", "unk", "cls", "sep", "mask", "bos", "eos")
_UNUSED = re.compile(r"[\[<]unused_?\d+[\]>]")
"""Places that BERT's vocabularies keep free, such as [unused7]."""


class FastEncoder:
    """A fast tokenizer of transformers behind the interface.

    Texts are framed as the tokenizer itself frames them; one that frames nothing gets BERT's `[CLS] A [SEP] B [SEP]`.

    Args:
        tokenizer: the tokenizer; it is left as it is.
        name: folder or hub name, for messages.

    Raises:
        ValueError: it has no padding, unknown, first or last token, or frames texts in an unsupported way.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerFast", name: str) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = tokenizer
        self._name = name
        found = {special: getattr(tokenizer, f"{special}_token_id") for special in _SPECIALS}
        found["cls"] = found["bos"] if found["cls"] is None else found["cls"]
        found["sep"] = found["eos"] if found["sep"] is None else found["sep"]
        missing = [special for special in ("pad", "unk", "cls", "sep") if found[special] is None]
        if missing:
            raise ValueError(
                f"the tokenizer {name} has no {', '.join(missing)} token, which inputs need; set it in its "
                "tokenizer_config.json (pad_token, unk_token, cls_token, sep_token)"
            )
        self.pad_token_id, self.unk_token_id = int(found["pad"]), int(found["unk"])
        self.cls_token_id, self.sep_token_id = int(found["cls"]), int(found["sep"])
        self.mask_token_id = None if found["mask"] is None else int(found["mask"])
        self.mask_token: str | None = tokenizer.mask_token
        self._backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._backend.no_truncation()
        self._backend.no_padding()
        self._definition = self._backend.to_str()
        own = Frame.of(self._backend, self.pad_token_id, name)
        self._frames_itself = not own.is_empty
        self.frame = own if self._frames_itself else Frame.bert(self.cls_token_id, self.sep_token_id, self.pad_token_id)
        self._backend.encode_special_tokens = True  # what a user types is text
        self._special = frozenset(tokenizer.all_special_ids) - {self.unk_token_id}
        self._cutting = _cutting(self._backend, tokenizer.all_special_tokens, self.unk_token_id)

    def __reduce__(self) -> tuple[type["FastEncoder"], tuple["PreTrainedTokenizerFast", str]]:
        return type(self), (self._tokenizer, self._name)

    @property
    def tokenizer(self) -> "PreTrainedTokenizerFast":
        """The tokenizer of transformers, as it was given."""
        return self._tokenizer

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        return self._backend.get_vocab()

    @cached_property
    def vocab_size(self) -> int:
        """Number of ids, V: one more than the largest, added tokens included."""
        return max(self._vocabulary.values()) + 1

    @cached_property
    def special_ids(self) -> tuple[int, ...]:
        """Ids that no text has: special tokens, [unused7] and its like, and numbers below V without a token."""
        unused = {number for token, number in self._vocabulary.items() if _UNUSED.fullmatch(token)}
        empty = set(range(self.vocab_size)).difference(self._vocabulary.values())
        return tuple(sorted({*self._tokenizer.all_special_ids, *self.frame.special_ids, *unused, *empty}))

    @property
    def id_dtype(self) -> type[np.uint16] | type[np.uint32]:
        """The smaller of the two types that holds every id."""
        return np.uint16 if self.vocab_size <= 1 << 16 else np.uint32

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the tokenizer's definition and its special tokens."""
        specials = f"{self.pad_token_id} {self.unk_token_id} {self.cls_token_id} {self.sep_token_id}"
        return hashlib.sha256(f"{self._definition} {specials}".encode()).hexdigest()

    @cached_property
    def joins_spaces(self) -> bool:
        """Whether the space before a word is a part of the word's first piece, as in byte-level BPE."""
        try:
            return PieceSpelling(self._tokenizer, self._name).kind == "byte_level"
        except ValueError:  # a kind that is supported here, but whose pieces do not show where words start
            return False

    def encode_batch(self, texts: Sequence[str]) -> list[npt.NDArray[np.unsignedinteger[Any]]]:
        """Ids of every text, without special tokens around it; arrays of type `id_dtype`."""
        encodings = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        rows = [encoding.ids for encoding in encodings]
        if self._cutting is not None:
            for number, ids in enumerate(rows):
                if not self._special.isdisjoint(ids):
                    rows[number] = self._cutting.encode(texts[number], add_special_tokens=False).ids
        return [np.array(ids, dtype=self.id_dtype) for ids in rows]

    def encode_with_offsets(self, text: str) -> Encoding:
        """Ids of one text and the span of each; white space is cut off the spans of tokenizers that count it in."""
        encoding = self._backend.encode(text, add_special_tokens=False)
        if self._cutting is not None and not self._special.isdisjoint(encoding.ids):
            encoding = self._cutting.encode(text, add_special_tokens=False)
        spans = []
        for start, end in encoding.offsets:
            while start < end and text[start].isspace():
                start += 1
            while start < end and text[end - 1].isspace():
                end -= 1
            spans.append((start, end))
        return encoding.ids, spans

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Token of every id, as the vocabulary spells it; empty for numbers without one.

        Raises:
            ValueError: an id is negative or beyond the vocabulary.
        """
        numbers = list(ids)
        if outside := [number for number in numbers if not 0 <= number < self.vocab_size]:
            raise ValueError(f"id {outside[0]} is outside the {self.vocab_size} ids, 0 and up")
        return [self._backend.id_to_token(number) or "" for number in numbers]

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the files from which `AutoTokenizer` loads it."""
        self._tokenizer.save_pretrained(folder)

    def to_transformers(self, model_max_length: int, segment_ids: bool) -> "PreTrainedTokenizerFast":
        """The tokenizer with the frame that the project's inputs have (`frame`).

        Args:
            model_max_length: Length for truncation without `max_length`.
            segment_ids: Whether calls return `token_type_ids`; DistilBERT takes none.
        """
        from tokenizers import Tokenizer, processors
        from transformers import PreTrainedTokenizerFast

        backend = Tokenizer.from_str(self._definition)
        names = {special: getattr(self._tokenizer, f"{special}_token") for special in _SPECIALS}
        if not self._frames_itself:
            cls, sep = names["cls"] or names["bos"], names["sep"] or names["eos"]
            backend.post_processor = processors.TemplateProcessing(
                single=f"{cls} $A {sep}",
                pair=f"{cls} $A {sep} $B:1 {sep}:1",
                special_tokens=[(cls, self.cls_token_id), (sep, self.sep_token_id)],
            )
        return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_object=backend,
            **{f"{special}_token": token for special, token in names.items() if token is not None},
            model_max_length=model_max_length,
            model_input_names=["input_ids", *(["token_type_ids"] if segment_ids else []), "attention_mask"],
            clean_up_tokenization_spaces=False,
        )


def _cutting(backend: "Tokenizer", tokens: Iterable[str], unk_token_id: int) -> "Tokenizer | None":
    """The tokenizer that cuts special tokens typed in a text, where `backend` takes them for pieces; else None.

    SentencePiece's vocabularies hold them as the most likely pieces of all. Where a text spells one, its first
    character ends a word, as it does in WordPiece, which cuts at brackets.
    """
    from tokenizers import Regex, Tokenizer, pre_tokenizers

    spelled = []
    for token in tokens:
        ids = {n for one in backend.encode_batch([token, f"가{token}가"], add_special_tokens=False) for n in one.ids}
        if backend.token_to_id(token) in ids - {unk_token_id}:
            spelled.append(token)
    if not spelled:
        return None
    pattern = "|".join(f"{re.escape(token[0])}(?={re.escape(token[1:])})" for token in spelled)
    cut = pre_tokenizers.Split(Regex(pattern), "merged_with_previous")
    cutting = Tokenizer.from_str(backend.to_str())
    before = cutting.pre_tokenizer
    cutting.pre_tokenizer = cut if before is None else pre_tokenizers.Sequence([before, cut])
    cutting.encode_special_tokens = True
    return cutting
