"""What people call on a tokenizer of transformers by habit, for one that is none."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from distilkobert.tokenizers.framing import Frame
from distilkobert.tokenizers.inputs import PADDINGS, TRUNCATIONS, Padding, Truncation, fill_up, fillers


class Inputs(dict[str, Any]):
    """Model inputs by name, which are attributes as well, as in transformers."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the inputs have no {name}, only {', '.join(self)}") from None

    def to(self, device: Any) -> "Inputs":
        """The inputs with their tensors on a device."""
        return Inputs({name: value.to(device) for name, value in self.items()})


def plain_padding(padding: bool | str) -> Padding:
    """The setting, where transformers has another word for it.

    Raises:
        ValueError: it is none.
    """
    known: dict[bool | str, Padding] = {True: "longest", "do_not_pad": False, **{one: one for one in PADDINGS}}
    if padding not in known:
        raise ValueError(f"padding is {padding!r}; expected one of {PADDINGS} or True")
    return known[padding]


def plain_truncation(truncation: bool | str) -> Truncation:
    """The setting, where transformers has another word for it.

    Raises:
        ValueError: it is none.
    """
    known: dict[bool | str, Truncation] = {
        True: "longest_first",
        "do_not_truncate": False,
        **{one: one for one in TRUNCATIONS},
    }
    if truncation not in known:
        raise ValueError(f"truncation is {truncation!r}; expected one of {TRUNCATIONS} or True")
    return known[truncation]


def as_inputs(batch: dict[str, list[Any]], return_tensors: str | None) -> Inputs:
    """The batch as lists (None), int64 tensors (`pt`) or arrays (`np`): [B, T], and [B, T, 2] for `offset_mapping`.

    Raises:
        ValueError: The batch is empty or its inputs differ in length, or the kind is unknown.
    """
    if return_tensors is None:
        return Inputs(batch)
    if return_tensors not in ("pt", "np"):
        raise ValueError(f"return_tensors is {return_tensors!r}; expected 'pt', 'np' or None")
    lengths = sorted({len(values) for values in batch["input_ids"]})
    if not lengths:
        raise ValueError(f"no texts given, but return_tensors={return_tensors!r} needs at least one")
    if len(lengths) > 1:
        raise ValueError(
            f"inputs of {lengths[0]} to {lengths[-1]} tokens do not fit one tensor; set padding='longest' or "
            "'max_length'"
        )
    arrays = {name: np.asarray(values) for name, values in batch.items()}
    if return_tensors == "np":
        return Inputs(arrays)
    import torch

    return Inputs({name: torch.from_numpy(values) for name, values in arrays.items()})


class TransformersHabits(ABC):
    """`encode`, `batch_decode`, `pad`, `get_vocab` and `len`, as in transformers.

    With `pad`, transformers' `DataCollatorWithPadding` takes such a tokenizer too.
    """

    frame: Frame

    @abstractmethod
    def __call__(self, *args: Any, **options: Any) -> Inputs:
        """Model inputs."""

    @abstractmethod
    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """Text of ids."""

    @property
    @abstractmethod
    def vocab(self) -> tuple[str, ...]:
        """All tokens in id order."""

    def __len__(self) -> int:
        """Number of ids, special tokens included."""
        return len(self.vocab)

    def get_vocab(self) -> dict[str, int]:
        """Id of every token."""
        return {token: number for number, token in enumerate(self.vocab)}

    def encode(self, text: str, text_pair: str | None = None, **options: Any) -> list[int]:
        """Ids of one text or pair with the special tokens around it; options as in a call."""
        ids: list[int] = self(text, text_pair, **options)["input_ids"]
        return ids

    def batch_decode(self, sequences: Iterable[Iterable[int]], skip_special_tokens: bool = True) -> list[str]:
        """The text of each sequence of ids: lists, or the rows of an array or a tensor."""
        return [self.decode(ids, skip_special_tokens) for ids in sequences]

    def pad(
        self,
        encoded: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
    ) -> Inputs:
        """Fill up inputs that were made one by one.

        Args:
            encoded: the inputs of `B` texts, each as a call gives it, or one mapping with `B` lists of each entry.
                Entries that are no inputs, such as labels, stay as they are.
            padding: as in a call.
            max_length: for `padding="max_length"`.
            pad_to_multiple_of: make the length a multiple of this.
            return_tensors: as in a call.

        Raises:
            ValueError: there are no inputs, or settings contradict each other.
        """
        rows = (
            encoded if isinstance(encoded, Mapping) else {name: [one[name] for one in encoded] for name in encoded[0]}
        )
        batch = {
            name: [list(row) if name in fillers(self.frame) else row for row in values] for name, values in rows.items()
        }
        if "input_ids" not in batch:
            raise ValueError(
                f"pad was given {', '.join(batch) or 'nothing'}; expected input_ids, as a call returns them"
            )
        batch.setdefault("attention_mask", [[1] * len(ids) for ids in batch["input_ids"]])
        fill_up(batch, plain_padding(padding), max_length, self.frame, pad_to_multiple_of)
        return as_inputs(batch, return_tensors)
