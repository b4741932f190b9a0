"""Encoders with large random weights, whose heads say many different things without training, and runs from them."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

from distilkobert.synthetic.generation import generate_sentences
from experiments.export.__main__ import export
from experiments.train import main
from tests.integration.tasks.world import TaskWorld
from tests.world import VOCABULARY

Kind = Literal["bert", "distilbert"]
POSITIONS = 64


def save_wide(folder: Path, kind: Kind, vocab_size: int = VOCABULARY, pad_token_id: int = 1) -> Path:
    """A two-layer encoder without a head."""
    shared = {
        "vocab_size": vocab_size, "pad_token_id": pad_token_id, "max_position_embeddings": POSITIONS,
        "initializer_range": 0.4,
    }  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)  # one whose taggers are right at times, and whose answers end in particles at times
        if kind == "distilbert":
            DistilBertModel(DistilBertConfig(dim=16, hidden_dim=24, n_layers=2, n_heads=2, **shared)).save_pretrained(
                folder
            )
        else:
            config = BertConfig(
                hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, **shared
            )
            BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def save_wordpiece(folder: Path) -> Path:
    """A tokenizer of multilingual BERT's kind: a vocab.txt and the name of the class that reads it; [PAD] is id 0."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(generate_sentences(700, seed=5), trainer)
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def fit_and_test(tasks: TaskWorld, task: str, runs: Path, *options: str) -> Path:
    """The run folder after one step of training, and `test`."""
    more = ["--data.reference_decoding=false"] if task == "korquad" else []
    short = ["--trainer.max_steps=1", "--trainer.val_check_interval=1"]
    folder = runs / task / "base_seed42"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["train"])
        main(["fit", *tasks.options(task, runs, *more, *short, *options)])
        main(["test", "-c", str(folder / "config.yaml"), f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}"])
    return folder


def export_of(run_folder: Path, target: Path, **options: Any) -> Path:
    """The exported folder of a run's last checkpoint."""
    return export(str(run_folder / "checkpoints" / "last.ckpt"), str(target), **options)


def records_of(run_folder: Path) -> list[dict[str, Any]]:
    """What `test` stored."""
    lines = (run_folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
