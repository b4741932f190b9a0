"""`latency.json`: what models cost where they are used; written by `experiments.bench latency`, read by reports."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
        batch_1_quartiles_ms: first and third quartile instead of the median: half of the repeats are between them.
        batch_32_quartiles_ms: likewise.
        sentences_per_s: sentences in a second in batches of 32.
        parameters: of the encoder, without pooler and head.
        mb: bytes of the folder's weights, or of the ONNX file, / 2^20, its head included.
        batch_1_tail_ms: of one sentence, the 95th and 99th percentile instead of the median.
        tokenizer_ms: what the tokenizer takes before that for one sentence and for 32, ms, median; None where the
            folder has no tokenizer.
    """

    batch_1_ms: float
    batch_32_ms: float
    batch_1_quartiles_ms: tuple[float, float]
    batch_32_quartiles_ms: tuple[float, float]
    sentences_per_s: float
    parameters: int
    mb: float
    batch_1_tail_ms: tuple[float, float]
    tokenizer_ms: tuple[float, float] | None


@dataclass(frozen=True)
class Latencies:
    """A whole file.

    Args:
        hardware: the processor.
        threads: of torch and ONNX Runtime.
        models: by `model_key`.
        instructions: for int8, of the processor.
    """

    hardware: str
    threads: int
    models: Mapping[str, ModelLatency]
    instructions: str


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
        return Latencies(stored["hardware"], stored["threads"], models, stored["instructions"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not what `experiments.bench latency` writes ({error!r})") from error


def time_text(ms: float, quartiles: tuple[float, float]) -> str:
    """A time with its quartiles in brackets."""
    return f"{ms:.2f} [{quartiles[0]:.2f}, {quartiles[1]:.2f}]"


def _model(entry: Mapping[str, Any]) -> ModelLatency:
    def pair(name: str) -> tuple[float, float]:
        low, high = map(float, entry[name])
        return low, high

    return ModelLatency(
        batch_1_ms=float(entry["batch_1_ms"]),
        batch_32_ms=float(entry["batch_32_ms"]),
        batch_1_quartiles_ms=pair("batch_1_quartiles_ms"),
        batch_32_quartiles_ms=pair("batch_32_quartiles_ms"),
        sentences_per_s=float(entry["sentences_per_s"]),
        parameters=int(entry["parameters"]),
        mb=float(entry["mb"]),
        batch_1_tail_ms=pair("batch_1_tail_ms"),
        tokenizer_ms=None if entry["tokenizer_ms"] is None else pair("tokenizer_ms"),
    )
