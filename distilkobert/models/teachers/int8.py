"""Linear maps in int8 on a CPU, for networks that only run: oneDNN's products of 8 bits.

Weights have a scale for each output unit, inputs one for each token. One scale for all tokens, as torch's dynamic
quantization has it, costs an encoder much more: a few units of a few tokens are far larger than all others (docs/log.md
has the numbers).
"""

from functools import cache

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from distilkobert.models.families import family_of

_WEIGHT_LIMIT = 127
_SMALLEST = 1e-12
"""Scale of a token that is all zero."""


@cache
def input_limit() -> int:
    """Largest absolute value of a rounded input: 127, or 63 where the processor's sums of two products saturate.

    Processors without VNNI instructions add two products of 8 bits in 16 bits. Seen by trying.

    Raises:
        ValueError: torch has no int8 of oneDNN here.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        raise ValueError("this torch has no oneDNN, which int8 needs; use float32")
    linear = nn.Linear(64, 1, bias=False)
    nn.init.constant_(linear.weight, float(_WEIGHT_LIMIT))
    found = Int8Linear(linear, limit=_WEIGHT_LIMIT)(torch.full((1, 64), float(_WEIGHT_LIMIT)))
    return _WEIGHT_LIMIT if found.item() == 64 * _WEIGHT_LIMIT**2 else _WEIGHT_LIMIT // 2


class Int8Linear(nn.Module):
    """A linear map without gradients, with weights and inputs rounded to 8 bits.

    Args:
        linear: the map in float32.
        limit: largest absolute value of a rounded input.
    """

    def __init__(self, linear: nn.Linear, limit: int) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        self._scales = weight.abs().amax(dim=1).clamp(min=_SMALLEST) / _WEIGHT_LIMIT
        rounded = (weight / self._scales[:, None]).round().to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(rounded, None)
        self._zeros = torch.zeros(len(weight), dtype=torch.int64)
        self._bias = torch.zeros(len(weight)) if linear.bias is None else linear.bias.detach().float()
        self._limit = limit

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., in) to (..., out), in the type of the input."""
        floats = inputs.float()
        scale = torch.maximum(floats.amax(-1, keepdim=True), -floats.amin(-1, keepdim=True)).div_(self._limit)
        scale.clamp_(min=_SMALLEST)
        zero = self._limit + 1  # inputs are kept without sign; cutting off behind a half rounds
        rounded = (floats / scale).add_(zero + 0.5).to(torch.uint8)
        found = torch.ops.onednn.qlinear_pointwise(
            rounded, 1.0, zero, self._packed, self._scales, self._zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        return torch.addcmul(self._bias, found, scale).to(inputs.dtype)


def quantize_layers(model: PreTrainedModel) -> int:
    """Replace every linear map in the layers of an encoder with `Int8Linear`; embeddings and heads stay.

    Args:
        model: an encoder of a known family, on the CPU.

    Returns:
        Number of the maps.

    Raises:
        ValueError: it is on another device, or torch has no int8 of oneDNN here.
    """
    if model.device.type != "cpu":
        raise ValueError(f"int8 runs on a CPU only, but the network is on {model.device}; use float32 or bfloat16")
    layers = model.base_model.get_submodule(family_of(model.config).layers)
    found = [
        (parent, name, child)
        for parent in layers.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear)
    ]
    for parent, name, child in found:
        setattr(parent, name, Int8Linear(child, input_limit()))
    return len(found)
