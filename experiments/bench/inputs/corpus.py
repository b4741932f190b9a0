"""How fast a corpus is prepared, against the usual way: all lines in memory, one at a time, pickled at the end.

The usual way is that of the DistilBERT reference code (`scripts/binarized_data.py` of huggingface/transformers'
distillation example) with a tokenizer of transformers' slow kind (`baselines/slow_tokenizer.py`).
"""

import pickle
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import Namespace

from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.io.reading.inputs import expand_inputs
from distilkobert.io.reading.remote import InputFile
from distilkobert.io.reading.texts import read_texts
from distilkobert.tokenizers.kobert.files import read_tokenizer_files
from experiments._shared.machine.measure import Measured, in_fresh_process


@dataclass(frozen=True)
class CorpusBenchmark:
    """Both ways over the same lines, each in a process of its own.

    Args:
        lines: Number of lines.
        usual: Seconds and memory of the usual way.
        ours: Seconds and memory of `prepare_corpus`.
    """

    lines: int
    usual: Measured[float]
    ours: Measured[float]

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.usual.result / self.ours.result


def bench_corpus(inputs: Sequence[str], tokenizer: str, lines: int | None = None, num_proc: int = 1) -> CorpusBenchmark:
    """Prepare the same lines both ways; reading, encoding and writing are timed, start-up and loading are not.

    Args:
        inputs: `.txt` files and globs, plain or compressed.
        tokenizer: Folder or hub name of the tokenizer.
        lines: Use only this many lines, from the start.
        num_proc: Processes of ours; the usual way has one.

    Raises:
        FileNotFoundError: An input or the tokenizer is missing.
        ValueError: A setting is out of range or an input cannot be read.
    """
    if lines is not None and lines < 1:
        raise ValueError(f"lines is {lines}; expected at least 1")
    with tempfile.TemporaryDirectory(prefix="bench_corpus_") as name:
        folder = Path(name)
        paths = expand_inputs(inputs)
        if lines is not None:
            texts = islice((text for path in paths for text in read_texts(path)), lines)
            chosen = folder / "lines.txt"
            chosen.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
            paths = [chosen]
        count = sum(1 for path in paths for _ in read_texts(path))
        usual = in_fresh_process(partial(usual_way, paths, tokenizer, folder / "usual.pickle"))
        ours = in_fresh_process(partial(_our_way, paths, tokenizer, folder / "corpus", num_proc))
    return CorpusBenchmark(count, usual, ours)


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    bench = bench_corpus(options.input, options.tokenizer, options.lines, options.num_proc)
    print(f"{bench.lines:,} lines, same text and tokenizer files for both; each way in a process of its own")
    usual = "one at a time, slow tokenizer of transformers, all in memory, pickled"
    ours = f"prepare corpus, {'one process' if options.num_proc == 1 else f'{options.num_proc} processes'}"
    for name, measured in ((usual, bench.usual), (ours, bench.ours)):
        print(
            f"{name}: {measured.result:.1f} s, {bench.lines / measured.result:,.0f} lines/s, "
            f"peak memory {measured.peak_mb:,.0f} MB"
        )
    print(f"{bench.ratio:.1f} times faster, {bench.usual.peak_mb / bench.ours.peak_mb:.1f} times less memory")
    return {
        "lines": bench.lines,
        "usual": {"seconds": bench.usual.result, "peak_mb": bench.usual.peak_mb},
        "ours": {"seconds": bench.ours.result, "peak_mb": bench.ours.peak_mb},
        "ratio": bench.ratio,
    }


def _our_way(paths: Sequence[InputFile], tokenizer: str, output: Path, num_proc: int) -> float:
    names = [str(path) for path in paths]
    return prepare_corpus(names, tokenizer, output, CorpusSettings(validation_fraction=0.0), num_proc=num_proc).seconds


def usual_way(paths: Sequence[InputFile], tokenizer: str, output: Path) -> float:
    """Read all lines, encode them one at a time, shuffle and pickle; returns seconds without loading the tokenizer."""
    from experiments.bench.baselines.slow_tokenizer import SlowKoBertTokenizer

    files = read_tokenizer_files(tokenizer)
    slow = SlowKoBertTokenizer(Path(files.model_path), Path(files.vocab_path))
    start = time.perf_counter()
    texts = [text.strip() for path in paths for text in read_texts(path)]
    encoded = [slow.encode(f"[CLS] {text} [SEP]", add_special_tokens=False) for text in texts]
    arrays = [np.array(ids, dtype=np.uint16) for ids in encoded]
    random.Random(0).shuffle(arrays)
    with output.open("wb") as stream:
        pickle.dump(arrays, stream, protocol=pickle.HIGHEST_PROTOCOL)
    return time.perf_counter() - start
