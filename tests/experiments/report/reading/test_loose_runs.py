"""A report over any folder of runs, without a study's plan: which runs share a row."""

from pathlib import Path

from experiments.report.reading.deployment import Deployment
from experiments.report.score_tables import scores_table
from experiments.report.scores import score_study
from experiments.report.statistics import Seeds
from experiments.report.tables import DOUBLE_DAGGER
from tests.support.report_world import read, write_run


def test_any_folder_of_runs(tmp_path: Path) -> None:
    for arm in ("wide", "teacher", "mlm_only", "base"):
        write_run(tmp_path / "deep", {"recipe": "nsmc", "arm": arm, "seed": 42, "test/accuracy": 0.8})
    write_run(tmp_path, {"recipe": "distilkobert", "arm": "base", "seed": 42, "val/agreement": 0.3, "val/loss": 5.0})
    write_run(tmp_path, {"recipe": "pretrain", "arm": "unseen", "seed": 42, "val/loss": 6.0})
    found, notes = read(tmp_path)
    assert notes == []
    assert [(arm.name, arm.kind) for arm in found.arms] == [
        ("teacher", "teacher"), ("base", "student"), ("wide", "student"), ("mlm_only", "control"),
    ]  # fmt: skip
    assert (found.tasks, found.distil_stages, found.base_arm) == (("nsmc",), ("distilkobert",), "base")


def test_a_corpus_has_no_test_scores(tmp_path: Path) -> None:
    """0.2.0 had a `test` of distillation and pretraining, on the text of validation."""
    write_run(tmp_path, {"recipe": "nsmc", "arm": "base", "seed": 42, "test/accuracy": 0.8})
    heads = {"val/agreement": 0.3, "test/agreement": 0.3, "test/accuracy": 0.4, "test/loss": 5.0}
    place = write_run(tmp_path, {"recipe": "distilkobert", "arm": "base", "seed": 42, "val/loss": 5.0, **heads})
    corpus = {"data/corpus_fingerprint": "ab", "test/accuracy": 0.4}
    write_run(tmp_path, {"recipe": "pretrain", "arm": "base", "seed": 42, "val/loss": 6.0, **corpus})
    found, notes = read(tmp_path)
    assert (found.tasks, found.distil_stages) == (("nsmc",), ("distilkobert",))
    assert [note for note in notes if str(place) in note] == [
        f"{place / 'metrics.json'}: test/ scores left out: they are of a corpus's held-out text, as val/ is."
    ]
    assert len(notes) == 2


def start(folder: Path, recipe: str, seed: int, init_from: str | None = None) -> None:
    """A run of arm `base`, with what a fine-tuning started from."""
    metrics = {"test/accuracy": 0.8} if init_from else {"val/agreement": 0.3, "val/loss": 5.0}
    place = write_run(folder, {"recipe": recipe, "arm": "base", "seed": seed, **metrics})
    if init_from:
        (place / "config.yaml").write_text(f"model: {{init_args: {{init_from: {init_from}}}}}\n", encoding="utf-8")


def test_fine_tunings_of_one_model_share_the_row_of_its_distillation(tmp_path: Path) -> None:
    for seed in (1, 2):
        start(tmp_path, "distilkobert", seed)
        start(tmp_path, "nsmc", seed, f"exported/s{seed}")
    start(tmp_path, "klue_re", 2, "exported/s2")
    found, notes = read(tmp_path)
    assert [arm.name for arm in found.arms] == ["base"]
    assert notes == []


def test_seeds_that_start_from_one_model_are_marked(tmp_path: Path) -> None:
    """Three fine-tunings of one export, and three of an export each."""
    for seed in (1, 2, 3):
        start(tmp_path, "nsmc", seed, "exported/base")
        start(tmp_path, "klue_re", seed, f"exported/s{seed}")
    found, _ = read(tmp_path)
    scores = score_study(found, [])
    seeds = {arm: spread.seeds for (arm, _), spread in scores.spreads.items()}
    assert seeds == {"base (nsmc)": Seeds(3, 1, 3), "base (klue_re)": Seeds(3, 3, 3)}
    table = scores_table(found, scores, Deployment({}, {}, ""))
    cells = [cell.text for row in table.rows for cell in row if cell.seeds]
    assert "80.00 ± 0.00 ‡ (n=3, 1 starting model)" in cells
    assert DOUBLE_DAGGER in table.notes


def test_runs_of_several_recipes_do_not_share_a_row(tmp_path: Path) -> None:
    """Two distillations, and fine-tunings of two models, one of which two tasks share; all are called base."""
    for recipe, init_from in (("distilkobert", None), ("mine", None), ("a", "x"), ("b", "y"), ("c", "x")):
        start(tmp_path, recipe, 1, init_from)
    found, notes = read(tmp_path)
    rows = {run.stage: run.arm for run in found.runs}
    assert rows == {
        "distilkobert": "base (distilkobert)", "mine": "base (mine)", "a": "base (a, c)", "c": "base (a, c)",
        "b": "base (b)",
    }  # fmt: skip
    assert {arm.name for arm in found.arms} == set(rows.values())
    assert notes[0] == (
        "Runs of several recipes are called base and are not known to be of one model, so each has a row of its own: "
        "base (a, c), base (b), base (distilkobert), base (mine)."
    )


def test_two_distillations_of_one_name_do_not_share_a_row(tmp_path: Path) -> None:
    for recipe, init_from in (("distilkobert", None), ("mine", None), ("nsmc", "x")):
        start(tmp_path, recipe, 1, init_from)
    found, _ = read(tmp_path)
    assert [run.arm for run in found.runs] == ["base (distilkobert)", "base (mine)", "base (nsmc)"]


def test_the_same_run_twice_and_a_stranger_are_noted(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_run(tmp_path / folder, {"recipe": "nsmc", "arm": "base", "seed": 1, "test/accuracy": 0.8})
    (tmp_path / "c").mkdir()
    (tmp_path / "c/metrics.json").write_text('{"test/accuracy": 1.0}', encoding="utf-8")
    _, notes = read(tmp_path)
    assert notes == [
        f"{tmp_path}/b/nsmc/base_seed1/metrics.json is left out: "
        f"{tmp_path}/a/nsmc/base_seed1 is nsmc/base_seed1 as well.",
        f"{tmp_path}/c/metrics.json is left out: it does not say recipe, arm and seed.",
    ]


def test_several_students_without_a_base_arm_need_a_choice(tmp_path: Path) -> None:
    for arm in ("one", "two"):
        write_run(tmp_path, {"recipe": "nsmc", "arm": arm, "seed": 1, "test/accuracy": 0.8})
    found, notes = read(tmp_path)
    assert found.base_arm is None
    assert notes == ["No base arm is named, so no differences are computed; choose one with --baseline."]
    found, notes = read(tmp_path, baseline="two")
    assert (found.base_arm, notes) == ("two", [])


def test_a_teacher_of_another_name_can_be_named_without_a_plan(tmp_path: Path) -> None:
    """An arm that has learnt from a teacher is none, and is the reference of retention alone."""
    for arm in ("kobert", "student"):
        write_run(tmp_path, {"recipe": "nsmc", "arm": arm, "seed": 1, "test/accuracy": 0.8})
    write_run(tmp_path, {"recipe": "distilkobert", "arm": "student", "seed": 1, "val/agreement": 0.3, "val/loss": 5.0})
    for name, teacher in (("kobert", "kobert"), ("student", None)):
        found, _ = read(tmp_path, teacher=name)
        assert (found.reference, found.teacher) == (name, teacher)
