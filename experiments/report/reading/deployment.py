"""What a model costs where it is used: bytes of its weights, and latency as `experiments.bench latency` measured it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from distilkobert.io.metric_names import INT8, ONNX, PARAMETERS
from distilkobert.io.model_files import INT8_FILE, ONNX_FILE
from experiments._shared.exported.forms import FORMS, FULL_PRECISION, weights_mb, weights_precision
from experiments._shared.exported.latency_file import LATENCY_FILE, ModelLatency, read_latencies
from experiments.report.reading.runs import Study
from experiments.report.reading.sources import Origin, origin_of, shown_path

_FORM_FILES = {FORMS[ONNX]: ONNX_FILE, FORMS[INT8]: INT8_FILE}
_BYTES = 4
"""Of a float32 weight, as exports have them."""


@dataclass(frozen=True)
class Deployment:
    """Size and latency of each arm's encoder.

    Args:
        sizes: megabytes (2^20 bytes) of the weights, by arm.
        latencies: by arm.
        conditions: hardware and threads of the measurement; empty where there is none.
        computed: arms whose size is computed from their number of parameters.
        forms: latencies of ONNX files, by arm and title of the form.
        precisions: floating-point type of the weighed files, by arm, where it is not float32.
    """

    sizes: Mapping[str, float]
    latencies: Mapping[str, ModelLatency]
    conditions: str
    computed: frozenset[str] = frozenset()
    forms: Mapping[tuple[str, str], ModelLatency] = field(default_factory=dict)
    precisions: Mapping[str, str] = field(default_factory=dict)


def read_deployment(study: Study, notes: list[str]) -> Deployment:
    """Size and latency of every arm for which there are some.

    Args:
        study: its exports are weighed; where the study names none, the model that an arm's fine-tuning started from;
            where that is not here either, the size follows from the number of parameters that its runs recorded.
        notes: what is missing, computed or contradictory is added here.
    """
    origins = {arm.name: origin_of(study, arm) for arm in study.arms}
    sizes: dict[str, float] = {}
    computed: set[str] = set()
    precisions: dict[str, str] = {}
    for arm, origin in origins.items():
        found = list({round(mb, 3): mb for mb in map(weights_mb, origin.folders) if mb is not None}.values())
        if len(found) > 1:
            weights = ", ".join(f"{mb:.1f}" for mb in found)
            notes.append(f"The exports of {arm} differ in size ({weights} MB); the first one is shown.")
        elif not found and (megabytes := _computed(study, arm, origin, notes)) is not None:
            computed.add(arm)
            found = [megabytes]
        if found:
            sizes[arm] = found[0]
        stored = next(filter(None, map(weights_precision, origin.folders)), FULL_PRECISION)
        if stored != FULL_PRECISION:
            precisions[arm] = stored
    if unweighed := {arm: origin for arm, origin in origins.items() if arm not in sizes}:
        notes.append(f"No exported weights were found for {_named(unweighed)}, so their size is missing.")
    return replace(_latencies(study, origins, notes), sizes=sizes, computed=frozenset(computed), precisions=precisions)


def _computed(study: Study, arm: str, origin: Origin, notes: list[str]) -> float | None:
    """Megabytes from a run's number of parameters; the run that exports comes first, for it has the exported head."""
    runs = [run for run in study.runs if run.arm == arm and run.number(PARAMETERS)]
    run = min(runs, key=lambda run: run.stage in study.tasks, default=None)
    if run is None:
        return None
    parameters = int(run.number(PARAMETERS) or 0)
    head = ", which has its task's head instead of the masked-LM head" if run.stage in study.tasks else ""
    notes.append(
        f"No weights were found for {_named({arm: origin})}; its size is computed from {parameters:,} parameters of "
        f"{run.label}{head}, {_BYTES} bytes each."
    )
    return parameters * _BYTES / 2**20


def _latencies(study: Study, origins: Mapping[str, Origin], notes: list[str]) -> Deployment:
    """What was measured, under which conditions, without the sizes."""
    none = Deployment({}, {}, "")
    path = study.folder / LATENCY_FILE
    if not path.is_file():
        notes.append(f"Latency was not measured: no {path}, which `python -m experiments.bench latency` writes.")
        return none
    try:
        file = read_latencies(path)
    except ValueError as error:
        notes.append(f"Latency is missing: {error}.")
        return none
    measured = {(study.folder / name).resolve(): model for name, model in file.models.items()}
    conditions = f"{file.hardware}, threads: {file.threads}, instructions for int8: {file.instructions}"

    def first(paths: Iterable[Path]) -> ModelLatency | None:
        return next((measured[path.resolve()] for path in paths if path.resolve() in measured), None)

    latencies = {arm: found for arm, origin in origins.items() if (found := first(origin.folders))}
    forms = {
        (arm, title): found
        for arm, origin in origins.items()
        for title, name in _FORM_FILES.items()
        if (found := first(place / name for place in origin.folders))
    }
    if unmeasured := {arm: origin for arm, origin in origins.items() if arm not in latencies}:
        notes.append(
            f"{path} has no metrics of {_named(unmeasured)}, so their latency is missing; `experiments.bench latency` "
            "measures folders of models only."
        )
    return Deployment({}, latencies, conditions, forms=forms)


def _named(origins: Mapping[str, Origin]) -> str:
    """Arms, each with what it started from where that is not a folder here."""
    names = []
    for arm, origin in origins.items():
        sources = ", ".join(shown_path(Path(source)) for source in origin.elsewhere)
        names.append(f"{arm} ({sources}, not a local folder)" if sources else arm)
    return ", ".join(names)
