"""Going on with a run: what changes, what is no longer true, and what a start that failed leaves behind."""

from pathlib import Path

import pytest
import yaml

from tests.integration.predict.wide import fit_and_test, records_of
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.integration.tensorboard.event_files import hparams
from tests.world import Run, World, read_json


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


@pytest.mark.slow
def test_training_on_takes_back_the_test_and_keeps_both_configurations(
    tasks: TaskWorld, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fit_and_test(tasks, "nsmc", tmp_path)
    config, last = folder / "config.yaml", folder / "checkpoints" / "last.ckpt"
    first, before = read_json(folder / "metrics.json"), config.read_text(encoding="utf-8")
    assert first["steps"] == 1
    assert {"test/accuracy", "test/loss"} <= first.keys()
    assert first["tested_step"] == 1
    assert records_of(folder)
    capsys.readouterr()
    run("fit", ["-c", str(config), f"--ckpt_path={last}", "--trainer.max_steps=3"])
    second = read_json(folder / "metrics.json")
    assert second["steps"] == second["val/step"] == 3
    assert not [name for name in second if name.startswith("test")]
    assert not list(folder.glob("predictions.*"))
    assert "note: resumed with different settings: trainer.max_steps was 1, is 3." in capsys.readouterr().err
    assert yaml.safe_load(config.read_text(encoding="utf-8"))["trainer"]["max_steps"] == 3
    assert (folder / "config_until_step1.yaml").read_text(encoding="utf-8") == before


def test_a_second_resume_from_the_same_step_keeps_all_configurations(world: World, run: Run, tmp_path: Path) -> None:
    run("fit", world.pretrain(tmp_path, "--trainer.max_steps=1", "--last_checkpoint.keep_every_n_steps=1"))
    folder = tmp_path / "pretrain" / "base_seed42"
    first = ["-c", str(folder / "config.yaml"), f"--ckpt_path={folder / 'checkpoints' / 'step00000001.ckpt'}"]
    for steps in (2, 3):
        run("fit", [*first, f"--trainer.max_steps={steps}"])
    kept = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.glob("config*.yaml")}
    assert {name: config["trainer"]["max_steps"] for name, config in kept.items()} == {
        "config.yaml": 3, "config_until_step1.yaml": 1, "config_until_step1_2.yaml": 2
    }  # fmt: skip


@pytest.mark.parametrize("content", ["", "trainer: null\n", "[]\n"])
def test_a_run_whose_configuration_was_lost_is_not_resumed(
    content: str, world: World, run: Run, tmp_path: Path
) -> None:
    run("fit", world.pretrain(tmp_path, "--trainer.max_steps=1"))
    config = tmp_path / "pretrain" / "base_seed42" / "config.yaml"
    config.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"{config}: not the configuration of a run: .*; restore it from a copy"):
        run("fit", world.pretrain(tmp_path, "--trainer.max_steps=2", "--ckpt_path=last"))
    assert config.read_text(encoding="utf-8") == content


