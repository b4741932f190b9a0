"""An exported folder that answers lines: its task, its settings of training, and one forward pass over many lines."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoConfig, PreTrainedModel

from distilkobert.io.pretrained import load_pretrained
from distilkobert.io.texts import not_utf8
from distilkobert.models.checkpoints import load_model, task_of
from distilkobert.models.checks import class_names, longest_input, takes_segments
from distilkobert.models.vocabulary_fit import holds_pieces
from distilkobert.tasks.codec import Codec, Row
from distilkobert.tasks.input_settings import ENTRY, InputSettings, settings_of
from distilkobert.tasks.kinds import KINDS, TaskKind, kind_named
from distilkobert.tokenizers.loading import load_tokenizer
from distilkobert.tokenizers.unknowns import PieceCounts

_SHORTEST = 16
"""Fewest tokens that hold a question and a part of its context."""


@dataclass(frozen=True)
class Question:
    """A line that was read, and the row that the codec made of it."""

    text: str
    row: Row

    def count(self, unk_token_id: int) -> PieceCounts:
        """Its pieces, and those that are unknown."""
        parts = (self.row, self.row.get("context", {}))
        ids = [part[name] for part in parts for name in part if name == "ids" or name.endswith("_ids")]
        return PieceCounts.of(ids, unk_token_id)


@dataclass(frozen=True)
class Predictor:
    """A fine-tuned model with what encodes for it and decodes its outputs.

    Args:
        network: in evaluation mode.
        codec: of its task, with its tokenizer, labels and settings of training.
    """

    network: PreTrainedModel
    codec: Codec

    @classmethod
    def of(cls, folder: Path, kind: TaskKind, max_length: int | None) -> "Predictor":
        """Load an exported folder.

        Args:
            folder: the folder.
            kind: its task kind.
            max_length: longest input in tokens; None: that of training, or what the model takes, 512 at most, where
                the folder does not tell. A remark says so.

        Raises:
            FileNotFoundError: the folder has no tokenizer.
            ValueError: the head is not trained, `max_length` does not fit, or the tokenizer is another model's.
        """
        network, missing = load_model(folder, kind.name)
        if missing:
            raise ValueError(
                f"{folder} has no trained head for {kind.name}: it lacks {', '.join(missing)}; leave --task out"
            )
        encoder, vocabulary = load_tokenizer(folder), network.config.vocab_size
        if not holds_pieces(vocabulary, encoder.vocab_size):
            raise ValueError(
                f"the folder's tokenizer has {encoder.vocab_size} pieces and its model {vocabulary}; they do "
                "not belong together, so export the model again"
            )
        labels = class_names(network)
        return cls(network, kind.load_codec()(encoder, _settings(folder, network, labels, max_length), labels))

    def read(self, number: int, line: bytes) -> Question:
        """Encode one line. An empty line is a text without words, of which NSMC has a few.

        Raises:
            ValueError: the line, named by its number, is not UTF-8, or is not what the task needs.
        """
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            return Question(text, self.codec.read_line(text))
        except UnicodeDecodeError as error:
            raise ValueError(f"line {number}: {not_utf8(error)}") from error
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error

    @torch.inference_mode()
    def answers(self, questions: Sequence[Question]) -> Iterator[str]:
        """One printed line for each question, all in one forward pass."""
        batch = self.codec.batch([question.row for question in questions], range(len(questions)))
        names = ["input_ids", "attention_mask", *(["token_type_ids"] if takes_segments(self.network.config) else [])]
        output = self.network(**{name: batch[name] for name in names})
        logits = [value for name, value in output.items() if name.endswith("logits")]
        records = self.codec.records(batch, logits, self.codec.labels)
        for record, question in zip(records, questions, strict=True):
            yield self.codec.line(record, question.text)


def kind_of(folder: Path) -> TaskKind:
    """The task kind of an exported folder, from the architecture in its `config.json`.

    Raises:
        FileNotFoundError: there is no such folder, or it holds no model.
        ValueError: the model is not fine-tuned for one of the tasks.
    """
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(
            f"{folder} holds no config.json; name a folder written by python -m experiments.export --checkpoint ..."
        )
    config = load_pretrained(AutoConfig, folder)
    task = task_of(config)
    if task is not None and task != "masked_lm":
        return kind_named(task)
    held = config.architectures[0] if config.architectures else "a model without a head"
    raise ValueError(
        f"{folder} holds {held}, which answers none of the tasks {', '.join(kind.name for kind in KINDS)}; fine-tune "
        "it first with python -m experiments.train fit -c configs/finetune/... --model.init_from, then export the "
        "checkpoint"
    )


def _settings(folder: Path, network: PreTrainedModel, labels: Sequence[str], max_length: int | None) -> InputSettings:
    """The settings of training, for inputs of `max_length` tokens where that is given."""
    config, longest = network.config.to_dict(), longest_input(network.config)
    if max_length is not None and not _SHORTEST <= max_length <= longest:
        raise ValueError(f"max_length={max_length}: expected {_SHORTEST} to {longest}, which is what the model takes")
    settings = settings_of(config, labels, longest, str(folder))
    if max_length is not None:
        return settings.with_length(max_length)
    if ENTRY not in config:
        print(
            f"note: {folder} does not say how long the inputs of its training were; reading {settings.max_length} "
            f"tokens (windows: stride {settings.stride}, questions {settings.max_question}). --max_length sets another",
            file=sys.stderr,
        )
    return settings
