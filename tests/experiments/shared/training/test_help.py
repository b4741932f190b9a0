"""The trainer's page of help: our groups first, titles that say what is below them, Lightning's options in short."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from experiments._shared.command_checks import refuse_sampler
from experiments._shared.parsing.config_files import read_config
from experiments._shared.trainer_cli import TrainerCLI
from experiments._shared.training.parser import first_sentence
from tests.world import Run, World


@pytest.fixture
def page(run: Callable[..., Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as end:
        run("fit", ["--help"])
    assert end.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_groups_are_in_order_under_clean_titles(page: list[str]) -> None:
    titles = [line.rstrip(":") for line in page if re.fullmatch(r"[A-Z][^:]*:", line)]
    assert titles[:5] == [
        "Configuration files and seed", "Run folder and resume", "Checkpoint", "Model", "Data"
    ]  # fmt: skip
    assert titles[-1] == "Trainer (PyTorch Lightning's own options)"
    assert len(titles) == len(set(titles)) == 11
    assert len(page) < 230
    text = "\n".join(page)
    for unwanted in ("Every logged metrics", ":class:", "``", "known subclasses", "Linked arguments", "--weights_only"):
        assert unwanted not in text, unwanted
    assert "--model.help=NAME shows the options of one" in text
    assert re.search(r"One of Distillation,\s+MaskedLanguageModeling,", text)


def test_every_option_is_on_the_page(page: list[str]) -> None:
    shown = set(re.findall(r"--([\w.]+)", "\n".join(page)))
    for option in ("run.check_only", "trainer.max_steps", "trainer.callbacks", "best_checkpoint.monitor", "ckpt_path"):
        assert option in shown
    assert "model.objectives.help" in shown


@pytest.mark.parametrize(
    "option",
    [
        "best_checkpoint.dirpath=x", "best_checkpoint.filename=x", "best_checkpoint.save_weights_only=true",
        "best_checkpoint.save_last=true", "trainer.default_root_dir=x", "trainer.overfit_batches=1",
        "trainer.enable_checkpointing=false", "trainer.barebones=true", "trainer.use_distributed_sampler=true",
    ],
)  # fmt: skip
def test_options_that_a_run_refuses_are_not_on_the_page(
    option: str, page: list[str], run: Run, world: World, tmp_path: Path
) -> None:
    shown = set(re.findall(r"--([\w.]+)", "\n".join(page)))
    assert option.partition("=")[0] not in shown
    with pytest.raises(ValueError, match=option.partition("=")[0].rpartition(".")[2]):
        run("fit", world.distil(tmp_path, f"--{option}"))


def test_options_of_lightning_have_types_and_defaults(page: list[str]) -> None:
    text = " ".join(" ".join(page).split())
    assert "Stop training after this number of steps. (type: int, default: -1)" in text
    assert "Stop training once this number of epochs is reached. (type: int | null, default: null)" in text
    assert "best_checkpoint.monitor VALUE metric that selects the best checkpoint; null:" in text
    assert "Union[" not in text
    assert "Optional[" not in text


@pytest.mark.parametrize("command", TrainerCLI.subcommands())
def test_only_the_asked_command_has_its_options_added(
    command: str, run: Callable[..., Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    added = []
    real = TrainerCLI.add_arguments_to_parser
    monkeypatch.setattr(TrainerCLI, "add_arguments_to_parser", lambda self, parser: added.append(real(self, parser)))
    with pytest.raises(SystemExit) as end:
        run(command, ["--help"])
    assert end.value.code == 0
    assert len(added) == 1
    page = capsys.readouterr().out
    assert f"experiments.train {command} " in page
    for option in ("--run.root", "--trainer.max_steps", "--data.help", "--ckpt_path"):
        assert option in page


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Stop after steps. Disabled by default (-1).", "Stop after steps."),
        ("Whether to use :func:`torch.inference_mode` or not", "Whether to use inference_mode or not"),
        ("A value, i.e. this ``0.5`` one. More", "A value, i.e. this 0.5 one."),
        ("", ""),
    ],
)
def test_first_sentences(text: str, first: str) -> None:
    assert first_sentence(text) == first


@pytest.mark.parametrize(("name", "refused"), [("machine.yaml", True), ("config.yaml", False)])
def test_the_sampler_of_a_file_is_refused_unless_a_run_kept_it(name: str, refused: bool, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("trainer:\n  use_distributed_sampler: true\n")
    with pytest.raises(ValueError, match=r"line 2: trainer\.use_distributed_sampler") if refused else nullcontext():
        refuse_sampler(["-c", str(file)], [read_config(file)])
