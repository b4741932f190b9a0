"""A study as it is on disk after its runs, fabricated: metrics, predictions, events and exports."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from experiments._shared.exported.latency_file import Latencies, write_latencies
from experiments.report.reading.runs import Study
from experiments.report.reading.scan import open_runs
from tests.support.latencies import measured_latency

FACTS = {
    "hardware": "cpu x86_64, 1 threads",
    "git_revision": "0123456789ab",
    "python": "3.11.7",
    "version/torch": "2.13.0",
}
ENTITIES = ("PS", "LC", "OG")
Record = dict[str, Any]


def write_run(
    folder: Path, metrics: Mapping[str, Any], records: Sequence[Record] = (), scalars: Mapping[str, Any] | None = None
) -> Path:
    """A run folder `<recipe>/<arm>_seed<k>` with metrics, and predictions and events where given."""
    place = folder / metrics["recipe"] / f"{metrics['arm']}_seed{metrics['seed']}"
    place.mkdir(parents=True)
    (place / "metrics.json").write_text(json.dumps({**FACTS, **metrics}), encoding="utf-8")
    if records:
        write_records(place, records)
    if scalars:
        write_events(place, scalars)
    return place


def write_records(place: Path, records: Sequence[Record]) -> None:
    """`predictions.jsonl`."""
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (place / "predictions.jsonl").write_text(lines, encoding="utf-8")


def write_events(place: Path, scalars: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    """An event file with the (step, value) pairs of each scalar."""
    writer = EventFileWriter(str(place))
    for tag, points in scalars.items():
        for step, value in points:
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(wall_time=0.0, step=step, summary=summary))
    writer.close()


def label_records(right: Sequence[bool], probability: float = 0.9) -> list[Record]:
    """Predictions of a classification: true labels alternate, each right or wrong as given."""
    names = ("negative", "positive")
    return [
        {"row": row, "gold": names[row % 2], "predicted": names[row % 2 if ok else 1 - row % 2],
         "probability": probability}
        for row, ok in enumerate(right)
    ]  # fmt: skip


def answer_records(predicted: Sequence[str], gold: Sequence[str]) -> list[Record]:
    """Predictions of question answering."""
    pairs = enumerate(zip(predicted, gold, strict=True))
    return [{"row": n, "id": f"q{n}", "gold": [g], "predicted": p, "raw": p, "probability": 0.5} for n, (p, g) in pairs]


def tag_records(predicted: Sequence[str], gold: Sequence[str]) -> list[Record]:
    """Predictions of tagging, from tags joined by spaces."""
    pairs = enumerate(zip(predicted, gold, strict=True))
    return [{"row": n, "gold": g.split(), "predicted": p.split(), "probability": 0.5} for n, (p, g) in pairs]


@dataclass(frozen=True)
class FakeArm:
    """How good a fabricated arm is: the chance that one prediction is right, and its size."""

    name: str
    kind: str
    quality: float
    kilobytes: int
    layers: str = ""


ARMS = (
    FakeArm("teacher", "teacher", 0.92, 360),
    FakeArm("base", "student", 0.86, 110, "1-5-9"),
    FakeArm("first_three", "student", 0.85, 110, "1-2-3"),
    FakeArm("random_start", "student", 0.75, 110, "random"),
    FakeArm("undistilled", "control", 0.72, 110),
    FakeArm("mlm_only", "control", 0.80, 110),
)
TASKS = ("nsmc", "klue_ner", "korquad")


def fabricate(
    folder: Path,
    arms: Sequence[FakeArm] = ARMS,
    seeds: Sequence[int] = (1, 2),
    examples: int = 60,
    events: bool = True,
    study: str = "student_init",
) -> Path:
    """A whole study whose predictions are drawn at random, right with the arm's chance; metrics follow from them."""
    runs = []
    for arm in arms:
        for seed in seeds:
            export = f"exported/{arm.name}_seed{seed}"
            place = folder / export
            place.mkdir(parents=True)
            (place / "model.safetensors").write_bytes(bytes(arm.kilobytes * 1024))
            if arm.kind == "teacher":
                runs.append(("teacher", arm.name, seed, export))
                write_run(folder, {"recipe": "teacher", "arm": arm.name, "seed": seed, "val/loss": 6.131})
            else:
                runs.append(("distil", arm.name, seed, export))
                distil_run(folder, arm, seed, events)
            for task in TASKS:
                runs.append((task, arm.name, seed, None))
                task_run(folder, arm, seed, task, examples)
    plan = {
        "study": study,
        "question": "Does it matter which teacher layers the student starts from?",
        "base_arm": "base",
        "arms": [{"arm": a.name, "kind": a.kind, "axes": {"layers": a.layers} if a.layers else {}} for a in arms],
        "tasks": list(TASKS),
        "runs": [
            {"label": f"{s}/{a}_seed{k}", "stage": s, "arm": a, "seed": k, "folder": f"{s}/{a}_seed{k}", "export": e,
             "log": f"logs/{s}/{a}_seed{k}.log", "commands": [["experiments.train", "fit"]],
             "needs": [f"{'teacher' if a == 'teacher' else 'distil'}/{a}_seed{k}"] if s in TASKS else []}
            for s, a, k, e in runs
        ],
        "latency": None, "metric": None, "trials": 0, "points": 0, "configs": {},
    }  # fmt: skip
    (folder / "plan.json").write_text(json.dumps(plan, ensure_ascii=False), encoding="utf-8")
    largest = max(arm.kilobytes for arm in arms)
    models = {}
    for arm in arms:
        share = arm.kilobytes / largest
        models[f"exported/{arm.name}_seed{seeds[0]}"] = measured_latency(
            18 * share, 180 * share, 32_000 / (180 * share), arm.kilobytes * 256, arm.kilobytes / 1024
        )
    write_latencies(folder / "latency.json", Latencies("a test machine", 1, models, "none"))
    return folder


