"""Fixtures of the tests of faults."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.trainings.cases import CASES
from tests.faults.trainings.chains import train
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.world import World


@pytest.fixture(scope="session")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="session")
def untouched(tasks: TaskWorld, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a case's run that nothing has interrupted, made once."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            case, runs = CASES[name], tmp_path_factory.mktemp(name)
            train(case.args(tasks, runs), runs / "log", processes=case.processes)
            made[name] = case.folder(runs)
        return made[name]

    return make
