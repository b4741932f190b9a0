"""A small masked language model, and a call of `prepare augment` with it."""

from pathlib import Path

import pytest

from experiments.prepare.__main__ import main
from tests.support.networks.tiny import tiny_teacher
from tests.support.tasks.augment_tables import Run, table


@pytest.fixture(scope="session")
def augment_model(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer_dir: Path) -> Path:
    folder = tmp_path_factory.mktemp("augment_model")
    tiny_teacher(vocab_size=350, layers=2).save_pretrained(folder)
    for file in tiny_tokenizer_dir.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.fixture
def augment(augment_model: Path, tmp_path: Path) -> Run:
    table().to_csv(tmp_path / "train.csv", index=False)

    def call(*options: str, source: str = "train.csv", output: str = "more.csv") -> int:
        return main([
            "augment", f"--model={augment_model}", f"--input={tmp_path / source}", f"--output={tmp_path / output}",
            "--text=글", "--copies=3", *options,
        ])  # fmt: skip

    return call
