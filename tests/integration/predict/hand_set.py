"""Hand-set models without layers, whose answers can be worked out, and a way to ask them line by line."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from transformers import DistilBertConfig, PreTrainedModel

from distilkobert import KoBertTokenizer
from experiments.predict.__main__ import predict
from tests.world import VOCABULARY, World

WIDTH = 8
Ask = Callable[..., list[str]]


class Terminal(io.BytesIO):
    """Standard input of a terminal or a pipe."""

    def __init__(self, content: bytes, terminal: bool) -> None:
        super().__init__(content)
        self.buffer = self
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Feed lines to the command and return the lines it printed."""

    def call(folder: Path, content: str | bytes, terminal: bool = False, **options: float) -> list[str]:
        raw = content.encode() if isinstance(content, str) else content
        monkeypatch.setattr("sys.stdin", Terminal(raw, terminal))
        predict(str(folder), **options)  # type: ignore[arg-type]
        return capsys.readouterr().out.splitlines()

    return call


def config(labels: Sequence[str], **more: object) -> DistilBertConfig:
    return DistilBertConfig(
        vocab_size=VOCABULARY, dim=WIDTH, hidden_dim=8, n_layers=0, n_heads=1, max_position_embeddings=64,
        pad_token_id=1, id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)}, **more,
    )  # fmt: skip


def set_by_token(model: PreTrainedModel, head: str, classes: dict[int, int], other: int = 0) -> PreTrainedModel:
    """Let every token decide alone: token `i` has class `classes[i]`, all others class `other`."""
    with torch.no_grad():
        embeddings = model.distilbert.embeddings
        embeddings.position_embeddings.weight.zero_()
        embeddings.word_embeddings.weight[:] = torch.eye(WIDTH)[other]
        for token, chosen in classes.items():
            embeddings.word_embeddings.weight[token] = torch.eye(WIDTH)[chosen]
        layer = model.get_submodule(head)
        layer.weight.copy_(torch.eye(WIDTH)[: layer.weight.shape[0]] * 5)
        layer.bias.zero_()
    return model


def folder_of(model: PreTrainedModel, tokenizer: Path, folder: Path) -> Path:
    model.save_pretrained(folder)
    KoBertTokenizer.from_pretrained(tokenizer).save_pretrained(folder)
    return folder


def ids_of(world: World, text: str) -> list[int]:
    tokenizer = KoBertTokenizer.from_pretrained(world.tokenizer)
    return tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
