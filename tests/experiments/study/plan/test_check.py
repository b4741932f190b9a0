"""Before the first run: the trainer's parser takes every arm, and tells apart what a reader might not."""

import shutil
from pathlib import Path

import pytest

from experiments.study.__main__ import check
from experiments.study.plan.check import check_plan
from experiments.study.plan.expand import expand, study_folder
from experiments.study.plan.folder import config_sums, planned, write_study
from experiments.study.run.journal import JOURNAL_FILE
from tests.support.studies.texts import declare

HEAD = "# Is it so?\nbase: [configs/distill/distilkobert.yaml]\nteacher: t\n"
TEMPERATURE = "model.objectives.soft_target.temperature"


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (
            "arms: {a: {model.objectives.soft_target.temprature: 1}}\n",
            r"arm a: model: .*SoftTargets: Option 'temprature' is not accepted; did you mean temperature\?",
        ),
        (
            "arms: {a: {model.losses.temperature: 1}}\n",
            r"arm a: .*--model.losses.temperature=1; it is now model.objectives.NAME.weight",
        ),
        (
            "arms: {a: {model.objectives.soft.weight: 1}}\n",
            r"arm a: --model.objectives.soft: there is no objective 'soft'; the files have soft_target, masked_lm",
        ),
        (
            "arms: {a: {model.objectives.soft_target.temperature: hot}}\n",
            r"arm a: .*SoftTargets.*temperature.*hot",
        ),
        ("arms: {a: {trainer.max_epoch: 1}}\n", r"arm a: unrecognized arguments: --trainer.max_epoch=1"),
        ("arms: {a: {model.dict_kwargs.heat: 1}}\n", r"arm a: model.heat: .*Distillation has no such option"),
        (
            "arms: {a: {model.objectives.soft_target.temperature: 2.0}}\n",
            r"arms.a: --model.objectives.soft_target.temperature=2.0 changes nothing",
        ),
        (
            "arms: {a: {model.objectives.cosine.weight: 0, run.x: 1}}\n",
            r"arms.a: --run.x=1 is set by the study itself",
        ),
        (
            f"arms: {{a: {{}}, b: {{{TEMPERATURE}: 3}}, c: {{{TEMPERATURE}: 3.0}}}}\n",
            r"the arms b and c have the same settings",
        ),
        (
            "arms: {a: {}, mlm: {configs: [configs/ablation/mlm_only.yaml]}}\ncontrols: [mlm_only]\n",
            r"the arms mlm and mlm_only have the same settings",
        ),
        (
            "axes: {t: {t2: {model.objectives.soft_target.temperature: 2}, default: {}}}\n",
            r"the arms t2 and default have the same settings",
        ),
        ("then: {nsmc: {configs: [configs/finetune/nsmc.yaml], overrides: {x: 1}}}\n", r"then.nsmc: .*--x=1"),
        (
            "then:\n  nsmc:\n    configs: [configs/finetune/nsmc.yaml]\n"
            "    arm_fine_tuning: {mlm_only: {trainer.max_epoch: 1}}\n",
            r"then\.nsmc\.arm_fine_tuning\.mlm_only: .*--trainer\.max_epoch=1",
        ),
        ("machine: {trainer.devices: many}\noverrides: {trainer.precision: 3}\n", r"arm distilled: .*precision"),
    ],
)
def test_what_the_trainer_would_refuse_is_refused_first(rest: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        check_plan(expand(declare(tmp_path, HEAD + rest)), tmp_path)


def test_the_line_of_a_misspelt_option_is_named(tmp_path: Path) -> None:
    typo = "model.objectives.soft_target.temprature: 3"
    text = f"{HEAD}arms:\n  a: {{}}\n  b:\n    trainer.precision: 32-true\n    {typo}\n"
    with pytest.raises(ValueError, match=r"s\.yaml, line 8: arm b: .* did you mean temperature\?$"):
        check(declare(tmp_path, text))
    both = f"{HEAD}arms:\n  a: {{{typo}}}\n  b: {{{typo}, trainer.precision: 32-true}}\n"
    with pytest.raises(ValueError, match=r"s\.yaml, line 5: arm a: "):
        check(declare(tmp_path, both))
    with pytest.raises(ValueError, match=r"s\.yaml, line 4: arm distilled: .*trainer\.max_epoch"):
        check(declare(tmp_path, f"{HEAD}machine: {{trainer.max_epoch: 1}}\n"))


@pytest.mark.slow
def test_the_ends_of_a_search_are_parsed(tmp_path: Path) -> None:
    temperature = "model.objectives.soft_target.temperature: {low: 1.0, high: 2.0}"
    ranges = f"{{{temperature}, model.student.init: {{choices: [teacher, random, none]}}}}"
    data = f"overrides: {{data.data_dir: {tmp_path}}}\n"
    text = HEAD + data + f"metric: distil/val/loss\nsearch: {{trials: 2, options: {ranges}}}\n"
    declared = declare(tmp_path, text)
    with pytest.raises(ValueError, match=r"arm search-002: .*student.init.*none"):
        check(declared)
    check(declare(tmp_path, text.replace(", none", "")))


def test_an_axis_may_name_the_value_of_the_base(tmp_path: Path) -> None:
    axes = f"axes: {{t: {{t2: {{{TEMPERATURE}: 2.0}}, t4: {{{TEMPERATURE}: 4.0}}}}}}\n"
    check_plan(expand(declare(tmp_path, HEAD + axes)), tmp_path)


@pytest.mark.parametrize(
    ("rest", "key"),
    [
        ("arms: {a: {configs: [configs/none.yaml]}}\n", "arms.a"),
        ("axes: {t: {x: {configs: [configs/none.yaml]}}}\n", "axes.t.x"),
        ("then: {nsmc: {configs: [configs/none.yaml]}}\n", "then.nsmc.configs"),
        ("machine: {configs: [configs/none.yaml]}\n", "machine"),
    ],
)
def test_a_config_that_is_not_there_is_named(rest: str, key: str, tmp_path: Path) -> None:
    declared = declare(tmp_path, HEAD + rest)
    with pytest.raises(FileNotFoundError, match=rf"^{key}: configs/none.yaml: no such file"):
        config_sums(declared, expand(declared))


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    declared = declare(tmp_path, HEAD.replace("distilkobert.yaml", "none.yaml"))
    with pytest.raises(FileNotFoundError, match=r"^base: configs/distill/none.yaml: no such file"):
        config_sums(declared, expand(declared))


def test_data_that_is_not_there_is_named_before_the_first_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").mkdir()
    rest = (
        f"overrides: {{data.data_dir: {tmp_path}/corpus}}\n"
        f"then: {{nsmc: {{configs: [configs/finetune/nsmc.yaml], overrides: {{data.data_dir: {tmp_path}/gone}}}}}}\n"
    )
    lack = f"no such folder: then.nsmc: data.data_dir={tmp_path}/gone"
    with pytest.raises(FileNotFoundError, match=lack):
        check(declare(tmp_path, HEAD + rest))
    check(declare(tmp_path, HEAD + rest, "--dry_run"))
    assert lack in capsys.readouterr().err
    check(declare(tmp_path, HEAD + rest, "--only=[distil/*]"))
    assert f"no such folder, for runs that --only leaves out: {lack.partition(': ')[2]}" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match=lack):
        check(declare(tmp_path, HEAD + rest, "--only=[nsmc/distilled_seed*]"))
    # A part has begun: what it has left out is still looked for, what has begun is not.
    declared = declare(tmp_path, HEAD + rest)
    folder = Path(study_folder(declared))
    write_study(folder, declared, planned(declared))
    (folder / JOURNAL_FILE).touch()
    (folder / "distil").mkdir()
    with pytest.raises(FileNotFoundError, match=lack):
        check(declared)
    (folder / "nsmc").mkdir()
    check(declared)
    shutil.rmtree(folder)
    (tmp_path / "gone").mkdir()
    check(declare(tmp_path, HEAD + rest))


@pytest.mark.slow
def test_data_that_the_study_makes_need_not_be_there(tmp_path: Path) -> None:
    plan = expand(declare(tmp_path, HEAD + f"overrides: {{data.data_dir: {tmp_path}/study/corpus}}\n"))
    assert check_plan(plan, tmp_path / "study").missing == []
    assert check_plan(plan, tmp_path / "other").missing == [f"arm distilled: data.data_dir={tmp_path}/study/corpus"]
