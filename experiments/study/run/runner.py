"""A worker: takes runs that are ready and that nobody else has, one for each of its places, until none is left."""

import contextlib
import os
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from distilkobert.io.locks import InUseError
from distilkobert.io.run_files import read_metrics, why_unfinished
from experiments._shared.plan_file import LATENCY, Command, Plan, PlannedRun
from experiments.study.run.locks import FileLock
from experiments.study.run.process import PYTHON, Child, Fresh, Start, tail
from experiments.study.run.search import Search
from experiments.study.run.status import ENDED, OPEN, Remaining, Status, remaining, statuses
from experiments.study.run.trials import RunJournal
from experiments.study.run.unfinished import unfinished_work
from experiments.study.run.view import View
from experiments.study.run.warm import Warm

_GRACE_SECONDS = 30.0
"""Time that an interrupted command has to end by itself."""


@dataclass
class Job:
    """A run that this worker holds."""

    run: PlannedRun
    lock: FileLock
    log: Path
    left: deque[Command]
    child: Child
    started: float = field(default_factory=time.monotonic)


@dataclass
class Worker:
    """Runs a study's runs until none is left for anybody.

    Args:
        plan: what is to run; grows during a search.
        folder: the study's folder.
        journal: the study's journal, all runs entered.
        view: where progress is shown.
        search: the study's search, if it has one.
        places: runs at a time.
        launcher: start of the command line, up to the name of the module.
        pause: seconds between two looks at what has ended.
    """

    plan: Plan
    folder: Path
    journal: RunJournal
    view: View
    search: Search | None = None
    places: int = 1
    launcher: tuple[str, ...] = PYTHON
    pause: float = 1.0

    def __post_init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        # Several trainings on one machine with all its threads each mostly wait for each other.
        fresh = Fresh(self.launcher, {**({"OMP_NUM_THREADS": "1"} if self.places > 1 else {}), **os.environ})
        is_warm = self.launcher == PYTHON and sys.platform.startswith("linux")
        self._warm = Warm(fresh) if is_warm else None
        self._command: Start = self._warm or fresh
        self._redo = self._touched()
        self._held_up: set[str] = set()

    def run(self) -> dict[str, Status]:
        """Work until every run has ended, here or elsewhere, and return how.

        Raises:
            KeyboardInterrupt: after the running commands were stopped; their runs are free again.
        """
        try:
            self.view.say(f"{self._count()} runs are done at the start")
            while True:
                moved = self._reap()
                status = self._status()
                if self.search is not None and len(self._jobs) < self.places:
                    self.plan = self.search.propose(self.plan, status)
                    status = self._status()
                moved |= self._start(status)
                status = self._status()
                self.view.show(self.plan, status, self._remaining(status))
                if all(value in ENDED for value in status.values()) and not moved:
                    again = self._touched(LATENCY) - self._redo  # exports have come since it was measured
                    if not again:
                        return status
                    self._redo |= again
                if not moved:
                    time.sleep(self.pause)
        finally:
            self._stop()

    def _status(self) -> dict[str, Status]:
        return statuses(self.plan, self.journal.entries(), self._jobs, self._redo)

    def _remaining(self, status: dict[str, Status]) -> Remaining:
        entries, now, here = self.journal.entries(), datetime.now(), time.monotonic()
        elsewhere = {
            label: (now - entry.started).total_seconds()
            for label, entry in entries.items()
            if entry.state == "running" and entry.started
        }
        elapsed = elsewhere | {label: here - job.started for label, job in self._jobs.items()}
        return remaining(self.plan, status, entries, elapsed, self.places)

    def _count(self) -> str:
        status = self._status()
        runs = self.plan.counted
        return f"{sum(status[run.label] == 'done' for run in runs)} of {len(runs)}"

    def _touched(self, stage: str | None = None) -> set[str]:
        """Runs, of one stage or all, that the journal calls done and whose result is not whole any more."""
        touched, runs = set(), {run.label: run for run in self.plan.all_runs if stage in (None, run.stage)}
        for label, entry in self.journal.entries().items():
            if entry.state == "done" and label in runs:
                left = unfinished_work(runs[label], self.folder, self.plan)
                if left.commands:
                    why = "; ".join(left.notes) or "its results are missing or incomplete"
                    self.view.say(f"{label} had finished, but {why}. It is run again")
                    touched.add(label)
        return touched

    def _start(self, status: dict[str, Status]) -> bool:
        """Take runs for the free places; True where something changed."""
        moved = False
        for run in self.plan.all_runs:
            if len(self._jobs) >= self.places:
                break
            if status[run.label] in OPEN:
                moved |= self._take(run)
        return moved

    def _take(self, run: PlannedRun) -> bool:
        """Start a run, unless another worker has it."""
        lock = FileLock(self.folder / "locks" / f"{run.label}.lock")
        if not lock.try_acquire():
            return False
        entry = self.journal.entries()[run.label]
        if entry.state == "failed" or (entry.state == "done" and run.label not in self._redo):
            lock.release()  # it has ended since the journal was read
            return True
        left = unfinished_work(run, self.folder, self.plan)
        try:
            left.clear()
        except InUseError as error:  # somebody has started it by hand
            if run.label not in self._held_up:
                self.view.say(f"{run.label} waits: {error}")
            self._held_up.add(run.label)
            lock.release()
            return False
        if left.notes and run.label not in self._redo:
            self.view.say(f"{run.label}: {'; '.join(left.notes)}. It is repaired")
        self._redo.discard(run.label)
        if not left.commands:
            if entry.state != "done":
                self.journal.begin(run.label)
                self.journal.finish(run.label, 0.0)
                self.view.say(f"{run.label} already exists")
            lock.release()
            return True
        self.journal.begin(run.label)
        resumed = left.commands[0] not in run.commands
        commands, log = deque(left.commands), self.folder / run.log
        self.view.say(f"{run.label} {'resumes from its last checkpoint' if resumed else 'starts'}; log: {log}")
        child = self._child(commands.popleft(), log, lock)
        self._jobs[run.label] = Job(run, lock, log, commands, child)
        return True

    def _child(self, command: Command, log: Path, lock: FileLock) -> Child:
        return Child(command, self._command, log, lock.descriptor)

    def _reap(self) -> bool:
        """Go on with runs whose command has ended; True where one had."""
        moved = False
        for job in list(self._jobs.values()):
            code = job.child.ended()
            if code is None:
                continue
            moved = True
            if code == 0 and job.left:
                job.child = self._child(job.left.popleft(), job.log, job.lock)
            else:
                self._end(job, code)
        return moved

    def _end(self, job: Job, code: int) -> None:
        label, seconds = job.run.label, time.monotonic() - job.started
        left = unfinished_work(job.run, self.folder).commands if code == 0 else ()
        del self._jobs[label]
        if code == 0 and not left:
            self.journal.finish(label, seconds)
            counted = filter(None, [self._count(), str(self._remaining(self._status()))])
            self.view.say(f"{label} done in {seconds:,.0f} s ({', '.join(counted)})")
        else:
            how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
            if code == 0:
                metrics = read_metrics(self.folder / label)
                why = f" ({why_unfinished(metrics)})" if metrics and why_unfinished(metrics) else ""
                how = f"ended without an error, but without the result of {' '.join(left[0][:2])}{why}"
            note = f"{how}; end of {job.log}:\n{tail(job.log)}"
            self.journal.fail(label, note)
            self.view.say(f"{label} FAILED, {note}")
        job.lock.release()

    def _stop(self) -> None:
        """Stop what still runs: politely, then at once. The runs are free again, as their locks are."""
        left = deque(self._jobs.values())
        while left:
            with contextlib.suppress(KeyboardInterrupt):  # a second signal, at once: the command is asked again
                left[0].child.interrupt()
                left.popleft()
        deadline = time.monotonic() + _GRACE_SECONDS
        for job in self._jobs.values():
            try:
                stopped = job.child.wait(max(0.0, deadline - time.monotonic()))
            except KeyboardInterrupt:
                stopped, deadline = False, 0.0
            if not stopped:
                job.child.kill()
            job.lock.release()
        self._jobs.clear()
        if self._warm:
            self._warm.close()
