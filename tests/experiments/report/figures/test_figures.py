"""The figures show what they say: axes, labels, values; curves are put over tokens."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distilkobert.tasks.kinds import TOKEN_CLASSIFICATION
from experiments._shared.plan_file import Arm
from experiments.report.figures.curves import curve_figures
from experiments.report.figures.scores import difference_figure, entity_figure, retention_figure
from experiments.report.figures.style import Drawing
from experiments.report.reading.runs import Study
from experiments.report.reading.scan import open_runs
from experiments.report.scores import Scores, score_study
from experiments.report.tables import ASTERISK, COMPUTED, DAGGER
from tests.support.report_world import ARMS, fabricate, write_events

NAMES = [arm.name for arm in ARMS]


def written(drawing: Drawing) -> set[str]:
    """All texts in a figure."""
    from matplotlib.text import Text

    return {text.get_text() for text in drawing.figure.findobj(Text)}


def legend(drawing: Drawing) -> list[str]:
    """Arms named above the panels."""
    (found,) = drawing.figure.legends
    return [text.get_text() for text in found.get_texts()]


def test_retention_against_size(study: Study, scores: Scores) -> None:
    costs = {arm.name: float(arm.kilobytes) for arm in ARMS if arm.name != "mlm_only"}
    drawing = retention_figure(study, scores, costs, "size", "weights, MB")
    assert drawing is not None
    assert drawing.slug == "retention_size"
    axes = drawing.figure.axes
    assert [one.get_title(loc="left") for one in axes] == ["NSMC accuracy", "KLUE-NER F1", "KorQuAD F1"]
    assert {one.get_xlabel() for one in axes} == {"weights, MB"}
    assert axes[0].get_ylabel() == "per cent of teacher, n=2"
    assert legend(drawing) == list(costs)
    assert drawing.caption.endswith("Not shown, because their size is unknown: mlm_only.")
    shown = [*axes[0].lines[:-1], *drawing.figure.legends[0].get_lines()]
    assert {line.get_markerfacecolor() for line in shown} == {"none"}, "a point hides another of equal size"
    drawn = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes[0].lines[:-1]}
    assert drawn == {(costs[name], scores.retention[name, "NSMC accuracy"].percent) for name in costs}
    assert retention_figure(study, scores, {"base": 1.0}, "size", "") is None


def test_retention_shows_how_many_seeds_are_behind_a_point(study: Study) -> None:
    """One arm has one seed left in one task; the teacher's size is computed."""
    runs = [run for run in study.runs if run.label != "nsmc/base_seed2"]
    fewer = replace(study, runs=(*runs, replace(study.of("nsmc", "base")[1], metrics={})))
    costs = {"teacher": 351.0, "base": 108.0}
    drawing = retention_figure(fewer, score_study(fewer, []), costs, "size", "MB", computed={"teacher"})
    assert drawing is not None
    assert {"†* n=1", "n=2", "≈ n=2"} <= written(drawing)
    assert drawing.figure.axes[0].get_ylabel() == "per cent of teacher"
    assert all(note in drawing.caption for note in (DAGGER, ASTERISK, COMPUTED))


def test_what_marks_every_point_is_said_once(study: Study) -> None:
    one_seed = replace(study, runs=tuple(run for run in study.runs if run.seed == 1))
    drawing = retention_figure(one_seed, score_study(one_seed, []), {"teacher": 351.0, "base": 108.0}, "size", "MB")
    assert drawing is not None
    assert {text for text in written(drawing) if "†" in text} == {"per cent of teacher, n=1 †"}
    assert DAGGER in drawing.caption


def test_differences(study: Study, scores: Scores) -> None:
    drawing = difference_figure(study, scores)
    assert drawing is not None
    axes = drawing.figure.axes
    assert len(axes) == 4
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [name for name in NAMES if name != "base"]
    delta = scores.deltas["teacher", "NSMC accuracy"]
    assert axes[0].patches[0].get_width() == pytest.approx(delta.value)
    assert axes[0].lines[0].get_xdata() == pytest.approx([delta.low, delta.high])
    assert axes[0].get_xlabel() == "points against base"


def test_what_is_not_planned_is_not_missing(study: Study, scores: Scores) -> None:
    some = {key: value for key, value in scores.deltas.items() if key != ("first_three", "NSMC accuracy")}
    for runs, expected in ((study.runs, "  missing"), (tuple(study.of("klue_ner")), "  –")):
        drawing = difference_figure(replace(study, runs=runs), replace(scores, deltas=some))
        assert drawing is not None
        assert written(drawing) & {"  missing", "  –"} == {expected}


def test_entity_types(study: Study, scores: Scores) -> None:
    metric = next(metric for metric in scores.metrics if metric.kind is TOKEN_CLASSIFICATION)
    drawing = entity_figure(study, metric)
    assert drawing is not None
    (axes,) = drawing.figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["place LC", "organisation OG", "person PS"]
    assert legend(drawing) == NAMES
    expected = 100 * np.mean([run.metrics["test/f1_LC"] for run in study.of("klue_ner", "teacher")])
    assert axes.lines[0].get_xdata()[0] == pytest.approx(expected)


