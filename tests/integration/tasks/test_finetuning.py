"""Fine-tuning, testing and predicting each task through the command line, on synthetic files, with a tiny encoder."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from seqeval.metrics import f1_score, precision_score
from transformers import AutoTokenizer, PreTrainedModel

from distilkobert import KoBertTokenizer
from distilkobert.metrics.korquad import total_scores
from distilkobert.models.checkpoints import model_from_checkpoint, read_checkpoint
from tests.faults.trainings.chains import train as train_ranks
from tests.integration.tasks.world import TASKS, TaskWorld, make_task_world
from tests.support.tasks.gold_answers import gold_answers
from tests.world import Run, World, read_json

MONITORED = {"nsmc": "val/accuracy", "naver_ner": "val/f1", "klue_ner": "val/f1", "korquad": "val/f1"}


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


SLOW = {"naver_ner": [pytest.mark.slow]}  # the same module as klue_ner, on words


@pytest.fixture(scope="module", params=[pytest.param(task, id=task, marks=SLOW.get(task, [])) for task in TASKS])
def finished(
    request: pytest.FixtureRequest, tasks: TaskWorld, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The run folder of a task after `fit`, a copy of its metrics at that time, and `test`."""
    runs, task = tmp_path_factory.mktemp("runs"), str(request.param)
    run("fit", tasks.options(task, runs))
    folder = runs / task / "base_seed42"
    shutil.copy(folder / "metrics.json", folder / "after_fit.json")
    # The checkpoint is enough: what it was started from may be gone.
    run("test", [*saved(folder), "--model.init_from=nowhere/any-more"])
    return folder


def saved(folder: Path) -> list[str]:
    """Options that evaluate a run's best checkpoint."""
    return ["-c", str(folder / "config.yaml"), f"--ckpt_path={folder / 'checkpoints' / 'best.ckpt'}"]


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_fit_scores_the_dev_part_and_of_the_test_file_notes_the_content_alone(finished: Path) -> None:
    task = finished.parent.name
    metrics = read_json(finished / "after_fit.json")
    assert {MONITORED[task], "val/loss", "data/split", "data/train_examples", "data/dev_examples"} <= metrics.keys()
    assert [name for name in metrics if name.startswith(("test/", "data/test"))] == ["data/test_sha256"]
    best = read_checkpoint(finished / "checkpoints" / "best.ckpt")
    monitored = next(state["monitor"] for name, state in best["callbacks"].items() if "ModelCheckpoint" in name)
    assert monitored == MONITORED[task]
    assert (finished / "tokenizer" / "vocab.txt").is_file()


def test_stored_predictions_have_the_scores_of_metrics_json(finished: Path, tasks: TaskWorld) -> None:
    task = finished.parent.name
    metrics, stored = read_json(finished / "metrics.json"), records(finished / "predictions.jsonl")
    assert len(stored) == metrics["data/test_examples"] == tasks.tests
    assert [record["row"] for record in stored] == list(range(tasks.tests))
    gold, predicted = ([record[name] for record in stored] for name in ("gold", "predicted"))
    assert all(0 <= record["probability"] <= 1 for record in stored)
    if task == "nsmc":
        right = sum(a == b for a, b in zip(gold, predicted, strict=True))
        assert metrics["test/accuracy"] == pytest.approx(right / tasks.tests)
        lines = (tasks.root / "nsmc" / "ratings_test.txt").read_text(encoding="utf-8").splitlines()[1:]
        assert gold == [("negative", "positive")[int(line[-1])] for line in lines]
        assert "group" not in stored[0]  # every review stands alone
    elif task == "korquad":
        articles = read_json(tasks.root / "korquad" / "KorQuAD_v1.0_dev.json")["data"]
        titles = [one["title"] for one in articles for paragraph in one["paragraphs"] for _ in paragraph["qas"]]
        assert len(set(titles)) < len(titles)
        assert [record.get("group") for record in stored] == [titles.index(title) for title in titles]
        answers = read_json(finished / "predictions.json")
        assert answers == {record["id"]: record["predicted"] for record in stored}
        golds = gold_answers(read_json(tasks.root / "korquad" / "KorQuAD_v1.0_dev.json"))
        scored = total_scores(answers, golds)
        assert scored.missing == 0
        assert metrics["test/exact_match"] == pytest.approx(100 * scored.exact_match / scored.questions)
        assert metrics["test/f1"] == pytest.approx(100 * scored.f1 / scored.questions)
        assert metrics["test/f1_raw"] == metrics["test/f1"]
    else:
        suffix = task == "naver_ner"
        assert metrics["test/f1"] == pytest.approx(f1_score(gold, predicted, suffix=suffix))
        assert metrics["test/precision"] == pytest.approx(precision_score(gold, predicted, suffix=suffix))
        assert {"test/recall", "test/f1_kept", "test/f1_strict"} <= metrics.keys()


