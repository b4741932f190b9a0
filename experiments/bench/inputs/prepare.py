"""How fast a corpus is prepared by one process and by several, in turns, each time in processes of its own."""

import os
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from jsonargparse import Namespace

from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.io.reading.inputs import expand_inputs, size_of
from experiments._shared.machine.measure import in_fresh_process
from experiments._shared.machine.processor import processor_name
from experiments.bench.timing.turns import in_turns


class Preparation(NamedTuple):
    """What one preparation took, without start-up and loading.

    Args:
        seconds: of wall time.
        lines: that it has read.
        own: seconds of processor time of the process that reads and writes.
        others: of the processes that encode, where these are others.
    """

    seconds: float
    lines: int
    own: float
    others: float


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers.

    Raises:
        FileNotFoundError: an input or the tokenizer is missing.
        ValueError: a setting is out of range, or an input cannot be read.
    """
    if len(set(options.num_proc)) < len(options.num_proc):
        raise ValueError(f"num_proc is {options.num_proc}; expected different numbers of processes")
    size = sum(map(size_of, expand_inputs(options.input)))
    busy = os.getloadavg()[0]
    peaks: dict[str, float] = {}
    taken: dict[str, list[Preparation]] = {}

    def prepare(name: str, num_proc: int) -> float:
        with tempfile.TemporaryDirectory(prefix="bench_prepare_") as folder:
            work = partial(_prepared, tuple(options.input), options.tokenizer, Path(folder) / "corpus", num_proc)
            measured = in_fresh_process(work)
        peaks[name] = max(peaks.get(name, 0.0), measured.peak_mb)
        taken.setdefault(name, []).append(measured.result)
        return measured.result.seconds

    ways: dict[str, Callable[[], float]] = {}
    for count in options.num_proc:
        name = "one process" if count == 1 else f"{count} processes"
        ways[name] = partial(prepare, name, count)
    turns = in_turns(ways, options.rounds)
    first = next(iter(ways))
    lines = taken[first][0].lines
    processor = {  # the round before the first does not count
        name: [median(one.own for one in found[1:]), median(one.others for one in found[1:])]
        for name, found in taken.items()
    }
    cores = len(os.sched_getaffinity(0))
    print(
        f"{processor_name()}, {cores} cores, load {busy:.1f} when it began; {lines:,} lines, "
        f"{size / 1e6:.1f} MB as stored"
    )
    for name in ways:
        print(
            f"{name}: {turns.spread(name).text('.1f')} s, {lines / turns.spread(name).median:,.0f} lines/s, "
            f"{turns.ratio(name, first).text('.2f')} times as fast as {first}, {peaks[name]:,.0f} MB; processor time "
            f"{processor[name][0]:.2f} s, of processes that encode {processor[name][1]:.2f} s"
        )
    return {
        "processor": processor_name(), "cores": cores, "busy": busy, "lines": lines, "bytes": size, "peak_mb": peaks,
        "processor_s": processor,
        "ways": turns.as_json(first),
    }  # fmt: skip


def _prepared(inputs: tuple[str, ...], tokenizer: str, output: Path, num_proc: int) -> Preparation:
    settings = CorpusSettings(validation_fraction=0.0)
    own, others = time.process_time(), _of_children()
    prepared = prepare_corpus(inputs, tokenizer, output, settings, num_proc=num_proc)
    own = time.process_time() - own
    for child in active_children():  # their times are known when they have ended
        child.join()
    return Preparation(prepared.seconds, prepared.manifest["lines"]["read"], own, _of_children() - others)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
