"""KoBertTokenizer: the ids of the original KoBERT tokenizer, fast, with character offsets into the original text.

    tokenizer = KoBertTokenizer.from_pretrained("folder/with/the/two/files")
    tokenizer.tokenize("한국어 모델을 공유합니다.")
    tokenizer(["첫 문장", "둘째 문장"], padding="longest", return_tensors="pt")

It does not build on transformers' tokenizer classes, whose constructors and call signatures changed under the original
several times; `to_transformers()` gives a tokenizer of that library.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import sentencepiece

from distilkobert.tokenizers.framing import Frame
from distilkobert.tokenizers.inputs import NO_SPAN, Encoding, InputShape, build_inputs
from distilkobert.tokenizers.kobert.files import TokenizerFiles, read_tokenizer_files
from distilkobert.tokenizers.kobert.habits import Inputs, TransformersHabits, as_inputs, plain_padding, plain_truncation
from distilkobert.tokenizers.kobert.segmentation import Segmenter
from distilkobert.tokenizers.kobert.vocabulary import (
    SPECIAL_PATTERN,
    SPECIAL_TOKENS,
    WORD_START,
    IdArray,
    match_vocabulary,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class KoBertTokenizer(TransformersHabits):
    """A SentencePiece model and the `vocab.txt` that numbers its pieces.

    Text typed by users is text: a literal "[SEP]" in it is cut into pieces like any other word, unless
    `allow_special_tokens` is set. Only `tokenize` always treats the five special tokens as such, as the original does.
    Instances can be pickled, and so sent to worker processes.

    Args:
        files: Content of both files; `from_pretrained` reads them.

    Raises:
        ValueError: The model file is not a SentencePiece model, or the vocabulary does not fit it.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        self._files = files
        try:
            self._model = sentencepiece.SentencePieceProcessor(model_proto=files.model)
        except RuntimeError as error:
            raise ValueError(f"{files.model_path} is not a SentencePiece model ({error}); fetch it again") from error
        self._vocabulary = match_vocabulary(self._model, files.vocab, files.model_path, files.vocab_path)
        self._segmenter = Segmenter(self._model, self._vocabulary)
        self.unk_token_id, self.pad_token_id, self.cls_token_id = self.special_ids[:3]
        self.sep_token_id, self.mask_token_id = self.special_ids[3:]
        self.mask_token = SPECIAL_TOKENS[4]
        self.frame = Frame.bert(self.cls_token_id, self.sep_token_id, self.pad_token_id)

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path) -> "KoBertTokenizer":
        """Load from a local folder with one `*.model` and `vocab.txt`, or from a hub repository that holds them.

        Raises:
            FileNotFoundError: A file is missing, or the hub cannot be reached; the message says what to place where.
            ValueError: The files are broken or do not belong together.
        """
        return cls(read_tokenizer_files(name_or_folder))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write both files, byte for byte as they were read; `folder` is made where missing and may hold other files.

        Raises:
            FileExistsError: `folder` holds a different tokenizer, or is a file.
        """
        self._files.write(Path(folder))

    def to_transformers(self, model_max_length: int = 512, segment_ids: bool = True) -> "PreTrainedTokenizerFast":
        """The same tokenizer as a class of transformers; its differences are named in `fast_tokenizer`.

        Args:
            model_max_length: Length for truncation without `max_length`.
            segment_ids: Whether it returns `token_type_ids`; DistilBERT takes none.
        """
        from distilkobert.tokenizers.kobert.fast import build_fast_tokenizer

        return build_fast_tokenizer(self._model, self._files.model, self._vocabulary, model_max_length, segment_ids)

    def __reduce__(self) -> tuple[type["KoBertTokenizer"], tuple[TokenizerFiles]]:
        return type(self), (self._files,)

    @property
    def vocab_size(self) -> int:
        """Number of ids, `V`, special tokens included."""
        return len(self._vocabulary.tokens)

    @property
    def vocab(self) -> tuple[str, ...]:
        """All tokens in id order."""
        return self._vocabulary.tokens

    @property
    def special_ids(self) -> tuple[int, int, int, int, int]:
        """Ids of [UNK], [PAD], [CLS], [SEP] and [MASK], as `vocab.txt` numbers them."""
        return self._vocabulary.special_ids

    @property
    def id_dtype(self) -> type[np.uint16] | type[np.uint32]:
        """The smaller of the two types that holds every id."""
        return np.uint16 if self._vocabulary.id_table.dtype == np.uint16 else np.uint32

    @property
    def fingerprint(self) -> str:
        """SHA-256 that changes with either file's content (64 hexadecimal digits)."""
        return self._files.fingerprint

    def tokenize(self, text: str) -> list[str]:
        """Pieces of `text`, without [CLS] and [SEP] around it; special tokens written in it stay whole.

        Unknown characters keep their normalised spelling, neighbours as one piece; their id is that of [UNK].
        """
        pieces: list[str] = []
        for position, part in enumerate(SPECIAL_PATTERN.split(text)):
            pieces += [part] if position % 2 else self._segmenter.pieces(part)
        return pieces

    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]:
        """Id of every token; that of [UNK] for tokens outside the vocabulary.

        Raises:
            ValueError: A string was given instead of a list of tokens.
        """
        return self._vocabulary.ids_of(tokens)

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Token of every id.

        Raises:
            ValueError: An id is negative or beyond the vocabulary.
        """
        return self._vocabulary.tokens_of(ids)

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """Text of `ids`, in its normalised spelling.

        Args:
            ids: One sequence of ids: a list, a NumPy array or a tensor of shape [T].
            skip_special_tokens: Leave out the five special tokens, also [UNK]; else they are written between spaces.

        Raises:
            ValueError: An id is negative or beyond the vocabulary.
        """
        words: list[str] = []
        for token in self.convert_ids_to_tokens(ids):
            if token not in SPECIAL_TOKENS:
                words.append(token)
            elif not skip_special_tokens:
                words.append(f"{WORD_START}{token}{WORD_START}")
        return " ".join("".join(words).replace(WORD_START, " ").split())

    def encode_batch(self, texts: Sequence[str], allow_special_tokens: bool = False) -> list[IdArray]:
        """Ids of every text, without [CLS] and [SEP]: the fast path, equal to `tokenize` step by step.

        The arrays, of type `id_dtype`, are views of one buffer for the whole batch: copy those to keep for long.

        Args:
            texts: Any number of texts; an empty one gives an empty array.
            allow_special_tokens: Give special tokens written in a text their own ids.

        Raises:
            ValueError: `texts` is a string, or an element is not a string or holds half of a surrogate pair.
        """
        return self._segmenter.encode_batch(texts, allow_special_tokens)

    def encode_with_offsets(self, text: str, allow_special_tokens: bool = False) -> Encoding:
        """Ids of one text, without [CLS] and [SEP], and for each id its span (first, one past the last) in `text`.

        A span covers the original characters of the piece without the space before it; a lone word-start mark has an
        empty span where the next piece begins. Characters count in code points, as Python's slices do. Pieces that
        share one original character (a ligature, a circled number) all have its span; combining marks, which have no
        piece, belong to the letter before them.

        Args:
            text: The text.
            allow_special_tokens: Give special tokens written in the text their own ids.
        """
        if allow_special_tokens:
            return self._segmenter.encode_around_specials(text)
        return self._segmenter.encode_with_spans(text)

    def __call__(
        self,
        text: str | Sequence[str],
        text_pair: str | Sequence[str] | None = None,
        max_length: int | None = None,
        truncation: bool | str = False,
        padding: bool | str = False,
        return_offsets_mapping: bool = False,
        return_tensors: Literal["pt", "np"] | None = None,
        add_special_tokens: bool = True,
        allow_special_tokens: bool = False,
    ) -> Inputs:
        """Model inputs for one text, a batch of texts, or pairs.

        Args:
            text: One text, or `B` of them.
            text_pair: The second text of each pair, of the same form as `text`.
            max_length: Most tokens of an input, special tokens included.
            truncation: What to cut where an input is longer: `longest_first` (or `True`), `only_first` or
                `only_second`; `False` makes that an error.
            padding: `longest` of the call (or `True`), `max_length`, or `False` for none.
            return_offsets_mapping: Add the spans in the original texts (see `encode_with_offsets`); slower.
            return_tensors: `"pt"` for tensors of shape [B, T] (spans [B, T, 2]), [1, T] for one text, `"np"` for
                arrays; `None` for lists.
            add_special_tokens: Frame as `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`.
            allow_special_tokens: Give special tokens written in the texts their own ids.

        Returns:
            `input_ids`, `token_type_ids` (0 to the first [SEP], then 1), `attention_mask` (0 on padding) and, if asked
            for, `offset_mapping` ((0, 0) on special tokens and padding); flat lists for one text, else one list a text.
            They are attributes too, and `to(device)` moves tensors.

        Raises:
            ValueError: An input is longer than allowed, numbers of texts and partners differ, settings contradict each
                other, or inputs of different lengths are to become one tensor.
        """
        shape = InputShape(max_length, plain_truncation(truncation), plain_padding(padding), add_special_tokens)
        if text_pair is not None and isinstance(text_pair, str) != isinstance(text, str):
            raise ValueError("text and text_pair must both be one string, or both be lists of strings")
        encode = partial(self._encode, with_spans=return_offsets_mapping, allow_special_tokens=allow_special_tokens)
        batch = build_inputs(encode(text), None if text_pair is None else encode(text_pair), shape, self.frame)
        if not return_offsets_mapping:
            del batch["offset_mapping"]
        if isinstance(text, str) and return_tensors is None:
            return Inputs({name: rows[0] for name, rows in batch.items()})
        return as_inputs(batch, return_tensors)

    def _encode(self, text: str | Sequence[str], with_spans: bool, allow_special_tokens: bool) -> list[Encoding]:
        texts = [text] if isinstance(text, str) else text
        if with_spans:
            return [self.encode_with_offsets(one, allow_special_tokens) for one in texts]
        rows = self.encode_batch(texts, allow_special_tokens)
        return [(row.tolist(), [NO_SPAN] * len(row)) for row in rows]
