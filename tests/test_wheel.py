"""The wheel is the library alone, and works in a process that does not see the checkout."""

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch

from distilkobert import KoBertTokenizer
from distilkobert.losses import soft_target_loss

ROOT = Path(__file__).parent.parent
BUILT_FROM = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
CHECKOUT_ONLY = ("configs", "datamodules", "experiments", "lightning_modules", "tests")
TEXT = "오늘 부산에 갔다"
LOGITS = ([[2.0, 0.5, -1.0]], [[1.0, 1.0, 0.0]])

# -S keeps out the finder of an editable installation, which knows the checkout.
STRANGER = f"""
import json, pkgutil, sys
from importlib import import_module
from importlib.util import find_spec
sys.path = [path for path in sys.path if path] + sys.argv[1:3]
import distilkobert
import torch
from distilkobert import KoBertTokenizer
from distilkobert.losses import soft_target_loss
modules = [found.name for found in pkgutil.walk_packages(distilkobert.__path__, "distilkobert.")]
for name in modules:
    import_module(name)
tokenizer = KoBertTokenizer.from_pretrained(sys.argv[3])
student, teacher = map(torch.tensor, {LOGITS!r})
print(json.dumps({{
    "path": sys.path,
    "library": distilkobert.__file__,
    "modules": len(modules),
    "found": [name for name in {CHECKOUT_ONLY!r} if find_spec(name) is not None],
    "ids": tokenizer({TEXT!r})["input_ids"],
    "loss": soft_target_loss(student, teacher, temperature=2.0).item(),
}}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout's sources, built from a copy, because a build leaves files among them."""
    root = tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, root)
    for name in ("distilkobert", *CHECKOUT_ONLY):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(root / "dist"), str(root))
    (built,) = (root / "dist").glob("*.whl")
    return built


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "--no-deps", "--no-index"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_wheel_holds_the_library_and_nothing_else(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"distilkobert"}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "distilkobert").rglob("*.py")}
    assert sources | {"distilkobert/py.typed"} <= names


@pytest.mark.slow
def test_the_installed_library_works_without_the_checkout(
    wheel: Path, tiny_tokenizer_dir: Path, tiny_tokenizer: KoBertTokenizer, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    pip("install", "--target", str(site), str(wheel))
    command = [sys.executable, "-I", "-S", "-c", STRANGER]
    places = [str(site), sysconfig.get_path("purelib"), str(tiny_tokenizer_dir)]
    done = subprocess.run([*command, *places], capture_output=True, text=True, cwd=tmp_path, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert str(ROOT) not in found["path"]
    assert Path(found["library"]).is_relative_to(site)
    assert found["found"] == []
    assert found["modules"] > 50
    assert found["ids"] == tiny_tokenizer(TEXT)["input_ids"]
    student, teacher = map(torch.tensor, LOGITS)
    assert found["loss"] == pytest.approx(soft_target_loss(student, teacher, temperature=2.0).item())
