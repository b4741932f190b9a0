"""Students of fine-tuned teachers, one of each task kind: terms worked out apart, resume, export, refusals."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from transformers import AutoModelForSequenceClassification

from datamodules import NSMCDataModule
from distilkobert.models.checkpoints import load_model, read_checkpoint
from distilkobert.models.task_forward import logit_rows
from distilkobert.tasks.kinds import KINDS, TaskKind, kind_named
from experiments.export.__main__ import export
from experiments.train import main
from tests.integration.tasks.test_own_tables import table
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.support.tasks.benchmark_files import write_benchmark
from tests.world import World, read_json, scalars

SMALL = [
    "--trainer.max_epochs=-1", "--trainer.max_steps=3", "--trainer.val_check_interval=3", "--trainer.accelerator=cpu",
    "--trainer.enable_progress_bar=false", "--trainer.log_every_n_steps=1", "--data.batch_size=8",
]  # fmt: skip
RECIPES = {
    "nsmc": ("nsmc", []), "klue_ner": ("klue_ner", []), "korquad": ("korquad", []), "klue_sts": ("klue_sts", []),
    "labels": ("own", []), "klue_mrc": ("klue_mrc", []),
}  # fmt: skip
SLOW = ("korquad", "labels")
OWN = """
run: {recipe: own}
model: {class_path: SequenceClassification}
data:
  class_path: TableDataModule
  init_args: {train_file: own.csv, text: 문장, label: 주제, kind: multi_label, label_separator: ";"}
best_checkpoint: {monitor: val/micro_f1, mode: max}
"""


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


def options(name: str, tasks: TaskWorld, world: World, root: Path) -> list[str]:
    """The task's recipe on small files, without a model."""
    recipe = f"configs/finetune/{name}.yaml"
    folder = tasks.root / name
    if name == "labels":
        table(90).to_csv(root / "own.csv", index=False)
        (root / "own.yaml").write_text(OWN, encoding="utf-8")
        recipe, folder = str(root / "own.yaml"), root
    elif name.startswith("klue_") and name != "klue_ner":
        write_benchmark(name, root / "data")
        folder = root / "data"
    windows = ["--data.max_question=12", "--data.stride=16"] if name in ("korquad", "klue_mrc") else []
    return [
        "fit", "-c", recipe, f"--data.data_dir={folder}", f"--data.tokenizer={world.tokenizer}", *windows,
        f"--data.cache_dir={root / 'cache'}", "--data.max_length=48", f"--run.root={root / 'runs'}", *SMALL,
    ]  # fmt: skip


def overlays(name: str) -> list[str]:
    files = ["distil", *(["distil_scores"] if name == "klue_sts" else [])]
    return [part for file in files for part in ("-c", f"configs/finetune/{file}.yaml")]


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in RECIPES]
)
def distilled(
    request: pytest.FixtureRequest, tasks: TaskWorld, world: World, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, list[str]]:
    """The task, its folder after a teacher's fine-tuning and a distillation, and the options of the latter."""
    name = str(request.param)
    root = tmp_path_factory.mktemp(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["train"])
        main([*options(name, tasks, world, root), f"--model.init_from={world.teacher}", "--run.arm=teacher"])
        run = root / "runs" / RECIPES[name][0] / "teacher_seed42"
        export(str(run / "checkpoints" / "best.ckpt"), str(root / "teacher"))
        arguments = [
            *options(name, tasks, world, root), *overlays(name), f"--model.teacher={root / 'teacher'}",
            "--model.init_from=null", "--model.student.layers=[0, 5]", "--run.arm=student",
        ]  # fmt: skip
        main(arguments)
        student = run.with_name("student_seed42")
        main(["test", "-c", str(student / "config.yaml"), f"--ckpt_path={student / 'checkpoints' / 'best.ckpt'}"])
    return name, root, arguments


