"""Test examples that belong together, as the predictions say, are drawn together."""

import numpy as np
import pytest

from experiments.report.reading.runs import Study
from tests.experiments.report.test_scores import RIGHT, scored, study
from tests.support.report_world import label_records, write_records

__all__ = ["study"]

GROUPS = [0, 0, 0, 0, 4, 4, 4, 7, 7, 9]


def put_groups(study: Study, seeds: tuple[int, ...] = (1, 2)) -> None:
    """Say in the predictions which examples belong together."""
    for (arm, seed), right in RIGHT.items():
        if seed in seeds:
            records = zip(label_records(right), GROUPS, strict=True)
            write_records(study.folder / f"nsmc/{arm}_seed{seed}", [{**one, "group": group} for one, group in records])


@pytest.mark.parametrize("seeds", [(1, 2), (2,)])
def test_examples_of_one_group_are_drawn_together(study: Study, seeds: tuple[int, ...]) -> None:
    """The slow way: draw four of the four groups, and score the examples in them; runs of before say no groups."""
    alone = scored(study)[0].deltas["other", "NSMC accuracy"]
    put_groups(study, seeds)
    delta = scored(study)[0].deltas["other", "NSMC accuracy"]
    members = [[row for row, own in enumerate(GROUPS) if own == group] for group in sorted(set(GROUPS))]
    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(2000):
        rows = [row for group in generator.integers(0, 4, 4).tolist() for row in members[group]]
        by_seed = [sum(RIGHT["other", s][row] - RIGHT["base", s][row] for row in rows) / len(rows) for s in (1, 2)]
        drawn.append(100 * sum(by_seed) / 2)
    assert (delta.low, delta.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert (delta.low, delta.high) != (alone.low, alone.high)
    assert (delta.value, delta.seeds) == (alone.value, alone.seeds)


def test_one_group_has_no_interval(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.GROUPS", [3] * 10)
    put_groups(study)
    scores, notes = scored(study)
    assert scores.deltas == {}
    assert "nsmc: no difference to base, because an interval needs at least two groups of test examples." in notes
