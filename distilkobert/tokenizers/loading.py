"""One small interface over tokenizers: ids and character offsets, without special tokens.

`KoBertTokenizer` has it by nature. `FastEncoder` gives it to the fast tokenizers of transformers (for example
multilingual BERT's WordPiece), so that teachers, students and other models go through the same code.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from distilkobert.io.hub_names import refuse_mistyped_folder
from distilkobert.io.pretrained import load_pretrained
from distilkobert.tokenizers.fast import FastEncoder
from distilkobert.tokenizers.framing import Frame
from distilkobert.tokenizers.hub import tokenizer_snapshot
from distilkobert.tokenizers.inputs import Encoding
from distilkobert.tokenizers.kobert import KoBertTokenizer
from distilkobert.tokenizers.kobert.files import VOCAB_NAME, holds_kobert_files

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_log = logging.getLogger(__name__)

CONFIG_NAME = "tokenizer_config.json"
_FAST_FILES = ("tokenizer.json", CONFIG_NAME, VOCAB_NAME, "vocab.json", "*.model")
_HUB_FILES = (*_FAST_FILES, "merges.txt", "special_tokens_map.json", "added_tokens.json", "config.json")


class TextEncoder(Protocol):
    """What data of all kinds needs of a tokenizer. Special tokens written in a text are text."""

    unk_token_id: int
    pad_token_id: int
    cls_token_id: int
    sep_token_id: int
    frame: Frame

    @property
    def mask_token_id(self) -> int | None:
        """Id of the token that hides others; None where there is none."""

    @property
    def mask_token(self) -> str | None:
        """How that token is written."""

    @property
    def special_ids(self) -> tuple[int, ...]:
        """Ids that no text has."""

    @property
    def id_dtype(self) -> type[np.uint16] | type[np.uint32]:
        """Type of the ids in arrays."""

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

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Token of every id, as the vocabulary spells it."""

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the tokenizer's files."""

    def to_transformers(self, model_max_length: int, segment_ids: bool) -> "PreTrainedTokenizerFast":
        """A tokenizer for `AutoTokenizer` that frames texts as the models of this project are trained on them."""


def load_tokenizer(name_or_folder: str | Path) -> KoBertTokenizer | FastEncoder:
    """Load a tokenizer from a folder or the hub: KoBERT's, or what `AutoTokenizer` loads as a fast one.

    KoBERT's is known by a `*.model` and `vocab.txt`, or, where there is no `tokenizer.json`, by a `*.model` that holds
    the five special tokens (skt/kobert-base-v1).

    Raises:
        FileNotFoundError: there is no such folder and no reachable hub repository, or no tokenizer in it.
        ValueError: files are broken or do not belong together, or the tokenizer is not a fast one.
    """
    name = str(name_or_folder)
    folder = Path(name) if Path(name).exists() else _download(name)
    if folder.is_file() or holds_kobert_files(folder):
        return KoBertTokenizer.from_pretrained(folder)
    if not any(any(folder.glob(pattern)) for pattern in _FAST_FILES):
        raise FileNotFoundError(
            f"{name} contains no tokenizer; expected KoBERT's *.model file and {VOCAB_NAME}, or a tokenizer.json"
        )
    from transformers import AutoTokenizer, BertTokenizer, PreTrainedTokenizerFast

    known: type[AutoTokenizer | BertTokenizer] = AutoTokenizer
    if _is_wordpiece(folder):
        _log.warning("%s: tokenizer_config.json names no tokenizer_class; its vocab.txt is read as BERT's", name)
        known = BertTokenizer
    try:
        tokenizer = load_pretrained(known, folder)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{name}: its tokenizer does not load: {_cause(folder, error)}") from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ValueError(
            f"{name} is not a fast tokenizer, so it has no character offsets; give one with tokenizer.json"
        )
    return FastEncoder(tokenizer, name)


def tokenizer_beside(source: str | Path) -> Path | None:
    """The folder with the tokenizer of a model: an exported folder itself, or that of a checkpoint's run.

    None for a hub id, and where there is no tokenizer.
    """
    path = Path(source)
    folder = path.parent.parent / "tokenizer" if path.suffix == ".ckpt" else path
    return folder if any(any(folder.glob(name)) for name in (VOCAB_NAME, "tokenizer.json", "*.model")) else None


def _is_wordpiece(folder: Path) -> bool:
    """Whether a folder has settings and a vocabulary of BERT's kind, but nothing that names the kind."""
    if (folder / "tokenizer.json").is_file() or not all(
        (folder / name).is_file() for name in (CONFIG_NAME, VOCAB_NAME)
    ):
        return False
    named = "tokenizer_class" in _json(folder / CONFIG_NAME) or "model_type" in _json(folder / "config.json")
    return not named and {"[PAD]", "[UNK]", "[CLS]", "[SEP]"} <= set((folder / VOCAB_NAME).read_text("utf-8").split())


def _cause(folder: Path, error: Exception) -> str:
    """Why a tokenizer does not load: what its folder misses, else the library's message in one line."""
    named = any((folder / name).is_file() for name in ("tokenizer.json", CONFIG_NAME))
    if named or "model_type" in _json(folder / "config.json"):
        return " ".join(str(error).split())
    found = "config.json has no model_type" if (folder / "config.json").is_file() else "there is no config.json"
    return (
        f'{found} and there is no {CONFIG_NAME}; add "model_type": "bert" (or what the model is) to config.json, or a '
        f'{CONFIG_NAME} with "tokenizer_class": "BertTokenizer" and, for cased Korean, "do_lower_case": false'
    )


def _json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is none."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _download(name: str) -> Path:
    """Bring the tokenizer files of a hub repository into the hub's cache, or find them there, and give their folder."""
    if name.startswith(("/", ".")):
        raise FileNotFoundError(
            f"there is no folder {name!r}; expected one with KoBERT's *.model file and {VOCAB_NAME}, or with the "
            "tokenizer.json of another model"
        )
    refuse_mistyped_folder(name)
    remedy = f"make a folder with KoBERT's *.model file and {VOCAB_NAME}, or with the tokenizer.json of another model"
    return tokenizer_snapshot(name, _HUB_FILES, f"{remedy}, and name it")