def test_a_resume_that_has_nothing_left_to_do_changes_nothing(
    tasks: TaskWorld, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fit_and_test(tasks, "nsmc", tmp_path)
    config, last = folder / "config.yaml", folder / "checkpoints" / "last.ckpt"
    first, before = read_json(folder / "metrics.json"), config.read_bytes()
    stored = records_of(folder)
    capsys.readouterr()
    run("fit", ["-c", str(config), f"--ckpt_path={last}"])
    second = read_json(folder / "metrics.json")
    assert {name: second[name] for name in first if name.startswith("test/")} == {
        name: value for name, value in first.items() if name.startswith("test/")
    }
    assert records_of(folder) == stored
    assert config.read_bytes() == before
    assert "other settings" not in capsys.readouterr().err
    assert not list(folder.glob("config_until_*"))


@pytest.mark.slow
def test_a_test_of_some_batches_is_marked_until_all_are_read(tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    limits = ("--data.eval_batch_size=2", "--trainer.limit_test_batches=2", "--trainer.limit_val_batches=1")
    folder = fit_and_test(tasks, "nsmc", tmp_path, *limits)
    metrics = read_json(folder / "metrics.json")
    count, of, total, unit = metrics["limited/test"].split()
    assert (count, of, unit) == ("2", "of", "batches")
    assert metrics["limited/val"].startswith("1 of ")
    assert len(records_of(folder)) <= 4 < tasks.tests <= 2 * int(total)
    last = folder / "checkpoints" / "last.ckpt"
    run("test", ["-c", str(folder / "config.yaml"), f"--ckpt_path={last}", "--trainer.limit_test_batches=1.0"])
    metrics = read_json(folder / "metrics.json")
    assert "limited/test" not in metrics
    assert metrics["limited/val"].startswith("1 of ")
    assert len(records_of(folder)) == tasks.tests


@pytest.mark.slow
def test_other_data_settings_are_refused_on_resume_by_name(tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    folder = fit_and_test(tasks, "nsmc", tmp_path)
    resume = ["-c", str(folder / "config.yaml"), f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}"]
    with pytest.raises(ValueError, match=r"data\.batch_size: checkpoint 8, now 4"):
        run("fit", [*resume, "--data.batch_size=4", "--trainer.max_steps=2"])
    run("fit", [*resume, "--data.eval_batch_size=4", "--trainer.max_steps=2"])


@pytest.mark.parametrize(
    "option",
    [pytest.param("--model.student.layers=[0,4,12]", marks=pytest.mark.slow), "--model.teacher=nowhere/at-all"],
)
def test_a_start_that_is_refused_leaves_the_folder_free(option: str, world: World, run: Run, tmp_path: Path) -> None:
    with pytest.raises((ValueError, FileNotFoundError)):
        run("fit", world.distil(tmp_path, option))
    run("fit", world.distil(tmp_path, "--trainer.max_steps=1", "--trainer.val_check_interval=1"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    assert read_json(folder / "metrics.json")["steps"] == 1
    # TensorBoard reads settings from the first event file: the refused ones must not be there.
    assert hparams(folder)["layers"] == "[0, 4, 8]"


@pytest.mark.parametrize(
    ("task", "option", "message"),
    [
        ("nsmc", "--model.class_path=QuestionAnswering", "check that data.class_path fits model.class_path"),
        ("naver_ner", "--model.class_path=SequenceClassification", "got labels for every piece"),
    ],
)
def test_a_module_of_another_task_leaves_the_folder_free(
    task: str, option: str, message: str, tasks: TaskWorld, world: World, run: Run, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        run("fit", tasks.options(task, tmp_path, option, f"--model.init_from={world.teacher}"))
    folder = tmp_path / task / "base_seed42"
    assert not [
        name for name in ("config.yaml", "tokenizer", "checkpoints", "metrics.json") if (folder / name).exists()
    ]
    run("fit", tasks.options(task, tmp_path, "--trainer.max_steps=1"))
    assert read_json(folder / "metrics.json")["steps"] == 1
    assert option.rpartition("=")[2] not in (folder / "config.yaml").read_text(encoding="utf-8")


def test_a_figure_that_validation_does_not_give_is_refused_before_training(
    world: World, run: Run, tmp_path: Path
) -> None:
    with pytest.raises(
        ValueError, match=r"best_checkpoint\.monitor=val/f1: validation gives .*val/agreement, .*val/loss"
    ):
        run("fit", world.distil(tmp_path, "--best_checkpoint.monitor=val/f1"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    assert not (folder / "config.yaml").exists()
    assert not (folder / "tokenizer").exists()
    run("fit", world.distil(tmp_path, "--trainer.max_steps=1"))
    (folder / "checkpoints" / "last.ckpt").unlink()
    with pytest.raises(ValueError, match=r"already contains a run, without a checkpoint\. Start a new run with"):
        run("fit", world.distil(tmp_path))
    unchecked = ["--trainer.num_sanity_val_steps=0", "--run.arm=unchecked", "--best_checkpoint.monitor=val/f1"]
    with pytest.raises(ValueError, match=r"best_checkpoint\.monitor=val/f1: validation gives"):
        run("fit", world.distil(tmp_path, *unchecked))
    assert not (tmp_path / "distilkobert" / "unchecked_seed42" / "config.yaml").exists()
    stopping = ["--trainer.callbacks+=EarlyStopping", "--run.arm=stopping", "--trainer.callbacks.monitor"]
    with pytest.raises(ValueError, match=r"EarlyStopping\.monitor=val/f1: validation gives"):
        run("fit", world.distil(tmp_path, *stopping[:2], f"{stopping[2]}=val/f1"))
    with pytest.raises(ValueError, match=r"EarlyStopping\.mode=min: val/agreement is better the higher it is"):
        run("fit", world.distil(tmp_path, *stopping[:2], f"{stopping[2]}=val/agreement"))
    assert not (tmp_path / "distilkobert" / "stopping_seed42" / "config.yaml").exists()
