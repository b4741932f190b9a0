"""The exported folder loads in a process that cannot import this project, and gives the same hidden states."""

import errno
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from distilkobert import KoBertTokenizer
from distilkobert.models.checkpoints import load_model
from experiments.export.__main__ import export
from tests.world import Run, World

TEXT = "어제 주방장이 싱싱한 찹쌀가루를 반죽했나요?"

STRANGER = """
import json, sys
for name in ("distilkobert", "lightning_modules", "datamodules", "experiments"):
    sys.modules[name] = None
import torch
from transformers import AutoTokenizer, {loader}
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model, report = {loader}.from_pretrained(sys.argv[1], output_loading_info=True{options})
inputs = tokenizer(sys.argv[2], return_tensors="pt")
with torch.no_grad():
    hidden = model.eval()(**inputs).last_hidden_state
print(json.dumps({{"ids": inputs["input_ids"].tolist(), "hidden": hidden.tolist(),
                  "missing": sorted(report["missing_keys"]), "pad": tokenizer.pad_token_id}}))
"""


def load_elsewhere(folder: Path, loader: str, options: str = "") -> dict[str, object]:
    """What a process without this project sees."""
    code = STRANGER.format(loader=loader, options=options)
    finished = subprocess.run(
        [sys.executable, "-c", code, str(folder), TEXT], capture_output=True, text=True, cwd=folder.parent, check=False
    )
    assert finished.returncode == 0, finished.stderr
    content: dict[str, object] = json.loads(finished.stdout)
    return content


@pytest.fixture(scope="module")
def runs(world: World, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short pretraining and a short distillation."""
    runs = tmp_path_factory.mktemp("runs")
    run("fit", world.pretrain(runs, "--trainer.max_steps=2"))
    run("fit", world.distil(runs, "--trainer.max_steps=2", "--trainer.val_check_interval=2"))
    return runs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "loader", "options"),
    [
        ("distilkobert", "DistilBertModel", ""),
        ("pretrain", "BertModel", ", add_pooling_layer=False"),
    ],
)
def test_a_stranger_sees_the_same_model(recipe: str, loader: str, options: str, runs: Path, tmp_path: Path) -> None:
    checkpoint = runs / recipe / "base_seed42" / "checkpoints" / "last.ckpt"
    folder = export(str(checkpoint), str(tmp_path / "exported"))
    seen = load_elsewhere(folder, loader, options)
    assert seen["missing"] == []
    assert seen["pad"] == 1
    tokenizer = KoBertTokenizer.from_pretrained(str(folder))
    assert seen["ids"] == [tokenizer(TEXT)["input_ids"]]
    model, _ = load_model(checkpoint, "masked_lm")
    with torch.no_grad():
        hidden = model.base_model(input_ids=torch.tensor(seen["ids"])).last_hidden_state
    assert torch.equal(torch.tensor(seen["hidden"]), hidden)
    config = json.loads((folder / "config.json").read_text())
    assert config["vocab_size"] == 600
    assert config["pad_token_id"] == 1


def test_the_model_card_tells_recipe_corpus_metrics_and_differences(runs: Path, tmp_path: Path) -> None:
    checkpoint = runs / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt"
    card = (export(str(checkpoint), str(tmp_path / "student")) / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert "# student" in card
    parts = ("No segment ids", "No pooler", "last_hidden_state[:, 0]", "weight: 0.33", '"sequences"', "val/loss")
    for expected in parts:
        assert expected in card, expected
    assert str(runs) not in card
    assert str(runs.parent) not in card


@pytest.mark.slow
def test_the_code_of_the_model_card_runs(runs: Path, tmp_path: Path) -> None:
    checkpoint = runs / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt"
    folder = export(str(checkpoint), str(tmp_path / "student"))
    code = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(code) == 2
    script = "\n".join(code).replace("FOLDER", str(folder)) + "\nprint(tuple(cls.shape))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    *guesses, shape = done.stdout.splitlines()
    assert shape == f"(1, {json.loads((folder / 'config.json').read_text())['dim']})"
    assert len(guesses) == 5
    assert all(0 < float(guess.split()[-1]) < 1 for guess in guesses)


def test_what_cannot_be_exported_is_refused(runs: Path, world: World, tmp_path: Path) -> None:
    checkpoint = runs / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt"
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("x")
    with pytest.raises(ValueError, match="there exists"):
        export(str(checkpoint), str(tmp_path / "there"))
    with pytest.raises(FileNotFoundError, match=r"no-such\.ckpt"):
        export(str(tmp_path / "no-such.ckpt"), str(tmp_path / "out"))
    from distilkobert.synthetic.generation import generate_sentences
    from distilkobert.tokenizers.training import train_tokenizer

    train_tokenizer(generate_sentences(700, seed=6), tmp_path / "other", vocab_size=610, seed=6)
    with pytest.raises(ValueError, match="610 pieces"):
        export(str(checkpoint), str(tmp_path / "out"), tokenizer=str(tmp_path / "other"))
    assert not (tmp_path / "out").exists()


def test_a_run_that_broke_off_is_remarked(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs / "distilkobert" / "base_seed42", run)
    export(str(run / "checkpoints" / "last.ckpt"), str(tmp_path / "whole"))
    assert capsys.readouterr().err == ""
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps({name: v for name, v in metrics.items() if name != "val/step"}))
    export(str(run / "checkpoints" / "last.ckpt"), str(tmp_path / "cut"))
    assert f"note: {run}: its last step was not validated" in capsys.readouterr().err


@pytest.mark.slow
def test_int8_is_written_where_temporary_files_are_on_another_file_system(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shared memory is one; where it is not, files that would leave the folder of temporary files are refused."""
    pytest.importorskip("onnxruntime", reason="needs pip install '.[export]'")
    memory = Path("/dev/shm")
    elsewhere = memory.is_dir() and memory.stat().st_dev != tmp_path.stat().st_dev
    replace = Path.replace

    with tempfile.TemporaryDirectory(dir=memory if elsewhere else None) as name:

        def refused(source: Path, target: Path) -> Path:
            if source.is_relative_to(name) and not target.is_relative_to(name):
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            return replace(source, target)

        monkeypatch.setattr(tempfile, "tempdir", name)
        if not elsewhere:
            monkeypatch.setattr(Path, "replace", refused)
        checkpoint = runs / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt"
        folder = export(str(checkpoint), str(tmp_path / "out"), int8=True)
    assert sorted(path.name for path in folder.rglob("*.onnx")) == ["model.onnx", "model_int8.onnx"]
    assert not [path for path in folder.iterdir() if path.is_dir() or path.name.startswith(".")]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
