"""Write docs/performance.md from the JSON files that benchmarks have left in a folder."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from jsonargparse import Namespace

from distilkobert.io.files import write_text
from experiments.bench.targets import TARGETS, Numbers, in_order
from experiments.bench.timing.turns import gives_speed, times_faster

T = TypeVar("T")
NOT_YET = "Not yet measured."
_TARGETS: Final = (
    "Times are of one thread of the CPU named below; the last three rows are for one H100 or A100 at KoBERT's size. "
    "Accuracy is from `metrics.json` of an export with `--int8=true --evaluate=test`: all 50,000 NSMC reviews, a "
    "student that was fine-tuned but not distilled (docs/log.md, 2026-11-26)."
)
_LOADER: Final = (
    "- **Loader workers.** A CPU trains on about a thousand tokens per second. Waiting for data takes less than 0.2 % "
    "of its time, so workers (`data.num_workers`, each two batches ahead) do not help there. A GPU at the target of "
    "1,000,000 tokens per second needs one or two.\n"
    "- **Padding to multiples.** A compiled step (`model.compute.compile`) has two graphs per network, with and "
    "without padding, for all lengths. Fewer lengths save no compilation, and on a CPU `data.pad_to_multiple_of` only "
    "adds padding to compute: at 2 x 256 compilation gave 1.04 times the speed, and 0.96 times with multiples of 16, "
    "both within the spread of the rounds (docs/log.md, 2026-11-26). The effect on a GPU is not yet measured."
)


def page(folder: Path) -> str:
    """The page; what has no file is not yet measured.

    Args:
        folder: holds `NAME.json` of each benchmark.

    Raises:
        ValueError: a file is not what its benchmark writes.
    """
    rows = [_of_file(folder, target.source, target.row) or target.row(None) for target in TARGETS]
    sections = [f"## Targets\n\n{_TARGETS}\n\n{_table(('what', 'target', 'measured', ''), rows)}"]
    for name, (title, write) in SECTIONS.items():
        sections.append(f"## {title}\n\n{_of_file(folder, name, write) or NOT_YET}")
    head = (
        "# Performance\n\nHow fast the code is, compared with its targets and with naive versions of the same code. "
        "`python -m experiments.bench page` generates this page from docs/performance/*.json, which "
        "`python -m experiments.bench NAME --json FILE` writes. Variants are measured in turns; numbers are medians, "
        "with quartiles in brackets. The naive variants are our own code, in experiments/bench/baselines/. Ratios are "
        "valid for the named machine; other load widens the quartiles."
    )
    return "\n\n".join([head, *sections]) + "\n"


def _of_file(folder: Path, name: str, read: Callable[[Numbers], T]) -> T | None:
    """What a function makes of a file's numbers; None where there is no file."""
    path = folder / f"{name}.json"
    try:
        return read(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not what `experiments.bench {name}` writes ({error!r})") from error


def _times(ways: Numbers, way: str) -> str:
    return times_faster(ways[way]).text(".2f")


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine(numbers: Numbers) -> str:
    threads = f", threads: {numbers['threads']}" if "threads" in numbers else ""
    return f"{numbers['processor']}{threads}."


def _clock(numbers: Numbers) -> str:
    return f"; {numbers['clock']} time" if "clock" in numbers else ""


def _share(numbers: Numbers) -> str:
    if not gives_speed(numbers.get("clock", "wall"), numbers["threads"]):
        return ""
    peak = numbers["peak_flops_per_s"]
    speed = numbers["flops"] / numbers["ways"]["step"]["quartiles_s"][1]
    return (
        f" {numbers['flops'] / 1e9:.1f} GFLOP per step at {speed / 1e9:.0f} GFLOP/s, {speed / peak:.0%} of the "
        f"{peak / 1e9:.0f} GFLOP/s of matrix products right after it."
    )


def _ways(numbers: Numbers) -> str:
    rows = []
    for way, found in numbers["ways"].items():
        low, middle, high = found["quartiles_s"]
        rows.append((way, f"{middle:.3f} [{low:.3f}, {high:.3f}]", _times(numbers["ways"], way)))
    return _table(("variant", "seconds", "speed-up over naive"), rows)


def _distil(numbers: Numbers) -> str:
    total = sum(spread[1] for spread in numbers["split_s"].values())
    split = [(name, f"{spread[1]:.3f}", f"{spread[1] / total:.1%}") for name, spread in numbers["split_s"].items()]
    return (
        f"{_machine(numbers)} {numbers['layers']} x {numbers['hidden_size']} into {numbers['student_layers']} layers, "
        f"{numbers['vocab_size']:,} pieces, {numbers['tokens']} tokens per step{_clock(numbers)}."
        f"{_share(numbers)} Peak memory of the process, all variants together: {numbers['peak_memory_mb']:,.0f} MB.\n\n"
        f"{_ways(numbers)}\n\nParts of a step:\n\n{_table(('part', 'seconds', 'share'), split)}"
    )


def _pretrain(numbers: Numbers) -> str:
    return (
        f"{_machine(numbers)} {numbers['layers']} x {numbers['hidden_size']}, {numbers['tokens']} tokens per step with "
        f"padding{_clock(numbers)}.{_share(numbers)}\n\n{_ways(numbers)}"
    )


def _finetune(numbers: Numbers) -> str:
    rows = [
        (kind, f"{found['examples_per_s']:,.0f}" if found["examples_per_s"] else "-", _times(found["ways"], "step"))
        for kind, found in numbers["kinds"].items()
    ]
    shape = f"{numbers['layers']} x {numbers['hidden_size']}{_clock(numbers)}"
    return f"{_machine(numbers)} {shape}.\n\n{_table(('task kind', 'examples/s', 'speed-up over naive'), rows)}"


def _qa_features(numbers: Numbers) -> str:
    times = _times(numbers["ways"], "step")
    return f"{_machine(numbers)} {numbers['questions_per_s']:,.0f} questions/s, {times} times the naive speed."


def _inference(numbers: Numbers) -> str:
    times = _times(numbers["ways"], "batches")
    speed = f"{numbers['texts_per_s']:,.0f} texts/s, {times} times the speed of a pipeline"
    return f"{_machine(numbers)} {speed}, one text at a time."


def _startup(numbers: Numbers) -> str:
    rows = [(name, f"{m:.2f} [{low:.2f}, {high:.2f}]") for name, (low, m, high) in numbers["cpu_seconds"].items()]
    note = (
        "Beyond Lightning, `train` imports transformers, the modules and data modules that a recipe may name, and "
        "builds the parser of their settings."
    )
    return f"{_machine(numbers)} Processor seconds.\n\n{_table(('process', 'seconds'), rows)}\n\n{note}"


def _soft_targets(numbers: Numbers) -> str:
    rows = [(way, f"{one['seconds']:.2f}", f"{one['added_mb']:,.0f}") for way, one in numbers["ways"].items()]
    return (
        f"{_machine(numbers)} {numbers['tokens']:,} tokens, {numbers['vocab_size']:,} pieces: logits of one network "
        f"take {numbers['logits_mb']:,.0f} MB.\n\n{_table(('variant', 'seconds', 'additional MB'), rows)}"
    )


def _latency(numbers: Numbers) -> str:
    rows = []
    for name, one in in_order(numbers):
        cut = one["tokenizer_ms"]
        alone = (one["batch_1_ms"], *one["batch_1_tail_ms"])
        times = [*(f"{ms:.2f}" for ms in alone), f"{one['batch_32_ms']:.1f}"]
        rows.append((name, f"{one['mb']:.1f}", *times, "-" if cut is None else f"{cut[0]:.2f}"))
    headings = ("model", "MB", "one sentence ms", "p95", "p99", "32 sentences ms", "tokenizer ms")
    said = f"Instructions for int8: {numbers['int8_instructions']}. ONNX files are timed with their heads."
    return f"{_machine(numbers)} {said}\n\n{_table(headings, rows)}"


def _prepare(numbers: Numbers) -> str:
    rows = []
    ways = numbers["ways"]
    for way in sorted(
        ways, key=lambda way: (f"times_faster_than_{way}" not in ways[way], times_faster(ways[way]).median)
    ):
        speed = numbers["lines"] / ways[way]["quartiles_s"][1]
        own, others = numbers["processor_s"][way]
        peak = f"{numbers['peak_mb'][way]:,.0f}"
        rows.append((way, f"{speed:,.0f}", _times(ways, way), f"{own:.1f}", f"{others:.1f}", peak))
    headings = (
        "variant", "lines/s", "speed-up over the first row", "processor s", "of other processes that encode",
        "peak MB of the largest process",
    )  # fmt: skip
    return (
        f"{_machine(numbers)} {numbers['cores']} cores, load of other work at the start {numbers['busy']:.1f}; "
        f"{numbers['lines']:,} lines, {numbers['bytes'] / 1e6:.1f} MB as stored.\n\n{_table(headings, rows)}"
    )


def _loader(numbers: Numbers) -> str:
    rows = [
        (
            multiple,
            str(one["shapes"]),
            f"{one['padding']:.1%}",
            f"{1000 * one['seconds'][1]:.2f}",
            f"{one['tokens_per_s']:,.0f}",
        )
        for multiple, one in numbers["ways"].items()
    ]
    headings = ("pad_to_multiple_of", "shapes", "padding", "ms per batch", "tokens/s")
    return (
        f"{_machine(numbers)} Batches of {numbers['max_tokens']:,} tokens, processor time of one process.\n\n"
        f"{_table(headings, rows)}\n\n{_LOADER}"
    )


def _int8_teacher(numbers: Numbers) -> str:
    changes, ways = numbers["changes"], numbers["ways"]
    slow, fast = (ways[way]["quartiles_s"][1] for way in ("teacher pass", "teacher pass, int8"))
    return (
        f"{_machine(numbers)} {numbers['int8_instructions']}. {numbers['layers']} x {numbers['hidden_size']} into "
        f"{numbers['student_layers']} layers, {numbers['tokens']} tokens per step; {numbers['clock']} time. The step "
        f"is {_times(ways, 'step, int8 teacher')} times as fast as in float32, a teacher pass {slow / fast:.2f} "
        f"times. Over {changes['masked_tokens']:,} masked held-out tokens the teacher's own loss goes from "
        f"{changes['loss']:.4f} to {changes['int8_loss']:.4f}; its first choice is unchanged for "
        f"{changes['agreement']:.1%}, the divergence from the exact distribution is {changes['divergence']:.4f} nats."
    )


def _gpu(numbers: Numbers) -> str:
    speed = f"{numbers['tokens_per_s']:,.0f} tokens/s, {numbers['mfu']:.0%} of its peak"
    return f"{numbers['device']}: {speed}.\n\n{_ways(numbers)}"


SECTIONS: dict[str, tuple[str, Callable[[Numbers], str]]] = {
    "distil": ("A distillation step", _distil),
    "int8_teacher": ("A teacher in int8: E5-small on KoBERT's pieces, in training", _int8_teacher),
    "int8_teacher_kobert": ("A teacher in int8: KoBERT's size, random weights", _int8_teacher),
    "pretrain": ("A masked-LM step", _pretrain),
    "finetune": ("Fine-tuning", _finetune),
    "qa_features": ("Windows of questions", _qa_features),
    "inference": ("Prediction", _inference),
    "latency": ("Latency of exported forms", _latency),
    "startup": ("Start of the commands", _startup),
    "soft_targets": ("Memory of soft targets", _soft_targets),
    "prepare": ("Preparing a corpus", _prepare),
    "loader": ("Batches from the loader", _loader),
    "gpu": ("On a GPU", _gpu),
}
"""Name of the benchmark: heading, and function that describes its numbers."""


def main(options: Namespace) -> dict[str, Any]:
    """Write the page; gives its sections that are measured."""
    folder, output = Path(options.folder), Path(options.output)
    if not folder.is_dir():
        raise FileNotFoundError(f"--folder={folder}: expected a folder with NAME.json of benchmarks")
    write_text(output, page(folder))
    measured = [name for name in SECTIONS if (folder / f"{name}.json").is_file()]
    print(f"{output}: {', '.join(measured) or 'nothing'} measured")
    return {"measured": measured}
