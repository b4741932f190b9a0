"""CorpusDataModule: what is in its batches, and that masks and order depend on seed, epoch and batch number alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from datasets import load_from_disk
from jsonargparse import ArgumentParser

from datamodules import CorpusDataModule
from datamodules.batches.loading import Batch, PlannedLoader
from distilkobert import KoBertTokenizer
from distilkobert.corpus.masking import MaskingSpec
from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.tokenizers.training import train_tokenizer
from tests.support.tokenizers.sentences import SENTENCES

BUDGET = 200


def make_corpus(folder: Path, tokenizer: Path, validation_fraction: float) -> Path:
    text = folder / "text.txt"
    lines = (f"{number} {sentence}" for number in range(4) for sentence in SENTENCES)
    text.write_text("\n".join(lines), encoding="utf-8")
    settings = CorpusSettings(validation_fraction=validation_fraction)
    prepare_corpus([str(text)], str(tokenizer), folder / "corpus", settings)
    return folder / "corpus"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer_dir: Path) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus"), tiny_tokenizer_dir, 0.2)


@pytest.fixture
def data(corpus: Path, tiny_tokenizer_dir: Path) -> CorpusDataModule:
    return CorpusDataModule(str(corpus), str(tiny_tokenizer_dir), max_tokens=BUDGET, seed=1)


def same(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(
        one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
        for one, two in zip(first, second, strict=True)
    )


def originals(batch: Batch) -> list[list[int]]:
    """The rows as they were before masking, without padding."""
    ids = torch.where(batch["labels"] == -100, batch["input_ids"], batch["labels"])
    return [row[inside.bool()].tolist() for row, inside in zip(ids, batch["attention_mask"], strict=True)]


def test_attributes_are_there_at_once(
    data: CorpusDataModule, corpus: Path, tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path
) -> None:
    assert data.vocab_size == tiny_tokenizer.vocab_size
    assert data.pad_token_id == tiny_tokenizer.pad_token_id
    assert data.tokenizer_dir == str(tiny_tokenizer_dir)
    assert data.tokenizer.fingerprint == tiny_tokenizer.fingerprint
    assert data.manifest["tokenizer"]["fingerprint"] == tiny_tokenizer.fingerprint
    stored = load_from_disk(str(corpus))
    assert data.max_length == max(max(stored[part]["length"]) for part in ("train", "validation"))
    tokens = [token for row in stored["train"]["input_ids"] for token in row]
    assert data.token_counts.tolist() == np.bincount(tokens, minlength=data.vocab_size).tolist()


@pytest.mark.parametrize("part", ["train", "validation"])
def test_batches_hold_every_sequence_once(data: CorpusDataModule, corpus: Path, part: str) -> None:
    loader = data.train_dataloader() if part == "train" else data.val_dataloader()
    assert isinstance(loader, PlannedLoader)
    batches = list(loader)
    assert len(batches) == len(loader) > 1
    rows = [tuple(row) for batch in batches for row in originals(batch)]
    assert sorted(rows) == sorted(tuple(row) for row in load_from_disk(str(corpus))[part]["input_ids"])
    special = {data.pad_token_id, data.tokenizer.cls_token_id, data.tokenizer.sep_token_id, data.tokenizer.unk_token_id}
    for batch in batches:
        assert {tensor.dtype for tensor in batch.values()} == {torch.int64}
        assert batch["input_ids"].numel() <= BUDGET
        padding = batch["attention_mask"] == 0
        assert (batch["input_ids"][padding] == data.pad_token_id).all()
        drawn = batch["labels"] != -100
        assert int(drawn.sum()) == round(0.15 * int(batch["attention_mask"].sum()))
        assert not drawn[padding].any()
        assert not set(batch["labels"][drawn].tolist()) & special


def test_epochs_have_other_orders_and_masks_and_repeat_by_number(data: CorpusDataModule) -> None:
    loader = data.train_dataloader()
    epochs = []
    for epoch in (0, 1, 0):
        loader.sampler.set_epoch(epoch)
        epochs.append(list(loader))
    assert same(epochs[0], epochs[2])
    assert not same(epochs[0], epochs[1])


def test_masks_of_a_batch_change_with_the_epoch_only(data: CorpusDataModule) -> None:
    dataset = data.train_dataloader().dataset
    keys = list(data.train_dataloader().sampler)
    first, other = dataset[keys[0]], dataset[type(keys[0])(1, keys[0].index, keys[0].rows)]
    assert originals(first) == originals(other)
    assert not torch.equal(first["labels"], other["labels"])
    assert same([first], [dataset[keys[0]]])


def test_seed_decides_order_and_masks(corpus: Path, tiny_tokenizer_dir: Path, data: CorpusDataModule) -> None:
    again = CorpusDataModule(str(corpus), str(tiny_tokenizer_dir), max_tokens=BUDGET, seed=1)
    other = CorpusDataModule(str(corpus), str(tiny_tokenizer_dir), max_tokens=BUDGET, seed=2)
    assert same(list(data.train_dataloader()), list(again.train_dataloader()))
    assert not same(list(data.train_dataloader()), list(other.train_dataloader()))


def test_validation_is_the_same_in_every_epoch(data: CorpusDataModule) -> None:
    loader = data.val_dataloader()
    assert isinstance(loader, PlannedLoader)
    first = list(loader)
    loader.sampler.set_epoch(7)
    assert same(first, list(loader))


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [1, 2])
def test_batches_do_not_depend_on_loader_workers(
    corpus: Path, tiny_tokenizer_dir: Path, data: CorpusDataModule, num_workers: int
) -> None:
    parallel = CorpusDataModule(
        str(corpus), str(tiny_tokenizer_dir), max_tokens=BUDGET, seed=1, num_workers=num_workers
    )
    ours, theirs = data.train_dataloader(), parallel.train_dataloader()
    for epoch in range(2):
        ours.sampler.set_epoch(epoch)
        theirs.sampler.set_epoch(epoch)
        assert same(list(ours), list(theirs))
    assert same(list(data.val_dataloader()), list(parallel.val_dataloader()))


def test_another_tokenizer_is_refused_by_both_fingerprints(
    corpus: Path, tmp_path: Path, tiny_tokenizer: KoBertTokenizer
) -> None:
    other = train_tokenizer(SENTENCES, tmp_path / "other", vocab_size=330)
    with pytest.raises(ValueError, match="was prepared with the tokenizer of fingerprint") as caught:
        CorpusDataModule(str(corpus), str(tmp_path / "other"))
    assert tiny_tokenizer.fingerprint in str(caught.value)
    assert other.fingerprint in str(caught.value)


def test_folders_without_a_corpus(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"contains no prepared corpus.*prepare corpus --input FILES"):
        CorpusDataModule(str(tmp_path), str(tiny_tokenizer_dir))
    (text := tmp_path / "text.txt").touch()
    with pytest.raises(NotADirectoryError, match=rf"^{text} is a file; .*prepare corpus --input {text} --tokenizer"):
        CorpusDataModule(str(text), str(tiny_tokenizer_dir))


@pytest.mark.parametrize("option", ["max_tokens", "validation_max_tokens"])
def test_budgets_below_the_longest_sequence(corpus: Path, tiny_tokenizer_dir: Path, option: str) -> None:
    with pytest.raises(ValueError, match=rf"^{option} is 12, but the longest \w+ sequence has \d+ tokens"):
        CorpusDataModule(str(corpus), str(tiny_tokenizer_dir), **{option: 12})


def test_corpus_without_validation_trains_without(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    folder = make_corpus(tmp_path, tiny_tokenizer_dir, 0.0)
    data = CorpusDataModule(str(folder), str(tiny_tokenizer_dir))
    assert data.val_dataloader() == []


def test_settings_come_from_the_command_line(corpus: Path, tiny_tokenizer_dir: Path) -> None:
    parser = ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_class_arguments(CorpusDataModule, "data")
    settings = parser.parse_args(
        [f"--data.data_dir={corpus}", f"--data.tokenizer={tiny_tokenizer_dir}", "--data.masking.probability=0.3"]
    )
    built = parser.instantiate(settings).data
    assert built.masking == MaskingSpec(probability=0.3)


class Losses(pl.LightningModule):
    """A linear model over token ids, for comparing runs."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(vocab_size, 4)
        self.head = torch.nn.Linear(4, vocab_size)
        self.sizes: list[int] = []

    def training_step(self, batch: Batch, batch_index: int) -> torch.Tensor:
        self.sizes.append(int(batch["attention_mask"].sum()))
        logits = self.head(self.table(batch["input_ids"]))
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten())

    validation_step = training_step

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(data: CorpusDataModule, tmp_path: Path, **settings: Any) -> Losses:
    torch.manual_seed(0)
    module = Losses(data.vocab_size)
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, default_root_dir=tmp_path, max_epochs=1, **settings,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    return module


