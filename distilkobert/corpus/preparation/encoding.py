"""Encoding batches of lines, in this process or over several."""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from types import TracebackType

from distilkobert.corpus.sequences import CorpusSettings, EncodedLines, encode_lines
from distilkobert.io.reading.text_blocks import TextBlock
from distilkobert.tokenizers.loading import TextEncoder

_BATCHES_AHEAD = 4  # per process: enough to keep all busy, little enough to keep memory flat


class BatchEncoder:
    """Encodes batches of texts in this process or in others; a context manager, which ends these.

    Args:
        tokenizer: what encodes them; other processes get a copy.
        settings: how lines become sequences.
        num_proc: processes that encode; 1 is this one.
    """

    def __init__(self, tokenizer: TextEncoder, settings: CorpusSettings, num_proc: int) -> None:
        self._tokenizer, self._settings, self._num_proc = tokenizer, settings, num_proc
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "BatchEncoder":
        if self._num_proc > 1:  # a forked process would share the state of Arrow's threads, so each is a new one
            arguments = self._tokenizer, self._settings
            self._pool = ProcessPoolExecutor(self._num_proc, get_context("spawn"), _start_worker, arguments)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def encode(self, batches: Iterable[list[TextBlock]]) -> Iterator[EncodedLines]:
        """Decode and encode batches in order, with a bounded number under way."""
        if self._pool is None:
            for batch in batches:
                yield encode_lines(_texts(batch), self._tokenizer, self._settings)
            return
        waiting: deque[Future[EncodedLines]] = deque()
        for batch in batches:
            with interrupts_held():  # the pool begins processes when work comes
                waiting.append(self._pool.submit(_encode_in_worker, batch))
            if len(waiting) > _BATCHES_AHEAD * self._num_proc:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back inside the block, and in the threads and processes that begin there.

    A thread that does not would take the signal, and the main thread would be interrupted all the same. A process
    started here keeps that, so it cannot be interrupted while it starts either: Ctrl-C reaches all
    processes of a terminal, and the parent alone answers it, by ending the others.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker: tuple[TextEncoder, CorpusSettings] | None = None


def _start_worker(tokenizer: TextEncoder, settings: CorpusSettings) -> None:
    global _worker
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the parallel part
    _worker = tokenizer, settings


def _encode_in_worker(batch: list[TextBlock]) -> EncodedLines:
    if _worker is None:
        raise RuntimeError("_encode_in_worker runs only in processes begun by _start_worker")
    return encode_lines(_texts(batch), *_worker)


def _texts(batch: list[TextBlock]) -> list[str]:
    return [text for block in batch for text in block.texts()]
