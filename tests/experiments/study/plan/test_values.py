"""Before the first run: what a run would refuse where it starts is refused in the plan, with the key that has it."""

import re
from pathlib import Path

import pytest

from experiments.study.__main__ import check
from experiments.study.plan.check import CommandParser
from experiments.study.plan.values import check_values
from tests.support.studies.texts import declare

HEAD = "# Is it so?\nbase: [configs/distill/distilkobert.yaml]\nteacher: t\n"
DISTIL, NSMC, TAUGHT = (f"configs/{name}.yaml" for name in ("distill/distilkobert", "finetune/nsmc", "finetune/distil"))
PRETRAIN, QUESTIONS, TOPICS = (
    f"configs/{name}.yaml" for name in ("pretrain/mlm", "finetune/klue_mrc", "finetune/klue_ynat")
)


@pytest.fixture(scope="module")
def parser() -> CommandParser:
    return CommandParser()


def refused(folder: Path, rest: str) -> str:
    """What the check of a study says; its data are not there, and a dry run needs none."""
    with pytest.raises(ValueError, match=": ") as caught:
        check(declare(folder, HEAD + rest, "--dry_run"))
    return str(caught.value).removeprefix(f"{folder}/s.yaml, ")


@pytest.mark.parametrize(
    ("recipe", "options", "says"),
    [
        (DISTIL, ["model.optimizer.warmup=3"], "optimizer.warmup=3.0: a share of all steps"),
        (DISTIL, ["model.objectives.soft_target.temperature=-1"], "--model.objectives.soft_target.temperature=-1.0: "),
        (DISTIL, ["model.student.layers=[]"], "student.layers is empty"),
        (DISTIL, ["model.teacher_dtype=int8", "model.compute.compile=true"], "teacher_dtype is int8 and compute.comp"),
        (DISTIL, ["data.masking.probability=5"], "masking probability is 5.0; expected"),
        (DISTIL, ["data.max_tokens=0"], "data.max_tokens is 0; expected"),
        (DISTIL, ["data.pad_to_multiple_of=0"], "data.pad_to_multiple_of is 0; expected"),
        (DISTIL, ["data.num_workers=-1"], "data.num_workers is -1; expected"),
        (DISTIL, ["probe.data_dir=p", "probe.l2=0"], "probe.l2=0.0: must be"),
        (DISTIL, ["progress.every_seconds=0"], "progress.every_seconds=0.0: must be"),
        (DISTIL, ["gradients.max_skipped=0"], "gradients.max_skipped=0: expected"),
        (DISTIL, ["last_checkpoint.every_minutes=0"], "last_checkpoint.every_minutes=0.0: must be"),
        (DISTIL, ["best_checkpoint.save_top_k=2"], "--best_checkpoint.save_top_k=2, "),
        (DISTIL, ["trainer.precision=16-true"], "--trainer.precision=16-true: "),
        (DISTIL, ["trainer.accumulate_grad_batches=0"], "--trainer.accumulate_grad_batches=0: "),
        (DISTIL, ["trainer.limit_train_batches=1.5"], "You have passed invalid value 1.5 for limit_train_batches"),
        (DISTIL, ["trainer.overfit_batches=2"], "overfit_batches is 2"),
        (DISTIL, ["best_checkpoint.monitor=val/agreement"], "best_checkpoint.mode=min: val/agreement is better the hi"),
        (
            NSMC,
            ["trainer.callbacks+=EarlyStopping", "trainer.callbacks.monitor=val/accuracy"],
            "EarlyStopping.mode=min: val/accuracy is better the higher it is, so training would stop as it improves",
        ),
        (DISTIL, ["trainer.max_epochs=-1"], "training has no end: "),
        (DISTIL, ["trainer.enable_checkpointing=false"], "Trainer was configured with `enable_checkpointing=False`"),
        (DISTIL, ["trainer.fast_dev_run=true"], "--trainer.fast_dev_run: leaves no checkpoint"),
        (PRETRAIN, ["model.train_first_share=0.5"], "train_first_share=0.5, but train_first is not set"),
        (NSMC, ["data.batch_size=0"], "data.batch_size is 0; expected"),
        (NSMC, ["data.unknown_limit=2"], "unknown_limit is 2.0; expected"),
        (NSMC, ["model.dropout.hidden=2"], "dropout.hidden=2.0: must be"),
        (TOPICS, ["data.test_file=null", "data.test_share=1"], "test_share=1.0: must be"),
        (QUESTIONS, ["data.stride=0"], "stride=0 and max_question=64 must be"),
        (QUESTIONS, ["data.stride=600"], "stride=600 must be at most"),
        (
            QUESTIONS,
            ["data.reference_decoding=true", "data.particles=split"],
            "reference_decoding is on, and particles",
        ),
    ],
)
def test_what_a_run_refuses_at_its_start_is_refused_without_data(
    recipe: str, options: list[str], says: str, parser: CommandParser
) -> None:
    sources = ["--model.init_from=m"] if recipe not in (DISTIL, PRETRAIN) else ["--model.teacher=t"][: recipe == DISTIL]
    args = ["fit", "-c", recipe, *sources]
    check_values(parser.parse(args))
    with pytest.raises(ValueError, match=f"^{re.escape(says)}"):
        check_values(parser.parse([*args, *(f"--{option}" for option in options)]))


