"""The probe in a run: it measures what it says, and the run is the same with and without it."""

from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert import KoBertTokenizer
from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.synthetic.tasks import write_nsmc
from distilkobert.tasks.files.nsmc import read_nsmc
from distilkobert.tasks.probe import ProbeSpec, choose_reviews, fit_classifier
from lightning_modules.callbacks import LastCheckpoint
from lightning_modules.callbacks.probe import evaluating
from tests.faults.trainings.chains import train as train_ranks
from tests.integration.run.test_resume import PowerCutError, break_at
from tests.integration.tasks.world import make_task_world
from tests.world import Run, World, read_json, scalars

NAMES = ("probe/nsmc_accuracy", "probe/nsmc_retention", "probe/teacher_nsmc_accuracy")


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nsmc")
    write_nsmc(folder, train=200, test=20, seed=4)
    (folder / "ratings_test.txt").unlink()  # the probe must not need it
    return folder


def probed(reviews: Path) -> list[str]:
    return [f"--probe.data_dir={reviews}", "--probe.every_n_steps=4"]


OPTIONS = (
    "--model.student.dropout=0.1", "--trainer.accumulate_grad_batches=2", "--trainer.max_steps=10",
    "--trainer.val_check_interval=8", "--last_checkpoint.every_n_steps=4",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(world: World, reviews: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A distillation with a probe, not broken off."""
    runs = tmp_path_factory.mktemp("runs")
    run("fit", world.distil(runs, *OPTIONS, *probed(reviews)))
    return runs / "distilkobert" / "base_seed42"


def same_weights(one: Path, other: Path) -> bool:
    states = [read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"] for folder in (one, other)]
    return states[0].keys() == states[1].keys() and all(torch.equal(states[0][n], states[1][n]) for n in states[0])


@pytest.mark.slow
def test_a_run_is_the_same_with_and_without_a_probe(whole: Path, world: World, run: Run, tmp_path: Path) -> None:
    run("fit", world.distil(tmp_path, *OPTIONS))
    without = tmp_path / "distilkobert" / "base_seed42"
    curves, probed_curves = scalars(without), scalars(whole)
    assert not [name for name in curves if name.startswith("probe/")]
    for name in curves:
        if name not in ("train/tokens_per_s", "hp_metric"):
            assert probed_curves[name] == curves[name], name
    assert same_weights(without, whole)


def test_start_steps_and_end_are_probed(whole: Path) -> None:
    curves, metrics = scalars(whole), read_json(whole / "metrics.json")
    for name in NAMES:
        assert sorted(curves[name]) == [0, 4, 8, 10]
        assert metrics[name] == pytest.approx(curves[name][10])
    student, retention, teacher = (curves[name] for name in NAMES)
    assert len(set(teacher.values())) == 1
    assert 0.3 < teacher[0] <= 1
    assert retention[10] == pytest.approx(100 * student[10] / teacher[10])


@pytest.mark.slow
def test_a_broken_run_resumes_exactly_and_probes_on(
    whole: Path, world: World, reviews: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        break_at(6, patch)
        with pytest.raises(PowerCutError):
            run("fit", world.distil(tmp_path, *OPTIONS, *probed(reviews)))
    broken = tmp_path / "distilkobert" / "base_seed42"
    last = broken / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == 4
    run("fit", ["-c", str(broken / "config.yaml"), f"--ckpt_path={last}"])
    assert same_weights(broken, whole)
    for name in NAMES:
        assert scalars(broken)[name] == scalars(whole)[name], name


def test_a_run_stopped_after_its_last_step_is_probed_when_it_resumes(
    whole: Path, world: World, reviews: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step is not one that is due; a second resume changes nothing."""
    with monkeypatch.context() as patch:

        def cut(self: LastCheckpoint, *_: Any) -> None:
            raise PowerCutError

        patch.setattr(LastCheckpoint, "on_train_epoch_end", cut)
        with pytest.raises(PowerCutError):
            run("fit", world.distil(tmp_path, *OPTIONS, *probed(reviews), "--last_checkpoint.every_n_steps=5"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    for _ in range(2):
        assert read_checkpoint(folder / "checkpoints" / "last.ckpt")["global_step"] == 10
        run("fit", ["-c", str(folder / "config.yaml"), "--ckpt_path=last"])
        for name in NAMES:
            assert scalars(folder)[name] == scalars(whole)[name], name
            assert read_json(folder / "metrics.json")[name] == read_json(whole / "metrics.json")[name]


def test_pretraining_is_probed_without_a_teacher(world: World, reviews: Path, run: Run, tmp_path: Path) -> None:
    run("fit", world.pretrain(tmp_path, *probed(reviews)))
    curves = scalars(tmp_path / "pretrain" / "base_seed42")
    assert sorted(curves["probe/nsmc_accuracy"]) == [0, 4]
    assert "probe/nsmc_retention" not in curves


def test_the_probe_cuts_reviews_and_fits_as_asked(world: World, reviews: Path, run: Run, tmp_path: Path) -> None:
    """Against a computation of its own, review by review."""
    values = {}
    for longest, l2 in ((64, 0.01), (5, 0.01), (64, 30.0)):
        asked = [f"--probe.max_length={longest}", f"--probe.l2={l2}", "--trainer.max_steps=0"]
        runs = tmp_path / f"{longest}-{l2}"
        module = run("fit", world.pretrain(runs, *probed(reviews), *asked)).model
        tokenizer, network = KoBertTokenizer.from_pretrained(world.tokenizer), module.network.eval()
        fitted: list[Any] = []
        for part in choose_reviews(read_nsmc(reviews / "ratings_train.txt"), ProbeSpec(), "here"):
            rows = []
            for review in part:
                ids = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(review.text))[: longest - 2]
                ids = torch.tensor([[tokenizer.cls_token_id, *ids, tokenizer.sep_token_id]])
                with torch.no_grad():
                    rows.append(network.bert(input_ids=ids).last_hidden_state[0].mean(0).double())
            fitted += [torch.stack(rows), torch.tensor([review.label for review in part])]
        expected = fit_classifier(fitted[0], fitted[1], l2).accuracy(fitted[2], fitted[3])
        values[longest, l2] = read_json(runs / "pretrain" / "base_seed42" / "metrics.json")["probe/nsmc_accuracy"]
        assert values[longest, l2] == pytest.approx(expected)
    assert len(set(values.values())) == 3, values


@pytest.mark.slow
def test_a_run_of_no_steps_is_probed(world: World, reviews: Path, run: Run, whole: Path, tmp_path: Path) -> None:
    run("fit", world.distil(tmp_path, *probed(reviews), "--trainer.max_steps=0", "--model.student.dropout=0.1"))
    metrics = read_json(tmp_path / "distilkobert" / "base_seed42" / "metrics.json")
    assert metrics["probe/nsmc_accuracy"] == pytest.approx(scalars(whole)["probe/nsmc_accuracy"][0])
    assert metrics["wall_time_s"] == 0


def test_a_folder_without_the_training_file_is_refused_before_training(world: World, run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"contains no ratings_train\.txt"):
        run("fit", world.distil(tmp_path, f"--probe.data_dir={tmp_path / 'empty'}"))


def test_fine_tuning_is_not_probed(world: World, reviews: Path, run: Run, tmp_path: Path) -> None:
    tasks = make_task_world(world, tmp_path / "tasks")
    with pytest.raises(ValueError, match="the probe is for pretraining and distillation"):
        run("fit", tasks.options("nsmc", tmp_path, f"--probe.data_dir={reviews}"))


def test_the_overlay_turns_the_probe_on(world: World, run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"probe\.data_dir: there is no data folder data/nsmc;"):
        run("fit", world.distil(tmp_path, "-c", "configs/ablation/probe.yaml"))


def test_every_part_gets_its_own_mode_back() -> None:
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Sequential(torch.nn.Dropout()))
    model[1].eval()

    def failing(given: torch.Tensor) -> torch.Tensor:
        with evaluating(model):
            assert not any(part.training for part in model.modules())
            return model(given).no_such_thing()

    with pytest.raises(AttributeError):
        failing(torch.zeros(1))
    assert [part.training for part in model.modules()] == [True, True, False, False]


@pytest.mark.slow
def test_two_processes_wait_for_the_probe_and_measure_what_one_does(
    world: World, reviews: Path, run: Run, tmp_path: Path
) -> None:
    steps = ["--trainer.max_steps=6", "--trainer.val_check_interval=6"]
    one = ["--trainer.accumulate_grad_batches=2", "--trainer.max_steps=6", "--trainer.val_check_interval=12"]
    run("fit", world.distil(tmp_path / "one", *one, *probed(reviews)))
    options = world.distil(tmp_path / "two", *steps, *probed(reviews), "-c", "configs/trainer/ddp_cpu.yaml")
    train_ranks(options, tmp_path / "log", processes=2)
    first, second = (scalars(tmp_path / name / "distilkobert" / "base_seed42") for name in ("one", "two"))
    measured = [name for name in first if name.startswith(("probe/", "val/agreement/", "val/similarity/", "val/cka/"))]
    assert len(measured) == 3 + 3 + 6
    for name in measured:
        assert second[name] == pytest.approx(first[name], abs=0.03 if name.startswith("probe/") else 2e-3), name
