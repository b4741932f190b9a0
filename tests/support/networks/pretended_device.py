"""A device that is not there: tensors say `cuda:0` and are computed on the CPU; what mixes the two is refused.

For tests of what runs on a GPU, forward only. Unlike torch's fake tensors these have values, so that metrics and
predictions, which need them, can be compared with those of the CPU.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

CUDA = torch.device("cuda", 0)
_MOVES = ("aten._to_copy", "aten.copy_", "aten._local_scalar_dense", "aten._copy_from")


def _values(given: Any) -> Any:
    return pytree.tree_map_only(Pretended, lambda one: one.kept, given)


class Pretended(Tensor):
    """A tensor on the device; `kept` has its values."""

    kept: Tensor

    @staticmethod
    def __new__(cls, kept: Tensor) -> "Pretended":
        made: Pretended = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, kept.size(), strides=kept.stride(), storage_offset=kept.storage_offset(), dtype=kept.dtype, device=CUDA
        )
        made.kept = kept
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    # What torch does before an operation is dispatched needs the device, or refuses subclasses.
    def tolist(self) -> Any:
        return self.kept.tolist()

    def contiguous(self, memory_format: torch.memory_format = torch.contiguous_format) -> "Pretended":
        return torch.ops.aten.clone.default(self, memory_format=memory_format)  # type: ignore[no-any-return]

    def __invert__(self) -> "Pretended":
        return torch.ops.aten.bitwise_not.default(self)  # type: ignore[no-any-return]

    def nonzero(self) -> "Pretended":  # type: ignore[override]
        return torch.ops.aten.nonzero.default(self)  # type: ignore[no-any-return]

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __getitem__(self, key: Any) -> "Pretended":
        if isinstance(key, Tensor) and key.dtype == torch.bool:
            return torch.ops.aten.index.Tensor(self, [key])  # type: ignore[no-any-return]
        with _disable_current_modes():
            return Pretended(self.kept[_values(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        with _disable_current_modes():
            self.kept[_values(key)] = _values(value)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{func} outside of `pretended_cuda`")


class _Mode(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        """Operations on the device whose values are needed on the CPU, which a CUDA device is waited for."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = str(func)
        tensors = [one for one in pytree.tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        there = [isinstance(one, Pretended) for one in tensors]
        if any(there) and not all(there) and not name.startswith(_MOVES):
            here = [one for one, away in zip(tensors, there, strict=True) if not away]
            indices = name.startswith(("aten.index.", "aten.index_put"))
            if not indices and any(one.ndim for one in here):
                shapes = [("cuda" if away else "cpu", tuple(t.shape)) for t, away in zip(tensors, there, strict=True)]
                raise RuntimeError(f"{name} of tensors on two devices: {shapes}")
        device = kwargs.get("device")
        to_device = (any(there) if device is None else torch.device(device).type == "cuda") or (
            name.startswith("aten.copy_") and there[0]
        )
        if device is not None and torch.device(device).type == "cuda":
            kwargs = (
                {**kwargs, "device": torch.device("cpu"), "pin_memory": None}
                if "pin_memory" in kwargs
                else {**kwargs, "device": torch.device("cpu")}
            )
        waits = ("nonzero", "_local_scalar_dense", "masked_select", "unique", "bincount")
        masks = any(one.dtype is torch.bool for one in tensors) and name.startswith("aten.index")
        if any(there) and (masks or any(part in name for part in waits)):
            self.found[name] += 1
        wrapped = {id(one.kept): one for one in tensors if isinstance(one, Pretended)}
        args, kwargs = _values((args, kwargs))
        out = func(*args, **kwargs)
        if not to_device:
            return out
        known = wrapped.keys()
        return pytree.tree_map_only(Tensor, lambda t: wrapped[id(t)] if id(t) in known else Pretended(t), out)


@contextmanager
def pretended_cuda(patch: pytest.MonkeyPatch) -> Iterator[_Mode]:
    """Tensors may be moved to `cuda` and are computed there, without gradients."""
    patch.setattr(torch.cuda, "_lazy_init", lambda: None)
    before = torch._C._only_lift_cpu_tensors()
    overwritten = torch.__future__.get_overwrite_module_params_on_conversion()
    torch._C._set_only_lift_cpu_tensors(True)
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with torch.no_grad(), _Mode() as mode:
            yield mode
    finally:
        torch._C._set_only_lift_cpu_tensors(before)
        torch.__future__.set_overwrite_module_params_on_conversion(overwritten)
