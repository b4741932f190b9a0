"""The search of a study: points are proposed, run once and measured; what would falsify it is refused."""

import json
from pathlib import Path

import optuna
import pytest
import yaml

from experiments._shared.plan_file import Plan
from experiments.study.__main__ import open_study
from experiments.study.plan.expand import expand
from experiments.study.run.journal import open_storage
from experiments.study.run.metric import direction_of
from tests.support.studies.bench import Bench, bench
from tests.support.studies.texts import SMALL, declare

__all__ = ["bench"]

TEMPERATURE = "model.objectives.soft_target.temperature"
SEARCH = (
    SMALL.replace("nsmc/test/accuracy", "nsmc/best/val/accuracy")
    + """
search:
  trials: 3
  options:
    model.objectives.soft_target.temperature: {low: 1.0, high: 8.0}
    model.student.init: {choices: [teacher, random]}
"""
)


def begin(bench: Bench, *joining: str) -> Plan:
    """Propose the first point, all declared runs having failed; another worker may join before, with more arms."""
    first = open_study(declare(bench.root, SEARCH))
    if joining:
        open_study(declare(bench.root, SEARCH, *joining))
    assert first.search is not None
    return first.search.propose(first.plan, {run.label: "failed" for run in first.plan.all_runs})


@pytest.mark.slow
def test_a_search_proposes_points_from_what_was_measured(bench: Bench, tmp_path: Path) -> None:
    bench.run(text=SEARCH)
    storage = open_storage(bench.folder)
    study = optuna.load_study(storage=storage, study_name="s/search")
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3
    for trial in study.trials:
        metrics = bench.metrics()[f"nsmc/search-{trial.number:03d}_seed1"]
        assert isinstance(metrics, dict)
        assert trial.value == metrics["best/val/accuracy"]
        log = (bench.folder / "logs" / "distil" / f"search-{trial.number:03d}_seed1.log").read_text(encoding="utf-8")
        assert f"--{TEMPERATURE}={trial.params[TEMPERATURE]}" in log
    plan = json.loads((bench.folder / "plan.json").read_text(encoding="utf-8"))
    points = [arm for arm in plan["arms"] if arm["arm"].startswith("search-")]
    assert [list(arm["axes"]) for arm in points] == [
        ["model.objectives.soft_target.temperature", "model.student.init"]
    ] * 3
    assert plan["points"] == 3
    assert len(json.loads((bench.folder / "latency.json").read_text(encoding="utf-8"))["models"]) == 6
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)
    before = bench.trace()
    bench.run(text=SEARCH)
    assert bench.trace() == before
    assert yaml.safe_load((bench.folder / "study.yaml").read_text(encoding="utf-8"))["search"]["trials"] == 3


def test_what_failed_is_tried_once_in_a_session(bench: Bench) -> None:
    bench.steer("fail", "distil/random_seed1 distil/search-000_seed1")
    with pytest.raises(ValueError, match=r"2 runs failed \(distil/random_seed1, distil/search-000_seed1\)"):
        bench.run(text=SEARCH)
    starts = [line.split()[1] for line in bench.trace() if line.startswith("start")]
    assert len(starts) == len(set(starts))
    assert len(json.loads((bench.folder / "latency.json").read_text(encoding="utf-8"))["models"]) == 4
    trials = optuna.load_study(storage=open_storage(bench.folder), study_name="s/search").trials
    assert [trial.state.name for trial in trials] == ["FAIL", "COMPLETE", "COMPLETE"]


def test_a_point_that_failed_first_counts_once_it_has_run(bench: Bench) -> None:
    bench.steer("fail", "distil/search-000_seed1")
    with pytest.raises(ValueError, match="1 runs failed"):
        bench.run(text=SEARCH)
    bench.steer("fail", "")
    for _ in range(2):
        bench.run(text=SEARCH)
    trials = optuna.load_study(storage=open_storage(bench.folder), study_name="s/search").trials
    assert [trial.state.name for trial in trials] == ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert trials[3].params == trials[0].params
    metrics = bench.metrics()["nsmc/search-000_seed1"]
    assert isinstance(metrics, dict)
    assert trials[3].value == metrics["best/val/accuracy"]
    assert sum("distil/search" in label for label in bench.labels()) == 3


