"""Tables and figures of a study, or of any folder of runs.

    python -m experiments.report RUNS_DIR [--output DIR] [--baseline ARM] [--teacher ARM] [--results docs/results.md]

Writes `report.md`, `report.html` (one file that needs nothing else), `tables/*.csv` and `*.tex`, and `figures/*.png`
and `*.svg`: scores over seeds, retention of the teacher's score, differences to the base arm with intervals, what
distillation reached and cost, size and latency. A cell whose run is missing says so, and the notes at the end say why.
"""

import importlib.util
import io
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert.io.files import atomic_folder, write_text
from experiments._shared.commandline import run_command
from experiments._shared.parsing.parsers import StrictParser

if TYPE_CHECKING:
    from experiments.report.figures.style import Drawing

_PARTS = {"report.md", "report.html", "tables", "figures"}
_PNG_DPI = 200


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
        results: a Markdown page to write as well, with the tables only.

    Returns:
        The report's folder.

    Raises:
        FileNotFoundError: there is no such folder of runs, or no folder for the page of results.
        ValueError: there is nothing to report on, an arm is not there, the output is something else, or matplotlib
            is not installed.
        OSError: the report could not be written; an earlier one stays as it was.
    """
    from experiments.report.document import compose, texts_of
    from experiments.report.figures.style import style
    from experiments.report.html import to_html
    from experiments.report.reading.scan import open_runs
    from experiments.report.reading.sources import shown_path
    from experiments.report.tables import to_csv, to_latex
    from experiments.report.text import to_markdown_report, to_results_page

    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError("the figures need matplotlib, which is not installed: pip install 'distilkobert[report]'")
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
        "report.md": to_markdown_report(composed).encode(),
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
        write_text(page, to_results_page(composed, shlex.join(args), shown_path(target / "report.md")))
    return target


def _check_places(target: Path, page: Path | None) -> None:
    """Refuse, before anything is computed, to write where something else lies or where nothing can be written."""
    if target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file; name a folder with --output")
    strange = sorted(path.name for path in target.iterdir() if path.name not in _PARTS) if target.is_dir() else []
    if strange:
        named = ", ".join(strange[:3])
        raise ValueError(f"{target} holds what no report wrote ({named}); name another --output, or remove it first")
    if page is not None and (page.is_dir() or not page.parent.is_dir()):
        raise FileNotFoundError(f"--results={page}: expected the name of a Markdown file in a folder that exists")


def _images(drawing: "Drawing") -> dict[str, bytes]:
    """The figure's PNG and SVG, without the date, so that equal runs give equal files."""
    drawing.figure.draw_without_rendering()
    drawing.figure.set_layout_engine("none")  # the layout is settled; each file would compute it twice more
    content = {}
    for ending, options in ((".png", {"dpi": _PNG_DPI}), (".svg", {"metadata": {"Date": None}})):
        stream = io.BytesIO()
        drawing.figure.savefig(stream, format=ending[1:], **options)
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
    parser = StrictParser(prog="python -m experiments.report", description=__doc__)
    parser.add_argument("runs_dir", metavar="RUNS_DIR", help="a study's folder, or any folder with runs below it")
    parser.add_argument("--output", metavar="DIR", help="folder of the report; RUNS_DIR/report by default")
    parser.add_argument("--baseline", metavar="ARM", help="arm that differences are taken against")
    parser.add_argument("--teacher", metavar="ARM", help="arm that retention is taken against")
    parser.add_argument("--results", metavar="FILE", help="a Markdown page to write as well, with the tables only")
    options = parser.parse_args(arguments)

    def command() -> None:
        folder = report(options.runs_dir, options.output, options.baseline, options.teacher, options.results)
        print(f"report written to {folder}; open {folder / 'report.html'}")

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
