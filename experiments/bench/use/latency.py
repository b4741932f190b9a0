"""How long exported models take for a sentence: all in one process, in turns, so that a busy moment hits all."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from experiments._shared.exported.latency import measure_latency
from experiments._shared.exported.latency_file import Latencies, ModelLatency, model_key, time_text, write_latencies
from experiments._shared.machine.processor import int8_instructions, processor_name
from experiments._shared.quiet import quieten_transformers
from experiments.bench.timing.threads import torch_threads


def bench_latency(
    models: Sequence[str], lengths: Sequence[int] = (16, 64), repeats: int = 20, threads: int = 1
) -> dict[str, ModelLatency]:
    """See `measure_latency`; with so many threads of torch and ONNX Runtime, for all models.

    Raises:
        FileNotFoundError: a folder has no model, or no weights of one.
        ValueError: a setting is out of range, a model is named twice, or a length is more than a model can read.
    """
    with torch_threads(threads):
        return measure_latency(models, lengths, repeats)


def main(options: Namespace) -> dict[str, Any]:
    """Measure, write the file that reports read, print, and give the numbers."""
    quieten_transformers()
    output = Path(options.output)
    if output.is_dir() or not output.parent.is_dir():
        raise FileNotFoundError(f"--output={output}: expected the name of a JSON file in a folder that exists")
    left_out = [name for name in options.models if options.skip_missing and not _is_exported(Path(name))]
    if left_out:
        print(f"no exported models, left out: {', '.join(left_out)}", file=sys.stderr)
    models = [name for name in options.models if name not in left_out]
    results = bench_latency(models, options.lengths, options.repeats, options.threads)
    write_latency(output, results, options.threads)
    print(
        f"{processor_name()}, threads: {options.threads}; pieces: {', '.join(map(str, options.lengths))}; "
        f"for int8: {int8_instructions()}"
    )
    print(latency_table(results))
    names = told_apart(list(results))
    measured = {name: asdict(one) for name, one in zip(names, results.values(), strict=True)}
    facts = {"processor": processor_name(), "threads": options.threads, "int8_instructions": int8_instructions()}
    return {**facts, "models": measured, "order": names}


def _is_exported(model: Path) -> bool:
    """Whether it can be an exported model: a folder, or an ONNX file."""
    return model.is_dir() or (model.is_file() and model.suffix == ".onnx")


def told_apart(models: Sequence[str]) -> list[str]:
    """The name of each folder, that of an ONNX file behind it, and as many folders above as no two models share.

    Args:
        models: folders and files, each once.
    """
    places = [Path(name).absolute() for name in models]
    names: list[str] = []
    for above in range(max(len(place.parts) for place in places)):
        names = [Path(*place.parts[-1 - above - (place.suffix == ".onnx") :]).as_posix() for place in places]
        if len(set(names)) == len(names):
            break
    return names


def latency_table(results: Mapping[str, ModelLatency]) -> str:
    """The numbers as lines of text, each time with its ratio to the first model's."""
    first = next(iter(results.values()))
    wide = max(map(len, results))
    lines = [
        f"{'model':<{wide}}  {'batch 1 ms':>26}  {'p95':>7}  {'p99':>7}  {'tokenizer':>9}  {'batch 32 ms':>26}  "
        f"{'sentences/s':>12}  {'parameters':>12}  {'MB':>7}"
    ]
    for name, one in results.items():
        faster, faster_32 = first.batch_1_ms / one.batch_1_ms, first.batch_32_ms / one.batch_32_ms
        alone = f"{time_text(one.batch_1_ms, one.batch_1_quartiles_ms)} {faster:.2f} x"
        together = f"{time_text(one.batch_32_ms, one.batch_32_quartiles_ms)} {faster_32:.2f} x"
        tail = "  ".join(f"{ms:>7.2f}" for ms in one.batch_1_tail_ms)
        cut = f"{one.tokenizer_ms[0]:.3f}" if one.tokenizer_ms else "-"
        lines.append(
            f"{name:<{wide}}  {alone:>26}  {tail}  {cut:>9}  {together:>26}  {one.sentences_per_s:>12,.1f}  "
            f"{one.parameters:>12,}  {one.mb:>7.1f}"
        )
    remark = (
        "in brackets: half of the repeats; tokenizer: for one sentence, before the model; ONNX files: with their head"
    )
    return "\n".join([*lines, remark, f"x: times faster than {next(iter(results))}"])


def write_latency(path: Path, results: dict[str, ModelLatency], threads: int) -> None:
    """Write `path`; the models are called by their `model_key`."""
    named = {model_key(path.parent, Path(name)): result for name, result in results.items()}
    write_latencies(path, Latencies(processor_name(), threads, named, int8_instructions()))
