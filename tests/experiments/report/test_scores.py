"""Scores, retention and differences of a study with known answers; what cannot be computed is named."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distilkobert.tasks.kinds import QUESTION_ANSWERING, SEQUENCE_CLASSIFICATION, TOKEN_CLASSIFICATION
from experiments._shared.plan_file import Arm
from experiments.report.document import compose
from experiments.report.figures.style import style
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import metrics_of, task_kind
from experiments.report.score_tables import retention_table
from experiments.report.scores import Scores, score_study
from experiments.report.statistics import Ratio, Seeds
from tests.support.report_world import label_records, tag_records, write_records, write_run

RIGHT = {
    ("teacher", 1): [True] * 10,
    ("teacher", 2): [True] * 10,
    ("base", 1): [True] * 8 + [False] * 2,
    ("base", 2): [True] * 6 + [False] * 4,
    ("other", 1): [False] + [True] * 8 + [False],
    ("other", 2): [True] * 9 + [False],
}
ARMS = (Arm("teacher", "teacher"), Arm("base"), Arm("other"))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    runs = []
    for (arm, seed), right in RIGHT.items():
        metrics = {"recipe": "nsmc", "arm": arm, "seed": seed, "test/accuracy": sum(right) / 10}
        place = write_run(tmp_path, metrics, label_records(right))
        runs.append(Run("nsmc", arm, seed, place, metrics))
    return Study("s", "", tmp_path, ARMS, "base", ("nsmc",), (), tuple(runs))


def scored(study: Study) -> tuple[Scores, list[str]]:
    notes: list[str] = []
    return score_study(study, notes), notes


def test_known_answers(study: Study) -> None:
    scores, notes = scored(study)
    assert notes == []
    assert [metric.heading for metric in scores.metrics] == ["NSMC accuracy"]
    key = "NSMC accuracy"
    assert scores.spreads["base", key].values == (80.0, 60.0)
    assert scores.spreads["base", key].sd == pytest.approx(200**0.5)
    assert scores.retention["base", key] == Ratio(pytest.approx(70.0), Seeds(2, 2, 2))
    assert scores.retention["other", key].percent == pytest.approx(85.0)
    assert scores.mean_retention("other") == Ratio(pytest.approx(85.0), Seeds(2, 2, 2))
    assert scores.deltas["other", key].value == pytest.approx(15.0)  # 0 with seed 1, 30 with seed 2
    assert scores.deltas["other", key].seeds == Seeds(2, 2, 2)
    assert scores.deltas["other", key].low < 15 < scores.deltas["other", key].high
    assert ("base", key) not in scores.deltas


def test_interval_is_that_of_drawing_examples_for_both_seeds_at_once(study: Study) -> None:
    """The slow way: draw rows, take both seeds' differences over the same rows, average, sort."""
    delta = scored(study)[0].deltas["other", "NSMC accuracy"]
    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(2000):
        rows = generator.integers(0, 10, 10).tolist()
        by_seed = [sum(RIGHT["other", s][row] - RIGHT["base", s][row] for row in rows) / 10 for s in (1, 2)]
        drawn.append(100 * sum(by_seed) / 2)
    assert (delta.low, delta.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def test_only_seeds_that_both_arms_have_are_paired(study: Study) -> None:
    (study.folder / "nsmc/base_seed2/predictions.jsonl").unlink()
    scores, notes = scored(study)
    assert scores.deltas["other", "NSMC accuracy"].seeds == Seeds(1, 1, 2, partial=True)
    assert scores.deltas["other", "NSMC accuracy"].value == pytest.approx(0.0)
    assert notes[0].startswith("nsmc/base_seed2 has no usable predictions:")
    assert "The difference of other to base in nsmc is without nsmc/other_seed2." in notes


def test_lines_lost_by_hand(study: Study) -> None:
    place = study.folder / "nsmc/other_seed1"
    write_records(place, label_records(RIGHT["other", 1])[:-1])
    scores, notes = scored(study)
    assert scores.deltas["other", "NSMC accuracy"].seeds.n == 1
    assert notes[0] == (
        "nsmc/other_seed1: the stored predictions are not those of the reported score: NSMC accuracy 88.89 counted "
        "from 9 examples, 80.00 reported."
    )


def test_another_test_file(study: Study) -> None:
    for seed in (1, 2):
        records = [{**record, "row": record["row"] + 1} for record in label_records(RIGHT["other", seed])]
        write_records(study.folder / f"nsmc/other_seed{seed}", records)
    scores, notes = scored(study)
    assert ("other", "NSMC accuracy") not in scores.deltas
    assert ("teacher", "NSMC accuracy") in scores.deltas
    assert notes == [
        *(f"nsmc/other_seed{seed} is excluded from differences to base: 1 of its examples are not in the base arm, "
          "and 1 of the base arm's are missing." for seed in (1, 2)),
        "The difference of other to base in nsmc is without nsmc/other_seed1, nsmc/other_seed2; none is left.",
    ]  # fmt: skip


def test_a_test_file_of_other_content(study: Study) -> None:
    """Rows and true answers are those of the base arm, as where texts were corrected."""
    contents = {"teacher": {}, "base": {"data/test_sha256": "a" * 64}, "other": {"data/test_sha256": "b" * 64}}
    runs = tuple(replace(run, metrics={**run.metrics, **contents[run.arm]}) for run in study.runs)
    scores, notes = scored(replace(study, runs=runs))
    assert set(scores.deltas) == {("teacher", "NSMC accuracy")}, "one that did not record its file is compared"
    assert notes[0] == (
        "nsmc/other_seed1 is excluded from differences to base: its test file has other content than that of "
        "nsmc/base_seed1 (bbbbbbbbbbbb…, not aaaaaaaaaaaa…)."
    )
    assert notes[-1].endswith("is without nsmc/other_seed1, nsmc/other_seed2; none is left.")


def test_other_true_answers(study: Study) -> None:
    records = label_records(RIGHT["other", 1])
    for record in records[:2]:
        record["gold"], record["predicted"] = "neutral", "neutral" if record["gold"] == record["predicted"] else "x"
    write_records(study.folder / "nsmc/other_seed1", records)
    assert "the true answers of 2 examples differ from the base arm's" in scored(study)[1][0]


def test_a_base_run_that_was_tested_in_part_is_not_what_others_are_compared_with(study: Study) -> None:
    part = label_records(RIGHT["base", 1])[:5]
    write_records(study.folder / "nsmc/base_seed1", part)
    metrics = {"test/accuracy": 1.0, "limited/test": "1 of 2 batches"}
    runs = tuple(replace(run, metrics=metrics) if run.label == "nsmc/base_seed1" else run for run in study.runs)
    scores, notes = scored(replace(study, runs=runs))
    assert notes[0] == (
        "nsmc/base_seed1 is excluded from differences to base: 0 of its examples are not in the base arm, and 5 of the "
        "base arm's are missing."
    )
    assert scores.deltas["other", "NSMC accuracy"].value == pytest.approx(30.0)  # with seed 2, on all examples
    assert scores.deltas["other", "NSMC accuracy"].seeds == Seeds(1, 1, 2, partial=True)


def test_a_base_arm_without_predictions(study: Study) -> None:
    for seed in (1, 2):
        (study.folder / f"nsmc/base_seed{seed}/predictions.jsonl").write_text("{", encoding="utf-8")
    scores, notes = scored(study)
    assert scores.deltas == {}
    assert notes[-1] == "nsmc: no difference to base, which has no usable predictions there."


def test_one_example_has_no_interval(tmp_path: Path) -> None:
    runs = []
    for arm in ("base", "other"):
        metrics = {"recipe": "nsmc", "arm": arm, "seed": 1, "test/accuracy": 1.0}
        runs.append(Run("nsmc", arm, 1, write_run(tmp_path, metrics, label_records([True])), metrics))
    scores, notes = scored(Study("s", "", tmp_path, (Arm("base"), Arm("other")), "base", ("nsmc",), (), tuple(runs)))
    assert scores.deltas == {}
    assert "nsmc: no difference to base, because an interval needs at least two test examples." in notes


def test_no_teacher_no_retention(study: Study) -> None:
    arms = (Arm("teacher", "control"), *ARMS[1:])
    scores, notes = scored(Study("s", "", study.folder, arms, "base", study.tasks, (), study.runs))
    assert scores.retention == {}
    assert notes == ["No arm is the teacher, so there is no retention; name one with --teacher."]


def test_a_teacher_without_scores_gives_no_retention(study: Study) -> None:
    lost = tuple(replace(run, metrics={}) if run.arm == "teacher" else run for run in study.runs)
    _, notes = scored(found := replace(study, runs=lost))
    assert "There is no retention: teacher has no score above 0." in notes
    with style([]):
        assert "retention" not in {table.slug for table in compose(found, []).tables}
        assert "retention" in {table.slug for table in compose(study, []).tables}


def test_entities_are_resampled_by_sentence(tmp_path: Path) -> None:
    gold = ["B-PS O", "B-PS B-LC", "O O", "B-OG I-OG"]
    predicted = {"base": ["B-PS O", "O O", "O O", "B-OG O"], "other": gold}
    runs = []
    for arm, tags in predicted.items():
        # base: one of four annotated entities right, two predicted: F1 = 2 / 6
        metrics = {"recipe": "klue_ner", "arm": arm, "seed": 1, "test/f1": 1 / 3 if arm == "base" else 1.0}
        place = write_run(tmp_path, metrics, tag_records(tags, gold))
        runs.append(Run("klue_ner", arm, 1, place, metrics))
    study = Study("s", "", tmp_path, (Arm("base"), Arm("other")), "base", ("klue_ner",), (), tuple(runs))
    scores, _ = scored(study)
    delta = scores.deltas["other", "KLUE-NER F1"]
    assert delta.value == pytest.approx(100 * 2 / 3)
    assert 0 <= delta.low < delta.value < delta.high <= 100


def test_kinds_of_tasks_are_seen_from_scores_or_names() -> None:
    def run(**metrics: float) -> list[Run]:
        return [Run("x", "a", 1, Path(), {name.replace("__", "/"): value for name, value in metrics.items()})]

    assert task_kind("x", run(test__f1=0.1, test__exact_match=3.0)) == QUESTION_ANSWERING
    assert task_kind("x", run(test__f1=0.1)) == TOKEN_CLASSIFICATION
    assert task_kind("x", run(test__accuracy=0.1)) == SEQUENCE_CLASSIFICATION
    assert [task_kind(name, []) for name in ("nsmc", "naver_ner", "korquad_plus")] == [
        SEQUENCE_CLASSIFICATION, TOKEN_CLASSIFICATION, QUESTION_ANSWERING,
    ]  # fmt: skip
    study = Study("s", "", Path(), (), None, ("korquad", "naver_ner", "mine"), (), ())
    assert [metric.heading for metric in metrics_of(study)] == [
        "KorQuAD EM", "KorQuAD F1", "Naver NER F1", "mine accuracy",
    ]  # fmt: skip


def test_records_are_json(study: Study) -> None:
    """The fabricated files have the trainer's layout."""
    line = (study.folder / "nsmc/base_seed1/predictions.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert set(json.loads(line)) == {"row", "gold", "predicted", "probability"}


def test_the_mean_is_over_tasks_of_all_arms_and_taught_rows_may_have_fewer(study: Study) -> None:
    taught = Arm("base+task_distil", taught_from="base")
    more = [Run("nsmc", taught.name, 1, study.runs[0].folder, {"test/accuracy": 0.9})]
    more += [Run("full", arm, 1, study.folder, {"test/accuracy": 0.5}) for arm in ("teacher", "base")]
    some = replace(study, arms=(*ARMS, taught), tasks=("nsmc", "full"), runs=(*study.runs, *more))
    unplanned, planned = (scored(replace(some, is_planned=known))[0] for known in (False, True))
    assert unplanned.mean_retention("other") is None
    assert [metric.stage for metric in planned.metrics if planned.is_in_mean(metric)] == ["nsmc"]
    for arm, percent in (("other", 85.0), (taught.name, 90.0)):
        mean = planned.mean_retention(arm)
        assert mean is not None
        assert mean.percent == pytest.approx(percent)
    table = retention_table(replace(some, is_planned=True), planned)
    assert [row[-1].text[:4] for row in table.rows[:4]] == ["100.", "70.0", "85.0", "90.0"]
    assert any("Not every arm has full" in note for note in table.notes)
    three = replace(some, is_planned=True, tasks=("nsmc", "third"), runs=(*study.runs, more[0], *(
        Run("third", arm.name, 1, study.folder, {"test/accuracy": 0.5}) for arm in ARMS
    )))  # fmt: skip
    assert all(map(scored(three)[0].is_in_mean, scored(three)[0].metrics))
    assert retention_table(three, scored(three)[0]).rows[3][-1].text == "–"
