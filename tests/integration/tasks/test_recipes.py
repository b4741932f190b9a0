"""The recipes of further data sets: a few steps, `test`, export and predictions, on files we write and on real ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.export.__main__ import export
from experiments.predict.__main__ import predict
from experiments.train import main
from tests.support.records import assert_records_alike
from tests.support.tasks.benchmark_files import write_benchmark
from tests.world import World, read_json

SCORES = {
    "klue_nli": "accuracy", "klue_sts": "pearson", "klue_ynat": "macro_f1", "klue_mrc": "rouge_w",
    "paws_x_ko": "accuracy", "korsts": "spearman", "kornli": "accuracy", "question_pair": "accuracy",
    "hate_speech": "macro_f1",
}  # fmt: skip
SLOW = ("klue_nli", "klue_sts", "klue_ynat", "paws_x_ko")
WRITTEN = ["klue_mrc", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
REAL = ["korsts", "kornli", "question_pair", "hate_speech"]


def run_recipe(recipe: str, data: Path, world: World, tokenizer: Path, root: Path, *options: str) -> dict[str, Any]:
    """The metrics of a run of two steps, after `test`, with predictions of run and export compared on the way."""
    lengths = [
        "--data.max_length=48",
        *(["--data.stride=16", "--data.max_question=12"] if recipe == "klue_mrc" else []),
    ]
    main([
        "fit", "-c", f"configs/finetune/{recipe}.yaml", f"--data.data_dir={data}", f"--data.tokenizer={tokenizer}",
        f"--data.cache_dir={root / 'cache'}", f"--run.root={root / 'runs'}", *lengths, "--trainer.accelerator=cpu",
        "--trainer.max_epochs=-1", "--trainer.max_steps=2", "--trainer.val_check_interval=2",
        "--trainer.enable_progress_bar=false", *options,
    ])  # fmt: skip
    run = root / "runs" / recipe / "base_seed42"
    main(["test", "-c", str(run / "config.yaml"), f"--ckpt_path={run / 'checkpoints' / 'best.ckpt'}"])
    export(str(run / "checkpoints" / "best.ckpt"), str(root / "exported"))
    texts = {"text": "어디에서 열렸나?", "text_pair": "대회는 서울에서 열렸다."}
    if recipe in ("klue_ynat", "hate_speech"):
        del texts["text_pair"]
    said = []
    for number, model in enumerate((run, root / "exported")):
        predict(str(model), output=str(root / f"{number}.jsonl"), **texts)
        said.append(json.loads((root / f"{number}.jsonl").read_text(encoding="utf-8")))
    assert_records_alike(said[:1], said[1:])
    assert "predicted" in said[0]
    metrics: dict[str, Any] = read_json(run / "metrics.json")
    return metrics


@pytest.mark.parametrize("recipe", WRITTEN)
def test_recipes_run_on_files_of_the_same_layout(
    recipe: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["train"])
    write_benchmark(recipe, tmp_path / "data")
    options = [f"--model.init_from={world.teacher}"]
    metrics = run_recipe(recipe, tmp_path / "data", world, world.tokenizer, tmp_path, *options)
    key = SCORES[recipe]
    assert {f"test/{key}", f"best/val/{key}"} <= metrics.keys()
    assert metrics["data/test_examples"] == (40 if recipe == "klue_mrc" else 20)
    if recipe == "klue_mrc":
        assert metrics["data/test_unanswerable"] == 20
        assert metrics["test/no_answer_threshold"] == pytest.approx(metrics["val/no_answer_threshold"], rel=1e-5)
        scores = {f"test/{name}" for name in ("v2_f1", "has_answer_f1", "has_answer_rouge_w", "no_answer_accuracy")}
        assert scores <= metrics.keys()


@pytest.mark.real_data
@pytest.mark.parametrize("recipe", REAL)
def test_recipes_run_on_the_real_files(
    recipe: str, world: World, real_data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distilkobert.models.teachers import EncoderSpec, build_encoder

    monkeypatch.setattr("sys.argv", ["train"])
    spec = EncoderSpec(layers=1, hidden_size=16, heads=2, intermediate_size=24, max_positions=64)
    build_encoder(spec, vocab_size=8002, pad_token_id=1).save_pretrained(tmp_path / "encoder")
    options = [f"--model.init_from={tmp_path / 'encoder'}"]
    tokenizer = real_data_dir / "kobert_tokenizer"
    metrics = run_recipe(recipe, real_data_dir / recipe, world, tokenizer, tmp_path, *options)
    assert f"test/{SCORES[recipe]}" in metrics
    counts = {part: metrics[f"data/{part}_examples"] for part in ("train", "dev", "test")}
    expected = {
        "korsts": (7249, 1379),
        "kornli": (2490, 5010),
        "question_pair": (6888, 688),
        "hate_speech": (7896, 471),
    }
    assert (counts["train"] + counts["dev"], counts["test"]) == expected[recipe]


@pytest.mark.real_data
def test_all_labels_of_the_comments_at_once(
    world: World, real_data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distilkobert.models.teachers import EncoderSpec, build_encoder

    monkeypatch.setattr("sys.argv", ["train"])
    spec = EncoderSpec(layers=1, hidden_size=16, heads=2, intermediate_size=24, max_positions=64)
    build_encoder(spec, vocab_size=8002, pad_token_id=1).save_pretrained(tmp_path / "encoder")
    options = [
        f"--model.init_from={tmp_path / 'encoder'}", "--data.kind=multi_label", "--data.labels=null",
        "--data.label=[contain_gender_bias, bias, hate]", "--best_checkpoint.monitor=val/micro_f1",
    ]  # fmt: skip
    tokenizer = real_data_dir / "kobert_tokenizer"
    metrics = run_recipe("hate_speech", real_data_dir / "hate_speech", world, tokenizer, tmp_path, *options)
    assert {
        "test/micro_f1",
        "test/f1_contain_gender_bias",
        "test/f1_bias:gender",
        "test/f1_hate:offensive",
    } <= metrics.keys()


@pytest.mark.slow
def test_early_stopping_stops_a_recipe(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train"])
    write_benchmark("klue_nli", tmp_path / "data")
    options = [
        f"--model.init_from={world.teacher}", "-c", "configs/finetune/early_stopping.yaml",
        "--trainer.callbacks.patience=1", "--trainer.callbacks.min_delta=1", "--trainer.max_steps=50",
    ]  # fmt: skip
    metrics = run_recipe("klue_nli", tmp_path / "data", world, world.tokenizer, tmp_path, *options)
    assert metrics["stopped_by"] == "early_stopping"
    assert metrics["steps"] < 50
