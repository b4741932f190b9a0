"""A study, its scores and matplotlib's settings, for all tests of figures."""

from collections.abc import Iterator

import pytest

from experiments.report.figures.style import style
from experiments.report.reading.runs import Study
from experiments.report.reading.scan import open_runs
from experiments.report.scores import Scores, score_study
from tests.support.report_world import fabricate


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_runs(fabricate(tmp_path_factory.mktemp("figures") / "study", examples=30), [])


@pytest.fixture(scope="module")
def scores(study: Study) -> Scores:
    return score_study(study, [])


@pytest.fixture(autouse=True)
def styled() -> Iterator[None]:
    with style([]):
        yield
