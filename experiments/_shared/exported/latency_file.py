"""`latency.json`: what models cost where they are used; written by `experiments.bench latency`, read by reports."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from distilkobert.io.run_files import write_json

LATENCY_FILE: Final = "latency.json"


@dataclass(frozen=True)
class ModelLatency:
    """One model's measurements.

    Args:
        batch_1_ms: one sentence alone, ms: mean over lengths of the median over repeats.
        batch_32_ms: 32 sentences together, ms, likewise.
        batch_1_quartiles_ms: first and third quartile instead of the median: half of the repeats are between them;
            None in a file that an older version wrote.
        batch_32_quartiles_ms: likewise.
        sentences_per_s: sentences in a second in batches of 32.
        parameters: of the encoder, without pooler and head.
        mb: bytes of the folder's weights, or of the ONNX file, / 2^20, its head included.
        batch_1_tail_ms: of one sentence, the 95th and 99th percentile instead of the median; None in an older file.
        tokenizer_ms: what the tokenizer takes before that for one sentence and for 32, ms, median; None in an older
            file, or where the folder has no tokenizer.
    """

    batch_1_ms: float
    batch_32_ms: float
    batch_1_quartiles_ms: tuple[float, float] | None
    batch_32_quartiles_ms: tuple[float, float] | None
    sentences_per_s: float
    parameters: int
    mb: float
    batch_1_tail_ms: tuple[float, float] | None = None
    tokenizer_ms: tuple[float, float] | None = None


@dataclass(frozen=True)
class Latencies:
    """A whole file.

    Args:
        hardware: the processor.
        threads: of torch and ONNX Runtime.
        models: by `model_key`.
        instructions: for int8, of the processor; empty in an older file.
    """

    hardware: str
    threads: int
    models: Mapping[str, ModelLatency]
    instructions: str = ""


def model_key(home: Path, model: Path) -> str:
    """What a model is called in a file in `home`: its path from there where it is below, else its whole path."""
    home, place = home.resolve(), model.resolve()
    return place.relative_to(home).as_posix() if place.is_relative_to(home) else str(place)


def write_latencies(path: Path, latencies: Latencies) -> None:
    """Write the file, whole or not at all."""
    models = {name: asdict(model) for name, model in latencies.models.items()}
    facts = {"hardware": latencies.hardware, "threads": latencies.threads, "instructions": latencies.instructions}
    write_json(path, {**facts, "models": models})


def read_latencies(path: Path) -> Latencies:
    """Read the file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is not what `write_latencies` writes.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        models = {str(name): _model(entry) for name, entry in stored["models"].items()}
        return Latencies(stored["hardware"], stored["threads"], models, stored.get("instructions", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not what `experiments.bench latency` writes ({error!r})") from error


def time_text(ms: float, quartiles: tuple[float, float] | None) -> str:
    """A time with its quartiles in brackets, where they are known."""
    return f"{ms:.2f}" + (f" [{quartiles[0]:.2f}, {quartiles[1]:.2f}]" if quartiles else "")


def _model(numbers: Mapping[str, Any]) -> ModelLatency:
    single = {part.name: _positive(numbers[part.name]) for part in fields(ModelLatency) if part.type in (float, int)}
    pairs = {part.name: _pair(numbers.get(part.name)) for part in fields(ModelLatency) if part.name not in single}
    given: dict[str, Any] = {**single, **pairs, "parameters": int(single["parameters"])}
    return ModelLatency(**given)


def _pair(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = map(_positive, value)
    return low, high


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{value!r} is not a positive number")
    return float(value)
