"""Fixtures of the task data modules' tests: synthetic files of all tasks, and data modules over them."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.tasks.data import WRITERS, Make


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[type, Path]:
    made = {module: tmp_path_factory.mktemp(module.__name__) for module in WRITERS}
    for module, folder in made.items():
        WRITERS[module](folder, train=90, test=31)
    return made


@pytest.fixture
def make(folders: dict[type, Path], tiny_tokenizer_dir: Path, cache: Path) -> Make:
    def build(module: type, **settings: Any) -> Any:
        data_dir = str(settings.pop("data_dir", folders[module]))
        tokenizer = str(settings.pop("tokenizer", tiny_tokenizer_dir))
        return module(data_dir, tokenizer, cache_dir=str(cache), **settings)

    return build
