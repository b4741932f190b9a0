"""Tables and figures of a study, or of any folder of runs.

    python -m experiments.report RUNS_DIR [--output DIR] [--baseline ARM] [--teacher ARM] [--results docs/results.md]

Writes `report.md`, `report.html` (one file that needs nothing else), `tables/*.csv` and `*.tex` (booktabs, with a
caption), and `figures/*.png`, `*.svg` and `*.pdf`: scores over seeds, retention of the teacher's score, differences to
the base arm with intervals, what distillation reached and cost, size and latency. A cell whose run is missing says so,
and the notes at the end say why.
"""

import importlib.util
import io
import logging
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert.io.files import atomic_folder, write_text
from distilkobert.listing import few
from experiments._shared.commandline import call_with_options, run_command
from experiments._shared.quiet import only_from

if TYPE_CHECKING:
    from experiments.report.figures.style import Drawing

_PARTS = {"report.md", "report.html", "tables", "figures"}
_PACKAGES = ("jinja2", "matplotlib", "scipy")
_IMAGES = {
    ".png": {"dpi": 200},
    ".svg": {"metadata": {"Date": None}},
    ".pdf": {"metadata": {"CreationDate": None}},
}
"""Formats, without the date, so that equal runs give equal files."""
_PAGE_FIGURE = "retention_size"
"""The figure that a page of results shows too, where there is one."""


def report(
    runs_dir: str,
    output: str | None = None,
    baseline: str | None = None,
    teacher: str | None = None,
    results: str | None = None,
) -> Path:
    """Write a report.

    Args:
        runs_dir: a study's folder, or any folder with runs below it.
        output: folder of the report, `<runs_dir>/report` by default; an earlier report there is replaced.
        baseline: arm that differences are taken against; by default the study's base arm.
        teacher: arm that retention is taken against; by default the study's teacher.
        results: a Markdown page to write as well, with the tables and one figure, retention against size, which is
            written beside it (`results_retention_size.svg`) or, if the runs do not give it, removed from there.

    Returns:
        The report's folder.

    Raises:
        FileNotFoundError: there is no such folder of runs, or the page of results is no Markdown file in a folder.
        ValueError: there is nothing to report on, an arm is not there, the output is something else, or a package is
            not installed.
        OSError: the report could not be written; an earlier one stays as it was.
    """
    from experiments.report.document import compose, texts_of
    from experiments.report.figures.style import style
    from experiments.report.reading.scan import open_runs
    from experiments.report.reading.sources import shown_path
    from experiments.report.rendering import to_html, to_latex, to_markdown
    from experiments.report.tables import to_csv

    if lacking := [name for name in _PACKAGES if importlib.util.find_spec(name) is None]:
        raise ValueError(f"a report needs {', '.join(lacking)}, not installed here: pip install 'distilkobert[report]'")
    folder = Path(runs_dir)
    target = Path(output) if output is not None else folder / "report"
    page = None if results is None else Path(results)
    notes: list[str] = []
    study = open_runs(folder, notes, baseline, teacher)
    _check_places(target, page)
    with style(texts_of(study)):
        composed = compose(study, notes)
        images = {drawing.slug: _images(drawing) for drawing in composed.drawings}
    files = {
        "report.md": to_markdown(composed, {slug: f"figures/{slug}.png" for slug in images}).encode(),
        "report.html": to_html(composed, {slug: one[".svg"] for slug, one in images.items()}).encode(),
    }
    for table in composed.tables:
        files[f"tables/{table.slug}.csv"] = to_csv(table).encode()
        files[f"tables/{table.slug}.tex"] = to_latex(table).encode()
    for slug, one in images.items():
        files |= {f"figures/{slug}{ending}": content for ending, content in one.items()}
    _write(files, target)
    if page is not None:
        options = {"--output": output, "--baseline": baseline, "--teacher": teacher, "--results": results}
        paths = {"--output", "--results"}
        args = ["python", "-m", "experiments.report", shown_path(folder)]
        for option, value in options.items():
            if value is not None:
                args += [option, shown_path(Path(value)) if option in paths else value]
        shown = page.with_name(f"{page.stem}_{_PAGE_FIGURE}.svg")
        if drawn := images.get(_PAGE_FIGURE):
            write_text(shown, drawn[".svg"].decode())
        else:
            shown.unlink(missing_ok=True)  # of an earlier report: it would not agree with the page
        beside = {_PAGE_FIGURE: shown.name} if drawn else {}
        write_text(page, to_markdown(composed, beside, shlex.join(args), shown_path(target / "report.md")))
    return target


def _check_places(target: Path, page: Path | None) -> None:
    """Refuse, before anything is computed, to write over something else or where nothing can be written."""
    if target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file; name a folder with --output")
    strange = sorted(path.name for path in target.iterdir() if path.name not in _PARTS) if target.is_dir() else []
    if strange:
        raise ValueError(
            f"{target} contains files of no report ({few(strange)}); name another --output, or remove it first"
        )
    if page is not None and (page.suffix != ".md" or page.is_dir() or not page.parent.is_dir()):
        raise FileNotFoundError(f"--results={page}: expected the name of a .md file in a folder that exists")


def _images(drawing: "Drawing") -> dict[str, bytes]:
    """The figure's files, by ending."""
    drawing.figure.draw_without_rendering()
    drawing.figure.set_layout_engine("none")  # the layout is settled; each file would compute it again
    content = {}
    for ending, options in _IMAGES.items():
        stream = io.BytesIO()
        with only_from(logging.ERROR, "fontTools"):  # it warns of tables of a Korean font that a PDF has no use for
            drawing.figure.savefig(stream, format=ending[1:], **options)  # type: ignore[arg-type]
        content[ending] = stream.getvalue()
    return content


def _write(files: Mapping[str, bytes], target: Path) -> None:
    """Write all files and then put them in place at once."""
    try:
        with atomic_folder(target, overwrite=True) as folder:
            for name, content in files.items():
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
    except OSError as error:
        size = sum(map(len, files.values())) / 1e6
        raise OSError(
            f"{target}: the report ({size:.1f} MB) could not be written: {error}. An earlier report is as it was; free "
            "some space or name another --output, and run the command again"
        ) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""

    def command() -> None:
        folder = call_with_options(report, "python -m experiments.report", __doc__, arguments, as_positional=True)
        print(f"report written to {folder}; open {folder / 'report.html'}")

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
