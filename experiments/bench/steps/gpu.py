"""A distillation step on a CUDA device: bf16 against a naive one, tokens per second and share of the device's peak."""

from functools import partial
from typing import Any, Final

from jsonargparse import Namespace

from distilkobert.models.teachers import EncoderSpec
from experiments._shared.quiet import quieten_lightning, quieten_transformers
from experiments.bench.steps.distil import NAIVE, OURS, make_ways
from experiments.bench.steps.distilling import Distilling, flops_of, make_batch
from experiments.bench.timing.turns import take_turns

PEAKS: Final = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense bf16 operations per second of NVIDIA's data sheets (SXM forms), by a part of the device's name."""


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers.

    Raises:
        ValueError: there is no device, or its peak is not known.
    """
    import torch

    if not torch.cuda.is_available():
        raise ValueError("there is no CUDA device here; docs/performance.md says what is not yet measured")
    device = torch.cuda.get_device_name()
    peak = next((value for name, value in PEAKS.items() if name in device), options.peak_tflops * 1e12)
    if not peak:
        raise ValueError(f"{device}: its peak is not known; give its dense bf16 peak in TFLOP/s with --peak_tflops")
    quieten_transformers()
    quieten_lightning()
    what = Distilling(
        EncoderSpec(), (0, 4, 8), options.vocab_size, options.batch, options.length, options.rounds,
        options=("fused", "bf16_teacher", "compile"),
    )  # fmt: skip
    batch = make_batch(what)
    ways = {name: way for name, way in make_ways(what, batch, "cuda").items() if "step" in name}

    def timed(way: Any) -> None:
        with torch.autocast("cuda", torch.bfloat16):
            way()
        torch.cuda.synchronize()

    turns = take_turns({name: partial(timed, way) for name, way in ways.items()}, options.rounds)
    tokens = int(batch["attention_mask"].sum())
    seconds = turns.spread(OURS).median
    mfu = flops_of(what, tokens) / seconds / peak
    memory = torch.cuda.max_memory_allocated() / 1e6
    print(
        f"{device}: {tokens / seconds:,.0f} tokens/s, {mfu:.1%} of {peak / 1e12:.0f} TFLOP/s, "
        f"{turns.ratio(OURS, NAIVE).text('.2f')} times the naive step, {memory:,.0f} MB"
    )
    return {
        "device": device, "tokens_per_s": tokens / seconds, "mfu": mfu, "peak_memory_mb": memory,
        "ways": turns.as_json(NAIVE),
    }  # fmt: skip
