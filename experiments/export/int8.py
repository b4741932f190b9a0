"""Make an ONNX file of float32 one of int8: weights and embeddings in 8 bits, activations as they come."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distilkobert.models.checks import longest_input
from distilkobert.models.onnx_network import open_onnx
from distilkobert.synthetic.generation import generate_sentences
from experiments._shared.quiet import only_from

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

BROKEN = 0.5
"""Difference from which a file is not taken for the same network; one of 3 x 384 on NSMC had 0.04 (docs/log.md)."""

_TEXTS, _LONGEST = 64, 64
"""Sentences that networks are compared on, and their most tokens. Random pieces would not do: with a network of 3 x 384
their outputs differed by 0.3 to 1.0 where those of real texts differed by 0.04."""

NAMES = {False: "full", True: "reduced"}
"""Of the two ranges that weights may have: 8 bits, or 7 (onnxruntime's `reduce_range`)."""


@dataclass(frozen=True)
class Int8Files:
    """Both settings, and the one that is kept.

    Args:
        reduce_range: of the file that is kept.
        files: by `reduce_range`.
        differences: root mean square of the difference of outputs to those of the float32 network, as a part of the
            latter's, on Korean sentences and this processor, by `reduce_range`.
    """

    reduce_range: bool
    files: dict[bool, Path]
    differences: dict[bool, float]


def quantize(source: Path, target: Path, *, reduce_range: bool) -> None:
    """Write the int8 form of an ONNX file, with a scale for each column of a matrix.

    Args:
        source: file of float32.
        target: file to write.
        reduce_range: give weights 7 bits; with 8, sums of products saturate on processors without VNNI instructions.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with only_from(logging.ERROR):  # it advises a step that helps convolutions
        quantize_dynamic(
            str(source), str(target), weight_type=QuantType.QInt8, per_channel=True, reduce_range=reduce_range
        )


def write_int8(
    source: Path, folder: Path, model: "PreTrainedModel", tokenizer: Any, reduce_range: bool | None
) -> Int8Files:
    """Write an ONNX file in int8 with both settings, and choose the one that is nearer to the network here.

    Args:
        source: file of float32.
        folder: folder for both files.
        model: the network, in evaluation mode.
        tokenizer: fast tokenizer of transformers.
        reduce_range: the setting to choose; None takes the nearer one.

    Raises:
        ValueError: the outputs of the chosen file are not those of the network.
    """
    files, differences = {}, {}
    longest = min(_LONGEST, longest_input(model.config))
    texts = generate_sentences(_TEXTS, seed=0)
    inputs = tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
    for setting, name in NAMES.items():
        files[setting] = folder / f"int8_{name}.onnx"
        quantize(source, files[setting], reduce_range=setting)
        differences[setting] = difference(files[setting], model, dict(inputs))
    chosen = differences[True] < differences[False] if reduce_range is None else reduce_range
    if not differences[chosen] <= BROKEN:
        raise ValueError(
            f"in int8 the model's outputs differ by {differences[chosen]:.3g} of their size; expected at most "
            f"{BROKEN:g}; export without --int8"
        )
    return Int8Files(chosen, files, differences)


def difference(path: Path, model: "PreTrainedModel", inputs: "dict[str, Tensor]") -> float:
    """Root mean square of the difference of an ONNX file's outputs to a network's, as a part of the latter's.

    Args:
        path: the file.
        model: the network, in evaluation mode.
        inputs: of the tokenizer; outputs at padding are left out.
    """
    import torch

    network, real = open_onnx(path, model.config), inputs["attention_mask"] == 1
    with torch.inference_mode():
        found, expected = network(**inputs), model(**inputs)
    errors, sizes = [], []
    for name, value in found.items():
        value, target = (one[real] if one.shape[:2] == real.shape else one for one in (value, expected[name]))
        errors.append((value - target).square().flatten())
        sizes.append(target.square().flatten())
    return float((torch.cat(errors).mean() / torch.cat(sizes).mean()).sqrt())
