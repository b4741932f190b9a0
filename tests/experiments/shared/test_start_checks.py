"""Checks that need neither module nor data."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonargparse import Namespace

from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.probe import ProbeSpec
from experiments._shared.command_checks import check_numbers
from experiments._shared.run.checkpoint_names import check_checkpoint_name, check_run_of_name
from experiments._shared.run.checkpoint_settings import check_checkpoint, data_settings
from experiments._shared.start_checks import refuse_evaluating_the_start
from lightning_modules.run.remedies import new_run, other_weights


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_named(seed: int) -> None:
    with pytest.raises(ValueError, match=rf"--seed_everything={seed}: expected 0 to 4294967295"):
        check_numbers(Namespace(seed_everything=seed, trainer=Namespace(accumulate_grad_batches=1)))


@pytest.mark.parametrize("count", [0, -2])
def test_an_accumulation_of_nothing_is_named(count: int) -> None:
    with pytest.raises(ValueError, match=rf"--trainer\.accumulate_grad_batches={count}: expected 1 or more"):
        check_numbers(
            Namespace(
                seed_everything=2**32 - 1,
                trainer=Namespace(accumulate_grad_batches=count, log_every_n_steps=None),
                best_checkpoint=Namespace(
                    save_top_k=1, save_last=None, dirpath=None, filename="best", save_weights_only=False, mode="min"
                ),
            )
        )


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
    assert "--model.init_from=x.ckpt" in new_run(["init_from", "optimizer"], "x.ckpt")
    assert "--model." not in new_run(["init_from"], "")
    assert "--model." not in new_run(["teacher", "student"], "x.ckpt")
    assert "--model.init_from" in other_weights(["init_from"])
    assert "--model.teacher" in other_weights(["teacher", "student"])
    assert "--model.init_from" not in other_weights(["teacher", "student"])


MODULE = {"optimizer": asdict(OptimizerSpec()), "encoder": {"layers": 2}}
DATA = {"max_tokens": 512, "masking": {"probability": 0.15}}
LINKS = ("vocab_size",)


def saved_run(folder: Path, module: dict[str, Any], data: dict[str, Any]) -> Path:
    """A checkpoint with these settings, and the configuration of its run."""
    path = folder / "checkpoints" / "last.ckpt"
    path.parent.mkdir(parents=True)
    torch.save(
        {
            "transformers": {},
            "module": {"class": "MaskedLanguageModeling", "settings": module},
            "data_settings": data_settings(command(path, module, data)),
            "global_step": 7,
            "state_dict": {},
        },
        path,
    )
    (folder / "config.yaml").write_text("seed_everything: 1\n", encoding="utf-8")
    return path


def command(path: Path, module: dict[str, Any], data: dict[str, Any], **changes: Any) -> Namespace:
    """A command that loads a checkpoint."""
    settings = {"vocab_size": 600, **module}
    config = Namespace(ckpt_path=str(path), seed_everything=1)
    config.model = Namespace(class_path="lightning_modules.MaskedLanguageModeling", init_args=Namespace(**settings))
    config.data = Namespace(class_path="datamodules.CorpusDataModule", init_args=Namespace(seed=1, **data))
    for name, value in changes.items():
        config[name] = value
    return config


def test_the_same_settings_resume_and_new_options_count_as_their_defaults(tmp_path: Path) -> None:
    path = saved_run(tmp_path, MODULE, DATA)
    assert check_checkpoint(command(path, MODULE, DATA), tmp_path, LINKS, fit=True) == 7
    newer = {**MODULE, "init_from": None, "train_first": None}
    places = {**DATA, "num_workers": 2, "data_dir": "elsewhere", "validation_max_tokens": None}
    assert check_checkpoint(command(path, newer, places), tmp_path, LINKS, fit=True) == 7


@pytest.mark.parametrize(
    ("module", "data", "message"),
    [
        ({**MODULE, "train_first": "embeddings_and_head"}, DATA, "model.train_first: checkpoint does not have it, now"),
        ({"encoder": {"layers": 2}}, DATA, r"model.optimizer.lr: checkpoint 0.0005, now no setting"),
        ({**MODULE, "encoder": None}, DATA, r"model.encoder: checkpoint does not have it, now None; .*layers: checkpo"),
        (
            MODULE,
            {**DATA, "validation_max_tokens": 9},
            "data.validation_max_tokens: checkpoint does not have it, now 9",
        ),
        (MODULE, {"max_tokens": 512}, "data.masking.probability: checkpoint 0.15, now no setting"),
        (MODULE, {**DATA, "max_tokens": 99}, "data.max_tokens: checkpoint 512, now 99"),
    ],
)
def test_a_setting_that_one_side_alone_has_is_a_difference(
    module: dict[str, Any], data: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = saved_run(tmp_path, MODULE, DATA)
    with pytest.raises(ValueError, match=f"resumes a run as it was, but settings differ .*{message}"):
        check_checkpoint(command(path, module, data), tmp_path, LINKS, fit=True)


def test_another_data_module_or_seed_is_a_difference(tmp_path: Path) -> None:
    path = saved_run(tmp_path, MODULE, DATA)
    with pytest.raises(ValueError, match=r"seed_everything: checkpoint 1, now 2"):
        check_checkpoint(command(path, MODULE, DATA, seed_everything=2), tmp_path, LINKS, fit=True)
    other = command(path, MODULE, DATA)
    other.data.class_path = "datamodules.NSMCDataModule"
    with pytest.raises(ValueError, match=r"data\.class_path: checkpoint 'datamodules\.CorpusDataModule', now 'datam"):
        check_checkpoint(other, tmp_path, LINKS, fit=True)
    elsewhere = tmp_path / "other"  # an evaluation that writes into another folder may have any data
    assert check_checkpoint(other, elsewhere, LINKS, fit=False) == 7
    with pytest.raises(ValueError, match=r"evaluates a model as it was trained, but settings differ"):
        check_checkpoint(other, tmp_path, LINKS, fit=False)


def test_the_option_that_was_given_is_named(tmp_path: Path) -> None:
    path = saved_run(tmp_path, MODULE, DATA)
    with pytest.raises(ValueError, match=r"^--run\.resume=auto resumes a run as it was, but settings differ"):
        check_checkpoint(
            command(path, MODULE, DATA, seed_everything=2), tmp_path, LINKS, fit=True, given="--run.resume=auto"
        )


def test_a_word_that_names_no_checkpoint(tmp_path: Path) -> None:
    for good in ("best", "last", "step3.ckpt", "folder/other"):
        check_checkpoint_name(good)
    with pytest.raises(FileNotFoundError, match=r"--ckpt_path=bset: expected best, last, or .*; did you mean best\?"):
        check_checkpoint_name("bset")


def test_a_seed_is_part_of_the_folders_name(tmp_path: Path) -> None:
    for name in ("base_seed1", "base_seed2", "other_seed1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").touch()
    check_run_of_name("last", tmp_path / "base_seed1", "base")
    with pytest.raises(FileNotFoundError, match=r"no run in \S+base_seed7; .*everything .* base_seed1, base_seed2$"):
        check_run_of_name("last", tmp_path / "base_seed7", "base")
    with pytest.raises(FileNotFoundError, match=r" has base_seed1, base_seed2, other_seed1$"):
        check_run_of_name("best", tmp_path / "new_seed1", "new")


def test_options_of_a_probe_without_its_data_are_named() -> None:
    usual = asdict(ProbeSpec())
    with pytest.raises(ValueError, match=r"--probe\.every_n_steps=5: there is no probe without --probe\.data_dir"):
        check_numbers(Namespace(seed_everything=1, probe=Namespace(**usual | {"every_n_steps": 5})))