def test_trainer_runs_whole_epochs(data: CorpusDataModule, tmp_path: Path) -> None:
    module = fit(data, tmp_path, num_sanity_val_steps=0)
    assert sum(module.sizes) == sum(data.manifest["tokens"].values())


@pytest.mark.slow
def test_two_processes_train_like_one_that_accumulates(
    corpus: Path, tiny_tokenizer_dir: Path, data: CorpusDataModule, tmp_path: Path
) -> None:
    one = fit(data, tmp_path, accumulate_grad_batches=2, num_sanity_val_steps=0)
    second = CorpusDataModule(str(corpus), str(tiny_tokenizer_dir), max_tokens=BUDGET, seed=1)
    two = fit(second, tmp_path, devices=2, strategy="ddp_fork", num_sanity_val_steps=2)
    for name, value in one.state_dict().items():
        torch.testing.assert_close(two.state_dict()[name], value, atol=1e-6, rtol=1e-5)


class SyncNotes(pl.Callback):
    """Notes, in the backward pass of each micro-batch, whether DDP exchanges gradients in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_after_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        with (self.folder / f"rank{trainer.global_rank}").open("a") as stream:
            stream.write(str(int(trainer.strategy.model.require_backward_grad_sync)))  # type: ignore[union-attr]


@pytest.mark.slow
def test_gradients_are_exchanged_once_a_step(
    corpus: Path, tiny_tokenizer_dir: Path, data: CorpusDataModule, tmp_path: Path
) -> None:
    """Lightning's `no_sync` at the micro-batches that no step follows; a run's speed over a network rests on it."""
    fit(
        data, tmp_path, devices=2, strategy="ddp_fork", num_sanity_val_steps=0, accumulate_grad_batches=3,
        callbacks=[SyncNotes(tmp_path)],
    )  # fmt: skip
    notes = [(tmp_path / f"rank{rank}").read_text() for rank in range(2)]
    assert notes[0] == notes[1]
    assert notes[0] == "001" * (len(notes[0]) // 3) != ""
