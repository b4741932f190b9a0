"""Keep hidden states, and query, key and value, of chosen layers of one forward pass.

Hidden states come from hooks. Query, key and value, after rotary embedding where there is one, come from an attention
function in transformers' `AttentionInterface` that keeps its inputs and calls SDPA with them: outputs do not change,
and no attention matrix is made. Both stay in place from the making of a `Capture`, so a compiled network has them too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from distilkobert.models.families import attention_modules, layer_modules, state_modules
from distilkobert.objectives.contract.layer_maps import EMBEDDINGS
from distilkobert.objectives.contract.outputs import Attention

SDPA_KEPT = "sdpa_kept"
_KEEPER = "attention_keeper"
"""Attribute of an attention module under which it finds where to keep its inputs."""


@dataclass
class Kept:
    """What was kept of the last forward pass, by 0-based layer.

    Args:
        hidden: states after a layer, (B, T, H); that of the last layer is the encoder's output, that of `EMBEDDINGS`
            the input of the first.
        projections: of a layer's attention.
    """

    hidden: dict[int, Tensor] = field(default_factory=dict)
    projections: dict[int, Attention] = field(default_factory=dict)


class _Calls:
    """Which layer a call of a module belongs to; a module of shared weights is called once for each of its layers."""

    def __init__(self, capture: "Capture") -> None:
        self.capture = capture
        self.layers: list[int] = []
        self.count = 0

    def next_layer(self) -> int:
        if self.count == len(self.layers):
            raise RuntimeError("a second forward pass inside one capture; use one `with` block per pass")
        self.count += 1
        return self.layers[self.count - 1]


class Capture:
    """A context that keeps what it was made for while it is open; it starts empty each time.

    One network has one capture: make it with all that is needed. Tensors kept of a student carry gradients.

        capture = Capture(network, hidden=[3, 11], projections=[11])
        with capture as kept:
            encode(network, input_ids, attention_mask)
        kept.hidden[3], kept.projections[11].query

    Args:
        model: an encoder of a known family, with or without head.
        hidden: 0-based layers whose hidden states are kept; `EMBEDDINGS` for the input of the first layer.
        projections: 0-based layers whose query, key and value are kept.

    Raises:
        ValueError: the family is unsupported, it calls no attention function but projections are requested, a layer is
            beyond the depth, or the network has a capture already.
    """

    def __init__(
        self, model: PreTrainedModel, *, hidden: Collection[int] = (), projections: Collection[int] = ()
    ) -> None:
        depth = len(layer_modules(model))
        after = set(hidden) - {EMBEDDINGS}
        beyond = [layer for layer in sorted({*after, *projections}) if not 0 <= layer < depth]
        if beyond:
            raise ValueError(
                f"layer {beyond[0]} cannot be captured: {type(model).__name__} has layers 0 to {depth - 1}"
            )
        if hasattr(model.base_model, _KEEPER):
            raise ValueError(
                f"this {type(model).__name__} already has a capture; make one with everything that is needed"
            )
        self.kept = Kept()
        self._hidden, self._projections = frozenset(hidden), frozenset(projections)
        self._active = False
        self._calls: list[_Calls] = []
        setattr(model.base_model, _KEEPER, self)
        if after:
            for module, calls in self._by_module(state_modules(model)):
                module.register_forward_hook(_StateHook(calls))
        if projections:
            for module, calls in self._by_module(attention_modules(model)):
                setattr(module, _KEEPER, calls)
            model.set_attn_implementation(SDPA_KEPT)
        if EMBEDDINGS in hidden:
            layer_modules(model)[0].register_forward_pre_hook(self._keep_embeddings)

    def __enter__(self) -> Kept:
        """Begin to keep, with nothing kept."""
        self.kept = Kept()
        for calls in self._calls:
            calls.count = 0
        self._active = True
        return self.kept

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep nothing more; what is kept stays until the next time."""
        self._active = False

    def keep_state(self, calls: _Calls, output: Any) -> None:
        """Keep a hidden state if its layer is requested."""
        if self._active and (layer := calls.next_layer()) in self._hidden:
            self.kept.hidden[layer] = output[0] if isinstance(output, tuple) else output

    def keep_projections(self, calls: _Calls, projections: Attention) -> None:
        """Keep query, key and value if their layer is requested."""
        if self._active and (layer := calls.next_layer()) in self._projections:
            self.kept.projections[layer] = projections

    def _keep_embeddings(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self._active:
            self.kept.hidden.setdefault(EMBEDDINGS, inputs[0])

    def _by_module(self, modules: Sequence[nn.Module]) -> list[tuple[nn.Module, _Calls]]:
        found: dict[nn.Module, _Calls] = {}
        for layer, module in enumerate(modules):
            found.setdefault(module, _Calls(self)).layers.append(layer)
        self._calls.extend(found.values())
        return list(found.items())


class _StateHook:
    """A forward hook that gives the output of its module to the capture."""

    def __init__(self, calls: _Calls) -> None:
        self.calls = calls

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self.calls.capture.keep_state(self.calls, output)


def _attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **settings: Any
) -> tuple[Tensor, Tensor | None]:
    calls: _Calls | None = getattr(module, _KEEPER, None)
    if calls is not None:
        calls.capture.keep_projections(calls, Attention(query, key, value, settings.get("sliding_window")))
    return sdpa_attention_forward(module, query, key, value, attention_mask, **settings)


AttentionInterface.register(SDPA_KEPT, _attention)
AttentionMaskInterface.register(SDPA_KEPT, sdpa_mask)
