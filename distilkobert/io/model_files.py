"""Names of the files of an exported model that are not transformers' own."""

from pathlib import Path
from typing import Final

ONNX_FILE: Final = "model.onnx"
INT8_FILE: Final = "model_int8.onnx"
TORCH_WEIGHTS: Final = ("*.safetensors", "pytorch_model*.bin")
"""In the order in which transformers prefers them; a folder with both holds the same ones twice."""


def onnx_file_of(model: Path) -> Path | None:
    """The ONNX file that a model is run from: the one that is named, or that of a folder without torch's weights.

    Args:
        model: ONNX file or exported folder; float32 comes before int8.
    """
    if model.suffix == ".onnx":
        return model
    if any(found for pattern in TORCH_WEIGHTS for found in model.glob(pattern)):
        return None
    return next((model / name for name in (ONNX_FILE, INT8_FILE) if (model / name).is_file()), None)
