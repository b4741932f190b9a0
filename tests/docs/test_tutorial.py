"""The notebook is the page, and runs from text to a prediction."""

import json
import re
from pathlib import Path

import pytest

from tests.docs.notebook import NOTEBOOK, code_cells, execute, make, written
from tests.world import read_json

SHORTER = {
    r"generate_sentences\(20_000,": "generate_sentences(1_500,",
    r"vocab_size=1_200": "vocab_size=600",
    r"--trainer.max_steps=\d+": "--trainer.max_steps=6",
    r"--trainer.val_check_interval=\d+": "--trainer.val_check_interval=3",
    r"--trainer.max_epochs=2": "--trainer.max_epochs=1",
}


def test_the_notebook_is_made_from_the_page() -> None:
    """After a change of docs/tutorial.md: python -m tests.docs.notebook."""
    assert NOTEBOOK.read_text(encoding="utf-8") == written(make())


def test_links_of_the_notebook_lead_to_files() -> None:
    text = "".join("".join(cell["source"]) for cell in make()["cells"] if cell["cell_type"] == "markdown")
    found = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert len(found) > 5
    assert [link for link in found if not (NOTEBOOK.parent / link).exists()] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_notebook_runs_from_text_to_a_prediction(tmp_path: Path) -> None:
    cells = code_cells(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    for long, short in SHORTER.items():
        changed = [re.sub(long, short, cell) for cell in cells]
        assert changed != cells, long
        cells = changed
    work = tmp_path / "tutorial"
    printed = execute(cells, {"WORK": str(work), "PYTHONPATH": str(Path.cwd())})
    assert re.search(r"^(positive|negative)\t0\.\d+$", printed, re.MULTILINE)
    assert re.search(r"^\[\{'label': '(positive|negative)', 'score': 0\.\d+\}\]$", printed, re.MULTILINE)
    student = read_json(work / "runs" / "distilkobert" / "student_seed42" / "metrics.json")
    assert student["steps"] == 6
    report = (work / "runs" / "report" / "report.md").read_text(encoding="utf-8")
    assert re.search(r"^\| student \| student \|.*\| \d+\.\d\d", report, re.MULTILINE)
    assert {"torch/test/accuracy", "onnx/test/accuracy", "int8/test/accuracy"} <= read_json(
        work / "nsmc_student" / "metrics.json"
    ).keys()