def test_the_test_file_is_not_searched(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"metric: nsmc/test/accuracy: a search must not choose by the test file"):
        expand(declare(tmp_path, SEARCH, "--metric=nsmc/test/accuracy"))


def test_a_figure_that_no_run_has_is_named(bench: Bench) -> None:
    known = r"has no best/acuracy; did you mean best/val/accuracy\? It has best/val/accuracy, val/accuracy, val/loss"
    with pytest.raises(ValueError, match=rf"metric: nsmc/best/acuracy: nsmc/(copied|teacher)_seed1 {known}"):
        bench.run("--metric=nsmc/best/acuracy", text=SEARCH)
    bench.run(text=SEARCH)  # nothing was proposed by the wrong name, so it may be put right
    assert sum("distil/search" in label for label in bench.labels()) == 3


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("distil/val/loss", "minimize"),
        ("distil/best/val/loss", "minimize"),
        ("distil/val/loss/cosine", "minimize"),
        ("distil/val/objective/total", "minimize"),
        ("distil/best/val/objective/relations", "minimize"),
        ("distil/val/agreement", "maximize"),
        ("nsmc/best/val/accuracy", "maximize"),
        ("klue_ner/best/val/f1", "maximize"),
    ],
)
def test_losses_are_made_small_and_scores_large(metric: str, direction: str) -> None:
    assert direction_of(metric) == direction


def test_a_search_by_a_loss_prefers_the_smaller_one(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run("--metric=distil/val/loss", text=SEARCH)
    study = optuna.load_study(storage=open_storage(bench.folder), study_name="s/search")
    assert study.direction.name == "MINIMIZE"
    best = min(trial.value for trial in study.trials)
    found = [line for line in capsys.readouterr().out.splitlines() if "best of 3 points" in line]
    assert len(found) == 1
    assert found[0].endswith(f": {best:.4f}")
    assert f"search-{study.best_trial.number:03d} (model.objectives.soft_target.temperature=" in found[0]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--metric=nsmc/val/loss", r"metric: .* begun with nsmc/best/val/accuracy, now it is nsmc/val/loss"),
        (
            "--search.options={model.objectives.soft_target.temperature: {low: 1.0, high: 9.0}}",
            r"search.options: .*'high': 9.0",
        ),
    ],
)
def test_a_search_keeps_its_meaning(option: str, message: str, bench: Bench) -> None:
    begin(bench)
    with pytest.raises(ValueError, match=message):
        open_study(declare(bench.root, SEARCH, option))
    open_study(declare(bench.root, SEARCH, "--search.trials=5"))


@pytest.mark.parametrize("seed", [0, 5])
def test_the_seed_of_a_search_decides_its_points(seed: int, bench: Bench) -> None:
    search = open_study(declare(bench.root, SEARCH, f"--search.seed={seed}"))
    assert search.search is not None
    search.search.propose(search.plan, {run.label: "failed" for run in search.plan.all_runs})
    (found,) = optuna.load_study(storage=open_storage(bench.folder), study_name="s/search").trials
    alone = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed)).ask({
        TEMPERATURE: optuna.distributions.FloatDistribution(1.0, 8.0),
        "model.student.init": optuna.distributions.CategoricalDistribution(["teacher", "random"]),
    })  # fmt: skip
    assert found.params == alone.params


def test_a_worker_that_knows_more_arms_may_join_a_search(bench: Bench) -> None:
    grown = begin(bench, "--arms.more=[--model.objectives.cosine.weight=0]")
    assert [arm.name for arm in grown.arms] == ["copied", "random", "search-000"]
    plan = json.loads((bench.folder / "plan.json").read_text(encoding="utf-8"))
    assert [arm["arm"] for arm in plan["arms"]] == ["copied", "random", "search-000", "more"]
    assert {"distil/more_seed1", "nsmc/search-000_seed1"} <= set(bench.labels())
