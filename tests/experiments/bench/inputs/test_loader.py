"""The benchmark of the loader counts shapes and padding as a loop over the batches does."""

from pathlib import Path

import pytest

from datamodules import CorpusDataModule
from experiments.bench.__main__ import main
from experiments.bench.page import page
from tests.world import World, read_json


def test_shapes_and_padding(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["loader", f"--corpus={world.corpus}", f"--tokenizer={world.tokenizer}", "--max_tokens=512"]
    assert main([*command, "--multiples", "1", "16", f"--json={tmp_path / 'loader.json'}"]) == 0
    found = read_json(tmp_path / "loader.json")["ways"]
    for multiple in (1, 16):
        data = CorpusDataModule(str(world.corpus), str(world.tokenizer), max_tokens=512, pad_to_multiple_of=multiple)
        batches = list(data.train_dataloader())
        cells = sum(batch["input_ids"].numel() for batch in batches)
        real = sum(int(batch["attention_mask"].sum()) for batch in batches)
        assert found[str(multiple)]["padding"] == pytest.approx(1 - real / cells)
        assert found[str(multiple)]["shapes"] == len({batch["input_ids"].shape for batch in batches})
    assert found["16"]["padding"] > found["1"]["padding"]
    assert "| 16 |" in page(tmp_path)
    assert "multiples of 16:" in capsys.readouterr().out
    assert main([*command, "--batches=0"]) == 2
    assert "batches is 0; expected at least 1" in capsys.readouterr().err
