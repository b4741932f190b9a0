"""The command: all files, whole or not at all, self-contained HTML, the page of results, and clear errors."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from experiments.report.__main__ import main
from tests.support.report_world import ARMS, distilled, fabricate

FIGURES = (
    "retention_size", "retention_latency", "differences", "entities_klue_ner", "reliability_nsmc", "confusion_nsmc",
    "curves", "probes",
)  # fmt: skip
TABLES = (
    "arms", "scores", "retention", "differences", "deployment", "entities_klue_ner", "distillation", "published",
    "provenance",
)  # fmt: skip
SMALL = ARMS[:2]


class Page(HTMLParser):
    """What an HTML page shows and what it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.sources: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag not in ("meta", "img"):
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data
        if "style" not in self.open:
            self.text.append(data)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with its report and its page of results."""
    root = tmp_path_factory.mktemp("report")
    folder = fabricate(root / "student_init", ARMS[:3], examples=20)
    (root / "docs").mkdir()
    assert main([str(folder), "--results", str(root / "docs/results.md")]) == 0
    return folder


def test_all_files_are_there(whole: Path) -> None:
    report = whole / "report"
    expected = {"report.md", "report.html"}
    expected |= {f"tables/{name}{ending}" for name in TABLES for ending in (".csv", ".tex")}
    expected |= {f"figures/{name}{ending}" for name in FIGURES for ending in (".png", ".svg", ".pdf")}
    found = {path.relative_to(report).as_posix(): path for path in report.rglob("*") if path.is_file()}
    assert set(found) == expected
    for name, path in found.items():
        start = path.read_bytes()[:8]
        assert path.stat().st_size > 30
        assert not name.endswith(".png") or start == b"\x89PNG\r\n\x1a\n"
        assert not name.endswith(".svg") or start.startswith(b"<?xml")
        assert not name.endswith(".pdf") or start.startswith(b"%PDF-1.")
        assert b"/Type3" not in path.read_bytes(), "publishers refuse it"
    assert not list(whole.glob(".report*"))


def test_html_has_every_value_and_asks_for_nothing(whole: Path) -> None:
    content = (whole / "report/report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(content)
    assert page.open == []
    shown = [line for line in (whole / "report/report.md").read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    in_markdown = [cell.strip().replace("\\", "").strip("*") for line in shown for cell in line.strip("|").split(" | ")]
    assert set(page.cells) <= set(in_markdown)
    for name in TABLES:
        rows = list(csv.reader((whole / f"report/tables/{name}.csv").open(encoding="utf-8")))[1:]
        assert {row[0] for row in rows} <= set(page.cells)
    accuracy = json.loads((whole / "nsmc/base_seed1/metrics.json").read_text())["test/accuracy"]
    other = json.loads((whole / "nsmc/base_seed2/metrics.json").read_text())["test/accuracy"]
    assert any(cell.startswith(f"{50 * (accuracy + other):.2f} ± ") for cell in page.cells)
    assert len(page.sources) == len(FIGURES)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    assert not any(word in content for word in ("<script", "<link", "@import", "url(", "http:", "https:"))
    assert "prefers-color-scheme: dark" in content
    assert "@media print" in content
    text = " ".join(page.text)
    assert "paired bootstrap" in text
    assert "Nothing is missing and nothing was left out." in text


def test_published_figures_stand_in_a_block_of_their_own(whole: Path) -> None:
    text = (whole / "report/report.md").read_text(encoding="utf-8")
    ours, published = text.split("## Published by the original, not measured here")
    assert "89.63" in published
    assert "89.63" not in ours
    assert "monologg" not in ours


def test_captions_are_read_below_the_figures(whole: Path) -> None:
    """Markdown shows an image's own text only where the image is not there."""
    parts = (whole / "report/report.md").read_text(encoding="utf-8").split("\n\n")
    places = [place for place, part in enumerate(parts) if part.startswith("![")]
    assert len(places) == len(FIGURES)
    assert all(parts[place] == f"![{parts[place + 1]}]({parts[place].split('](')[1]}" for place in places)


