"""Stand-ins for the commands of a study: they leave the files that the real ones leave, in a few milliseconds.

    python fakes.py experiments.train fit ...

Their results depend on their arguments alone, as those of real runs do on their seed. What a test wants to go wrong is
said by files in the folder named by STUDY_FAKES: `slow` holds seconds that every training takes, `hold` the number of
ended trainings from which on no step is made, `fail` labels that fail; `trace` gets a line for every training that
starts and ends, and for every test.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

LAUNCHER = (sys.executable, "-S", "-E", str(Path(__file__).resolve()))
STEPS = 4


def option(args: list[str], name: str) -> str:
    """Value of `--name=value`; the last one wins."""
    return [arg.partition("=")[2] for arg in args if arg.startswith(f"--{name}=")][-1]


def control(name: str) -> str:
    """Content of one of the files that a test steers by."""
    path = Path(os.environ["STUDY_FAKES"]) / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def trace(line: str) -> None:
    """Note what happens; a line this short is written whole."""
    with (Path(os.environ["STUDY_FAKES"]) / "trace").open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")


def held() -> bool:
    """Whether as many trainings have ended as the test allows."""
    allowed = control("hold")
    return bool(allowed) and sum(line.startswith("end ") for line in control("trace").splitlines()) >= int(allowed)


def write(path: Path, content: object) -> None:
    """A JSON file, in one move."""
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)


def number(text: str) -> float:
    """A number between 0 and 1 that depends on the text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:6], 16) / 16**6


def fit(args: list[str]) -> None:
    """A training of four steps, with a checkpoint after each; it resumes from `--ckpt_path`."""
    resumed = any(arg.startswith("--ckpt_path=") for arg in args)
    if resumed:
        folder = Path(option(args, "ckpt_path")).parent.parent
        args = json.loads((folder / "config.yaml").read_text(encoding="utf-8"))
        done = int((folder / "checkpoints" / "last.ckpt").read_text(encoding="utf-8"))
    else:
        arm, seed = option(args, "run.arm"), option(args, "seed_everything")
        folder, done = Path(option(args, "run.root")) / option(args, "run.recipe") / f"{arm}_seed{seed}", 0
        if folder.exists():
            raise SystemExit(f"{folder} already contains a run")
        (folder / "checkpoints").mkdir(parents=True)
        write(folder / "config.yaml", args)
    label = f"{folder.parent.name}/{folder.name}"
    trace(f"start {label} {done}")
    if label in control("fail").split():
        sys.stderr.write("the loss is not finite\nerror: no more of this\n")
        raise SystemExit(2)
    for step in range(done, STEPS):
        time.sleep(float(control("slow") or 0) / STEPS)
        while held():
            time.sleep(0.01)
        (folder / "checkpoints" / "last.part").write_text(str(step + 1), encoding="utf-8")
        (folder / "checkpoints" / "last.part").replace(folder / "checkpoints" / "last.ckpt")
    (folder / "checkpoints" / "best.ckpt").touch()
    owner = {"recipe": option(args, "run.recipe"), "arm": option(args, "run.arm")}
    seed = int(option(args, "seed_everything"))
    figures = scores(folder, "val")
    write(folder / "metrics.json", {**owner, "seed": seed, "steps": STEPS, "val/step": STEPS, **figures})
    trace(f"end {label}")


def scores(folder: Path, prefix: str) -> dict[str, float]:
    """Metrics that depend on the training's arguments, wherever the study is."""
    text = (folder / "config.yaml").read_text(encoding="utf-8")
    figure = number(text.replace(option(json.loads(text), "run.root"), ""))
    found = {f"{prefix}/loss": figure, f"{prefix}/accuracy": figure}
    return found if prefix == "test" else {**found, f"best/{prefix}/accuracy": figure}


def test(args: list[str]) -> None:
    """Add the scores of a test, and one prediction."""
    folder = Path(option(args, "ckpt_path")).parent.parent
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    trace(f"test {folder.parent.name}/{folder.name}")
    write(folder / "predictions.jsonl", {"row": 1, "gold": 0, "predicted": 1})
    write(folder / "metrics.json", metrics | scores(folder, "test"))


def main(args: list[str]) -> None:
    """Do what the arguments say."""
    if args[:2] == ["experiments.train", "fit"]:
        fit(args[2:])
    elif args[:2] == ["experiments.train", "test"]:
        test(args)
    elif args[:2] == ["experiments.bench", "latency"]:
        models = [arg for arg in args[args.index("--models") + 1 :] if Path(arg).is_dir()]
        output = Path(option(args, "output"))
        single = dict.fromkeys(("batch_1_ms", "batch_32_ms", "sentences_per_s", "parameters", "mb"), 1)
        pairs = {key: [1, 1] for key in ("batch_1_quartiles_ms", "batch_32_quartiles_ms", "batch_1_tail_ms")}
        named = {os.path.relpath(model, output.parent): {**single, **pairs, "tokenizer_ms": None} for model in models}
        write(output, {"hardware": "none", "threads": 1, "instructions": "none", "models": named})
    else:  # prepare corpus, export
        output = Path(option(args, "output"))
        output.mkdir(parents=True)
        (output / "manifest.json").write_text("{}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
