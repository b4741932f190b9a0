"""How the texts of a task become inputs: settings of training that an exported model carries for `predict`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal

from distilkobert.korean.particles import ParticleMode
from distilkobert.tasks.tags.labels import has_suffix_tags

ENTRY: Final = "task_inputs"
"""Key of a model's config.json under which the settings are."""

_ASSUMED_LENGTH: Final = 512
"""Most tokens of an input where its config.json does not tell: all positions of KoBERT."""


@dataclass(frozen=True)
class InputSettings:
    """Settings that training and `predict` share. The defaults of lengths are those of the published KorQuAD recipe.

    Args:
        max_length: most tokens of an input, special tokens included.
        particles: how words are cut before they are encoded, or answers stripped.
        pair: an example has two texts.
        units: what is tagged in sentences: words at their first piece, or characters.
        stride: context pieces from the start of one window to the start of the next.
        max_question: pieces to which a question is truncated.
        reference_decoding: label and answer as the original KorQuAD pipeline does.
        unanswerable: questions may have no answer.
        no_answer_threshold: how much better [CLS] must score than the best answer for none to be given; training
            chooses it on the dev part.

    Raises:
        ValueError: `reference_decoding` with `split`.
    """

    max_length: int = 512
    particles: ParticleMode = "none"
    pair: bool = False
    units: Literal["words", "characters"] = "characters"
    stride: int = 128
    max_question: int = 64
    reference_decoding: bool = False
    unanswerable: bool = False
    no_answer_threshold: float = 0.0

    def __post_init__(self) -> None:
        if self.reference_decoding and self.particles == "split":
            raise ValueError(
                "reference_decoding is on, and particles is split, unlike the original; set particles to "
                "none or strip, or reference_decoding to false"
            )

    def with_length(self, max_length: int) -> "InputSettings":
        """The settings for inputs of another length, in which a question and windows that overlap have their place."""
        if max_length == self.max_length:
            return self
        max_question = min(self.max_question, max_length // 4)
        stride = min(self.stride, (max_length - max_question) // 3)
        return replace(self, max_length=max_length, max_question=max_question, stride=stride)


def stored(settings: InputSettings) -> dict[str, Any]:
    """The entry of a model's configuration that holds the settings, in plain types."""
    return {ENTRY: asdict(settings)}


def settings_of(config: Mapping[str, Any], labels: Sequence[str], longest: int, source: str) -> InputSettings:
    """The settings that a fine-tuned model's configuration holds.

    A model of another origin, without the entry, is taken to have 512 tokens, or as many as it takes, and the windows
    of the published recipe.

    Args:
        config: content of `config.json`.
        labels: names of its classes; tags such as PER-B are those of words.
        longest: most tokens that the model takes.
        source: the model's folder, for messages.

    Raises:
        ValueError: the entry is not what `stored` makes.
    """
    entry = config.get(ENTRY)
    if entry is None:
        settings = InputSettings(units="words" if has_suffix_tags(labels) else "characters")
        return settings.with_length(min(longest, _ASSUMED_LENGTH))
    known = {field.name for field in fields(InputSettings)}
    if not isinstance(entry, Mapping) or entry.keys() != known:
        raise ValueError(
            f"{source}: {ENTRY} in its config.json is {entry!r}; expected {', '.join(sorted(known))}. Export the model "
            "again"
        )
    return InputSettings(**entry)