def test_provenance_is_in_the_report(whole: Path) -> None:
    rows = dict(csv.reader((whole / "report/tables/provenance.csv").open(encoding="utf-8")))
    assert rows["study"] == "student_init"
    assert (rows["seeds"], rows["git revision"], rows["hardware"]) == ("1, 2", "0123456789ab", "cpu x86_64, 1 threads")
    assert rows["runs"] == "24 of 24"


def test_the_page_of_results_has_tables_and_its_command(whole: Path) -> None:
    text = (whole.parent / "docs/results.md").read_text(encoding="utf-8")
    assert "Generated by `python -m experiments.report student_init --results results.md`" in text
    assert "All figures are in `report.md`, which" in text
    assert "Not complete" not in text
    assert "| base | student |" in text
    assert str(whole.parent) not in text


def test_the_page_of_results_has_one_figure_beside_it(whole: Path) -> None:
    """The page may be read where the runs are not."""
    docs = whole.parent / "docs"
    links = re.findall(r"\]\(([^)]*)\)", (docs / "results.md").read_text(encoding="utf-8"))
    assert links == ["results_retention_size.svg"]
    assert sorted(path.name for path in docs.iterdir()) == ["results.md", *links]
    assert (docs / links[0]).read_bytes() == (whole / "report/figures/retention_size.svg").read_bytes()


def test_a_damaged_study_is_reported_with_notes(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", SMALL, examples=6, events=False)
    (folder / "nsmc/base_seed1/metrics.json").unlink()
    (folder / "korquad/base_seed1/metrics.json").write_text("{", encoding="utf-8")
    (folder / "klue_ner/base_seed1/predictions.jsonl").write_text("", encoding="utf-8")
    (folder / "latency.json").unlink()
    assert main([str(folder), "--output", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out/report.md").read_text(encoding="utf-8")
    notes = text.split("## Notes")[1]
    for part in (
        "nsmc/base\\_seed1",
        "korquad/base\\_seed1/metrics.json: not readable as JSON",
        "klue\\_ner/base\\_seed1/predictions.jsonl is empty",
        "Latency was not measured: no latency.json",
        "distil/base\\_seed1 has no event files",
    ):
        assert part in notes, part
    assert str(tmp_path) not in text
    assert "(n=1 of 2)" in text
    lead = "Not complete: 14 of 16 planned runs have their results."
    assert lead in text.split("## ")[0]
    assert lead in (tmp_path / "out/report.html").read_text(encoding="utf-8").split("<h2>")[0]


def test_a_folder_of_runs_without_tasks(tmp_path: Path) -> None:
    assert main([str(distilled(tmp_path))]) == 0
    text = (tmp_path / "report/report.md").read_text(encoding="utf-8")
    assert "## Distillation (distilkobert)" in text
    assert "No run was fine-tuned and tested, so there are no task scores." in text


def test_without_a_package_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([str(tmp_path)]) == 2
    assert (
        "needs jinja2, matplotlib, scipy, not installed here: pip install 'distilkobert[report]'"
        in capsys.readouterr().err
    )


def test_clear_errors(tmp_path: Path, capsys) -> None:
    folder = fabricate(tmp_path / "study", SMALL, seeds=(1,), examples=4, events=False)

    def error(*options: str) -> str:
        assert main([str(folder), *options]) == 2
        return capsys.readouterr().err

    (tmp_path / "file").touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/precious.md").touch()
    assert "precious.md" in error("--output", str(tmp_path / "docs"))
    assert "is a file; name a folder" in error("--output", str(tmp_path / "file"))
    assert "in a folder that exists" in error("--results", str(tmp_path / "gone/results.md"))
    assert "a .md file" in error("--results", str(tmp_path / "results.svg"))
    assert "--baseline=none: no such arm" in error("--baseline", "none")
    assert main([str(tmp_path / "nothing")]) == 2
    assert "no such folder" in capsys.readouterr().err
    (folder / "plan.json").write_text("[]", encoding="utf-8")
    assert "plan.json: not a plan of this version" in error()
    assert not (folder / "report").exists()