@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        ("seed_everything: 7", "seed_everything is set by the study; write `seeds`"),
        ("data: {init_args: {seed: 7}}", "data.seed: a run has one seed for data, model and training"),
        ("model: {init_args: {seed: 7}}", "model.seed: a run has one seed for data, model and training"),
    ],
)
def test_a_seed_in_an_overlay_is_refused(overlay: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "overlay.yaml"
    file.write_text(f"trainer: {{precision: 32-true}}\n{overlay}\n", encoding="utf-8")
    assert refused(tmp_path, f"overrides: {{configs: [{file}]}}\n").endswith(
        f"arm distilled: {file}, line 2: {says}" + ("; set --seed_everything" if "one seed" in says else "")
    )


def test_the_line_of_a_value_is_named(tmp_path: Path) -> None:
    arms = "arms:\n  good: {}\n  bad:\n    trainer.precision: 32-true\n    model.optimizer.lr: -1\n"
    assert refused(tmp_path, arms).startswith("line 8: arm bad: optimizer.lr=-1.0: ")
    assert refused(tmp_path, arms.replace("model.optimizer.lr: -1", "data.masking.probability: 5")).startswith(
        "line 8: arm bad: masking probability is 5.0; "
    )


@pytest.mark.parametrize(
    "option", ["best_checkpoint.save_top_k: 0", "best_checkpoint.monitor: null", "trainer.limit_val_batches: 0"]
)
def test_a_task_without_a_best_checkpoint_is_refused(option: str, tmp_path: Path) -> None:
    says = f": --{option.replace(': ', '=')}: leaves no best.ckpt"
    plain = refused(tmp_path, f"then: {{nsmc: {{configs: [{NSMC}], overrides: {{{option}}}}}}}\n")
    assert plain.startswith(f"line 4: then.nsmc{says}")
    distil = f"distil: {{configs: [{TAUGHT}], overrides: {{{option}}}}}"
    assert f"then.nsmc.distil{says}" in refused(tmp_path, f"then: {{nsmc: {{configs: [{NSMC}], {distil}}}}}\n")


def test_a_task_of_a_corpus_is_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, f"then: {{mlm: {{configs: [{PRETRAIN}]}}}}\n")
    assert message.startswith("then.mlm: MaskedLanguageModeling has no test: a corpus has no test split")


def test_a_distillation_on_a_task_is_checked_too(tmp_path: Path) -> None:
    distil = f"distil: {{configs: [{TAUGHT}], overrides: {{model.hard_labels: -1}}}}"
    message = refused(tmp_path, f"then: {{nsmc: {{configs: [{NSMC}], {distil}}}}}\n")
    assert message.startswith("line 4: then.nsmc.distil: hard_labels=-1.0: ")


def test_the_ends_of_a_search_are_checked_too(tmp_path: Path) -> None:
    search = "search: {trials: 2, options: {model.optimizer.warmup: {low: 0.1, high: 2.0}}}\n"
    assert "arm search-001: optimizer.warmup=2.0: " in refused(tmp_path, f"metric: distil/val/loss\n{search}")


def test_the_check_prints_nothing_of_what_it_makes(capfd: pytest.CaptureFixture[str], parser: CommandParser) -> None:
    check_values(parser.parse(["fit", "-c", DISTIL, "--model.teacher=t", "--model.without_teacher=true"]))
    assert capfd.readouterr() == ("", "")
