"""The pages on models, loggers, task kinds and families of one's own in docs/extending.md, with the files they show."""

import importlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForMaskedLM

from distilkobert.models.families import FAMILIES, add_family
from distilkobert.tasks.kinds import KINDS, SEQUENCE_CLASSIFICATION, add_kind
from experiments.predict.__main__ import main as predict_command
from experiments.report.__main__ import report
from experiments.train import main
from tests.integration.pages.test_extending_page import block, options
from tests.world import VOCABULARY, World, read_json, scalars

__all__ = ["options"]

NAMES = ("my_models", "my_loggers", "my_stars", "my_families")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder from which modules are imported; what they add to the package's tables goes again."""
    kinds, families = list(KINDS), dict(FAMILIES)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    KINDS[:] = kinds
    FAMILIES.clear()
    FAMILIES.update(families)
    for name in NAMES:
        sys.modules.pop(name, None)


def write(folder: Path, section: str, *kinds: str) -> None:
    """Files of a section under the names in their first lines."""
    for kind in kinds:
        content = block(section, kind)
        name = content.split("\n", 1)[0].strip('"# ')
        (folder / name).write_text(content, encoding="utf-8")


def test_the_model_of_the_page(options: list[str], own: Path) -> None:
    write(own, "A model of your own", "python", "yaml")
    main(["fit", "-c", "examples/emotions/emotions.yaml", "-c", str(own / "model.yaml"), *options, "--model.focus=2.5"])
    run = own / "runs" / "emotions" / "base_seed42"
    assert "focus: 2.5" in (run / "config.yaml").read_text(encoding="utf-8")
    assert {"val/accuracy", "val/macro_f1"} <= read_json(run / "metrics.json").keys()
    network = importlib.import_module("my_models").FocalClassification("", ["가", "나"], focus=1.5)
    logits = [[2.0, -1.0], [0.5, 0.25], [0.0, 3.0]]
    loss = network.task_loss({"labels": torch.tensor([0, 1, 0])}, (torch.tensor(logits),)).loss
    shares = [math.exp(row[gold]) / sum(map(math.exp, row)) for row, gold in zip(logits, (0, 1, 0), strict=True)]
    assert float(loss) == pytest.approx(sum(-((1 - p) ** 1.5) * math.log(p) for p in shares) / 3)


def test_the_logger_of_the_page(options: list[str], own: Path) -> None:
    write(own, "A logger of your own", "python", "yaml")
    content = (own / "logger.yaml").read_text(encoding="utf-8").replace("scalars.jsonl", str(own / "scalars.jsonl"))
    (own / "logger.yaml").write_text(content, encoding="utf-8")
    often = "--trainer.log_every_n_steps=1"
    main(["fit", "-c", "examples/emotions/emotions.yaml", "-c", str(own / "logger.yaml"), *options, often])
    begin, *lines = [json.loads(line) for line in (own / "scalars.jsonl").read_text(encoding="utf-8").splitlines()]
    assert begin["settings"]["seed"] == 42
    curve = {line["step"]: line["train/loss/total"] for line in lines if "train/loss/total" in line}
    assert curve == pytest.approx(scalars(own / "runs" / "emotions" / "base_seed42")["train/loss/total"], rel=1e-5)
    assert {name.partition("/")[0] for line in lines for name in line} == {"step", "train"}


def test_the_task_kind_of_the_page(
    options: list[str], own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = "A task kind of your own"
    write(own, section, "python", "yaml")
    rows = [f"{number}번째 주문한 물건이 왔다,{number % 5 + 1}" for number in range(60)]
    (own / "stars.csv").write_text("\n".join(["문장,별점", *rows]), encoding="utf-8")
    main(["fit", "-c", str(own / "stars.yaml"), f"--data.data_dir={own}", *options])
    run = own / "runs" / "stars" / "base_seed42"
    main(["test", "-c", str(run / "config.yaml"), "--ckpt_path=best"])
    metrics = read_json(run / "metrics.json")
    lines = (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [(int(record["gold"]), int(record["predicted"])) for record in map(json.loads, lines)]
    share = sum(abs(gold - said) <= 1 for gold, said in answers) / len(answers)
    assert metrics["test/within_one"] == pytest.approx(share)
    assert {"val/within_one", "best/val/within_one"} <= metrics.keys()
    capsys.readouterr()
    monkeypatch.setattr("sys.argv", ["predict", "--model", str(run), "--text", "배송이 빨랐다"])
    predict_command()
    assert capsys.readouterr().out.split("\t")[0] in "12345"
    page = (report(str(own / "runs")) / "report.md").read_text(encoding="utf-8")
    assert "| arm | kind | size MB | stars within one |" in page
    assert f"| {100 * share:.2f}" in page
    commands = block(section, "bash")
    assert "DISTILKOBERT_IMPORT=my_stars" in commands
    with pytest.raises(ValueError, match="the task kind or head 'sequence_classification' already exists"):
        add_kind(SEQUENCE_CLASSIFICATION)


def test_the_encoder_family_of_the_page(own: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write(own, "An encoder family of your own", "python")
    config = AutoConfig.for_model(
        "ernie", vocab_size=VOCABULARY, pad_token_id=1, hidden_size=16, num_hidden_layers=4, num_attention_heads=2,
        intermediate_size=24, max_position_embeddings=64,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForMaskedLM.from_config(config).save_pretrained(own / "teacher")
    monkeypatch.setattr("sys.argv", ["train"])
    command = [
        "fit", *world.distil(own), f"--model.teacher={own / 'teacher'}", "--model.student.layers=[0, 3]",
        "--trainer.max_steps=2", "--trainer.val_check_interval=2",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="'ernie' is unsupported"):
        main(command)
    importlib.import_module("my_families")
    main([*command, "--run.arm=known"])
    metrics = read_json(own / "distilkobert" / "known_seed42" / "metrics.json")
    assert metrics["steps"] == 2
    assert math.isfinite(metrics["val/teacher_loss"])
    with pytest.raises(ValueError, match="the encoder family 'ernie' already exists"):
        add_family("ernie", FAMILIES["bert"])
