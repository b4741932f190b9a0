"""A small world made once per test process: tokenizer, corpus and a teacher with random weights."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.models.teachers import EncoderSpec, build_encoder
from distilkobert.synthetic.generation import generate_sentences
from distilkobert.tokenizers.training import train_tokenizer
from experiments._shared.trainer_cli import TrainerCLI
from experiments.train import main

SENTENCES = 700
VOCABULARY = 600
Run = Callable[..., TrainerCLI]  # the `run` fixture: a command of `train`, in this process


@dataclass(frozen=True)
class World:
    """Folders of the small world."""

    root: Path
    tokenizer: Path
    corpus: Path
    second_corpus: Path
    teacher: Path

    def data(self) -> list[str]:
        """Options that point a recipe at the small corpus."""
        return [
            f"--data.data_dir={self.corpus}",
            f"--data.tokenizer={self.tokenizer}",
            "--data.max_tokens=512",
            "--trainer.accelerator=cpu",
            "--trainer.enable_progress_bar=false",
            "--trainer.log_every_n_steps=1",
        ]

    def distil(self, runs: Path, *options: str, recipe: str = "configs/distill/distilkobert.yaml") -> list[str]:
        """A distillation of six steps with validation at the end; later options win."""
        return [
            "-c", recipe, *self.data(), f"--model.teacher={self.teacher}", f"--run.root={runs}",
            "--trainer.max_epochs=-1", "--trainer.max_steps=6", "--trainer.accumulate_grad_batches=1",
            "--trainer.val_check_interval=6", "--trainer.devices=1", *options,
        ]  # fmt: skip

    def pretrain(self, runs: Path, *options: str) -> list[str]:
        """A pretraining of four steps."""
        small = ("layers=2", "hidden_size=16", "heads=2", "intermediate_size=24")
        return [
            "-c", "configs/pretrain/mlm.yaml", *self.data(), f"--run.root={runs}",
            *(f"--model.encoder.{setting}" for setting in small), "--trainer.max_epochs=-1",
            "--trainer.max_steps=4", "--trainer.val_check_interval=4", *options,
        ]  # fmt: skip


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    sentences = generate_sentences(SENTENCES, seed=5)
    (root / "text.txt").write_text("\n".join(sentences), encoding="utf-8")
    train_tokenizer(sentences, root / "tokenizer", vocab_size=VOCABULARY, seed=5)
    settings = CorpusSettings(min_tokens=5, max_tokens=64, validation_fraction=0.1)
    prepare_corpus([str(root / "text.txt")], str(root / "tokenizer"), root / "corpus", settings)
    (root / "more.txt").write_text("\n".join(generate_sentences(SENTENCES // 2, seed=6)), encoding="utf-8")
    prepare_corpus([str(root / "more.txt")], str(root / "tokenizer"), root / "second", settings)
    spec = EncoderSpec(layers=12, hidden_size=16, heads=2, intermediate_size=24, max_positions=64, dropout=0.1)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        build_encoder(spec, vocab_size=VOCABULARY, pad_token_id=1).save_pretrained(root / "teacher")
    return World(root, root / "tokenizer", root / "corpus", root / "second", root / "teacher")


@pytest.fixture(scope="session")
def run() -> Run:
    """Run the trainer's command line in this process."""

    def call(command: str, arguments: list[str]) -> TrainerCLI:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["train"])
            return main([command, *arguments])

    return call


def scalars(folder: Path) -> dict[str, dict[int, float]]:
    """TensorBoard scalars of a run, by name and step."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {tag: {e.step: e.value for e in events.Scalars(tag)} for tag in events.Tags()["scalars"]}


def read_json(path: Path) -> Any:
    """A JSON file's content."""
    return json.loads(path.read_text(encoding="utf-8"))
