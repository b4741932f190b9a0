"""The size of a folder's weights."""

from pathlib import Path
from typing import Final

_WEIGHTS: Final = ("*.safetensors", "pytorch_model*.bin")
"""Files of weights in the order in which transformers prefers them; a folder with both holds the same ones twice."""


def weights_mb(folder: Path) -> float | None:
    """Bytes of a folder's `*.safetensors`, or else of its `pytorch_model.bin`, / 2^20; None where there are none."""
    for pattern in _WEIGHTS:
        sizes = [path.stat().st_size for path in sorted(folder.glob(pattern))]
        if sizes:
            return sum(sizes) / 2**20
    return None
