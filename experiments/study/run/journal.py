"""The journal file of a study's runs, kept with Optuna: open it, and say what is wrong with one that is broken."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.study.run.locks import FileLock

if TYPE_CHECKING:
    from optuna.storages import JournalStorage

JOURNAL_FILE = "journal.log"


def has_begun(folder: Path) -> bool:
    """Whether the study in this folder has been run, if only in part: a dry run leaves no journal."""
    return (folder / JOURNAL_FILE).is_file()


class JournalLock(FileLock):
    """The lock under which the journal is written; who takes it finds every line of the journal whole.

    A full disk, a kill or a power cut can leave half a line at the end. Readers pass over it, but what is written next
    would be glued to it and be lost with it.

    Args:
        path: the lock's file.
        journal: the file that it guards.
    """

    def __init__(self, path: Path, journal: Path) -> None:
        super().__init__(path)
        self._journal = journal

    def acquire(self) -> bool:
        """Take the lock, waiting for it, and the half line away."""
        taken = super().acquire()
        try:
            _drop_half_line(self._journal)
        except BaseException:
            self.release()
            raise
        return taken


def require_optuna() -> None:
    """Check that a journal can be kept.

    Raises:
        ValueError: Optuna is not installed; says how to.
    """
    try:
        import optuna
    except ImportError as error:
        raise ValueError(
            "a study keeps its journal with Optuna, which is not installed: pip install 'distilkobert[study]', in this "
            "folder pip install -e '.[study]'. --dry_run prints the command lines without it"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def open_storage(folder: Path) -> "JournalStorage":
    """Optuna's journal in the study's folder. Call it while holding the study's lock.

    Raises:
        ValueError: the file is no journal of Optuna's, or broken; names it and says what to do.
    """
    require_optuna()
    from optuna.exceptions import OptunaError
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = folder / JOURNAL_FILE
    lock: Any = JournalLock(folder / "locks" / "journal.lock", path)
    with lock.held():
        _check_lines(path)
    backend = JournalFileBackend(str(path), lock_obj=lock)
    try:
        return JournalStorage(backend)
    except (OptunaError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        # What a line lacks shows where Optuna replays it, in as many ways as there are kinds of lines.
        raise ValueError(_broken(path, f"Optuna cannot replay it ({type(error).__name__}: {error})")) from error


def _check_lines(path: Path) -> None:
    """Check that every line can be read: Optuna names none, and passes over the last one until another follows.

    Raises:
        ValueError: one is not; names it.
    """
    if not path.is_file():
        return
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            if not isinstance(entry, dict) or "op_code" not in entry:
                found = line[:40].decode("utf-8", errors="replace").strip()
                raise ValueError(_broken(path, f"line {number} is not an entry of Optuna: {found!r}"))


def _broken(path: Path, reason: str) -> str:
    return (
        f"{path}: no readable journal: {reason}. Move the file away and start the study again, which finds what its "
        "runs have left in their folders; or take another --name"
    )


def _drop_half_line(path: Path) -> None:
    """Remove what follows the last line's end."""
    if not path.is_file():
        return
    with path.open("r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 1))
        if size and stream.read() != b"\n":
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)
