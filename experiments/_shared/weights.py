"""The size of a model's weights."""

from pathlib import Path

from distilkobert.io.model_files import INT8_FILE, ONNX_FILE, TORCH_WEIGHTS


def weights_mb(model: Path) -> float | None:
    """Bytes of a folder's `*.safetensors`, else of its `pytorch_model.bin`, else of its ONNX file, or of an ONNX file
    that is named itself, / 2^20; None where there are none."""
    if model.is_file():
        return model.stat().st_size / 2**20
    for pattern in (*TORCH_WEIGHTS, ONNX_FILE, INT8_FILE):
        sizes = [path.stat().st_size for path in sorted(model.glob(pattern))]
        if sizes:
            return sum(sizes) / 2**20
    return None
