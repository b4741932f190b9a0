"""Pages of help for the classes that options name: they list what there is, and show what can be set."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distilkobert import objectives
from distilkobert.objectives import Objective
from experiments._shared.parsing.class_names import named_classes
from experiments._shared.training import class_help

RECIPE = ["-c", "configs/distill/distilkobert.yaml"]
Page = Callable[..., str]


@pytest.fixture
def page(run: Callable[..., Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setenv("COLUMNS", "120")

    def show(*words: str) -> str:
        assert run("fit", list(words)) is None
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("before", [[], RECIPE], ids=["without a recipe", "with one"])
def test_every_objective_is_listed_in_a_line(before: list[str], page: Page) -> None:
    own = [kind for kind in vars(objectives).values() if inspect.isclass(kind) and issubclass(kind, Objective)]
    names = {kind.__name__ for kind in own} - {"Objective"}
    listed = re.findall(r"^  (\w+) +\S.*\.$", page(*before, "--model.objectives.help"), re.MULTILINE)
    assert set(listed) == names
    assert len(listed) == len(names) == 8


@pytest.mark.parametrize(
    "words",
    [
        ["--model.objectives.help=SoftTargets"],
        ["--model.objectives.help", "SoftTargets"],
        ["--model.objectives.help=distilkobert.objectives.SoftTargets"],
        [*RECIPE, "--model.objectives.help=SoftTargets"],
        ["--model.objectives.own.help=SoftTargets"],
        [*RECIPE, "--model.objectives.soft_target.help"],
        [*RECIPE, "--model.init_args.objectives.soft_target.help"],
    ],
    ids=" ".join,
)
def test_options_of_an_objective_have_types_defaults_and_descriptions(words: list[str], page: Page) -> None:
    text = " ".join(page(*words).split())
    for option in ("weight", "temperature", "on", "rows"):
        assert re.search(rf"--model\.objectives\.\w+\.{option} \S", text)
    assert "T above 0: a number or a schedule. (type: float | LinearSchedule, default: 2.0)" in text
    assert "(type: int | null, default: null)" in text
    assert "begin: share of the optimizer steps after which it starts to change" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model.objectives.help=SoftTarget"], r"expected AttentionTransfer, .*; did you mean SoftTargets\?"),
        (["--model.objectives.help=Distillation"], "expected AttentionTransfer, .*, got Distillation"),
        (["--model.objectives.help=no_such.Module"], "cannot import no_such"),
        ([*RECIPE, "--model.objectives.cosin.help"], "no objective 'cosin'; the files have soft_target, .*, cosine"),
        (["--model.help=Distilation"], r"did you mean Distillation\?"),
        (["--model.student.help"], "no such page of help; .* --model.help, --data.help, --model.objectives.help"),
        (["--lr_scheduler.help"], "no such page of help"),
        (
            ["--trainer.strategy.help"],
            "no such page .* trainer.strategy see Lightning's documentation",
        ),
        (["--trainer.profiler.help=SimpleProfiler"], "no such page .* trainer.profiler"),
        (["--trainer.plugins.help"], "no such page .* trainer.plugins"),
    ],
)
def test_what_has_no_page_is_refused_with_those_there_are(
    words: list[str], message: str, run: Callable[..., Any]
) -> None:
    with pytest.raises(ValueError, match=message):
        run("fit", words)


@pytest.mark.parametrize(
    ("option", "some", "refused"),
    [
        ("model", ["Distillation", "TokenClassification"], []),
        ("data", ["CorpusDataModule", "NSMCDataModule"], []),
        ("trainer.callbacks", ["EarlyStopping"], ["LearningRateFinder", "BatchSizeFinder", "LastCheckpoint"]),
        ("trainer.logger", ["CSVLogger", "WandbLogger"], ["TensorBoardLogger", "RunCSV"]),
    ],
)
def test_lists_name_what_a_run_takes(option: str, some: list[str], refused: list[str], page: Page) -> None:
    text = page(f"--{option}.help")
    assert all(f"\n  {name} " in text for name in some)
    assert not any(name in text for name in refused)


@pytest.mark.parametrize("option", ["model", "data", "model.objectives", "trainer.callbacks", "trainer.logger"])
def test_lists_have_no_base_classes_and_every_class_has_a_text(option: str, page: Page) -> None:
    lines = re.findall(r"^  (\w+) *(.*)$", page(f"--{option}.help"), re.MULTILINE)
    assert lines
    assert [name for name, text in lines if not text] == []
    names = {name for name, _ in lines}
    assert not names & {"BaseFinetuning", "BasePredictionWriter", "Checkpoint", "ProgressBar", "FineTuning"}
    assert not any("base class" in text.lower() for _, text in lines)


def test_an_abstract_class_is_not_listed(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = named_classes(Objective)
    abstract = type("Unfinished", (Objective,), {})
    assert inspect.isabstract(abstract)
    monkeypatch.setattr(class_help, "named_classes", lambda _: {**listed, "Unfinished": abstract})
    text = page("--model.objectives.help")
    assert "SoftTargets" in text
    assert "Unfinished" not in text


def test_files_of_the_home_folder_are_read(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    recipe = Path(RECIPE[1]).read_text(encoding="utf-8").replace("soft_target:", "soft:")
    (tmp_path / "mine.yaml").write_text(recipe, encoding="utf-8")
    assert "--model.objectives.soft.temperature" in page("-c=~/mine.yaml", "--model.objectives.soft.help")


def test_settings_that_run_and_data_provide_are_not_offered(page: Page) -> None:
    model, data = page("--model.help=TokenClassification"), page("--data.help=CorpusDataModule")
    shown = set(re.findall(r"^  --([\w.]+)", model + data, re.MULTILINE))
    assert {"model.init_from", "model.optimizer.lr", "data.masking.probability"} <= shown
    assert not {"model.labels", "model.vocab_size", "model.seed", "data.seed"} & shown
    assert "provide them: vocab_size, pad_token_id, labels, suffix_tags" in model
    assert re.search(r"--data\.tokenizer VALUE .*\n.*default: auto\)", data)


def test_callbacks_show_types_and_defaults(page: Page) -> None:
    text = " ".join(page("--trainer.callbacks.help=EarlyStopping").split())
    assert "quantity to be monitored. (required, type: str)" in text
    assert "training will be stopped. (type: int, default: 3)" in text


def test_a_class_of_ones_own_has_a_page(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helped_objectives.py").write_text(
        "from distilkobert.objectives import HiddenMSE\n"
        "class Middle(HiddenMSE):\n"
        "    '''Mine.\n\n    Args:\n        depth: how far in layers.\n    '''\n\n"
        "    def __init__(self, depth: int = 7) -> None: ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    text = page("--model.objectives.help=helped_objectives.Middle")
    assert re.search(r"--model\.objectives\.NAME\.depth VALUE\n +how far in layers\. \(type: int, default: 7\)", text)
