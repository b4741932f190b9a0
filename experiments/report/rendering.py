"""A report as HTML and Markdown, and its tables as LaTeX, from the templates in this package."""

import base64
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert.korean.fonts import has_hangul
from experiments.report.document import Report
from experiments.report.tables import MISSING, Table

if TYPE_CHECKING:
    from jinja2 import Environment

NO_NOTES = "Nothing is missing and nothing was left out."
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$",
    "§": r"\S{}",
    "−": r"$-$",
    "–": "--",
    "≈": r"$\approx$",
    "×": r"$\times$",
    "`": r"\textasciigrave{}",
    '"': r"\char34{}",
    "[": "{[}",  # after the end of a row it would open an option
    "]": "{]}",
}


def to_html(report: Report, images: Mapping[str, bytes]) -> str:
    """The report as one HTML file that needs nothing else: no script, no style sheet, no image from outside.

    Args:
        report: what to write.
        images: each figure as SVG, by slug.
    """
    encoded = {slug: base64.b64encode(image).decode("ascii") for slug, image in images.items()}
    return _environment().get_template("report.html.j2").render(report=report, images=encoded)


def to_markdown(report: Report, images: Mapping[str, str], command: str = "", place: str = "") -> str:
    """The report in GitHub's Markdown; with a command, a page for documentation.

    Args:
        report: what to write.
        images: relative links of the figures to show, by slug.
        command: the command line that makes the page.
        place: the report with the figures. Named, not linked: runs are seldom where the page is read.
    """
    template = _environment().get_template("report.md.j2")
    return template.render(report=report, images=images, command=command, place=place)


def to_latex(table: Table) -> str:
    """A `table` environment for the package booktabs; with Hangul, compile it with kotex."""
    texts = [table.caption, *(column.heading for column in table.columns), *table.notes]
    hangul = has_hangul([*texts, *(cell.text for row in table.rows for cell in row)])
    return _environment("<%", "%>", "<<", ">>").get_template("table.tex.j2").render(table=table, hangul=hangul)


def markdown_text(text: str) -> str:
    """Text in which nothing is taken for Markdown or HTML."""
    return re.sub(r"([\\`*_|<>\[\]#~])", r"\\\1", " ".join(text.split()))


def latex_text(text: str) -> str:
    """Text in which no character has a meaning of its own for LaTeX."""
    return "".join(_LATEX.get(character, character) for character in text)


@cache
def _environment(block: str = "{%", end: str = "%}", variable: str = "{{", close: str = "}}") -> "Environment":
    """jinja2 with our filters; LaTeX needs other delimiters, for braces are its own."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        block_start_string=block,
        block_end_string=end,
        variable_start_string=variable,
        variable_end_string=close,
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"md": markdown_text, "tex": latex_text}
    environment.globals |= {"missing": MISSING, "no_notes": NO_NOTES}
    return environment
