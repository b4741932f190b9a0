"""What the packages promise each other: public names, what the library knows of those above it, and import rules."""

import configparser
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

PUBLIC = {
    "distilkobert": ("KoBertTokenizer",),
    "distilkobert.tokenizers": ("KoBertTokenizer", "load_tokenizer"),
    "distilkobert.models": ("StudentSpec", "build_student", "load_teacher"),
    "distilkobert.masking": ("mask_tokens", "smoothed_token_weights"),
    "distilkobert.losses": ("cosine_hidden_loss", "masked_lm_loss", "soft_target_loss"),
    "distilkobert.metrics": ("EntityF1", "KorQuadScore"),
    "lightning_modules": (
        "Distillation", "MaskedLanguageModeling", "QuestionAnswering", "SequenceClassification", "TokenClassification",
    ),
    "datamodules": (
        "CorpusDataModule", "KlueNERDataModule", "KorQuADDataModule", "NSMCDataModule", "NaverNERDataModule",
    ),
}  # fmt: skip
LIBRARY = Path("distilkobert")
ABOVE = ("experiments", "lightning_modules", "datamodules", "DataModule")
SMALL = {"__init__", "io", "seeds"}


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_can_be_imported(module: str) -> None:
    home = import_module(module)
    for name in PUBLIC[module]:
        assert callable(getattr(home, name)), name
    with pytest.raises(AttributeError):
        getattr(home, "no_such_name")  # noqa: B009


def test_the_library_names_no_package_above_it() -> None:
    """Not even in a message: it is used without them."""
    named = [
        f"{path}: {word}"
        for path in sorted(LIBRARY.rglob("*.py"))
        for word in ABOVE
        if word in path.read_text(encoding="utf-8")
    ]
    assert named == []


def test_the_record_of_task_kinds_is_read_without_torch() -> None:
    """Commands such as `report --help` read it."""
    code = "import sys, distilkobert.tasks.kinds, distilkobert.models; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_import_rules_name_all_modules_that_they_are_about() -> None:
    rules = configparser.ConfigParser()
    rules.read("setup.cfg", encoding="utf-8")
    ours = {path.stem for path in LIBRARY.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    forbidden = rules["importlinter:contract:ground"]["forbidden_modules"].split()
    assert set(forbidden) == {f"distilkobert.{name}" for name in ours - SMALL}
    commands = rules["importlinter:contract:commands"]["modules"].split()
    there = {path.stem for path in Path("experiments").iterdir() if not path.name.startswith("_")}
    assert set(commands) == {f"experiments.{name}" for name in there}
