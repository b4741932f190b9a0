"""What a model costs where it is used: bytes of its weights, and latency as `experiments.bench latency` measured it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from distilkobert.run_files import CONFIG_FILE
from experiments.reports.runs import Study

LATENCY_FILE = "latency.json"


@dataclass(frozen=True)
class Latency:
    """One model's figures.

    Args:
        batch_1_ms: time of one sentence alone, in ms.
        batch_32_ms: time of a batch of 32, in ms.
        sentences_per_s: sentences in a second, in batches of 32.
        parameters: of the encoder.
    """

    batch_1_ms: float
    batch_32_ms: float
    sentences_per_s: float
    parameters: int


@dataclass(frozen=True)
class Deployment:
    """Size and latency of each arm's encoder.

    Args:
        sizes: megabytes (2^20 bytes) of the exported weights, by arm.
        latencies: by arm.
        conditions: hardware and threads of the measurement; empty where there is none.
    """

    sizes: Mapping[str, float]
    latencies: Mapping[str, Latency]
    conditions: str


def weights_mb(folder: Path) -> float | None:
    """Bytes of a folder's `*.safetensors` / 2^20; None where there are none."""
    sizes = [path.stat().st_size for path in sorted(folder.glob("*.safetensors"))]
    return sum(sizes) / 2**20 if sizes else None


def read_deployment(study: Study, notes: list[str]) -> Deployment:
    """Size and latency of every arm for which there are some.

    Args:
        study: its exports are weighed; where the study names none, the model that an arm's fine-tuning started from.
        notes: what is missing or contradictory is added here.
    """
    folders = {arm.name: _encoders(study, arm.name) for arm in study.arms}
    sizes = {}
    for arm, candidates in folders.items():
        found = {round(mb, 3): mb for mb in map(weights_mb, candidates) if mb is not None}
        if len(found) > 1:
            weights = ", ".join(f"{mb:.1f}" for mb in found.values())
            notes.append(f"The exports of {arm} differ in size ({weights} MB); the first one is shown.")
        if found:
            sizes[arm] = next(iter(found.values()))
    unweighed = [arm for arm in folders if arm not in sizes]
    if unweighed:
        notes.append(f"No exported weights were found for {', '.join(unweighed)}, so their size is missing.")
    path = study.folder / LATENCY_FILE
    if not path.is_file():
        notes.append(f"Latency was not measured: {path} is not there; `python -m experiments.bench latency` writes it.")
        return Deployment(sizes, {}, "")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        measured = {
            (study.folder / name).resolve(): Latency(
                batch_1_ms=_positive(model["batch_1_ms"]),
                batch_32_ms=_positive(model["batch_32_ms"]),
                sentences_per_s=_positive(model["sentences_per_s"]),
                parameters=int(_positive(model["parameters"])),
            )
            for name, model in content["models"].items()
        }
        conditions = f"{content['hardware']}, threads: {content['threads']}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        notes.append(f"Latency is missing: {path} is not what `experiments.bench latency` writes ({error!r}).")
        return Deployment(sizes, {}, "")
    latencies = {}
    for arm, candidates in folders.items():
        places = [place.resolve() for place in candidates if place.resolve() in measured]
        if places:
            latencies[arm] = measured[places[0]]
    if unmeasured := [arm for arm in folders if arm not in latencies]:
        notes.append(f"{path} has no figures of an export of {', '.join(unmeasured)}, so their latency is missing.")
    return Deployment(sizes, latencies, conditions)


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{value!r} is not a positive number")
    return float(value)


def _encoders(study: Study, arm: str) -> list[Path]:
    """Folders of the arm's encoders: what its runs export, else what its fine-tuning runs were started from."""
    exports = [run.export for run in study.runs if run.arm == arm and run.export is not None]
    if exports:
        return list(dict.fromkeys(exports))
    sources = (_init_from(run.folder) for run in study.runs if run.arm == arm and run.stage in study.tasks)
    return list(dict.fromkeys(source for source in sources if source is not None))


def _init_from(run_folder: Path) -> Path | None:
    """The local folder in the run's `model.init_from`, if there is one."""
    path = run_folder / CONFIG_FILE
    try:
        source = yaml.safe_load(path.read_text(encoding="utf-8"))["model"]["init_args"]["init_from"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return None  # a run without its configuration has no encoder to weigh, which the size's own note says
    folder = Path(str(source))
    return folder if folder.is_dir() else None
