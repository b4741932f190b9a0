"""From encoded texts to model inputs: truncation, special tokens around one text or a pair, and padding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from distilkobert.tokenizers.framing import Frame

Span: TypeAlias = tuple[int, int]
Encoding: TypeAlias = tuple[list[int], list[Span]]
Truncation: TypeAlias = Literal["longest_first", "only_first", "only_second", False]
Padding: TypeAlias = Literal["longest", "max_length", False]
TRUNCATIONS: tuple[Truncation, ...] = ("longest_first", "only_first", "only_second", False)
PADDINGS: tuple[Padding, ...] = ("longest", "max_length", False)

NO_SPAN: Span = (0, 0)


@dataclass(frozen=True)
class InputShape:
    """How inputs are cut, framed and padded.

    Args:
        max_length: Most tokens of one input, special tokens included; `None` for no limit.
        truncation: Which text gives up pieces at its end when an input is too long: the longer one, piece by piece, and
            the second where both are equally long (`longest_first`, the rule of the original); one named side; or
            none, which makes a too long input an error.
        padding: Up to the longest input of the call, up to `max_length`, or not at all. Padding goes to the right.
        add_special_tokens: Frame as `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`.
    """

    max_length: int | None
    truncation: Truncation
    padding: Padding
    add_special_tokens: bool

    def __post_init__(self) -> None:
        if self.max_length is None and self.truncation:
            raise ValueError(
                f"truncation={self.truncation!r} needs max_length, the number of tokens to cut to (512 for KoBERT)"
            )
        if self.max_length is not None and self.max_length < 1:
            raise ValueError(f"max_length is {self.max_length}; expected at least 1")


def build_inputs(
    firsts: Sequence[Encoding], seconds: Sequence[Encoding] | None, shape: InputShape, frame: Frame
) -> dict[str, list[list[Any]]]:
    """Cut, frame and pad a batch.

    Args:
        firsts: Ids and character spans of the `B` texts.
        seconds: The same of their partners, or `None`.
        shape: The settings.
        frame: The special tokens and the segments.

    Returns:
        `B` lists each of `input_ids`, `token_type_ids`, `attention_mask` (0 on padding) and `offset_mapping` ((0, 0) on
        special tokens and padding).

    Raises:
        ValueError: Texts and partners differ in number, or an input is longer than `max_length` and `truncation` does
            not allow or cannot make the cut.
    """
    if seconds is not None and len(firsts) != len(seconds):
        raise ValueError(f"{len(firsts)} texts and {len(seconds)} texts in text_pair; expected as many of each")
    batch: dict[str, list[list[Any]]] = {name: [] for name in fillers(frame)}
    for row, first in enumerate(firsts):
        where = f"input {row}" if len(firsts) > 1 else "the input"
        for name, values in _framed(first, None if seconds is None else seconds[row], shape, frame, where).items():
            batch[name].append(values)
    fill_up(batch, shape.padding, shape.max_length, frame)
    return batch


def fillers(frame: Frame) -> dict[str, Any]:
    """What fills up each input."""
    return {"input_ids": frame.pad, "token_type_ids": 0, "attention_mask": 0, "offset_mapping": NO_SPAN}


def fill_up(
    batch: dict[str, list[list[Any]]],
    padding: Padding,
    max_length: int | None,
    frame: Frame,
    multiple: int | None = None,
) -> None:
    """Append fillers to the rows of a batch, in place.

    Args:
        batch: `B` lists each of some inputs.
        padding: up to which length.
        max_length: for `padding="max_length"`.
        frame: has the id that fills up.
        multiple: of which the length is a multiple.

    Raises:
        ValueError: `max_length` is missing.
    """
    if not padding:
        return
    if padding == "max_length" and max_length is None:
        raise ValueError("padding='max_length' needs max_length, the number of tokens to pad to")
    target = max(map(len, batch["input_ids"]), default=0)
    target = max_length if padding == "max_length" and max_length is not None else target
    target += -target % (multiple or 1)
    for name, filler in fillers(frame).items():
        for values in batch.get(name, ()):
            values += [filler] * (target - len(values))


def _framed(
    first: Encoding, second: Encoding | None, shape: InputShape, frame: Frame, where: str
) -> dict[str, list[Any]]:
    """One input, its texts cut to the limit; `where` names it in messages."""
    used = frame if shape.add_special_tokens else frame.without_specials()
    first_length, second_length = len(first[0]), 0 if second is None else len(second[0])
    if shape.max_length is not None:
        capacity = shape.max_length - used.special_count(1 if second is None else 2)
        first_length, second_length = _kept_lengths(first_length, second_length, capacity, shape, where)
    first_ids, first_spans = _cut(first, first_length)
    before, after = [NO_SPAN] * len(used.prefix), [NO_SPAN] * len(used.suffix)
    if second is None:
        input_ids, segments = used.single(first_ids), used.segments(len(first_ids))
        spans = [*before, *first_spans, *after]
    else:
        second_ids, second_spans = _cut(second, second_length)
        input_ids, segments = used.pair(first_ids, second_ids)
        spans = [*before, *first_spans, *[NO_SPAN] * len(used.middle), *second_spans, *after]
    return {
        "input_ids": input_ids,
        "token_type_ids": segments,
        "attention_mask": [1] * len(input_ids),
        "offset_mapping": spans,
    }


def _cut(encoding: Encoding, length: int) -> Encoding:
    return encoding[0][:length], encoding[1][:length]


def _kept_lengths(first: int, second: int, capacity: int, shape: InputShape, where: str) -> tuple[int, int]:
    """How many pieces of the first and of the second text stay, so that together they fit into `capacity`."""
    excess = first + second - capacity
    if excess <= 0:
        return first, second
    if capacity < 0:
        raise ValueError(f"max_length={shape.max_length} is too short for the special tokens of {where}; raise it")
    if not shape.truncation:
        raise ValueError(
            f"{where} has {first + second} pieces, and max_length={shape.max_length} takes {capacity}; raise it, or "
            "set truncation='longest_first', 'only_first' or 'only_second'"
        )
    if shape.truncation == "longest_first":
        # Taking pieces from the longer text, from the second on a tie, leaves the second at most half of the capacity.
        kept = min(second, max(capacity // 2, capacity - first))
        return capacity - kept, kept
    side, length = ("first", first) if shape.truncation == "only_first" else ("second", second)
    if excess > length:
        raise ValueError(
            f"{where} is {excess} pieces too long for max_length={shape.max_length}, and its {side} text, the only one "
            f"that truncation={shape.truncation!r} may cut, has {length}; raise max_length or use 'longest_first'"
        )
    return (first - excess, second) if side == "first" else (first, second - excess)