def test_the_student_is_scored_and_exported_as_a_model_of_the_task(distilled: tuple[str, Path, list[str]]) -> None:
    name, root, _ = distilled
    run = root / "runs" / RECIPES[name][0] / "student_seed42"
    metrics = read_json(run / "metrics.json")
    kind = kind_named(read_checkpoint(run / "checkpoints" / "best.ckpt")["transformers"]["task"])
    asked = (score.key for score in kind.scores if score.key != "rouge_w" or name == "klue_mrc")
    assert {f"test/{key}" for key in asked} <= metrics.keys()
    assert metrics["parameters"] < read_json(run.with_name("teacher_seed42") / "metrics.json")["parameters"]
    curves = scalars(run)
    term = "score" if name == "klue_sts" else "soft_target"
    for step, value in curves["train/loss/total"].items():
        parts = 0.5 * curves["train/loss/hard_labels"][step] + 0.5 * curves[f"train/loss/{term}"][step]
        assert value == pytest.approx(parts, rel=1e-4)
    export(str(run / "checkpoints" / "best.ckpt"), str(root / "student"))
    model, missing = load_model(root / "student", kind.name)
    assert (missing, model.config.num_hidden_layers) == ([], 2)
    teacher, _ = load_model(root / "teacher", kind.name)
    assert model.config.id2label == teacher.config.id2label
    shutil.rmtree(root / "student")


