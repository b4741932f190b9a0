"""The loggers of a run: TensorBoard always, others beside it."""

from lightning_modules.loggers.late_logger import LateLogger
from lightning_modules.loggers.run_csv import CSV_FILE, RunCSV
from lightning_modules.loggers.run_logger import RunLogger

__all__ = ["CSV_FILE", "LateLogger", "RunCSV", "RunLogger"]
