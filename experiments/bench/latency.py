"""How long exported models take for a sentence: all in one process, in turns, so that a busy moment hits all."""

import platform
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import Namespace

from distilkobert.io.pretrained import load_pretrained
from experiments._shared.latency_file import Latencies, ModelLatency, model_key, time_text, write_latencies
from experiments._shared.quiet import quieten_transformers
from experiments._shared.weights import weights_mb
from experiments.bench.threads import torch_threads

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
    megabytes = _check(models, lengths, repeats)
    times: dict[tuple[str, int, int], list[float]] = {}
    with torch_threads(threads):
        encoders = {name: _load(name, max(lengths)) for name in models}
        batches = {name: _batches(encoder, lengths) for name, encoder in encoders.items()}
        for turn in range(-1, repeats):
            for place in range(len(models)):
                name = models[(turn + place) % len(models)]
                for shape, ids in batches[name].items():
                    seconds = _seconds(encoders[name], ids)
                    if turn >= 0:
                        times.setdefault((name, *shape), []).append(seconds)
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


def main(options: Namespace) -> dict[str, Any]:
    """Measure, write the file that reports read, print, and give the numbers."""
    quieten_transformers()
    output = Path(options.output)
    if output.is_dir() or not output.parent.is_dir():
        raise FileNotFoundError(f"--output={output}: expected the name of a JSON file in a folder that exists")
    left_out = [name for name in options.models if options.skip_missing and not Path(name).is_dir()]
    if left_out:
        print(f"not there, left out: {', '.join(left_out)}", file=sys.stderr)
    models = [name for name in options.models if name not in left_out]
    results = bench_latency(models, options.lengths, options.repeats, options.threads)
    write_latency(output, results, options.threads)
    print(f"{processor_name()}, threads: {options.threads}; pieces: {', '.join(map(str, options.lengths))}")
    print(latency_table(results))
    return {"processor": processor_name(), "models": {name: asdict(one) for name, one in results.items()}}


def latency_table(results: Mapping[str, ModelLatency]) -> str:
    """The numbers as lines of text, each time with its ratio to the first model's."""
    first = next(iter(results.values()))
    wide = max(map(len, results))
    lines = [
        f"{'model':<{wide}}  {'batch 1 ms':>26}  {'batch 32 ms':>26}  {'sentences/s':>12}  {'parameters':>12}  "
        f"{'MB':>7}"
    ]
    for name, one in results.items():
        faster, faster_32 = first.batch_1_ms / one.batch_1_ms, first.batch_32_ms / one.batch_32_ms
        alone = f"{time_text(one.batch_1_ms, one.batch_1_quartiles_ms)} {faster:.2f} x"
        together = f"{time_text(one.batch_32_ms, one.batch_32_quartiles_ms)} {faster_32:.2f} x"
        lines.append(
            f"{name:<{wide}}  {alone:>26}  {together:>26}  {one.sentences_per_s:>12,.1f}  {one.parameters:>12,}  "
            f"{one.mb:>7.1f}"
        )
    return "\n".join([*lines, f"in brackets: half of the repeats; x: times faster than {next(iter(results))}"])


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


def _check(models: Sequence[str], lengths: Sequence[int], repeats: int) -> dict[str, float]:
    """Refuse what cannot be measured; the size of each model's weights."""
    if not models:
        raise ValueError("no model was named; give at least one exported folder")
    if not lengths or min(lengths) < 1:
        raise ValueError(f"lengths is {list(lengths)}; expected numbers of pieces from 1 up")
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; expected at least 1")
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
