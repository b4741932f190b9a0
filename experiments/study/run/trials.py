"""The journal of a study: an Optuna journal, in which every run is a trial, and every attempt after a failure another.

The journal says what is done and what failed. Who runs a run is said by a lock that the kernel holds
(`locks.py`): a journal has no heartbeat, so what it calls running may have been killed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from experiments._shared.plan_file import Plan, plan_of
from experiments.study.run.journal import JOURNAL_FILE

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import JournalStorage

State = Literal["waiting", "running", "done", "failed"]
_STATES: dict[str, State] = {"WAITING": "waiting", "RUNNING": "running", "COMPLETE": "done", "FAIL": "failed"}
"""By Optuna's names of them."""


@dataclass(frozen=True)
class Entry:
    """What the journal says of a run.

    Args:
        state: of its last attempt. `running` may also have been killed.
        trial: Optuna's id of the attempt.
        note: why it failed: the tail of its log.
        seconds: that it took; None while it has not ended well.
        started: when it was started; None while it waits.
    """

    state: State
    trial: int
    note: str = ""
    seconds: float | None = None
    started: datetime | None = None


class RunJournal:
    """States of a study's runs.

    Args:
        storage: the journal.
        name: the study's name.

    Raises:
        ValueError: the journal is that of another study.
    """

    def __init__(self, storage: "JournalStorage", name: str) -> None:
        import optuna

        names = optuna.get_all_study_names(storage)
        if names and name not in names:
            raise ValueError(f"{JOURNAL_FILE} is that of the study {names[0]!r}, not of {name!r}; move it away")
        self._storage = storage
        self._study: Study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True)
        self._id = storage.get_study_id_from_name(name)
        trials = storage.get_all_trials(self._id, deepcopy=False)
        if strangers := [trial.number for trial in trials if not isinstance(trial.user_attrs.get("run"), str)]:
            raise ValueError(
                f"{JOURNAL_FILE} holds a study {name!r} that is none of this project: its trial {strangers[0]} names "
                "no run. Move the file away, or take another --name"
            )

    @property
    def plan(self) -> Plan | None:
        """The plan as it was when runs were last entered; None in a new journal."""
        content = self._study.user_attrs.get("plan")
        return None if content is None else plan_of(content, Path(JOURNAL_FILE))

    def enter(self, plan: Mapping[str, Any], labels: Iterable[str], *, retry: bool) -> None:
        """Enter runs that are new, and with `retry` once more those that failed, in the declared order.

        Call it while holding the study's lock; `plan` is the content of plan.json.
        """
        if self._study.user_attrs.get("plan") != plan:
            self._study.set_user_attr("plan", plan)
        entries = self.entries()
        for label in labels:
            if label not in entries or (retry and entries[label].state == "failed"):
                self._enqueue(label)

    def entries(self) -> dict[str, Entry]:
        """The last attempt of every run."""
        found = {}
        for trial in self._storage.get_all_trials(self._id, deepcopy=False):
            attrs = trial.user_attrs
            number = self._storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)
            state, note = _STATES[trial.state.name], str(attrs.get("note", ""))
            seconds = trial.value if state == "done" else None
            found[str(attrs["run"])] = Entry(state, number, note, seconds, trial.datetime_start)
        return found

    def begin(self, label: str) -> None:
        """Note that a run is started; call it while holding the run's lock."""
        if self.entries()[label].state in ("done", "failed"):
            self._enqueue(label)
        if self.entries()[label].state == "waiting":
            self._set(label, "RUNNING")

    def finish(self, label: str, seconds: float) -> None:
        """Note that a run has ended well; the trial's value is the time that its last attempt took."""
        self._set(label, "COMPLETE", [seconds])

    def fail(self, label: str, note: str) -> None:
        """Note that a run has failed, and why."""
        self._storage.set_trial_user_attr(self.entries()[label].trial, "note", note)
        self._set(label, "FAIL")

    def _set(self, label: str, state: str, values: Sequence[float] | None = None) -> None:
        from optuna.trial import TrialState

        self._storage.set_trial_state_values(self.entries()[label].trial, TrialState[state], values)

    def _enqueue(self, label: str) -> None:
        self._study.enqueue_trial({"run": label}, user_attrs={"run": label})
