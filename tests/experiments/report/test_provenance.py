"""What a report says of the data, the corpus, the tokenizer and the teacher behind its runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments._shared.plan_file import Arm
from experiments.report.document import compose
from experiments.report.figures.style import style
from experiments.report.provenance import data_table, mixed_facts
from experiments.report.reading.runs import Run, Study
from tests.support.report_world import read, write_run

ARMS = (Arm("teacher", "teacher"), Arm("base"), Arm("no_cosine"), Arm("multilingual", "control"))
OLD, NEW = "a" * 64, "b" * 64


def study_of(facts: dict[str, dict[str, Any]], stage: str = "nsmc", seeds: tuple[int, ...] = (1, 2)) -> Study:
    """Runs of one stage that all have the facts of their arm, or of `ARM_seedK`."""
    runs = [
        Run(stage, arm, seed, Path(), facts.get(f"{arm}_seed{seed}", facts[arm])) for arm in facts if "_seed" not in arm
        for seed in seeds
    ]  # fmt: skip
    return Study("s", "", Path(), ARMS, "base", ("nsmc",), ("distil",), tuple(runs), is_planned=True)


@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_arms_of_other_files_are_named(part: str) -> None:
    name = f"data/{part}_sha256"
    study = study_of({"teacher": {name: OLD}, "base": {name: OLD}, "no_cosine": {name: NEW}, "multilingual": {}})
    expected = f"nsmc: runs differ in {name}: aaaaaaaaaaaa… (teacher, base), bbbbbbbbbbbb… (no_cosine)."
    assert mixed_facts(study) == [expected]


def test_seeds_of_one_arm_that_differ_are_named_one_by_one() -> None:
    facts = {"base": {"data/corpus_fingerprint": "old"}, "base_seed2": {"data/corpus_fingerprint": "new"}}
    assert mixed_facts(study_of(facts, "distil")) == [
        "distil: runs differ in data/corpus_fingerprint: old (base_seed1), new (base_seed2)."
    ]


def test_facts_that_differ_between_the_same_runs_are_in_one_sentence() -> None:
    """One file that is cut into train and dev."""
    names = ("data/train_sha256", "data/dev_sha256")
    facts = {"base": dict.fromkeys(names, OLD), "no_cosine": dict.fromkeys(names, NEW)}
    found = mixed_facts(study_of(facts))
    assert found == [
        "nsmc: runs differ in data/train_sha256, data/dev_sha256: aaaaaaaaaaaa… (base), bbbbbbbbbbbb… (no_cosine)."
    ]


def test_only_a_model_without_distillation_may_have_another_tokenizer() -> None:
    name = "data/tokenizer_fingerprint"
    study = study_of({"teacher": {name: "one"}, "base": {name: "one"}, "multilingual": {name: "own"}})
    assert mixed_facts(study) == []
    assert mixed_facts(replace(study, is_planned=False)) == [
        f"nsmc: runs differ in {name}: one (teacher, base), own (multilingual)."
    ]
    distilled = Run("distil", "multilingual", 1, Path())
    assert len(mixed_facts(replace(study, runs=(*study.runs, distilled)))) == 1, "a control that is distilled is none"
    facts = {"base": {name: "one"}, "no_cosine": {name: "two"}}
    assert mixed_facts(study_of(facts)) == [f"nsmc: runs differ in {name}: one (base), two (no_cosine)."]


def test_the_table_of_data_says_what_was_left_out() -> None:
    """NSMC without the texts of its test file, whose parts do not add up to the 150,000 of the training file."""
    split = "ratings_train.txt by MD5 of the review id modulo 20: 0 dev, others train"
    counted = {"data/train_examples": 139_187, "data/dev_examples": 7_306, "data/split": split}
    less = counted | {"data/train_file_also_in_test": 3_507}
    table = data_table(study_of({"base": less, "no_cosine": less}))
    assert table is not None
    where = f"{split}; 3,507 training examples left out: their text is in the test file"
    assert [cell.text for cell in table.rows[0]] == ["NSMC", "139,187", "7,306", "–", where]
    questions = {"data/split": "s", "data/train_unanswerable_left_out": 20, "data/test_unanswerable_left_out": 1_000}
    table = data_table(study_of({"base": questions}))
    assert table is not None
    assert table.rows[0][-1].text == (
        "s; 20 questions left out of train: they have no answer; 1,000 questions left out of test: they have no answer"
    )
    none = data_table(study_of({"base": counted | {"data/train_file_also_in_test": 0}}))
    assert none is not None
    assert none.rows[0][-1].text == split


def test_a_report_notes_students_of_several_teachers(tmp_path: Path) -> None:
    for arm, teacher in (("base", OLD), ("other", NEW)):
        metrics = {"recipe": "distilkobert", "arm": arm, "seed": 1, "val/agreement": 0.3, "val/loss": 5.0}
        write_run(tmp_path, metrics | {"teacher_sha256": teacher})
    study, notes = read(tmp_path)
    with style([]):
        found = compose(study, notes).notes
    expected = "distilkobert: runs differ in teacher_sha256: aaaaaaaaaaaa… (base), bbbbbbbbbbbb… (other)."
    assert expected in found


def test_a_report_notes_runs_in_another_number_format() -> None:
    facts = {"base": {"precision": "32-true"}, "no_cosine": {"precision": "bf16-mixed"}}
    expected = ["distil: runs differ in precision: 32-true (base), bf16-mixed (no_cosine)."]
    assert mixed_facts(study_of(facts, "distil")) == expected
