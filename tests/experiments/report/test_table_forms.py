"""One table in all formats: Markdown, CSV and LaTeX."""

import csv
import io
from dataclasses import replace

import pytest

from experiments.report.document import Report, Section
from experiments.report.rendering import latex_text, to_latex, to_markdown
from experiments.report.tables import Cell, Column, Table, to_csv

TABLE = Table(
    slug="t",
    title="50 % & more",
    columns=(Column("arm"), Column("F1", ("mean", "sd", "n"))),
    rows=(
        (Cell("a_b|c*"), Cell("88.41 ± 0.12", (88.41, 0.123456789, 2), bold=True)),
        (Cell("[학생]"), Cell("90.00 † (n=1)", (90.0, None, 1))),
        (Cell("x, \"y\""), Cell("missing")),
    ),
    explained="Seeds: n=2.",
    notes=("* A note.",),
)  # fmt: skip


def test_markdown() -> None:
    report = Report("s", "", "", (Section("A title", tables=(TABLE,)),), ())
    assert to_markdown(report, {}).splitlines()[4:-4] == [
        r"**Table.** 50 % & more. Seeds: n=2.",
        "",
        "| arm | F1 |",
        "| --- | ---: |",
        r"| a\_b\|c\* | **88.41 ± 0.12** |",
        r"| \[학생\] | 90.00 † (n=1) |",
        '| x, "y" | missing |',
        "",
        r"\* A note.",
    ]


def test_csv_holds_the_numbers_unrounded() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(TABLE))))
    assert rows == [
        ["arm", "F1 mean", "F1 sd", "F1 n"],
        ["a_b|c*", "88.41", "0.123456789", "2"],
        ["[학생]", "90.0", "", "1"],
        ['x, "y"', "", "", ""],
    ]


def test_latex_is_escaped_and_closed() -> None:
    assert to_latex(TABLE).splitlines() == [
        r"% In the preamble: \usepackage{booktabs}\usepackage{kotex}",
        r"\begin{table}",
        r"\centering",
        r"\caption{50 \% \& more. Seeds: n=2.}",
        r"\label{tab:t}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"arm & F1 \\",
        r"\midrule",
        r"a\_b\textbar{}c* & \textbf{88.41 $\pm$ 0.12} \\",
        r"{[}학생{]} & 90.00 $^{\dagger}$ (n=1) \\",
        r"x, \char34{}y\char34{} & missing \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par {\footnotesize * A note.}",
        r"\end{table}",
    ]
    assert "kotex" not in to_latex(replace(TABLE, rows=TABLE.rows[:1]))


def test_every_special_character_of_latex_is_escaped() -> None:
    assert latex_text(r"\ & % $ # _ { } ~ ^ −") == (
        r"\textbackslash{} \& \% \$ \# \_ \{ \} \textasciitilde{} \textasciicircum{} $-$"
    )


def test_a_table_whose_cells_do_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        Table("t", "", TABLE.columns, ((Cell("a"),),))
    with pytest.raises(ValueError, match="column F1"):
        Table("t", "", TABLE.columns, ((Cell("a"), Cell("1", (1.0,))),))
