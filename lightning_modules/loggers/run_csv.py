"""Lightning's CSV logger, which appends to the file of the run instead of removing it."""

import csv
import io
from pathlib import Path
from typing import Any, Final

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter

from distilkobert.io.files import write_text

CSV_FILE: Final = ExperimentWriter.NAME_METRICS_FILE


class _Writer(ExperimentWriter):
    """Appends to the file that there is."""

    def __init__(self, log_dir: str) -> None:
        super().__init__(log_dir)
        self.metrics_keys = _rows(Path(self.metrics_file_path))[0]

    def _check_log_dir_exists(self) -> None:
        """A file that is there stays."""


class RunCSV(CSVLogger):
    """Write `metrics.csv` into the run's folder: one row for each call, with `step` and what was logged there.

    Args:
        folder: of the run.
        resumed_step: optimizer step at which training resumes, None where it does not: rows of later steps, which an
            interrupted run has written, are removed. So are, with or without it, rows that a kill has cut off.
    """

    def __init__(self, folder: Path, resumed_step: int | None = None) -> None:
        super().__init__(str(folder.parent.parent), folder.parent.name, folder.name)
        self._folder, self._resumed_step = folder, resumed_step

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer."""
        if self._experiment is None:
            _keep_whole_rows(self._folder / CSV_FILE, self._resumed_step)
            self._experiment = _Writer(self.log_dir)
        return self._experiment


def _rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Names of the columns, and the rows; nothing where there is no file."""
    if not path.is_file():
        return [], []
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = list(reader)
    return list(reader.fieldnames or ()), rows


def _keep_whole_rows(path: Path, step: int | None) -> None:
    """Remove rows of which a kill has left a part, and those after a step where there is one."""
    names, rows = _rows(path)
    kept = [row for row in rows if _is_whole(row)]
    if kept and kept[-1] is rows[-1] and not path.read_bytes().endswith((b"\n", b"\r")):
        kept.pop()  # of its last value only a part may be there, and the next row would continue its line
    kept = [row for row in kept if step is None or int(row["step"]) <= step]
    if len(kept) < len(rows):
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
        write_text(path, text.getvalue())


def _is_whole(row: dict[str, str]) -> bool:
    """Whether a row has a step and a value for each column; what is more than that is under None."""
    return None not in row and None not in row.values() and row.get("step", "").isdecimal()