def distil_run(folder: Path, arm: FakeArm, seed: int, events: bool) -> None:
    """A distillation of 1,000 steps and 2,000 tokens per step; `undistilled` has none."""
    generator = np.random.default_rng([seed, len(arm.name)])
    steps = [0] if arm.name == "undistilled" else list(range(10, 1001, 10))
    worst = 9.0 - 2 * arm.quality
    loss = [worst - 2.5 * arm.quality * (1 - np.exp(-step / 250)) + generator.normal(0, 0.03) for step in steps]
    agreement = [0.5 * arm.quality * (1 - 0.7 * np.exp(-step / 300)) for step in steps]
    scalars = {
        "val/loss": list(zip(steps, loss, strict=True))[::10],
        "val/teacher_loss": [(step, 6.131) for step in steps][::10],
        "val/agreement": list(zip(steps, agreement, strict=True))[::10],
        "probe/nsmc_accuracy": [(s, 0.5 + 0.5 * a) for s, a in zip(steps, agreement, strict=True)][::20],
        "probe/teacher_nsmc_accuracy": [(s, 0.9) for s in steps][::20],
        "probe/nsmc_retention": [(s, (50 + 50 * a) / 0.9) for s, a in zip(steps, agreement, strict=True)][::20],
    }
    if steps != [0]:
        scalars |= {"train/loss/masked_lm": list(zip(steps, loss, strict=True)),
                    "train/tokens_seen": [(step, 2000.0 * step) for step in steps]}  # fmt: skip
        if arm.name != "mlm_only":
            scalars |= {f"train/loss/{name}": [(s, scale * x) for s, x in zip(steps, loss, strict=True)]
                        for name, scale in (("soft_target", 0.1), ("cosine", 0.02))}  # fmt: skip
    metrics = {
        "recipe": "distil", "arm": arm.name, "seed": seed, "val/loss": loss[-1], "val/agreement": agreement[-1],
        "val/teacher_loss": 6.131, "tokens_seen": 2000 * steps[-1], "wall_time_s": 1.5 * steps[-1], "steps": steps[-1],
    }  # fmt: skip
    write_run(folder, metrics, scalars=scalars if events else None)


def task_run(folder: Path, arm: FakeArm, seed: int, task: str, examples: int) -> None:
    """A fine-tuning run; examples differ in how hard they are, and all arms meet the same ones."""
    hardness = np.random.default_rng(TASKS.index(task)).normal(0, 0.12, examples)
    generator = np.random.default_rng([seed, TASKS.index(task), int(1000 * arm.quality)])
    right = generator.random(examples) < np.clip(arm.quality + hardness, 0, 1)
    metrics: dict[str, Any] = {"recipe": task, "arm": arm.name, "seed": seed}
    if task == "nsmc":
        records = label_records(right.tolist())
        for record, ok in zip(records, right, strict=True):
            record["probability"] = float(generator.beta(8, 1.2) if ok else generator.beta(4, 2)) / 2 + 0.5
        metrics["test/accuracy"] = float(right.mean())
    elif task == "korquad":
        gold = [f"{n}년 {n % 12 + 1}월" for n in range(examples)]
        records = answer_records([g if ok else g[:-1] for g, ok in zip(gold, right, strict=True)], gold)
        metrics["test/exact_match"] = 100 * float(right.mean())
        # One character of the gold answer's n is lost where the answer is wrong: F1 = 2 (n - 1) / (2 n - 1).
        lengths = [len(g.replace(" ", "")) for g in gold]
        shares = [1.0 if ok else 2 * (n - 1) / (2 * n - 1) for n, ok in zip(lengths, right, strict=True)]
        metrics["test/f1"] = 100 * float(np.mean(shares))
    else:
        kinds = [ENTITIES[n % len(ENTITIES)] for n in range(examples)]
        gold = [f"B-{kind} I-{kind} O" for kind in kinds]
        # A wrong sentence has its entity cut short: one predicted, one annotated, none right.
        records = tag_records([g if ok else f"{g.split()[0]} O O" for g, ok in zip(gold, right, strict=True)], gold)
        metrics["test/f1"] = float(right.mean())
        metrics |= {"test/f1_kept": 0.5, "test/f1_strict": 0.5}
        for kind in ENTITIES:
            metrics[f"test/f1_{kind}"] = float(right[[k == kind for k in kinds]].mean())
    write_run(folder, metrics, records)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change the content of a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def read(folder: Path, **options: str) -> tuple[Study, list[str]]:
    notes: list[str] = []
    return open_runs(folder, notes, **options), notes


def distilled(folder: Path) -> Path:
    """A folder with one distillation, of which a report is quickly made."""
    metrics = {"recipe": "distilkobert", "arm": "base", "seed": 42, "val/agreement": 0.3, "val/loss": 5.0}
    write_run(folder, metrics, scalars={"val/loss": [(step, 9.0 - step / 10) for step in range(10, 40, 10)]})
    return folder
