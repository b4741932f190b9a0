"""The two files of a KoBERT tokenizer: read from a folder or the Hugging Face hub, and written as they were.

Where there is a model alone that holds the special tokens, as in skt/kobert-base-v1, its order is the vocabulary.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from distilkobert.io.files import atomic_file
from distilkobert.io.hub_names import refuse_mistyped_folder
from distilkobert.tokenizers.hub import tokenizer_snapshot
from distilkobert.tokenizers.kobert.vocabulary import own_vocabulary

VOCAB_NAME = "vocab.txt"
KOBERT_MODEL_NAME = "tokenizer_78b3253a26.model"


@dataclass(frozen=True)
class TokenizerFiles:
    """Content of the SentencePiece model and of `vocab.txt`, byte for byte.

    Args:
        model_name: File name of the model, for example `tokenizer_78b3253a26.model`.
        model: Content of the model file.
        vocab: Content of `vocab.txt`.
        folder: Where they were read, for messages; empty for files that were never stored.
    """

    model_name: str
    model: bytes
    vocab: bytes
    folder: str = ""

    @property
    def model_path(self) -> str:
        """The model's path for messages."""
        return str(Path(self.folder) / self.model_name)

    @property
    def vocab_path(self) -> str:
        """The vocabulary's path for messages."""
        return str(Path(self.folder) / VOCAB_NAME)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the SHA-256 digests of both contents, in lower-case hexadecimal; file names do not count."""
        return hashlib.sha256(hashlib.sha256(self.model).digest() + hashlib.sha256(self.vocab).digest()).hexdigest()

    def write(self, folder: Path) -> None:
        """Write both files into `folder`, which is made where missing; files with the same content are left alone.

        Raises:
            FileExistsError: `folder` is a file, or holds a different `vocab.txt` or another `*.model`.
        """
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(f"{folder} is a file; expected a folder for the two tokenizer files")
        contents = {self.model_name: self.model, VOCAB_NAME: self.vocab}
        present = [*folder.glob("*.model"), *folder.glob(VOCAB_NAME)]
        other = sorted(path.name for path in present if path.read_bytes() != contents.get(path.name))
        if other:
            raise FileExistsError(
                f"{folder} already contains another tokenizer's {', '.join(other)}; use another folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name in contents.keys() - {path.name for path in present}:
            with atomic_file(folder / name) as stream:
                stream.write(contents[name])


def holds_kobert_files(folder: Path) -> bool:
    """Whether a folder holds a KoBERT tokenizer: its two files, or its model alone and no other definition."""
    models = list(folder.glob("*.model"))
    if not models or (folder / VOCAB_NAME).is_file():
        return bool(models)
    return not (folder / "tokenizer.json").is_file() and any(own_vocabulary(path.read_bytes()) for path in models)


def read_tokenizer_files(name_or_folder: str | Path) -> TokenizerFiles:
    """Read the two files from a local folder, or, where there is no such folder, from the hub (or its local cache).

    `vocab.txt` may be missing where the model holds the special tokens (see `vocabulary.own_vocabulary`).

    Raises:
        FileNotFoundError: A file of the folder is missing, or there is neither a folder nor a hub repository of this
            name; the message says which two files to place where.
        ValueError: The folder holds more than one `*.model`, or one of the files is empty.
    """
    folder = Path(name_or_folder)
    if folder.is_file():
        raise FileNotFoundError(f"{folder} is a file; expected the folder with the *.model file and {VOCAB_NAME}")
    if not folder.is_dir():
        folder = _download(str(name_or_folder))
    models = sorted(folder.glob("*.model"))
    if len(models) > 1:
        names = ", ".join(path.name for path in models)
        raise ValueError(
            f"{folder} contains {len(models)} SentencePiece models ({names}); expected exactly one *.model"
        )
    if not models:
        raise FileNotFoundError(f"{folder} contains no *.model file; place it there (KoBERT's is {KOBERT_MODEL_NAME})")
    vocab = folder / VOCAB_NAME
    contents = {path: path.read_bytes() for path in (models[0], vocab) if path.is_file()}
    for path, content in contents.items():
        if not content:
            raise ValueError(f"{path} is empty (0 bytes); fetch it again")
    if vocab in contents:
        return TokenizerFiles(models[0].name, contents[models[0]], contents[vocab], str(folder))
    own = own_vocabulary(contents[models[0]])
    if own is None:
        raise FileNotFoundError(
            f"{folder} contains no {VOCAB_NAME}; place the one that belongs to {models[0].name} there"
        )
    return TokenizerFiles(models[0].name, *own, str(folder))


def _download(name: str) -> Path:
    """Bring the two files of a hub repository into the hub's cache, or find them there, and give their folder."""
    remedy = (
        f"make the folder {name!r} and place two files in it: the SentencePiece model (any *.model; KoBERT's is "
        f"{KOBERT_MODEL_NAME}) and its {VOCAB_NAME}"
    )
    if name.startswith(("/", ".")):
        raise FileNotFoundError(f"there is no folder {name!r}; {remedy}")
    try:
        refuse_mistyped_folder(name)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}. To make it, {remedy}") from None
    return tokenizer_snapshot(name, ["*.model", VOCAB_NAME], remedy)
