"""The part of a model card about the forms of the model: size, difference, scores, times."""

from collections.abc import Mapping
from typing import Any

from distilkobert.io.metric_names import INT8
from experiments._shared.exported.forms import FORMS


def deployment(measured: Mapping[str, Any]) -> str:
    """The section, from what the export has measured; empty where that is nothing.

    Args:
        measured: the exported folder's `metrics.json`: `FORM/NAME`, and facts of the processor.
    """
    other = next((name.split("/")[0] for name in measured if name.startswith(f"{INT8}_") and "/" in name), None)
    kept, ranges = measured.get(f"{INT8}_range"), {"full": "8-bit weights", "reduced": "7-bit weights"}
    titles = dict(FORMS)
    if other is not None and kept is not None:
        titles[INT8] = f"{FORMS[INT8]}, {ranges[kept]}"
        titles[other] = f"{FORMS[INT8]}, {ranges[other.rpartition('_')[2]]} (not in this folder)"
    forms = [form for form in titles if any(name.startswith(f"{form}/") for name in measured)]
    names = list(dict.fromkeys(name.partition("/")[2] for name in sorted(measured) if name.split("/")[0] in forms))
    if not names:
        return ""
    lines = [f"| | {' | '.join(titles[form] for form in forms)} |", f"| --- |{' --- |' * len(forms)}"]
    for name in names:
        values = (measured.get(f"{form}/{name}") for form in forms)
        lines.append(f"| {name} | {' | '.join('-' if value is None else f'{value:.4g}' for value in values)} |")
    remark = f"Measured on {measured['processor']}, with these instructions for int8: {measured['int8_instructions']}."
    if "onnx/difference" in measured:
        remark += (
            " `difference` to the checkpoint: for ONNX the largest difference of an output, relative to its largest "
            "value"
        )
        remark += "; for int8 the root mean square over sentences, relative to that of the outputs." if kept else "."
    if kept:
        remark += (
            " On processors without VNNI instructions int8 with 8-bit weights can lose accuracy: measure it there, or "
            "export with --reduce_range=true."
        )
    if "latency_threads" in measured:
        remark += (
            f" Times in ms, {measured['latency_threads']} thread, mean over sentences of 16 and 64 pieces; "
            "add those of the tokenizer. PyTorch is timed without its head, ONNX with it."
        )
    return "\n".join(["## Formats of the model", "", remark, "", *lines])
