"""Mistakes of a first hour: each is answered by what is wrong."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonargparse import Namespace

from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.tokenizers import load_tokenizer
from experiments._shared.training.data_tokenizer import check_sources, check_tokenizers, fill_tokenizer
from tests.world import World

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def swapped(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's tokenizer with two pieces exchanged: the same size, other ids."""
    folder = tmp_path_factory.mktemp("swapped")
    shutil.copytree(world.tokenizer, folder, dirs_exist_ok=True)
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    lines[100], lines[400] = lines[400], lines[100]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def with_tokenizer(world: World, tokenizer: Path, folder: Path) -> Path:
    """The teacher, with a tokenizer in its folder, as an export has it."""
    shutil.copytree(world.teacher, folder)
    for path in tokenizer.iterdir():
        shutil.copy(path, folder)
    return folder


def test_another_tokenizer_of_the_same_size_is_refused(swapped: Path, world: World, run: Run, tmp_path: Path) -> None:
    teacher = with_tokenizer(world, world.tokenizer, tmp_path / "teacher")
    settings = CorpusSettings(min_tokens=5, max_tokens=64, validation_fraction=0.1)
    prepare_corpus([str(world.root / "text.txt")], str(swapped), tmp_path / "corpus", settings)
    other = [f"--data.data_dir={tmp_path / 'corpus'}", f"--data.tokenizer={swapped}", "--trainer.max_steps=1"]
    message = r"--model\.{}=.* was trained with another tokenizer than data\.tokenizer: 2 of \d+ ids are other pieces"
    with pytest.raises(ValueError, match=message.format("teacher")):
        run("fit", world.distil(tmp_path / "runs", f"--model.teacher={teacher}", *other))
    with pytest.raises(ValueError, match=message.format("init_from")):
        run("fit", ["-c", "configs/pretrain/adapt.yaml", *world.data(), f"--model.init_from={teacher}", *other,
                    f"--run.root={tmp_path / 'runs'}"])  # fmt: skip
    assert not (tmp_path / "runs").exists()
    run("fit", world.distil(tmp_path / "runs", f"--model.teacher={teacher}", "--trainer.max_steps=1"))


def test_a_mistyped_model_is_answered_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "config.json").touch()
    check_sources(
        {"init_from": str(tmp_path / "student"), "teacher": "monologg/kobert", "student": {"init_from": None}}
    )
    typo = tmp_path / "studnet"
    with pytest.raises(
        FileNotFoundError, match=r"--model\.init_from=\S+/studnet: there is no folder .* mean \S+/student\?"
    ):
        check_sources({"init_from": str(typo)})
    with pytest.raises(FileNotFoundError, match=r"--model\.student\.init_from=\S+/studnet: "):
        check_sources({"student": {"init_from": str(typo)}})


@pytest.mark.parametrize("option", ["teacher", "init_from"])
def test_a_missing_checkpoint_is_answered_before_its_tokenizer(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where there is no data/kobert
    (tmp_path / "best.ckpt").touch()
    check_sources({option: str(tmp_path / "best.ckpt")})
    message = rf"^--model\.{option}=\S+/bets\.ckpt: there is no checkpoint '\S+'; did you mean \S+/best\.ckpt\?$"
    with pytest.raises(FileNotFoundError, match=message):
        fill_tokenizer(
            Namespace(
                data=Namespace(init_args=Namespace(tokenizer="auto", data_dir=str(tmp_path))),
                model=Namespace(init_args=Namespace({option: str(tmp_path / "bets.ckpt")})),
            )
        )


def test_what_is_no_model_is_refused_by_its_setting(world: World, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("글")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    best = tmp_path / "run" / "checkpoints" / "best.ckpt"
    best.touch()
    for source, said in (
        (world.corpus, "the folder has no config.json; expected the folder of an exported model, a checkpoint"),
        (tmp_path / "run", f"the folder has no config.json; name a checkpoint: {best}$"),
        (text, "the file is no checkpoint; expected the folder of an exported model"),
        (world.teacher / "model.safetensors", f"a file of a model; name its folder: {world.teacher}$"),
    ):
        with pytest.raises(FileNotFoundError, match=rf"^--model\.teacher={source}: {said}"):
            check_sources({"teacher": str(source)})
    torch.save({}, tmp_path / "checkpoint.pt")
    check_sources({"teacher": str(tmp_path / "checkpoint.pt")})


def test_a_tokenizer_in_another_form_is_the_same(world: World, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(world.tokenizer))
    tokenizer.to_transformers(64, segment_ids=True).save_pretrained(tmp_path)
    check_tokenizers({"init_from": str(tmp_path)}, tokenizer)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("objectives:\n  - cosine", r"line 4: objectives: expected names with their settings below them"),
        (
            "objectives: {mine: {class_path: nowhere.Missing}}",
            r"cannot import nowhere \(ModuleNotFoundError: .*PYTHONPATH",
        ),
        ("objectives: {mine: {class_path: broken_objective.X}}", r"cannot import broken_objective .*'nothing_here'"),
        ("objectives: {mine: {class_path: json.Missing}}", r"json has no class Missing"),
    ],
)
def test_objectives_that_cannot_be_taken(
    text: str, message: str, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (tmp_path / "broken_objective.py").write_text("import nothing_here\n")
    monkeypatch.syspath_prepend(tmp_path)
    overlay = tmp_path / "own.yaml"
    overlay.write_text("model:\n  init_args:\n    " + text.replace("\n", "\n    ") + "\n")
    with pytest.raises((ValueError, SystemExit)) as refused:
        run("fit", world.distil(tmp_path / "runs", "-c", str(overlay)))
    assert re.search(message, f"{refused.value} {capsys.readouterr().err}")


def test_an_option_cannot_remove_an_objective(world: World, run: Run, tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        run("fit", world.distil(tmp_path, "--model.objectives.cosine=null"))
    said = capsys.readouterr().err
    assert "cosine=null: an option cannot remove an objective; set --model.objectives.cosine.weight=0" in said


def test_recipes_of_objectives_are_stacked(world: World, run: Run, tmp_path: Path) -> None:
    """Each removes what the published recipe has; the second one finds it removed."""
    more = ["-c", "configs/distill/tinybert.yaml", "-c", "configs/distill/minilm_v2.yaml", "--trainer.max_steps=1"]
    run("fit", world.distil(tmp_path, *more, "--model.objectives.relations.heads=2"))
