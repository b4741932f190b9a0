"""The expansion of a study into runs is pure, ordered, and refuses what contradicts itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments._shared.parsing.words import option_values
from experiments._shared.plan_file import Plan, plan_of
from experiments.study.plan.arms import Point
from experiments.study.plan.declaration import Declared, Settings, Study, TaskPart
from experiments.study.plan.expand import expand
from experiments.study.plan.folder import differences
from experiments.study.plan.keys import check_name
from experiments.study.plan.mappings import group_args
from tests.support.studies.texts import FULL, SMALL, declare

HEAD = "# Is it so?\nbase: [a.yaml]\nteacher: t\n"
SEARCH = "metric: distil/val/loss\nsearch: {trials: 2, options: {a: {low: 1, high: 2}}"
RESERVED = ("run.arm", "run.root", "seed_everything", "ckpt_path", "model.teacher", "help")


def test_the_runs_of_a_small_study(tmp_path: Path) -> None:
    plan = expand(declare(tmp_path, FULL))
    assert [(run.label, run.needs) for run in plan.all_runs] == [
        ("corpus/corpus_seed1", ()),
        ("teacher/teacher_seed1", ("corpus/corpus_seed1",)),
        ("distil/copied_seed1", ("corpus/corpus_seed1", "teacher/teacher_seed1")),
        ("distil/random_seed1", ("corpus/corpus_seed1", "teacher/teacher_seed1")),
        ("distil/undistilled_seed1", ("corpus/corpus_seed1", "teacher/teacher_seed1")),
        ("nsmc/teacher_seed1", ("teacher/teacher_seed1",)),
        ("nsmc/copied_seed1", ("distil/copied_seed1",)),
        ("nsmc/random_seed1", ("distil/random_seed1",)),
        ("nsmc/undistilled_seed1", ("distil/undistilled_seed1",)),
        (
            "latency/exports_seed1",
            ("teacher/teacher_seed1", "distil/copied_seed1", "distil/random_seed1", "distil/undistilled_seed1"),
        ),
    ]
    assert [(arm.name, arm.kind) for arm in plan.arms] == [
        ("teacher", "teacher"), ("copied", "student"), ("random", "student"), ("undistilled", "control"),
    ]  # fmt: skip
    assert plan.base_arm == "copied"


def test_the_args_of_one_arm(tmp_path: Path) -> None:
    text = FULL + "machine: {configs: [configs/trainer/cpu.yaml]}\noverrides: {data.max_tokens: 9}\n"
    folder = f"{tmp_path}/runs/s"
    run = next(run for run in expand(declare(tmp_path, text)).runs if run.label == "distil/random_seed1")
    fit, export = run.commands
    assert fit == (
        "experiments.train", "fit", "-c", "configs/distill/distilkobert.yaml", "-c", "configs/trainer/cpu.yaml",
        "--trainer.enable_progress_bar=false", f"--data.data_dir={folder}/corpus/corpus_seed1",
        "--data.tokenizer=pieces", "--data.max_tokens=9", f"--model.teacher={folder}/exported/teacher_seed1",
        "-c", "configs/ablation/init_random.yaml", f"--run.root={folder}", "--run.recipe=distil",
        "--run.arm=random", "--seed_everything=1",
    )  # fmt: skip
    last = f"{folder}/distil/random_seed1/checkpoints/last.ckpt"
    assert export == ("experiments.export", f"--checkpoint={last}", f"--output={folder}/exported/random_seed1")
    assert run.export == "exported/random_seed1"


@given(
    arms=st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True).filter(lambda n: n != "teacher"), st.just([]),
                         min_size=1, max_size=4),
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    tasks=st.integers(0, 3),
)  # fmt: skip
def test_every_need_stands_before_and_labels_differ(arms: dict[str, list[str]], seeds: list[int], tasks: int) -> None:
    args = {name: [f"--x={place}"] for place, name in enumerate(arms)}
    then = {f"task{place}": TaskPart([f"{place}.yaml"]) for place in range(tasks)}
    study = Study(base=["b.yaml"], teacher="t", arms=args, seeds=seeds, then=then)
    plan = expand(Declared("Is it so?", "s", study, Settings()))
    before: set[str] = set()
    for run in plan.all_runs:
        assert set(run.needs) <= before
        assert run.label not in before
        before.add(run.label)
    students = len(arms) + 2
    assert len(plan.runs) == len(seeds) * (students + tasks * (students + 1))
    assert {run.arm for run in plan.runs[: students + tasks * (students + 1)]} == {
        arm.name for arm in plan.arms if tasks or arm.kind != "teacher"
    }


def test_points_of_a_search_are_arms_on_top_of_the_base(tmp_path: Path) -> None:
    text = HEAD + "arms: {a: {x: 1}}\nmetric: distil/val/loss\nsearch: {trials: 3, options: {t: {low: 1, high: 9}}}\n"
    plan = expand(declare(tmp_path, text), (Point(0, {"t": 4, "init": True}),))
    arm = next(arm for arm in plan.arms if arm.name == "search-000")
    assert arm.args == ("--x=1", "--t=4", "--init=true")
    assert [run.label for run in plan.runs if run.arm == arm.name] == ["distil/search-000_seed1"]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("arms: {a/b: {}}\n", r"arms: 'a/b' cannot be a folder name"),
        ("arms: {'': []}\n", r"arms: '' cannot be a folder name"),
        ("arms: {..: []}\n", r"arms: '..' cannot be a folder name"),
        ("arms: {Base: {}, base: {x: 1}}\n", r"'base' differs from 'Base' by case alone"),
        ("arms: {mlm_only: []}\n", r"'mlm_only' is there twice"),
        ("arms: {teacher: []}\ncontrols: []\n", r"arms.teacher: this name is reserved for the teacher"),
        ("arms: {a-b: {x: 1}, a: {x: 2}}\naxes: {z: {b: {}, b-b: {y: 1}}}\n", r"'a-b-b' is there twice"),
        ("arms: {a: {x: 1}, b: {x: 1}}\n", r"the arms a and b are the same command \(--x=1\)"),
        ("arms: {a: {}, b: {}}\n", r"the arms a and b are the same command \(the base as it is\)"),
        ("arms: {a: [x.yaml]}\n", r"arms.a: expected options as {option: value}, found 'x.yaml'"),
        ("axes: {t: {}}\n", r"axes.t: has no labels"),
        ("base_arm: c\narms: {a: {}}\n", r"base_arm: there is no arm 'c'; the arms are a"),
        ("arm_seeds: {c: [1]}\n", r"arm_seeds.c: no such arm"),
        ("arm_fine_tuning: {c: {lr: 1}}\n", r"arm_fine_tuning.c: no such arm"),
        ("arm_fine_tuning: {teacher: {model.init_from: x}}\n", r"arm_fine_tuning.teacher: .* is set by the study"),
        ("seeds: []\n", r"seeds: \[\] must be one or more different"),
        ("seeds: [1, 1]\n", r"seeds: \[1, 1\] must be"),
        ("controls: [teacher, teacher]\n", r"names a control twice"),
        ("then: {distil: {configs: [a]}}\n", r"then: 'distil' is the name of a folder in every study"),
        ("then: {nsmc: {configs: [a], seeds: [-1]}}\n", r"then.nsmc.seeds: \[-1\]"),
        ("seeds: [4294967296]\n", r"seeds: \[4294967296\] must be .* from 0 to 4294967295"),
        (f"{SEARCH}, seed: -1}}\n", r"search.seed: \[-1\] must be"),
        ("metric: nmsc/test/accuracy\n", r"metric: 'nmsc/test/accuracy' must be STAGE/KEY, its stage one of distil"),
        ("arms: {a: {x: 1}, b: [-c]}\n", r"line 4: arms.b: expected options as {option: value}, found '-c'"),
        ("metric: accuracy\n", r"metric: 'accuracy' must be STAGE/KEY"),
        (
            "then:\n  nsmc: {configs: [a], seedz: [1]}\n",
            r"line 5: then: Option 'seedz' is not accepted; did you mean seeds\?",
        ),
        (
            "then:\n  nsmc:\n    configs: [a]\n    distil:\n      configs: [b]\n      teacher_seed: first\n",
            r"line 9: then: distil: teacher_seed: expected int, got first$",
        ),
        ("search: {trials: 2, options: {a: {low: 1, high: 2}}}\n", r"search: needs .* metric"),
        (
            "search: {trials: 2, options: {a: {low: 1, high: 2}}}\nmetric: nsmc/best/val/accuracy\n"
            "then: {nsmc: {configs: [a], arms: [teacher]}}\n",
            r"metric: nsmc/best/val/accuracy: then.nsmc.arms leaves the points of the search out",
        ),
        *((f"arms: {{a: {{{name}: 3}}}}\n", rf"arms.a: --{name}=3 is ") for name in RESERVED),
        ("overrides: {run.recipe: x}\n", r"overrides: --run.recipe=x is set by the study itself"),
        (
            "then: {nsmc: {configs: [a], overrides: {model.init_args.init_from: x}}}\n",
            r"then.nsmc.over.* itself",
        ),
    ],
)
def test_contradictions_are_refused(rest: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        expand(declare(tmp_path, HEAD + rest))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--arms.b=[-c]", r"arms.b: -c has no value; write -c FILE"),
        ("--arms.b=[--config, --x=1]", r"arms.b: --config has no value; write --config FILE"),
        ("--overrides=[--model.objectives.cosine.weight]", r"overrides: --model.objectives.cosine.weight has no value"),
        ("--machine=[--x, --y=1]", r"machine: --x has no value; write --x=VALUE"),
        ("--machine=[x.yaml]", r"machine: 'x.yaml' is not an option; write -c FILE"),
    ],
)
def test_words_of_the_command_line_are_checked_too(option: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        expand(declare(tmp_path, HEAD, option))


def test_an_empty_teacher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="teacher: is empty; name a folder, a checkpoint or a hub id"):
        expand(declare(tmp_path, "# Is it so?\nbase: [a.yaml]\nteacher: ''\n"))


def test_the_largest_seed_passes(tmp_path: Path) -> None:
    assert expand(declare(tmp_path, HEAD + "seeds: [0, 4294967295]\n")).runs[-1].seed == 2**32 - 1


def test_the_plan_does_not_hang_on_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    declared = declare(tmp_path, HEAD.replace("teacher: t", "teacher: exported/mini"))
    before = expand(declared)
    assert before.latency is not None
    assert before.latency.commands[0][3] == "exported/mini"
    (tmp_path / "exported" / "mini").mkdir(parents=True)
    assert expand(declared) == before


def test_a_model_is_timed_once(tmp_path: Path) -> None:
    models = "models: {one: {init_from: t}, two: {init_from: m}, other: {init_from: m, overrides: {x: 1}}}\n"
    latency = expand(declare(tmp_path, HEAD + "controls: []\n" + models)).latency
    assert latency is not None
    assert latency.commands[0][3:-2] == ("t", f"{tmp_path}/runs/s/exported/distilled_seed1", "m")


def test_an_empty_base_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="base: is empty"):
        expand(declare(tmp_path, "# Is it so?\nbase: []\nteacher: t\n"))


def test_a_study_may_grow_and_not_change(tmp_path: Path) -> None:
    def content(*options: str, text: str = FULL) -> Plan:
        plan = replace(expand(declare(tmp_path, text, *options)), configs={"a.yaml": "1"})
        read = plan_of(json.loads(json.dumps(plan.as_json())), tmp_path)
        assert read.as_json() == plan.as_json()
        return read

    before = content()
    assert differences(before, content("--seeds=[1,2]", "--arms.more=[--x=1]")) == {}
    changed = differences(before, content("--overrides+=--data.max_tokens=9"))
    assert changed["distil/copied_seed1"] == "had 'other arguments', has now '--data.max_tokens=9'"
    assert changed["nsmc/copied_seed1"] == f"was made from distil/copied_seed1, which {changed['distil/copied_seed1']}"
    assert "teacher/teacher_seed1" not in changed
    assert "nsmc/teacher_seed1" not in changed
    assert differences(before, content("--seeds=[2]"))["nsmc/teacher_seed1"] == "is gone"
    file = "configs/ablation/init_random.yaml"
    changed = differences(replace(before, configs={file: "1"}), replace(before, configs={file: "2"}))
    assert changed["distil/random_seed1"] == f"was made with {file}, which has changed"
    assert changed["nsmc/random_seed1"].startswith("was made from distil/random_seed1, which was made with ")
    assert {label.partition("/")[2] for label in changed} == {"random_seed1"}


def test_args_are_grouped_with_their_values() -> None:
    args = ["-c", "a.yaml", "--x=1", "--y", "-2", "--config=b.yaml"]
    assert group_args(args, "here") == [("-c", "a.yaml"), ("--x=1",), ("--y", "-2"), ("--config=b.yaml",)]
    assert option_values(args, "-c", "--config") == ["a.yaml", "b.yaml"]


@given(st.text(max_size=5))
def test_a_name_that_passes_can_be_a_folder(name: str) -> None:
    try:
        check_name(name, "here")
    except ValueError:
        return
    assert not set(name) & set('/\\:*?"<>| \0')
    assert Path(name).name == name
    assert not name.endswith(".")


def test_no_two_runs_share_a_log_or_a_lock(tmp_path: Path) -> None:
    """Arm `v2_base` of task `nsmc`, and arm `base` of task `nsmc_v2`."""
    text = SMALL.replace("copied:", "base:").replace("random:", "v2_base:")
    text = text.replace("then:", "then:\n  nsmc_v2: {configs: [configs/finetune/nsmc.yaml]}")
    runs = {run.label: run for run in expand(declare(tmp_path, text)).all_runs}
    assert {"nsmc/v2_base_seed1", "nsmc_v2/base_seed1"} <= runs.keys()
    assert runs["nsmc/v2_base_seed1"].log == "logs/nsmc/v2_base_seed1.log"
    assert len({run.log for run in runs.values()}) == len(runs)