def test_predict_gives_what_test_stored_and_says_where(
    finished: Path, tasks: TaskWorld, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run("predict", [*saved(finished), f"--run.root={tmp_path}"])
    folder = tmp_path / finished.parent.name / "base_seed42"
    assert f"{tasks.tests} predictions in {folder / 'predict.jsonl'}" in caplog.text
    assert (folder / "predict.jsonl").read_bytes() == (finished / "predictions.jsonl").read_bytes()
    assert not (folder / "predictions.jsonl").exists()


def test_the_checkpoint_is_a_model_with_its_labels(finished: Path) -> None:
    path = finished / "checkpoints" / "best.ckpt"
    model: PreTrainedModel = model_from_checkpoint(read_checkpoint(path), path)
    expected = {"nsmc": "positive", "naver_ner": "PER-B", "klue_ner": "I-PS"}.get(finished.parent.name)
    assert expected is None or model.config.id2label[1 if expected != "PER-B" else 2] == expected
    assert model.config.task_inputs["particles"] == "none"


@pytest.mark.parametrize("task", [pytest.param(task, marks=pytest.mark.slow) for task in TASKS])
def test_our_overlays_train(task: str, tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    options = ["-c", f"configs/finetune/{task}_plus.yaml", "--data.max_length=64"]
    run("fit", tasks.options(task, tmp_path, *options))
    folder = tmp_path / task / "base_seed42"
    metrics = read_json(folder / "metrics.json")
    assert metrics["train/lr"] == pytest.approx(5e-5 / 3)  # of 4 steps 1 warms up; the last rate of the decay over 3
    if task in ("klue_ner", "korquad"):
        path = folder / "checkpoints" / "last.ckpt"
        assert model_from_checkpoint(read_checkpoint(path), path).config.task_inputs["particles"] == "split"


@pytest.mark.slow
def test_a_fast_tokenizer_is_kept_with_the_run(tasks: TaskWorld, world: World, run: Run, tmp_path: Path) -> None:
    KoBertTokenizer.from_pretrained(world.tokenizer).to_transformers().save_pretrained(tmp_path / "fast")
    run("fit", tasks.options("nsmc", tmp_path, f"--data.tokenizer={tmp_path / 'fast'}"))
    assert len(AutoTokenizer.from_pretrained(tmp_path / "nsmc" / "base_seed42" / "tokenizer")) == 600


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--model.class_path=TokenClassification"],
            "TokenClassification takes suffix_tags from the data, and NSMCDataModule has no attribute",
        ),
        (["--data.max_length=100"], "accepts at most 64 tokens, but inputs have up to 100; set --data.max_length=64"),
        (["--model.init_from=nowhere/at-all"], "nowhere/at-all"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    options: list[str], message: str, tasks: TaskWorld, world: World, run: Run, tmp_path: Path
) -> None:
    again = f"--model.init_from={world.teacher}"  # a change of class drops the settings before it
    options = [*options, *([again] if "class_path" in options[0] else [])]
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run("fit", tasks.options("nsmc", tmp_path, *options))


def test_a_module_without_its_data_is_refused(
    tasks: TaskWorld, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = tasks.options("korquad", tmp_path, "--model.class_path=SequenceClassification", "--model.init_from=x")
    with pytest.raises((SystemExit, ValueError, TypeError)) as caught:
        run("fit", options)
    assert "labels" in capsys.readouterr().err + str(caught.value)


def test_tagged_sentences_are_no_reviews(tasks: TaskWorld, world: World, run: Run, tmp_path: Path) -> None:
    change = ["--model.class_path=SequenceClassification", f"--model.init_from={world.teacher}"]
    with pytest.raises(ValueError, match="SequenceClassification got labels for every piece"):
        run("fit", tasks.options("naver_ner", tmp_path, *change))


def test_dropout_of_the_run_is_that_of_its_network(tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    usual = run("fit", tasks.options("nsmc", tmp_path, "--trainer.max_steps=1", "--run.arm=usual")).model.network
    options = ["--model.dropout.hidden=0.3", "--model.dropout.attention=0", "--trainer.max_steps=1"]
    run("fit", tasks.options("nsmc", tmp_path, *options))
    last = tmp_path / "nsmc" / "base_seed42" / "checkpoints" / "last.ckpt"
    config = model_from_checkpoint(read_checkpoint(last), last).config
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (0.3, 0.0)
    assert (usual.config.hidden_dropout_prob, usual.config.attention_probs_dropout_prob) == (0.1, 0.1)
    # Both kinds of batches differ from step 1 on, so an option that is noted and not used shows.
    losses = [read_json(tmp_path / "nsmc" / f"{arm}_seed42" / "metrics.json")["val/loss"] for arm in ("usual", "base")]
    assert losses[0] != losses[1]
    with pytest.raises(ValueError, match=r"dropout\.attention=1.0: must be in"):
        run("fit", tasks.options("nsmc", tmp_path, "--model.dropout.attention=1.0", "--run.arm=refused"))


def test_an_untrained_head_is_not_tested(tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no trained head for this task"):
        run("test", tasks.options("korquad", tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("task", ["nsmc", "naver_ner", "korquad"])
def test_two_processes_score_and_store_what_one_does(task: str, tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    run("fit", tasks.options(task, tmp_path))
    one = tmp_path / task / "base_seed42"
    run("test", saved(one))
    words = [*saved(one), f"--run.root={tmp_path / 'two'}", "-c", "configs/trainer/ddp_cpu.yaml"]
    train_ranks(words, tmp_path / "log", processes=2, command="test")
    two = tmp_path / "two" / task / "base_seed42"
    first, second = read_json(one / "metrics.json"), read_json(two / "metrics.json")
    for name in (name for name in first if name.startswith("test/")):
        assert second[name] == pytest.approx(first[name], abs=1e-5), name
    for before, after in zip(records(one / "predictions.jsonl"), records(two / "predictions.jsonl"), strict=True):
        assert after.pop("probability") == pytest.approx(before.pop("probability"), abs=1e-5)
        assert after == before
