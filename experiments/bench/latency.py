"""How long exported models take for a sentence: all in one process, in turns, so that a busy moment hits all."""

import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert.io.pretrained import load_pretrained
from experiments._shared.latency_file import Latencies, ModelLatency, model_key, write_latencies
from experiments._shared.weights import weights_mb

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

BATCHES = (1, 32)
_CPUINFO = Path("/proc/cpuinfo")


def bench_latency(
    models: Sequence[str], lengths: Sequence[int] = (16, 64), repeats: int = 20, threads: int = 1
) -> dict[str, ModelLatency]:
    """Time the encoders of exported folders on sentences of random pieces, on the CPU, without padding.

    In every round each model reads every batch once, beginning with another model each time; before the first round
    comes one that does not count.

    Args:
        models: exported folders.
        lengths: pieces in a sentence; every length is timed by itself.
        repeats: rounds.
        threads: of torch, for all models.

    Returns:
        The figures by folder, in the order given.

    Raises:
        FileNotFoundError: a folder has no model, or no weights of one.
        ValueError: a setting is out of range, a folder is named twice, or a length is more than a model can read.
    """
    import torch

    megabytes = _check(models, lengths, repeats, threads)
    encoders = {name: _load(name, max(lengths)) for name in models}
    batches = {name: _batches(encoder, lengths) for name, encoder in encoders.items()}
    times: dict[tuple[str, int, int], list[float]] = {}
    threads_before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for turn in range(-1, repeats):
            for place in range(len(models)):
                name = models[(turn + place) % len(models)]
                for shape, ids in batches[name].items():
                    seconds = _seconds(encoders[name], ids)
                    if turn >= 0:
                        times.setdefault((name, *shape), []).append(seconds)
    finally:
        torch.set_num_threads(threads_before)
    results = {}
    for name, encoder in encoders.items():
        alone, together = ([times[name, batch, length] for length in lengths] for batch in BATCHES)
        low, middle, high = _quartiles_ms(alone)
        low_32, middle_32, high_32 = _quartiles_ms(together)
        results[name] = ModelLatency(
            batch_1_ms=middle,
            batch_32_ms=middle_32,
            batch_1_quartiles_ms=(low, high),
            batch_32_quartiles_ms=(low_32, high_32),
            sentences_per_s=1e3 * BATCHES[1] / middle_32,
            parameters=encoder.num_parameters(),
            mb=megabytes[name],
        )
    return results


def _quartiles_ms(seconds: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Quartiles over the repeats, each the mean over the lengths, in ms."""
    import numpy as np

    low, middle, high = 1e3 * np.quantile(seconds, (0.25, 0.5, 0.75), axis=1).mean(axis=1)
    return float(low), float(middle), float(high)


def write_latency(path: Path, results: dict[str, ModelLatency], threads: int) -> None:
    """Write `path`; the models are called by their `model_key`."""
    named = {model_key(path.parent, Path(name)): result for name, result in results.items()}
    write_latencies(path, Latencies(processor_name(), threads, named))


def processor_name(cpuinfo: Path = _CPUINFO) -> str:
    """The processor's own name where Linux tells it, else its kind."""
    found = None
    if cpuinfo.is_file():
        found = re.search(r"^model name\s*:\s*(.+?)\s*$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else f"cpu {platform.machine()}"


def _check(models: Sequence[str], lengths: Sequence[int], repeats: int, threads: int) -> dict[str, float]:
    """Refuse what cannot be measured; the size of each model's weights."""
    if not models:
        raise ValueError("no model was named; give at least one exported folder")
    if not lengths or min(lengths) < 1:
        raise ValueError(f"lengths is {list(lengths)}; expected numbers of pieces from 1 up")
    for option, value in (("repeats", repeats), ("threads", threads)):
        if value < 1:
            raise ValueError(f"{option} is {value}; expected at least 1")
    places: set[Path] = set()
    megabytes = {}
    for name in models:
        folder = Path(name)
        size = weights_mb(folder)
        if size is None or not (folder / "config.json").is_file():
            raise FileNotFoundError(
                f"{folder}: no exported model; expected config.json and *.safetensors, which experiments.export "
                "writes, or an older pytorch_model.bin"
            )
        if folder.resolve() in places:
            raise ValueError(f"{folder} is named twice; name every model once")
        places.add(folder.resolve())
        megabytes[name] = size
    return megabytes


def _load(name: str, longest: int) -> "PreTrainedModel":
    """The encoder without its head, and without the pooler, which no task of ours uses."""
    import torch
    from transformers import AutoModel

    model: PreTrainedModel = load_pretrained(AutoModel, name, dtype=torch.float32)
    if getattr(model, "pooler", None) is not None:
        setattr(model, "pooler", None)  # noqa: B010 - torch types every attribute as a module
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is not None and longest > limit:
        raise ValueError(f"{name} reads at most {limit} pieces; name shorter lengths than {longest}")
    model.train(False)
    return model


def _batches(model: "PreTrainedModel", lengths: Sequence[int]) -> "dict[tuple[int, int], torch.Tensor]":
    """Random ids by (batch, length); models of one vocabulary get the same."""
    import torch

    generator = torch.Generator().manual_seed(0)
    shapes = [(batch, length) for batch in BATCHES for length in lengths]
    return {shape: torch.randint(0, model.config.vocab_size, shape, generator=generator) for shape in shapes}


def _seconds(model: "PreTrainedModel", ids: "torch.Tensor") -> float:
    import torch

    mask = torch.ones_like(ids)
    with torch.inference_mode():
        started = time.perf_counter()
        model(input_ids=ids, attention_mask=mask)
        return time.perf_counter() - started
