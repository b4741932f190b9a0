"""Every encoder family through the trainer: teacher, student, two steps, export, and what transformers loads of it."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, DistilBertForMaskedLM, DistilBertModel

from distilkobert.models.checkpoints import load_model, read_checkpoint
from distilkobert.models.heads import encode
from experiments._shared.trainer_cli import TrainerCLI
from experiments.export.__main__ import export
from tests.support.networks.encoders import FAMILY_NAMES, tiny_encoder
from tests.world import VOCABULARY, Run, World, read_json, scalars

NO_LOGITS = ("--model.objectives.soft_target.weight=0", "--model.objectives.masked_lm.weight=0")
SMALL = ("--model.student.layers=[0,2]", "--model.student.freeze_positions=false")


def teacher(family: str, folder: Path, *, head: bool = True) -> str:
    """The option that names a tiny teacher of the family."""
    model = tiny_encoder(family, head=head, vocab_size=VOCABULARY, positions=66)
    model.save_pretrained(folder / "teacher")
    return f"--model.teacher={folder / 'teacher'}"


def steps(count: int) -> tuple[str, str]:
    return f"--trainer.max_steps={count}", f"--trainer.val_check_interval={count}"


def run_folder(runs: Path, arm: str = "base") -> Path:
    return runs / "distilkobert" / f"{arm}_seed42"


def assert_exported_as_trained(cli: TrainerCLI, folder: Path, output: Path, head: bool) -> None:
    """The exported folder, loaded by transformers alone, gives the outputs of the network that was trained."""
    exported = export(str(folder / "checkpoints" / "last.ckpt"), str(output))
    loader = AutoModelForMaskedLM if head else AutoModel
    model, report = loader.from_pretrained(exported, output_loading_info=True)
    assert not [name for name in report["missing_keys"] if not name.startswith("pooler.")]
    batch = next(iter(cli.datamodule.val_dataloader()))
    ids, mask = batch["input_ids"], batch["attention_mask"]
    trained = cli.model.network.eval()
    with torch.inference_mode():
        ours, theirs = (network.eval()(input_ids=ids, attention_mask=mask)[0] for network in (trained, model))
        assert torch.equal(ours, theirs)
        encoder = AutoModel.from_pretrained(exported).eval()
        assert torch.equal(encode(trained, ids, mask), encode(encoder, ids, mask))


@pytest.mark.parametrize(
    "family", [pytest.param(name, marks=[] if name == "albert" else pytest.mark.slow) for name in FAMILY_NAMES]
)
def test_a_student_of_its_own_class(family: str, world: World, run: Run, tmp_path: Path) -> None:
    options = [teacher(family, tmp_path), *SMALL, *steps(2), "--model.student.architecture=same"]
    cli = run("fit", world.distil(tmp_path / "runs", *options))
    folder = run_folder(tmp_path / "runs")
    assert cli.model.network.config.model_type == family
    assert cli.model.network.config.num_hidden_layers == 2
    metrics = read_json(folder / "metrics.json")
    assert {"val/loss", "val/agreement", "val/objective/total", "best/val/loss"} <= metrics.keys()
    assert_exported_as_trained(cli, folder, tmp_path / "out", head=True)


def test_a_teacher_without_head_teaches_its_hidden_states(
    world: World, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, runs = teacher("bert", tmp_path, head=False), tmp_path / "runs"
    cli = run("fit", world.distil(runs, own, *SMALL, *NO_LOGITS, *steps(2)))
    note = caplog.text
    assert f"teacher {tmp_path / 'teacher'}: bert, 4 layers of width 16, no masked-LM head, vocabulary of 600" in note
    assert "no objective uses the student's logits: best.ckpt follows val/objective/total" in note
    folder = run_folder(runs)
    metrics = read_json(folder / "metrics.json")
    assert metrics["best/val/objective/total"] == metrics["val/objective/total"]
    assert metrics["val/objective/total"] == pytest.approx(0.33 * metrics["val/objective/cosine"])
    assert not {"val/loss", "val/agreement", "val/objective/masked_lm"} & metrics.keys()
    assert isinstance(cli.model.network, DistilBertModel)
    assert_exported_as_trained(cli, folder, tmp_path / "out", head=False)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "pipeline_tag: feature-extraction" in card
    (tmp_path / "texts.txt").write_text("오늘 [MASK] 갔다\n", encoding="utf-8")
    predict = [f"--data.predict_file={tmp_path / 'texts.txt'}", f"--ckpt_path={folder}/checkpoints/best.ckpt"]
    with pytest.raises(ValueError, match="the student has no masked-LM head, so there is nothing to predict"):
        run("predict", world.distil(runs, own, *SMALL, *NO_LOGITS, *predict))

    resumed = [f"--ckpt_path={folder}/checkpoints/last.ckpt", "--trainer.max_steps=4", "--trainer.val_check_interval=2"]
    run("fit", world.distil(runs, own, *SMALL, *NO_LOGITS, *resumed))
    curve = scalars(folder)["val/objective/total"]
    assert sorted(curve) == [2, 4]
    best = min(curve, key=lambda step: curve[step])
    assert read_checkpoint(folder / "checkpoints" / "best.ckpt")["global_step"] == best

    second = [
        f"--model.student.init_from={folder}/checkpoints/last.ckpt",
        "--model.objectives.masked_lm.weight=0.5",
        *steps(1),
    ]
    later = run("fit", world.distil(runs, own, *SMALL, *NO_LOGITS, *second, "--run.arm=second"))
    assert isinstance(later.model.network, DistilBertForMaskedLM)
    assert {"val/loss", "val/objective/masked_lm"} <= read_json(run_folder(runs, "second") / "metrics.json").keys()
    from_second, missing = load_model(run_folder(runs, "second") / "checkpoints" / "last.ckpt", "masked_lm")
    assert missing == []
    assert isinstance(from_second, DistilBertForMaskedLM)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_an_encoder_without_head_gives_one_without_head(family: str, world: World, run: Run, tmp_path: Path) -> None:
    options = [teacher(family, tmp_path, head=False), *SMALL, *NO_LOGITS, "--model.student.architecture=same"]
    cli = run("fit", world.distil(tmp_path / "runs", *options, *steps(2)))
    assert_exported_as_trained(cli, run_folder(tmp_path / "runs"), tmp_path / "out", head=False)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "camembert", "distilbert"])
def test_a_distilbert_of_other_families(family: str, world: World, run: Run, tmp_path: Path) -> None:
    cli = run("fit", world.distil(tmp_path / "runs", teacher(family, tmp_path), *SMALL, *steps(2)))
    assert isinstance(cli.model.network, DistilBertForMaskedLM)
    assert_exported_as_trained(cli, run_folder(tmp_path / "runs"), tmp_path / "out", head=True)


@pytest.mark.slow
def test_an_assistant_teaches_the_next_student(world: World, run: Run, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run("fit", world.distil(runs, "--model.student.layers=[0,2,4,6,8,10]", "--run.arm=six", *steps(2)))
    six = export(str(run_folder(runs, "six") / "checkpoints" / "last.ckpt"), str(tmp_path / "six"))
    start = ["--model.student.layers=[0,2,4]", "--run.arm=three", "--trainer.max_steps=0"]
    three = run("fit", world.distil(runs, f"--model.teacher={six}", *start)).model.network
    assistant = AutoModelForMaskedLM.from_pretrained(six)
    assert isinstance(three, DistilBertForMaskedLM)
    for ours, place in zip(three.distilbert.transformer.layer, (0, 2, 4), strict=True):
        theirs = assistant.distilbert.transformer.layer[place].state_dict()
        assert all(torch.equal(value, theirs[name]) for name, value in ours.state_dict().items())
    assert "val/agreement" in read_json(run_folder(runs, "three") / "metrics.json")


def test_a_narrow_student_learns_through_a_projection(world: World, run: Run, tmp_path: Path) -> None:
    narrow = ["--model.student.hidden_size=8", "--model.student.intermediate_size=12"]
    cli = run("fit", world.distil(tmp_path, *narrow, *steps(2)))
    assert cli.model.network.config.dim == 8
    metrics = read_json(run_folder(tmp_path) / "metrics.json")
    assert {"val/cka/layer0", "val/objective/cosine"} <= metrics.keys()
    assert not {"val/similarity/layer0", "val/loss/cosine"} & metrics.keys()
    saved = read_checkpoint(run_folder(tmp_path) / "checkpoints" / "last.ckpt")["state_dict"]
    assert tuple(saved["objectives.active.cosine.projection.weight"].shape) == (16, 8)
    assert metrics["parameters"] == sum(one.numel() for one in cli.model.network.parameters())


def test_a_continued_student_resumes_and_is_validated_without_its_source(
    world: World, run: Run, tmp_path: Path
) -> None:
    tiny_encoder("distilbert", layers=2, vocab_size=VOCABULARY, positions=66).save_pretrained(tmp_path / "student")
    options = [f"--model.student.init_from={tmp_path / 'student'}", "--model.student.layers=[0,2]", *steps(4)]
    run("fit", world.distil(tmp_path / "runs", *options, "--run.arm=whole"))
    run("fit", world.distil(tmp_path / "runs", *options, "--last_checkpoint.keep_every_n_steps=2"))
    shutil.rmtree(tmp_path / "student")
    checkpoints = run_folder(tmp_path / "runs") / "checkpoints"
    run("fit", ["-c", f"{checkpoints.parent}/config.yaml", f"--ckpt_path={checkpoints / 'step00000002.ckpt'}"])
    ends = [
        read_checkpoint(run_folder(tmp_path / "runs", arm) / "checkpoints" / "last.ckpt") for arm in ("whole", "base")
    ]
    assert all(torch.equal(value, ends[1]["state_dict"][name]) for name, value in ends[0]["state_dict"].items())
    assert ends[0]["transformers"] == ends[1]["transformers"]
    run("validate", ["-c", f"{checkpoints.parent}/config.yaml", f"--ckpt_path={checkpoints / 'last.ckpt'}"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model.student.architecture=same", "--model.student.layers=[0,12]"], "layers 0 to 11, not 12"),
        (
            ["--model.student.init_from={short}", "--model.student.layers=[0]"],
            "at most 10 tokens, .*; prepare the corpus with",
        ),
        (["--model.teacher={bare}"], "no trained masked-LM head; .*objectives that need no logits"),
        (
            ["--model.teacher={modern}", "--model.student.layers=[0]"],
            r"'modernbert', only from .*--model\.student\.architecture=same",
        ),
    ],
)
def test_students_that_cannot_be_are_refused_without_a_run_folder(
    options: list[str], message: str, world: World, run: Run, tmp_path: Path
) -> None:
    tiny_encoder("distilbert", layers=1, vocab_size=VOCABULARY, positions=10).save_pretrained(tmp_path / "short")
    tiny_encoder("bert", head=False, vocab_size=VOCABULARY, positions=66).save_pretrained(tmp_path / "bare")
    tiny_encoder("modernbert", vocab_size=VOCABULARY, positions=66).save_pretrained(tmp_path / "modern")
    places = {name: str(tmp_path / name) for name in ("short", "bare", "modern")}
    with pytest.raises(ValueError, match=message):
        run("fit", world.distil(tmp_path / "runs", *(option.format(**places) for option in options)))
    assert not list((tmp_path / "runs").rglob("config.yaml"))
