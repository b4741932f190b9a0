"""Which untrained students a report takes for one model."""

import json
from pathlib import Path

import pytest

from tests.support.report_world import ARMS, edit, fabricate, read


def test_untrained_students_of_one_start_have_one_origin(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", [arm for arm in ARMS if arm.name in ("base", "undistilled")], seeds=(1, 2))
    for seed, loss in ((1, 6.5), (2, 6.5)):
        edit(folder / f"distil/undistilled_seed{seed}/metrics.json", lambda metrics: metrics.update({"val/loss": loss}))  # noqa: B023
    found, _ = read(folder)
    origins = {run.label: run.source for run in found.of("nsmc")}
    assert origins["nsmc/undistilled_seed2"] == origins["nsmc/undistilled_seed1"] == "distil/undistilled_seed1"
    assert (origins["nsmc/base_seed1"], origins["nsmc/base_seed2"]) == ("distil/base_seed1", "distil/base_seed2")
    edit(folder / "distil/undistilled_seed2/metrics.json", lambda metrics: metrics.update({"val/loss": 6.6}))
    assert {run.source for run in read(folder)[0].of("nsmc", "undistilled")} == {
        "distil/undistilled_seed1", "distil/undistilled_seed2",
    }  # fmt: skip


@pytest.mark.parametrize(("second", "origins"), [(0.5, 1), (0.25, 2)])
def test_untrained_students_without_a_head_are_told_apart_by_their_layers(
    second: float, origins: int, tmp_path: Path
) -> None:
    """Random starts of two seeds are two models, and neither has a loss."""
    folder = fabricate(tmp_path / "study", [arm for arm in ARMS if arm.name in ("base", "undistilled")], seeds=(1, 2))
    for seed, similarity in ((1, 0.5), (2, second)):
        path = folder / f"distil/undistilled_seed{seed}/metrics.json"
        kept = {
            name: value
            for name, value in json.loads(path.read_text(encoding="utf-8")).items()
            if not name.startswith("val/")
        }
        path.write_text(json.dumps(kept | {"val/cka/layer0": similarity, "val/step": 0}), encoding="utf-8")
    assert len({run.source for run in read(folder)[0].of("nsmc", "undistilled")}) == origins
