"""Checks that need neither module nor data."""

from pathlib import Path

import pytest
from jsonargparse import Namespace

from experiments._shared.start_checks import check_numbers, refuse_evaluating_the_start
from lightning_modules.remedies import beside, other_weights


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_named(seed: int) -> None:
    with pytest.raises(ValueError, match=rf"--seed_everything={seed}: expected 0 to 4294967295"):
        check_numbers(Namespace(seed_everything=seed, trainer=Namespace(accumulate_grad_batches=1)))


@pytest.mark.parametrize("count", [0, -2])
def test_an_accumulation_of_nothing_is_named(count: int) -> None:
    with pytest.raises(ValueError, match=rf"--trainer\.accumulate_grad_batches={count}: expected 1 or more"):
        check_numbers(Namespace(seed_everything=2**32 - 1, trainer=Namespace(accumulate_grad_batches=count)))


def test_the_start_is_measured_only_where_no_weights_are_kept(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    refuse_evaluating_the_start(tmp_path, "validate")
    (tmp_path / "checkpoints" / "step00000003.ckpt").touch()
    with pytest.raises(ValueError, match=r"--ckpt_path=\S+step00000003\.ckpt;"):
        refuse_evaluating_the_start(tmp_path, "test")
    for name in ("last.ckpt", "best.ckpt"):
        (tmp_path / "checkpoints" / name).touch()
    with pytest.raises(ValueError, match=r"--ckpt_path=\S+best\.ckpt or \S+last\.ckpt;"):
        refuse_evaluating_the_start(tmp_path, "test")


def test_remedies_name_only_options_that_there_are() -> None:
    assert "--model.init_from=x.ckpt" in beside(["init_from", "optimizer"], "x.ckpt")
    assert "--model." not in beside(["init_from"], "")
    assert "--model." not in beside(["teacher", "student"], "x.ckpt")
    assert "--model.init_from" in other_weights(["init_from"])
    assert "--model.teacher" in other_weights(["teacher", "student"])
    assert "--model.init_from" not in other_weights(["teacher", "student"])
