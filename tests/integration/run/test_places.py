"""Where a run's files are: a tokenizer that is found, settings that hold from any folder, a run that has moved."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from tests.integration.refusals.test_newcomers import with_tokenizer
from tests.world import Run, World, read_json, scalars


@pytest.fixture
def home(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A working folder with a corpus and a teacher that has its tokenizer; options that name them relative to it."""
    recipe = Path("configs/distill/distilkobert.yaml").resolve()
    (tmp_path / "work" / "data").mkdir(parents=True)
    shutil.copytree(world.corpus, tmp_path / "work" / "data" / "corpus")
    with_tokenizer(world, world.tokenizer, tmp_path / "work" / "teacher")
    monkeypatch.chdir(tmp_path / "work")
    options = world.distil(Path("runs"), recipe=str(recipe))
    moved = {"--data.data_dir": "data/corpus", "--model.teacher": "teacher"}
    named = [word for word in options if word.partition("=")[0] not in (*moved, "--data.tokenizer")]
    return [*named, *(f"{name}={value}" for name, value in moved.items()), "--trainer.max_steps=2"]


def test_settings_that_are_kept_hold_from_any_folder(
    home: list[str], run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("fit", home)
    assert "tokenizer: teacher (model.teacher)" in capsys.readouterr().err
    folder = tmp_path / "work" / "runs" / "distilkobert" / "base_seed42"
    kept = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    work = tmp_path / "work"
    assert kept["model"]["init_args"]["teacher"] == kept["data"]["init_args"]["tokenizer"] == str(work / "teacher")
    assert kept["data"]["init_args"]["data_dir"] == str(work / "data" / "corpus")
    assert kept["run"]["root"] == str(work / "runs")
    # The command that began it goes on with it, with paths as they were typed; so does another one, from elsewhere.
    run("fit", [*home, "--ckpt_path=last", "--trainer.max_steps=3"])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    last = folder / "checkpoints" / "last.ckpt"
    run("fit", [f"--ckpt_path={os.path.relpath(last)}", "--trainer.max_steps=4"])
    assert list(scalars(folder)["train/loss/total"]) == [1, 2, 3, 4]
    said = capsys.readouterr().err
    assert "teacher was" not in said
    assert "run.root was" not in said
    run("validate", [f"--ckpt_path={last}"])
    assert "val/loss" in read_json(folder / "metrics.json")
    assert not any((tmp_path / "elsewhere").iterdir())


def test_a_run_that_has_moved_is_measured_where_it_is(home: list[str], run: Run, tmp_path: Path) -> None:
    run("fit", home)
    moved = tmp_path / "archive" / "distilkobert" / "base_seed42"
    moved.parent.mkdir(parents=True)
    shutil.move(tmp_path / "work" / "runs" / "distilkobert" / "base_seed42", moved)
    run("validate", [f"--ckpt_path={moved / 'checkpoints' / 'last.ckpt'}"])
    assert "val/loss" in read_json(moved / "metrics.json")
    assert not (tmp_path / "work" / "runs" / "distilkobert" / "base_seed42").exists()
    # Another place that is named wins.
    run("validate", [f"--ckpt_path={moved / 'checkpoints' / 'last.ckpt'}", "--run.root=other"])
    assert (tmp_path / "work" / "other" / "distilkobert" / "base_seed42" / "metrics.json").is_file()


def test_a_run_whose_folder_was_renamed_writes_nothing_into_its_old_one(
    home: list[str], run: Run, tmp_path: Path
) -> None:
    run("fit", home)
    old = tmp_path / "work" / "runs" / "distilkobert" / "base_seed42"
    moved = old.rename(old.with_name("first_seed42"))
    last = f"--ckpt_path={moved / 'checkpoints' / 'last.ckpt'}"
    message = rf"the run is in {moved}, but its settings name {old}, .* folder to ROOT/distilkobert/base_seed42, or"
    for command in ("validate", "fit"):
        with pytest.raises(ValueError, match=message):
            run(command, [last])
    run("validate", [last, f"--run.root={tmp_path / 'work' / 'runs'}", "--run.arm=first"])
    assert "val/loss" in read_json(moved / "metrics.json")
    assert not old.exists()
    run("fit", ["-c", str(moved / "config.yaml"), "--run.arm=again"])
    assert old.with_name("again_seed42").is_dir()
    old.symlink_to(moved)  # the settings' place is the run's then
    run("validate", [f"--ckpt_path={old / 'checkpoints' / 'last.ckpt'}"])


@pytest.mark.parametrize("corpora", ["data/corpus", "[data/corpus, SECOND]", "{data/corpus: 2, SECOND: 0.5}"])
def test_of_two_tokenizers_that_of_the_corpus_is_taken(
    corpora: str, home: list[str], run: Run, world: World, tmp_path: Path
) -> None:
    shutil.copytree(world.tokenizer, tmp_path / "work" / "data" / "kobert")
    vocabulary = tmp_path / "work" / "teacher" / "vocab.txt"
    lines = vocabulary.read_text(encoding="utf-8").splitlines()
    lines[100], lines[400] = lines[400], lines[100]
    vocabulary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"teacher=teacher was trained with another tokenizer than data\.tokenizer"):
        # that of data/kobert, with which the corpora were made
        run("fit", [*home, f"--data.data_dir={corpora.replace('SECOND', str(world.second_corpus))}"])


def test_no_tokenizer_at_all(home: list[str], run: Run, tmp_path: Path) -> None:
    for path in [*(tmp_path / "work" / "teacher").glob("*.model"), tmp_path / "work" / "teacher" / "vocab.txt"]:
        path.unlink()
    with pytest.raises(
        ValueError, match=r"is not set, data/kobert does not exist, .*model\.teacher=teacher.*--data\.tok"
    ):
        run("fit", home)
    assert not (tmp_path / "work" / "runs").exists()
