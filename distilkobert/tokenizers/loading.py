"""One small interface over tokenizers: ids and character offsets, without special tokens.

`KoBertTokenizer` has it by nature. `FastEncoder` gives it to the fast tokenizers of transformers (for example
multilingual BERT's WordPiece), so that teachers, students and other models go through the same code.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from distilkobert.io.pretrained import load_pretrained
from distilkobert.tokenizers.files import VOCAB_NAME
from distilkobert.tokenizers.inputs import Encoding
from distilkobert.tokenizers.kobert import KoBertTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_HUB_FILES = ("*.model", VOCAB_NAME, "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_SPECIALS = ("pad", "unk", "cls", "sep")


class TextEncoder(Protocol):
    """What the task data needs of a tokenizer. Special tokens written in a text are text."""

    unk_token_id: int
    pad_token_id: int
    cls_token_id: int
    sep_token_id: int

    @property
    def vocab_size(self) -> int:
        """Number of ids, V."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 that changes whenever ids might (64 hexadecimal digits)."""

    def encode_batch(self, texts: Sequence[str]) -> Sequence[npt.NDArray[np.unsignedinteger[Any]]]:
        """Ids of every text, without special tokens around it."""

    def encode_with_offsets(self, text: str) -> Encoding:
        """Ids of one text, and the span of characters of each; see `KoBertTokenizer.encode_with_offsets`."""

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the tokenizer's files."""

    def to_transformers(self, model_max_length: int, segment_ids: bool) -> "PreTrainedTokenizerFast":
        """A tokenizer for `AutoTokenizer` that frames texts as the models of this project are trained on them."""


class FastEncoder:
    """A fast tokenizer of transformers behind the interface.

    Args:
        tokenizer: the tokenizer; it is left as it is.
        name: folder or hub name, for messages.

    Raises:
        ValueError: it lacks one of the special tokens that inputs are framed and filled with.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerFast", name: str) -> None:
        from tokenizers import Tokenizer

        missing = [special for special in _SPECIALS if getattr(tokenizer, f"{special}_token_id") is None]
        if missing:
            raise ValueError(
                f"the tokenizer {name} has no {', '.join(missing)} token; inputs are framed as [CLS] text [SEP] and "
                "filled with [PAD], as BERT's are, so use a tokenizer that has them"
            )
        self._tokenizer = tokenizer
        self._name = name
        self._backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._backend.no_truncation()
        self._backend.no_padding()
        self._backend.encode_special_tokens = True  # what a user types is text
        self.pad_token_id, self.unk_token_id = int(tokenizer.pad_token_id), int(tokenizer.unk_token_id)
        self.cls_token_id, self.sep_token_id = int(tokenizer.cls_token_id), int(tokenizer.sep_token_id)

    def __reduce__(self) -> tuple[type["FastEncoder"], tuple["PreTrainedTokenizerFast", str]]:
        return type(self), (self._tokenizer, self._name)

    @property
    def vocab_size(self) -> int:
        """Number of ids, V, added tokens included."""
        return self._backend.get_vocab_size()

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the tokenizer's definition and its special tokens."""
        specials = f"{self.pad_token_id} {self.unk_token_id} {self.cls_token_id} {self.sep_token_id}"
        return hashlib.sha256(f"{self._backend.to_str()} {specials}".encode()).hexdigest()

    def encode_batch(self, texts: Sequence[str]) -> list[npt.NDArray[np.unsignedinteger[Any]]]:
        """Ids of every text, without special tokens around it."""
        encodings = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.uint32) for encoding in encodings]

    def encode_with_offsets(self, text: str) -> Encoding:
        """Ids of one text and the span of each; white space is cut off the spans of tokenizers that count it in."""
        encoding = self._backend.encode(text, add_special_tokens=False)
        spans = []
        for start, end in encoding.offsets:
            while start < end and text[start].isspace():
                start += 1
            while start < end and text[end - 1].isspace():
                end -= 1
            spans.append((start, end))
        return encoding.ids, spans

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the files from which `AutoTokenizer` loads it."""
        self._tokenizer.save_pretrained(folder)

    def to_transformers(self, model_max_length: int, segment_ids: bool) -> "PreTrainedTokenizerFast":
        """The tokenizer with `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]` as its frames, whatever it had before.

        Args:
            model_max_length: Length to which it cuts where truncation is asked for without a length.
            segment_ids: Whether calls return `token_type_ids`; DistilBERT takes none.
        """
        from tokenizers import Tokenizer, processors
        from transformers import PreTrainedTokenizerFast

        names = {special: getattr(self._tokenizer, f"{special}_token") for special in (*_SPECIALS, "mask")}
        cls, sep = names["cls"], names["sep"]
        backend = Tokenizer.from_str(self._backend.to_str())
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


def load_encoder(name_or_folder: str | Path) -> KoBertTokenizer | FastEncoder:
    """Load a tokenizer from a folder or the hub: KoBERT's where there is a `*.model` and `vocab.txt`, else a fast one.

    Raises:
        FileNotFoundError: there is no such folder and no reachable hub repository, or no tokenizer in it.
        ValueError: files are broken or do not belong together, or the tokenizer is not a fast one.
    """
    name = str(name_or_folder)
    folder = Path(name) if Path(name).exists() else _download(name)
    if folder.is_file() or (any(folder.glob("*.model")) and (folder / VOCAB_NAME).is_file()):
        return KoBertTokenizer.from_pretrained(folder)
    if not any((folder / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json", VOCAB_NAME)):
        raise FileNotFoundError(
            f"{name} holds no tokenizer; expected KoBERT's *.model file and {VOCAB_NAME}, or a tokenizer.json"
        )
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        tokenizer = load_pretrained(AutoTokenizer, folder)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{name}: its tokenizer does not load ({str(error).strip().splitlines()[0]})") from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ValueError(
            f"{name} is not a fast tokenizer, so it has no character offsets; give one with tokenizer.json"
        )
    return FastEncoder(tokenizer, name)


def _download(name: str) -> Path:
    """Bring the tokenizer files of a hub repository into the hub's cache, or find them there, and give their folder."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(_HUB_FILES)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
        raise FileNotFoundError(
            f"there is no folder {name!r}, and the Hugging Face hub gives no tokenizer of that name "
            f"({type(error).__name__}: {str(error).strip().splitlines()[0]}). Without a network, make a folder with "
            f"KoBERT's *.model file and {VOCAB_NAME}, or with the tokenizer.json of another model, and name it"
        ) from error
