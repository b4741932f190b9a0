"""Write a model as ONNX, and compare what ONNX Runtime makes of the file with the model itself."""

import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments._shared.quiet import only_from

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
TOLERANCE = 1e-4
"""Largest difference, as a part of the output's largest value; measured on float32 networks: 1e-6 (docs/log.md)."""
LONGEST = 512
"""Most tokens of an input that is compared: attention over ModernBERT's 8,192 takes minutes and gigabytes."""


def require_onnx() -> None:
    """Check that the packages are there, before any work is done.

    Raises:
        ValueError: one is not installed.
    """
    absent = [name for name in _PACKAGES if find_spec(name) is None]
    if absent:
        raise ValueError(
            f"--onnx=true needs {', '.join(absent)}; install with: pip install -c constraints.txt -e '.[export]'"
        )


def write_onnx(path: Path, model: "PreTrainedModel") -> None:
    """Write the network with its head; batch and length may be of any size, up to the model's positions.

    Inputs are those of the tokenizer (int64, B x T): `input_ids`, `attention_mask`, for BERT `token_type_ids`. Outputs
    have their names in transformers: `logits`, or `start_logits` and `end_logits`; of an encoder without head
    `last_hidden_state`.

    Args:
        path: file to write.
        model: the network, in evaluation mode.

    Raises:
        ValueError: ONNX Runtime's outputs differ from the network's by more than 1e-4 of their largest value.
    """
    import torch
    from torch import nn

    from distilkobert.models.checks import longest_input

    longest = longest_input(model.config)
    inputs = _inputs(model, 2, min(7, longest))
    with torch.inference_mode():
        found = model(**inputs)
        names = [name for name in found if name.endswith("logits")] or ["last_hidden_state"]

    class Outputs(nn.Module):
        """The head's outputs as a plain tuple, which is what can be traced."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, inputs: "dict[str, Tensor]") -> "tuple[Tensor, ...]":
            found = self.model(**inputs)
            return tuple(found[name] for name in names)

    batch, length = torch.export.Dim("batch", min=1), torch.export.Dim("length", min=1, max=longest)
    # It lists the vision operators that are not installed.
    with only_from(logging.ERROR, "torch.onnx"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own use of its older interfaces
        torch.onnx.export(
            Outputs().eval(),
            f=str(path),
            kwargs={"inputs": inputs},
            dynamo=True,
            input_names=list(inputs),
            output_names=names,
            dynamic_shapes={"inputs": {name: {0: batch, 1: length} for name in inputs}},
            external_data=False,
            verbose=False,
        )
    _without_notes(path)
    compare(path, model)


def _without_notes(path: Path) -> None:
    """Remove what torch notes at each operation: the lines of code that it comes from, with this machine's paths."""
    import onnx

    made = onnx.load(path)
    for one in (*made.graph.node, *made.graph.value_info, *made.graph.initializer, made.graph):
        del one.metadata_props[:]
    onnx.save(made, path)


def _inputs(model: "PreTrainedModel", rows: int, tokens: int) -> "dict[str, Tensor]":
    """Random ids; all rows but the first are padded at their end."""
    import torch

    from distilkobert.models.checks import takes_segments

    ids = torch.randint(0, model.config.vocab_size, (rows, tokens), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1:, 1 + tokens // 2 :] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    if takes_segments(model.config):
        inputs["token_type_ids"] = torch.zeros_like(ids)
        inputs["token_type_ids"][:, 1 + tokens // 3 :] = 1
    return inputs


def compare(path: Path, model: "PreTrainedModel", tolerance: float = TOLERANCE) -> float:
    """Compare what ONNX Runtime makes of a file with the network, for several batches and lengths up to `LONGEST`.

    Returns:
        The largest difference found, as a part of the largest value of its output.

    Raises:
        ValueError: it is more than `tolerance`, or not finite.
    """
    from distilkobert.models.checks import longest_input
    from distilkobert.models.onnx_network import open_session

    session, longest, worst = open_session(path), min(longest_input(model.config), LONGEST), 0.0
    for rows, tokens in ((1, 1), (3, min(5, longest)), (2, longest)):
        inputs = _inputs(model, rows, tokens)
        for name, difference in _differences(session, model, inputs).items():
            if not difference <= tolerance:
                raise ValueError(
                    f"{path.name} differs from the model by {difference:.3g} of the largest value in {name} (batch and "
                    f"length {(rows, tokens)}); expected at most {tolerance:g}; the export was not kept"
                )
            worst = max(worst, difference)
    return worst


def _differences(session: Any, model: "PreTrainedModel", inputs: "dict[str, Tensor]") -> dict[str, float]:
    """By output, the largest difference at a real token, as a part of the largest value there."""
    import torch

    names = [value.name for value in session.get_outputs()]
    found: list[Any] = session.run(names, {name: value.numpy() for name, value in inputs.items()})
    with torch.inference_mode():
        expected = model(**inputs)
    differences = {}
    for name, array in zip(names, found, strict=True):
        value, target = torch.from_numpy(array), expected[name]
        if target.shape[:2] == inputs["attention_mask"].shape:  # outputs for padding do not count
            real = inputs["attention_mask"] == 1
            value, target = value[real], target[real]
        differences[name] = float((value - target).abs().max() / target.abs().max().clamp_min(1e-12))
    return differences
