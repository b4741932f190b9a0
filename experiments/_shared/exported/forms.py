"""The forms of an exported model, the scores of each in the `metrics.json` of its run, and the size of its weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from distilkobert.io.metric_names import FORM_SCORES, FORMS_STEP, INT8, ONNX, TORCH
from distilkobert.io.model_files import INT8_FILE, ONNX_FILE, TORCH_WEIGHTS
from distilkobert.io.run_files import METRICS_FILE, read_metrics, write_json

FORMS: Final = {TORCH: "PyTorch", ONNX: "ONNX", INT8: "ONNX int8"}
"""Titles of the forms, by the beginning of their names in `metrics.json`: `int8/test/accuracy`."""
FULL_PRECISION: Final = "float32"
_FLOATS = {"F64": "float64", "F32": FULL_PRECISION, "BF16": "bfloat16", "F16": "float16"}
"""Floating-point types by their names in a safetensors header."""


def note_scores(run_folder: Path, scores: Mapping[str, Mapping[str, float]], step: int) -> None:
    """Add the scores of forms to the run's `metrics.json`; a run without one is left as it is.

    Those of other forms, and on another part of the data, stay if they are of the same step.

    Args:
        run_folder: where the file is.
        scores: by form, the scores by name.
        step: optimizer step of the exported weights.

    Raises:
        ValueError: the file is not a JSON object.
    """
    metrics: dict[str, Any] = read_metrics(run_folder)
    if not metrics:
        return
    if metrics.get(FORMS_STEP) != step:
        metrics = {name: value for name, value in metrics.items() if not name.startswith(FORM_SCORES)}
    found = {f"{form}/{name}": value for form, values in scores.items() for name, value in values.items()}
    write_json(run_folder / METRICS_FILE, metrics | found | {FORMS_STEP: step})


def weights_precision(model: Path) -> str | None:
    """Floating-point type of a folder's `*.safetensors` (`float16`; of several types, with commas), as their headers
    say; None where there are none or where a file is no safetensors file, which whoever loads it learns."""
    from safetensors import SafetensorError, safe_open

    found: set[str] = set()
    for path in sorted(model.glob(TORCH_WEIGHTS[0])):
        try:
            with safe_open(path, "np") as file:
                found |= {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 - it is no mapping
        except SafetensorError:
            return None
    return ", ".join(title for dtype, title in _FLOATS.items() if dtype in found) or None


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