def test_markers_of_an_entity_type_do_not_lie_on_each_other(study: Study, scores: Scores) -> None:
    """Fourteen arms with equal scores: only the heights keep the markers apart, within a type and between two."""
    names = [f"arm{number}" for number in range(14)]
    template = study.of("klue_ner", "base")[0]
    runs = tuple(replace(template, arm=name) for name in names)
    many = replace(study, arms=tuple(Arm(name) for name in names), runs=runs)
    drawing = entity_figure(many, next(metric for metric in scores.metrics if metric.kind is TOKEN_CLASSIFICATION))
    assert drawing is not None
    drawing.figure.draw_without_rendering()
    (axes,) = drawing.figure.axes
    heights = sorted(axes.transData.transform(line.get_xydata())[0][1] for line in axes.lines)
    assert len(heights) == 14 * 3
    marker = axes.lines[0].get_markersize() / 72 * drawing.figure.dpi
    assert min(np.diff(heights)) >= 0.95 * marker


def test_curves_are_over_tokens(study: Study) -> None:
    notes: list[str] = []
    curves, probes = curve_figures(study, "distil", notes)
    assert notes == []
    titles = [axes.get_title(loc="left") for axes in curves.figure.axes]
    assert titles[:2] == ["held-out loss", "agreement with the teacher, per cent"]
    assert len(titles) == 5
    assert {axes.get_xlabel() for axes in curves.figure.axes} == {"million tokens seen"}
    assert legend(curves) == NAMES
    held_out = curves.figure.axes[0]
    assert len(held_out.lines) == 5 * 2 + 1  # arms and seeds, and the teacher
    assert held_out.lines[-1].get_ydata() == pytest.approx([6.131, 6.131])
    assert "Horizontal grey lines: the teacher." in curves.caption
    ends = sorted({float(line.get_xdata()[-1]) for line in held_out.lines[:-1]})
    assert ends == pytest.approx([0.0, 1.82])  # the untrained student, and step 910 at 2,000 tokens per step
    agreement = study.of("distil", "base")[0].metrics["val/agreement"]
    drawn = max(line.get_ydata()[-1] for line in curves.figure.axes[1].lines)
    assert drawn == pytest.approx(100 * agreement, abs=1)  # the last point is 90 steps older
    assert [axes.get_title(loc="left") for axes in probes.figure.axes] == [
        "NSMC accuracy of the probe, per cent", "NSMC accuracy of the probe, per cent of the teacher's",
    ]  # fmt: skip


def test_probes_have_the_teacher_as_a_level_line(study: Study) -> None:
    probes = curve_figures(study, "distil", [])[1]
    for axes, level in zip(probes.figure.axes, (90.0, 100.0), strict=True):
        flat = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] == 0]
        assert [line.get_ydata() for line in flat] == [pytest.approx([level, level])]
        assert max(max(line.get_ydata()) for line in axes.lines if line not in flat) > 50
    assert "the teacher" in probes.caption
    assert legend(probes)[0] == "teacher"


def test_an_arm_without_steps_is_a_marker(study: Study) -> None:
    """Its marker is not cut off at the edge of the axes; all lines have theirs at the end."""
    curves = curve_figures(study, "distil", [])[0]
    lines = curves.figure.axes[0].lines[:-1]
    assert sum(len(line.get_xdata()) == 1 for line in lines) == 2
    assert {line.get_marker() for line in lines} <= {"o", "s", "^", "D"}
    assert all(line.get_markevery() == [-1] and not line.get_clip_on() for line in lines)
    assert "A marker without a line" in curves.caption


def test_one_arm_has_its_marker_in_the_middle(study: Study, scores: Scores) -> None:
    metric = next(metric for metric in scores.metrics if metric.kind is TOKEN_CLASSIFICATION)
    drawing = entity_figure(replace(study, arms=study.arms[1:2]), metric)
    assert drawing is not None
    assert [float(line.get_ydata()[0]) for line in drawing.figure.axes[0].lines] == [0.0, 1.0, 2.0]


def test_one_run_without_tokens_puts_all_over_steps(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", ARMS[:2], seeds=(1, 2), examples=4)
    for path in (folder / "distil/base_seed2").glob("events*"):
        path.unlink()
    write_events(folder / "distil/base_seed2", {"val/loss": [(10, 5.0), (20, float("nan")), (30, 4.0)]})
    notes: list[str] = []
    drawing = curve_figures(open_runs(folder, []), "distil", notes)[0]
    assert drawing.figure.axes[0].get_xlabel() == "optimizer steps"
    assert "these runs did not log their tokens" in drawing.caption
    assert notes == [
        "distil/base_seed2: 1 points of val/loss are not finite and left out.",
        "distil/base_seed2: its event files end at step 30 of 1000; its curves are cut.",
    ]


def test_every_term_of_the_loss_has_a_panel_whatever_its_name(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", ARMS[:3], seeds=(1,), examples=4)
    write_events(folder / "distil/base_seed1", {"train/loss/mine": [(10, 5.0), (1000, 4.0)]})
    panels = {
        axes.get_title(loc="left"): axes for axes in curve_figures(open_runs(folder, []), "distil", [])[0].figure.axes
    }
    assert [title.removeprefix("loss term: ") for title in panels][2:] == [
        "soft targets",
        "masked LM",
        "cosine",
        "mine",
    ]
    assert len(panels["loss term: mine"].lines) == 1


def test_curves_name_the_teacher_whatever_retention_is_taken_against(study: Study) -> None:
    for reference in (None, "mlm_only"):
        drawing = curve_figures(replace(study, reference_arm=reference), "distil", [])[0]
        assert legend(drawing) == NAMES