@pytest.mark.parametrize("distilled", ["nsmc"], indirect=True)
def test_it_goes_on_from_an_exported_student_and_resumes(
    distilled: tuple[str, Path, list[str]], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, root, arguments = distilled
    monkeypatch.setattr("sys.argv", ["train"])
    more = [
        *arguments, f"--model.init_from={world.teacher}", "--trainer.max_steps=4", "--last_checkpoint.every_n_steps=2",
        "--model.objectives.hidden.class_path=HiddenMSE", "--model.objectives.hidden.init_args.weight=0.1",
        "--model.dropout.attention=0.25",
    ]  # fmt: skip
    main([*more, "--run.arm=whole"])
    main([*more, "--run.arm=part", "--trainer.max_steps=2"])
    runs = root / "runs" / "nsmc"
    main([*more, "--run.arm=part", f"--ckpt_path={runs / 'part_seed42' / 'checkpoints' / 'last.ckpt'}"])
    saved = [read_checkpoint(runs / f"{arm}_seed42" / "checkpoints" / "last.ckpt") for arm in ("whole", "part")]
    assert [one["transformers"]["config"]["attention_probs_dropout_prob"] for one in saved] == [0.25, 0.25]
    states = [one["state_dict"] for one in saved]
    assert states[0].keys() == states[1].keys()
    assert all(name.startswith(("network.", "objectives.")) for name in states[0])
    assert "hidden" in {name.split("/")[2] for name in scalars(runs / "whole_seed42") if name.startswith("train/loss/")}


@pytest.mark.parametrize("distilled", ["nsmc"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ["--model.teacher={world}"],
            "has no trained head for sequence_classification; missing: .*Fine-tune it",
        ),
        (["--data.labels={0: 나쁨, 1: 좋음}"], "set --data.labels to the teacher's, or use a teacher of this"),
        (["--data.tokenizer={other}"], "another tokenizer than data.tokenizer: 594 of 600 ids"),
        (["--model.hard_labels=-1"], "hard_labels=-1.0: expected a finite weight of 0 or more"),
        (
            ["--model.objectives.soft_target.class_path=HiddenMSE", "--model.hard_labels=0"],
            "nothing would train the head",
        ),
        (
            ["--model.objectives.words.class_path=MaskedLM"],
            "MaskedLM needs vocabulary logits, which a task does not have",
        ),
        (["--model.student.layers=[0, 12]"], "the teacher has layers 0 to 11, not 12"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    distilled: tuple[str, Path, list[str]], changes: list[str], message: str, world: World,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    from distilkobert.synthetic.generation import generate_sentences
    from distilkobert.tokenizers.training import train_tokenizer

    monkeypatch.setattr("sys.argv", ["train"])
    if any("{other}" in change for change in changes):
        train_tokenizer(generate_sentences(300, seed=8), tmp_path / "other", vocab_size=600, seed=8)
    places = {"{world}": str(world.teacher), "{other}": str(tmp_path / "other")}
    for mark, place in places.items():
        changes = [change.replace(mark, place) for change in changes]
    with pytest.raises(ValueError, match=message):
        main([*distilled[2], "--run.arm=other", *changes])


@pytest.mark.parametrize("distilled", ["klue_sts"], indirect=True)
def test_soft_targets_of_a_score_are_refused(
    distilled: tuple[str, Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["train"])
    with pytest.raises(ValueError, match=r"objectives\.soft: SoftTargets compares distributions.*; use LogitsMSE"):
        main([*distilled[2], "--run.arm=soft", "--model.objectives.soft.class_path=SoftTargets"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_rows_of_logits_give_the_distributions_of_the_task(kind: TaskKind) -> None:
    generator = torch.Generator().manual_seed(0)
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    labels = torch.tensor([[-100, 2, 0, -100], [-100, 1, -100, 2]])
    shapes: dict[str, list[tuple[int, ...]]] = {
        "sequence_classification": [(2, 3)], "multi_label_classification": [(2, 3)], "sequence_regression": [(2, 1)],
        "token_classification": [(2, 4, 3)], "question_answering": [(2, 4), (2, 4)],
    }  # fmt: skip
    logits = [torch.randn(shape, generator=generator) for shape in shapes[kind.name]]
    rows = logit_rows(kind, logits, mask, labels)
    found = rows.softmax(-1)
    if kind.name == "multi_label_classification":
        assert torch.allclose(found[:, 0].reshape(2, 3), logits[0].sigmoid())
    elif kind.name == "token_classification":
        places = [(0, 1), (0, 2), (1, 1), (1, 3)]
        assert torch.equal(rows, torch.stack([logits[0][place] for place in places]))
    elif kind.name == "question_answering":
        assert torch.allclose(found[0, :3], F.softmax(logits[0][0, :3], -1))
        assert float(found[0, 3]) == float(found[2, 3]) == 0.0
        assert torch.allclose(found[3], F.softmax(logits[1][1], -1))
        assert math.isfinite(float(F.kl_div(rows.log_softmax(-1), rows.flip(0).log_softmax(-1), log_target=True)))
    else:
        assert torch.equal(rows, logits[0])


@pytest.mark.parametrize("distilled", ["nsmc"], indirect=True)
def test_terms_of_the_first_step_are_the_naive_ones(
    distilled: tuple[str, Path, list[str]], tasks: TaskWorld, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A student with a trained head and no dropout, so that plain loops over both networks' outputs give the terms."""
    _, root, arguments = distilled
    monkeypatch.setattr("sys.argv", ["train"])
    export(str(root / "runs" / "nsmc" / "student_seed42" / "checkpoints" / "best.ckpt"), str(root / "sure"))
    config = json.loads((root / "sure" / "config.json").read_text(encoding="utf-8"))
    config |= {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0}
    (root / "sure" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    more = ["--model.hard_labels=0.3", "--model.objectives.soft_target.weight=0.9", "--run.arm=one"]
    short = ["--trainer.max_steps=1", "--trainer.val_check_interval=1"]
    main([*arguments, f"--model.init_from={root / 'sure'}", *more, *short])
    settings = {"max_length": 48, "batch_size": 8, "cache_dir": str(root / "cache")}
    data = NSMCDataModule(str(tasks.root / "nsmc"), str(world.tokenizer), **settings)
    batch = next(iter(data.train_dataloader()))
    names = {"teacher": ("input_ids", "attention_mask", "token_type_ids"), "sure": ("input_ids", "attention_mask")}
    said = {}
    for folder, inputs in names.items():
        network = AutoModelForSequenceClassification.from_pretrained(root / folder)
        with torch.inference_mode():
            said[folder] = network(**{name: batch[name] for name in inputs}).logits.tolist()
    soft, hard = [], []
    for its, mine, label in zip(said["teacher"], said["sure"], batch["labels"].tolist(), strict=True):
        p, q = ([math.exp(x / 2) / sum(math.exp(y / 2) for y in row) for x in row] for row in (its, mine))
        soft.append(4 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)))
        hard.append(-math.log(math.exp(mine[label]) / sum(map(math.exp, mine))))
    curves = {name: values[1] for name, values in scalars(root / "runs" / "nsmc" / "one_seed42").items() if 1 in values}
    expected = {"hard_labels": sum(hard) / len(hard), "soft_target": sum(soft) / len(soft)}
    assert {name: curves[f"train/loss/{name}"] for name in expected} == pytest.approx(expected, rel=1e-4, abs=1e-6)
    total = 0.3 * expected["hard_labels"] + 0.9 * expected["soft_target"]
    assert curves["train/loss/total"] == pytest.approx(total, rel=1e-4)
