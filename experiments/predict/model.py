"""A fine-tuned model that answers examples: its task, its settings of training, and one forward pass over many."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoConfig, PreTrainedModel

from distilkobert.io.pretrained import load_pretrained
from distilkobert.io.reading.texts import not_utf8
from distilkobert.models.checkpoints import ENTRY as CHECKPOINT_ENTRY
from distilkobert.models.checkpoints import load_model, read_checkpoint, task_of
from distilkobert.models.checks import class_names, longest_input, takes_segments
from distilkobert.models.onnx_network import open_onnx
from distilkobert.models.vocabulary.fit import holds_pieces
from distilkobert.tasks.codec import Codec, Record, Row
from distilkobert.tasks.input_settings import ENTRY, InputSettings, settings_of
from distilkobert.tasks.kinds import KINDS, TaskKind, kind_named
from distilkobert.tokenizers.loading import load_tokenizer
from distilkobert.tokenizers.unknowns import PieceCounts
from experiments.predict.inputs import Asked
from experiments.predict.source import Source

_SHORTEST = 16
"""Fewest tokens that hold a question and a part of its context."""

_NOT_KNOWN = ("gold", "id")
"""Entries of a record that only examples with answers have."""


@dataclass(frozen=True)
class Question:
    """The texts of an example, and the row that the codec made of them."""

    texts: tuple[str, ...]
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
    def of(cls, source: Source, kind: TaskKind, max_length: int | None) -> "Predictor":
        """Load a model.

        Args:
            source: where it is.
            kind: its task kind.
            max_length: longest input in tokens; None: that of training, or what the model takes, 512 at most, where
                the folder does not tell. A note is printed.

        Raises:
            FileNotFoundError: the folder has no tokenizer.
            ValueError: the head is not trained, `max_length` does not fit, or the tokenizer is another model's.
        """
        network, missing = _load(source.weights, kind)
        if missing:
            raise ValueError(
                f"{source.weights} has no trained head for {kind.name}; missing: {', '.join(missing)}. Leave --task out"
            )
        encoder, vocabulary = load_tokenizer(str(source.tokenizer)), network.config.vocab_size
        if not holds_pieces(vocabulary, encoder.vocab_size):
            raise ValueError(
                f"the folder's tokenizer has {encoder.vocab_size} pieces and its model {vocabulary}; they do not "
                "match; export the model again"
            )
        labels = class_names(network)
        return cls(network, kind.load_codec()(encoder, _settings(source.weights, network, labels, max_length), labels))

    def read(self, asked: Asked) -> Question:
        """Encode an example.

        Raises:
            ValueError: a text is not what the task needs; names its place.
        """
        try:
            return Question(asked.texts, self.codec.read(asked.texts))
        except ValueError as error:
            raise ValueError(f"{asked.place}: {error}") from error

    def read_line(self, number: int, line: bytes) -> Question:
        """Encode one line. An empty line is a text without words, of which NSMC has a few.

        Raises:
            ValueError: the line, named by its number, is not UTF-8, or is not what the task needs.
        """
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            return self.read(Asked(f"line {number}", self.codec.split(text)))
        except UnicodeDecodeError as error:
            raise ValueError(f"line {number}: {not_utf8(error)}") from error
        except ValueError as error:
            raise (error if str(error).startswith("line ") else ValueError(f"line {number}: {error}")) from None

    @torch.inference_mode()
    def records(self, questions: Sequence[Question], first: int = 0) -> list[Record]:
        """What the model says of each example, all in one forward pass, without true answers.

        Args:
            questions: the examples.
            first: number of the first one, for `row`.
        """
        numbers = range(first, first + len(questions))
        batch = self.codec.batch([question.row for question in questions], numbers)
        names = ["input_ids", "attention_mask", *(["token_type_ids"] if takes_segments(self.network.config) else [])]
        output = self.network(**{name: batch[name] for name in names})
        logits = [value for name, value in output.items() if name.endswith("logits")]
        records = self.codec.records(batch, logits, self.codec.labels)
        return [{name: value for name, value in record.items() if name not in _NOT_KNOWN} for record in records]

    def line(self, record: Record, question: Question) -> str:
        """A record as it is printed."""
        return self.codec.line(record, question.texts[-1])


def _load(weights: Path, kind: TaskKind) -> tuple[PreTrainedModel, list[str]]:
    """The network, and the names of the weights that it has no values for; an ONNX file has its own head alone."""
    if weights.suffix != ".onnx":
        return load_model(weights, kind.name)
    network = open_onnx(weights)
    return network, [] if task_of(network.config) == kind.name else ["its weights"]


def kind_of(weights: Path) -> TaskKind:
    """The task kind of an exported folder or a checkpoint.

    Raises:
        FileNotFoundError: the checkpoint does not exist.
        ValueError: the model is not fine-tuned for one of the tasks.
    """
    if weights.is_dir() or weights.suffix == ".onnx":
        config = load_pretrained(AutoConfig, weights if weights.is_dir() else weights.parent)
        task, held = task_of(config), config.architectures[0] if config.architectures else "a model without a head"
    else:
        task = read_checkpoint(weights)[CHECKPOINT_ENTRY]["task"]
        held = f"a network with the head {task}"
    if task not in (None, "masked_lm", "encoder"):
        return kind_named(str(task))
    raise ValueError(
        f"{weights} contains {held}, which fits none of the tasks {', '.join(kind.name for kind in KINDS)}; fine-tune "
        "it first with python -m experiments.train fit -c configs/finetune/... --model.init_from, then export the "
        "checkpoint"
    )


def _settings(folder: Path, network: PreTrainedModel, labels: Sequence[str], max_length: int | None) -> InputSettings:
    """The settings of training, for inputs of `max_length` tokens where that is given."""
    config, longest = network.config.to_dict(), longest_input(network.config)
    if max_length is not None and not _SHORTEST <= max_length <= longest:
        raise ValueError(f"max_length={max_length}: expected {_SHORTEST} to {longest}, the model's range")
    settings = settings_of(config, labels, longest, str(folder))
    if max_length is not None:
        return settings.with_length(max_length)
    if ENTRY not in config:
        print(
            f"note: {folder} does not record the input length of its training; using {settings.max_length} tokens "
            f"(windows: stride {settings.stride}, questions {settings.max_question}). Set --max_length for another "
            "length",
            file=sys.stderr,
        )
    return settings
