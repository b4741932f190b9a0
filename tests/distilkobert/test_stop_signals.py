"""A worker outlasts signals from the moment it is forked, and a process without a reader of its messages notes them."""

import os
import signal

import pytest

from distilkobert.stop_signals import STOPPING, StopSignals, shield_worker, signals_held


@pytest.mark.parametrize("number", STOPPING)
@pytest.mark.parametrize("held", [True, False])
def test_a_signal_before_the_shield_ends_only_a_worker_that_was_forked_without_the_hold(
    number: signal.Signals, held: bool
) -> None:
    def worker() -> int:
        child = os.fork()
        if child:
            return child
        if not held:
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
        for each in STOPPING:
            signal.signal(each, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        shield_worker(0)
        os.kill(os.getpid(), number)  # and one behind it
        os._exit(7)

    with signals_held():
        child = worker()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (7 if held else -number)


def test_the_hold_ends_with_its_block() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    with signals_held():
        assert set(STOPPING) <= signal.pthread_sigmask(signal.SIG_BLOCK, set())
    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == before


@pytest.mark.parametrize("closed", [True, False])
def test_a_signal_is_noted_where_nobody_reads_the_message(closed: bool) -> None:
    """As after Ctrl-C in a pipe to `tee`, which the same signal ends."""
    child = os.fork()  # another thread of this process could open a file in place of a closed stderr
    if not child:
        try:
            if closed:
                os.close(2)
            else:
                reader, writer = os.pipe()
                os.close(reader)
                os.dup2(writer, 2)
            with StopSignals() as signals:
                signals.deferring = True
                os.kill(os.getpid(), signal.SIGTERM)
                os._exit(signals.number)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == signal.SIGTERM


@pytest.mark.parametrize("nohup", [False, True])
def test_a_closed_terminal_is_noted_unless_it_is_ignored(nohup: bool) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if nohup else signal.SIG_DFL)
    try:
        with StopSignals() as signals:
            signals.deferring = True
            os.kill(os.getpid(), signal.SIGHUP)
            noted = signals.number
        assert signal.getsignal(signal.SIGHUP) is (signal.SIG_IGN if nohup else signal.SIG_DFL)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert noted == (0 if nohup else signal.SIGHUP)
