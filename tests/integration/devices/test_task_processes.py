"""Two processes: one cache of features that both build at once, and a fine-tuning that scores as one process does."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from datamodules import NaverNERDataModule, NSMCDataModule
from distilkobert.synthetic.tasks import write_nsmc
from distilkobert.tasks.feature_cache import KEY_NAME
from tests.faults.trainings.chains import train as train_ranks
from tests.integration.predict.wide import records_of, save_wide
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.support.forkserver import FORKS
from tests.support.tasks.synthetic import write_naver_ner
from tests.world import Run, World, read_json

MODULES = {"nsmc": (NSMCDataModule, write_nsmc), "naver_ner": (NaverNERDataModule, write_naver_ner)}
Seen = list[tuple[list[list[int]], list[str]]]


def prepare(
    task: str, folder: Path, tokenizer: Path, both_ready: Barrier, answers: "multiprocessing.Queue[Seen]"
) -> None:
    """Build the features when the other process does, and tell every batch."""
    data = MODULES[task][0](str(folder), str(tokenizer), cache_dir=str(folder / "cache"))
    both_ready.wait(timeout=120)
    data.prepare_data()
    data.setup("fit")
    batches = [*data.train_dataloader(), *data.val_dataloader()]
    names = sorted(path.name for path in (folder / "cache").iterdir() if not path.name.startswith("."))
    answers.put([(batch["input_ids"].tolist(), names) for batch in batches])


@pytest.mark.slow
@pytest.mark.parametrize("task", MODULES)
def test_processes_that_prepare_at_once_share_one_whole_cache(task: str, world: World, tmp_path: Path) -> None:
    MODULES[task][1](tmp_path, train=400, test=30, seed=3)
    both_ready, answers = FORKS.Barrier(2), FORKS.Queue()
    arguments = (task, tmp_path, world.tokenizer, both_ready, answers)
    processes = [FORKS.Process(target=prepare, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    first, second = (answers.get(timeout=240) for _ in processes)
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert [ids for ids, _ in first] == [ids for ids, _ in second]
    assert len(first) > 10
    folders = list((tmp_path / "cache").iterdir())  # nothing half-written is left beside them
    assert len(folders) == 2, "one of the training file, one of the test file"
    assert all((folder / KEY_NAME).is_file() for folder in folders)
    seen = {name for process in (first, second) for _, names in process for name in names}
    assert seen == {folder.name for folder in folders}
    third = MODULES[task][0](str(tmp_path), str(world.tokenizer), cache_dir=str(tmp_path / "cache"))
    third.setup("fit")
    assert [batch["input_ids"].tolist() for batch in third.train_dataloader()] == [
        ids for ids, _ in first[: len(first) - len(list(third.val_dataloader()))]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["nsmc", "klue_ner"])
def test_two_processes_fine_tune_to_the_score_of_one(task: str, world: World, run: Run, tmp_path: Path) -> None:
    tasks: TaskWorld = make_task_world(world, tmp_path)
    start = [f"--model.init_from={save_wide(tmp_path / 'wide', 'distilbert')}", "--trainer.check_val_every_n_epoch=1"]
    steps, batches = 12, {"one": 24, "two": 12}
    more = {"one": ["--trainer.accumulate_grad_batches=2"], "two": ["-c", "configs/trainer/ddp_cpu.yaml"]}
    folders = {}
    for name, options in more.items():
        folders[name] = tmp_path / name / task / "base_seed42"
        asked = [*start, f"--trainer.max_steps={steps}", f"--trainer.val_check_interval={batches[name]}"]
        asked += ["--model.optimizer.lr=0.001", *options]
        saved = ["-c", str(folders[name] / "config.yaml"), f"--ckpt_path={folders[name] / 'checkpoints' / 'last.ckpt'}"]
        for command, words in (("fit", tasks.options(task, tmp_path / name, *asked)), ("test", saved)):
            if name == "one":
                run(command, words)
            else:
                train_ranks(words, tmp_path / "log", processes=2, command=command)
    one, two = (read_json(folder / "metrics.json") for folder in folders.values())
    assert (one["world_size"], two["world_size"], one["steps"], two["steps"]) == (1, 2, steps, steps)
    scores = [name for name in one if name.startswith(("test/", "val/")) and name != "val/step"]
    assert len(scores) >= 4
    for name in scores:
        assert two[name] == pytest.approx(one[name], abs=1e-4), name
    for before, after in zip(records_of(folders["one"]), records_of(folders["two"]), strict=True):
        assert after.pop("probability") == pytest.approx(before.pop("probability"), abs=1e-4)
        assert after == before
