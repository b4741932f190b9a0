"""Reports of studies that have begun and are not complete."""

import shutil
from pathlib import Path

from experiments.report.__main__ import main
from tests.support.report_world import ARMS, fabricate


def test_a_study_that_has_begun_shows_what_has_results(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", ARMS[:3], examples=6, events=False)
    arms = {run.parent.name.split("_seed")[0] for run in folder.glob("*/*/metrics.json")}
    gone = sorted(arms - {"base", "teacher"})[0]
    for run in {*folder.glob(f"*/{gone}_seed*"), *folder.glob("korquad/*")}:
        shutil.rmtree(run)
    assert main([str(folder), "--output", str(tmp_path / "out")]) == 0
    lead, *sections = (tmp_path / "out/report.md").read_text(encoding="utf-8").split("\n## ")
    assert f"Left out of the tables, because no run has results: arms: {gone}; tasks: korquad." in lead.replace(
        "\\_", "_"
    )
    planned = lead.split(" of ")[1].split()[0]
    assert f" of {planned} |" in next(section for section in sections if section.startswith("What produced"))
    scores = next(section for section in sections if section.startswith("Scores"))
    assert "KorQuAD" not in scores
    assert f"| {gone} |" not in scores
    assert "| base |" in scores
    notes = sections[-1].replace("\\_", "_")
    assert f"*/{gone}_seed*".replace("*", "\\*") in notes
    assert "korquad/" in notes
