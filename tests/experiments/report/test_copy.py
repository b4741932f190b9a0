"""A copy of a study without its weights, as docs/studies.md makes it."""

import shlex
import subprocess
import tarfile
from pathlib import Path

from experiments.report.score_tables import delta_table, retention_table
from experiments.report.scores import score_study
from experiments.report.tables import to_csv
from tests.support.report_world import ARMS, fabricate, read

ROOT = Path(__file__).parents[3]


def documented() -> list[str]:
    """The command that packs a study."""
    lines = (ROOT / "docs/studies.md").read_text(encoding="utf-8").splitlines()
    return shlex.split(next(line for line in lines if line.startswith("tar -c")))


def tables(folder: Path) -> list[str]:
    """Retention and differences, as they are written."""
    study, notes = read(folder)
    scores = score_study(study, notes)
    return [to_csv(table) for table in (retention_table(study, scores), delta_table(study, scores))]


def test_a_copy_without_weights_gives_the_same_scores_and_intervals(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "runs/loss_terms", ARMS[:3], examples=20, events=False)
    for run in [path.parent for path in folder.glob("*/*/metrics.json")]:
        (run / "checkpoints").mkdir()
        (run / "checkpoints/last.ckpt").write_bytes(bytes(1000))
    subprocess.run(documented(), cwd=tmp_path, check=True)
    with tarfile.open(tmp_path / "loss_terms.tar.xz") as archive:
        archive.extractall(tmp_path / "copy", filter="data")
    copy = tmp_path / "copy/loss_terms"
    assert not [path for path in copy.rglob("*") if path.suffix in (".ckpt", ".safetensors")]
    assert tables(copy) == tables(folder)
    assert "first_three" in tables(copy)[1]
