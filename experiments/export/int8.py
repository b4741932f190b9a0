"""Make an ONNX file of float32 one of int8: weights and embeddings in 8 bits, activations as they come."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.export.onnx import compare

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BROKEN = 0.5
"""Difference, as a part of an output's largest value, from which a file is not taken for the same network. Measured on
networks of random weights: 0.01 to 0.06 (docs/log.md)."""

NAMES = {False: "full", True: "reduced"}
"""Of the two ranges that weights may have: 8 bits, or 7 (onnxruntime's `reduce_range`)."""


@dataclass(frozen=True)
class Int8Files:
    """Both settings, and the one that is kept.

    Args:
        reduce_range: of the file that is kept.
        files: by `reduce_range`.
        differences: largest difference of an output to the float32 network on this processor, by `reduce_range`.
    """

    reduce_range: bool
    files: dict[bool, Path]
    differences: dict[bool, float]


def quantize(source: Path, target: Path, *, reduce_range: bool) -> None:
    """Write the int8 form of an ONNX file.

    Args:
        source: file of float32.
        target: file to write.
        reduce_range: give weights 7 bits; with 8, sums of products saturate on processors without VNNI instructions.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises a step that helps convolutions
    try:
        quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8, reduce_range=reduce_range)
    finally:
        root.setLevel(level)


def write_int8(source: Path, folder: Path, model: "PreTrainedModel", reduce_range: bool | None) -> Int8Files:
    """Write an ONNX file in int8 with both settings, and choose the one that is nearer to the network here.

    Args:
        source: file of float32.
        folder: folder for both files.
        model: the network, in evaluation mode.
        reduce_range: the setting to choose; None takes the nearer one.

    Raises:
        ValueError: the outputs of the chosen file are not those of the network.
    """
    files, differences = {}, {}
    for setting, name in NAMES.items():
        files[setting] = folder / f"int8_{name}.onnx"
        quantize(source, files[setting], reduce_range=setting)
        differences[setting] = compare(files[setting], model, tolerance=float("inf"))
    chosen = differences[True] < differences[False] if reduce_range is None else reduce_range
    if not differences[chosen] <= BROKEN:
        raise ValueError(
            f"in int8 the model differs by {differences[chosen]:.3g} of its largest output; expected at most "
            f"{BROKEN:g}; export without --int8"
        )
    return Int8Files(chosen, files, differences)
