"""Fixtures: a small tokenizer trained once on sentences of our own."""

from pathlib import Path

import pytest

from distilkobert import KoBertTokenizer
from distilkobert.tokenizers.training import train_tokenizer
from tests.support.tokenizers.sentences import SENTENCES

TINY_VOCAB_SIZE = 350


@pytest.fixture(scope="session")
def tiny_tokenizer_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the two files of a KoBERT tokenizer of `TINY_VOCAB_SIZE` ids."""
    folder = tmp_path_factory.mktemp("tiny_tokenizer")
    train_tokenizer(SENTENCES, folder, vocab_size=TINY_VOCAB_SIZE)
    return folder


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_tokenizer_dir: Path) -> KoBertTokenizer:
    """The tokenizer of `tiny_tokenizer_dir`, loaded from its files."""
    return KoBertTokenizer.from_pretrained(tiny_tokenizer_dir)
