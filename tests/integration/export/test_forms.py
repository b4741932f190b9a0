"""All forms of a fine-tuned model: written, scored on the run's data, timed, listed in card and metrics, and run."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from distilkobert.models.checkpoints import load_model
from distilkobert.models.onnx_network import open_onnx
from experiments.bench.use.latency import bench_latency
from experiments.export.__main__ import export
from experiments.predict.__main__ import predict
from experiments.train import main
from tests.integration.tasks.world import make_task_world
from tests.world import World, read_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fine-tuning on NSMC, tested."""
    root = tmp_path_factory.mktemp("forms")
    tasks = make_task_world(world, root / "tasks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["train"])
        main(["fit", *tasks.options("nsmc", root / "runs", "--model.optimizer.lr=0.01", "--trainer.max_steps=30")])
        folder = root / "runs" / "nsmc" / "base_seed42"
        main(["test", "-c", str(folder / "config.yaml"), f"--ckpt_path={folder}/checkpoints/last.ckpt",
              "--trainer.enable_progress_bar=false"])  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxruntime", reason="needs pip install '.[export]'")
    target = tmp_path_factory.mktemp("out") / "nsmc"
    return export(
        str(run / "checkpoints/last.ckpt"), str(target), int8=True, evaluate="test", latency=True, license="cc0-1.0"
    )


def test_scores_of_all_forms_are_those_of_the_run(run: Path, exported: Path) -> None:
    metrics, measured = read_json(run / "metrics.json"), read_json(exported / "metrics.json")
    for form in ("torch", "onnx"):
        assert measured[f"{form}/test/loss"] == pytest.approx(metrics["test/loss"], rel=1e-4)
        assert measured[f"{form}/test/accuracy"] == pytest.approx(metrics["test/accuracy"], abs=1e-6)
    other = {"full": "reduced", "reduced": "full"}[measured["int8_range"]]
    for form in ("int8", f"int8_{other}"):
        assert 0 < measured[f"{form}/difference"] < 0.5
        assert measured[f"{form}/test/loss"] == pytest.approx(metrics["test/loss"], rel=0.1)
        assert measured[f"{form}/test/loss"] != measured["onnx/test/loss"], "it was not the int8 file that was scored"
        assert metrics[f"{form}/test/loss"] == measured[f"{form}/test/loss"]
    assert measured["int8/difference"] <= measured[f"int8_{other}/difference"]
    assert measured["int8/batch_1_p50_ms"] <= measured["int8/batch_1_p95_ms"] <= measured["int8/batch_1_p99_ms"]
    assert measured["torch/tokenizer_1_p50_ms"] > 0
    assert sorted(path.name for path in exported.glob("*.onnx")) == ["model.onnx", "model_int8.onnx"]


def test_the_card_has_all_metadata_and_a_column_for_each_form(exported: Path) -> None:
    card = (exported / "README.md").read_text(encoding="utf-8")
    for line in ("license: cc0-1.0", "language: ko", "- e9t/nsmc", "model-index:", "  - task:", "type: accuracy"):
        assert line in card, line
    assert "| | PyTorch | ONNX | ONNX int8, " in card
    assert "| test/accuracy |" in card
    assert "int8/test/accuracy |" not in card, "scores of forms are in their own table only"


def test_the_other_setting_can_be_asked_for(run: Path, exported: Path, tmp_path: Path) -> None:
    chosen = read_json(exported / "metrics.json")["int8_range"]
    asked = chosen == "full"
    folder = export(str(run / "checkpoints/last.ckpt"), str(tmp_path / "x"), int8=True, reduce_range=asked)
    assert read_json(folder / "metrics.json")["int8_range"] == ("reduced" if asked else "full")


def test_onnx_files_answer_and_are_timed(exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("정말 재미있는 영화였다\n지루하고 끔찍했다\n", encoding="utf-8")
    answers = {}
    alone = tmp_path / "alone"
    shutil.copytree(exported, alone, ignore=shutil.ignore_patterns("*.safetensors"))
    for name in (exported, exported / "model.onnx", exported / "model_int8.onnx", alone):
        output = tmp_path / "answers.jsonl"
        predict(str(name), input=str(texts), output=str(output), unknown_limit=1)
        answers[name] = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    probability = {name: [one["probability"] for one in found] for name, found in answers.items()}
    assert probability[exported / "model.onnx"] == pytest.approx(probability[exported], abs=1e-5)
    assert probability[alone] == probability[exported / "model.onnx"]
    assert probability[exported / "model_int8.onnx"] != probability[exported / "model.onnx"]
    capsys.readouterr()
    found = bench_latency([str(exported), str(exported / "model_int8.onnx"), str(alone)], lengths=[8], repeats=1)
    assert len({one.parameters for one in found.values()}) == 1
    assert found[str(alone)].mb == (exported / "model.onnx").stat().st_size / 2**20


def test_an_onnx_network_is_called_as_its_model_is(exported: Path) -> None:
    network, (model, _) = open_onnx(exported / "model.onnx"), load_model(exported, "sequence_classification")
    ids = torch.randint(5, 600, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    with torch.inference_mode():
        segments = {"token_type_ids": torch.zeros_like(ids)}
        logits = network(input_ids=ids, attention_mask=mask, **segments).logits
        expected = model(input_ids=ids, attention_mask=mask, **segments).logits
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


def test_what_has_no_task_is_not_scored(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train"])
    main(["fit", *world.distil(tmp_path, "--trainer.max_steps=1", "--trainer.val_check_interval=1")])
    checkpoint = tmp_path / "distilkobert/base_seed42/checkpoints/last.ckpt"
    with pytest.raises(ValueError, match="is of Distillation, which has no task to evaluate"):
        export(str(checkpoint), str(tmp_path / "out"), evaluate="test")
    assert not (tmp_path / "out").exists()
