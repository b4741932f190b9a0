"""Files of a model: the names that are not transformers' own, and what the files of a network contain."""

import hashlib
from pathlib import Path
from typing import Final

from distilkobert.io.files import sha256_of_file

ONNX_FILE: Final = "model.onnx"
INT8_FILE: Final = "model_int8.onnx"
TORCH_WEIGHTS: Final = ("*.safetensors", "pytorch_model*.bin")
"""In the order in which transformers prefers them; a folder with both holds the same ones twice."""


_ZIP: Final = b"PK"
"""How files begin that torch writes."""


def why_no_model(path: Path) -> str:
    """Why a folder or a file that is there holds no model, and what to name instead; empty where it may hold one."""
    expected = "expected the folder of an exported model, a checkpoint (.ckpt), or a hub id"
    if path.is_dir() and not (path / "config.json").is_file():
        of_run = sorted((path / "checkpoints").glob("*.ckpt")) or sorted(path.glob("*.ckpt"))
        kept = " or ".join(str(file) for file in of_run[:2])
        return f"the folder has no config.json; {f'name a checkpoint: {kept}' if kept else expected}"
    if path.is_file() and path.suffix != ".ckpt":
        if (path.parent / "config.json").is_file():
            return f"a file of a model; name its folder: {path.parent}"
        with path.open("rb") as stream:
            if stream.read(len(_ZIP)) != _ZIP:
                return f"the file is no checkpoint; {expected}"
    return ""


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


def content_of_model(source: str | Path) -> str | None:
    """SHA-256 over weights and configuration of a network's files, the same in every place; None where none are here.

    Args:
        source: checkpoint file, folder of a transformers model, or hub id, whose files are not read.
    """
    path = Path(source)
    if path.is_file():
        return sha256_of_file(path)
    found = (sorted(path.glob(pattern)) for pattern in TORCH_WEIGHTS)
    weights = next((files for files in found if files), [])
    if not weights:
        return None
    files = [*weights, *path.glob("config.json")]
    return hashlib.sha256("".join(f"{file.name} {sha256_of_file(file)}\n" for file in files).encode()).hexdigest()
