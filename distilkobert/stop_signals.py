"""Signals that ask a training to stop: noted at the first, answered where a whole step has ended, obeyed at the second.

SIGINT is Ctrl-C. SIGTERM and SIGUSR1 are how clusters announce the end of a job. SIGHUP comes when the terminal closes
or its connection is lost; `nohup` starts a process that ignores it, which is kept.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)

_ECHO = 0.5
"""Seconds in which a signal may come again that was sent once: `timeout` signals its child, and then its group."""
_TORCHRUN_ECHO = 5.0
"""Seconds in which torchrun passes a signal on that its processes may have got already."""


class StoppedBySignal(BaseException):
    """A signal has asked this process to stop, and it has done what it does before; no error, as KeyboardInterrupt.

    Args:
        number: of the signal.
        code: exit code of the process; None for 128 + the signal's number, as shells report a signal.
        in_training: whether training had begun.
    """

    def __init__(self, number: int, code: int | None = None, in_training: bool = False) -> None:
        super().__init__(f"stopped by {signal_name(number)}")
        self.number = number
        self.code = 128 + number if code is None else code
        self.in_training = in_training


def signal_name(number: int) -> str:
    """`SIGTERM` and the like."""
    return signal.Signals(number).name


def under_nohup(number: int) -> bool:
    """Whether a signal is that of a closed terminal, and this process was started to ignore it."""
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


class StopSignals:
    """Notes the signals of `STOPPING` inside its block; SIGHUP not under `nohup`.

    The first one is kept in `number` where the process has said that it will look (`deferring`); else it raises
    `StoppedBySignal` at once. The second one ends the process, also where the first has not been seen yet because the
    process hangs in native code: a thread gets signals from the interpreter itself. Under `torchrun`, which
    passes signals on, an echo of the first is not taken for a second.
    """

    def __init__(self) -> None:
        self.number = 0
        """The signal that has come; 0 before."""
        self.deferring = False
        """Whether the running loop looks at `number` soon."""
        self.before_the_end: Callable[[], object] = lambda: None
        """Called before a second signal ends the process."""
        self._delayed = False
        self._before: dict[int, Any] = {}
        self._pipe: tuple[int, int] | None = None
        self._wakeup_before = -1

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():  # others may set no handlers
            self._pipe = os.pipe()
            os.set_blocking(self._pipe[1], False)
            threading.Thread(target=self._watch, args=(self._pipe[0],), daemon=True, name="stop-signals").start()
            self._wakeup_before = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
            self._before = {number: signal.signal(number, self._note) for number in STOPPING if not under_nohup(number)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._pipe is not None:
            signal.set_wakeup_fd(self._wakeup_before)
            os.close(self._pipe[1])  # which ends the thread
            self._pipe = None

    @contextlib.contextmanager
    def delayed(self) -> Iterator[None]:
        """Raise for a first signal behind the block, not within it: for code in C++ that no exception may leave.

        Raises:
            StoppedBySignal: one has come, and the process does not look at `number` by itself.
        """
        noted, self._delayed = self.number, True
        try:
            yield
        finally:
            self._delayed = False
        if self.number != noted and not self.deferring:
            raise StoppedBySignal(self.number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            return  # the thread decides about the second
        self.number = number
        if self.deferring:
            _say(f"{signal_name(number)}: stopping after the current batch; a second signal exits at once")
        elif not self._delayed:
            raise StoppedBySignal(number)

    def _watch(self, pipe: int) -> None:
        first = 0.0
        with contextlib.closing(os.fdopen(pipe, "rb", buffering=0)) as stream:
            while received := stream.read(1):
                if received[0] not in STOPPING:
                    continue
                if not first:
                    first = time.monotonic()
                elif time.monotonic() - first > (_ECHO if "TORCHELASTIC_RUN_ID" not in os.environ else _TORCHRUN_ECHO):
                    _say(f"{signal_name(received[0])}: exited at once")
                    self.before_the_end()
                    os._exit(128 + received[0])


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Hold back the signals of `STOPPING` in this thread, and in processes that it starts until they are shielded."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def shield_worker(number: int) -> None:
    """Let a loader process outlast signals that go to all processes of a job; for `DataLoader(worker_init_fn=...)`.

    Its parent may need more batches before it stops. The worker ends when its parent ends it, or dies.

    Args:
        number: of the worker, which does not matter.
    """
    signal.set_wakeup_fd(-1)  # a forked worker would write to its parent's
    for ignored in (signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # macOS has none
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGUSR1, signal.SIGHUP})
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    else:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def _end_with(parent: int) -> None:
    """End this process on SIGTERM from its parent, and from no other process."""
    while (received := signal.sigwaitinfo({signal.SIGTERM})) is None or received.si_pid != parent:
        pass
    os._exit(0)


def _say(text: str) -> None:
    """Print without Python's buffers, which the interrupted code may be writing to, if there is who reads it."""
    with contextlib.suppress(OSError):  # after Ctrl-C a reader such as `tee` is gone; the checkpoint matters more
        os.write(2, f"{text}\n".encode())
