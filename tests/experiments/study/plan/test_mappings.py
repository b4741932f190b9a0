"""Options of a study file are the words of a command line, also when they are written back, and files share keys."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments._shared.plan_file import Plan
from experiments.study.plan.expand import expand
from experiments.study.plan.folder import write_study
from experiments.study.plan.mappings import from_words, merge_words, read_options, to_words
from experiments.study.plan.parsing import parse_study
from tests.support.studies.texts import declare

HEAD = "# Is it so?\nbase: [configs/distill/distilkobert.yaml]\nteacher: {configs: [p.yaml]}\n"
LISTS = {
    "overrides": ["--data.data_dir=c", "--model.optimizer.lr=7.0e-4", "--trainer.check_val_every_n_epoch=null"],
    "machine": ["-c", "configs/trainer/cpu.yaml"],
    "arms.full": [],
    "arms.first": ["--model.student.layers=[0,1,2]"],
    "arms.soft": ["-c", "a.yaml", "-c", "b.yaml", "--model.objectives.x.class_path=SoftTargets", "--x.weight=1.0"],
    "arms.late": ["--x=1", "-c", "a.yaml", "--x=2"],
    "teacher.overrides": ["--trainer.callbacks+=EarlyStopping"],
}
NEW = """overrides: {data.data_dir: c, model.optimizer.lr: 7.0e-4, trainer.check_val_every_n_epoch: null}
machine: {configs: [configs/trainer/cpu.yaml]}
arms:
  full: {}
  first: {model.student.layers: [0,1,2]}
  soft:
    configs: [a.yaml, b.yaml]
    model.objectives.x.class_path: SoftTargets
    x.weight: 1.0
  late: [{x: 1}, {configs: a.yaml, x: 2}]
"""
_WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
_OPTION = st.builds(
    lambda name, value: [f"--{name}={value}"], st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,3})?", fullmatch=True), _WORD
)
_FILE = st.builds(lambda name: ["-c", f"{name}.yaml"], st.from_regex(r"[a-z/]{1,6}", fullmatch=True))


def plan_of(folder: Path, text: str, *options: str) -> Plan:
    return expand(declare(folder, text, *options))


def test_mappings_plan_what_the_words_planned(tmp_path: Path) -> None:
    """The trainer's words themselves, given on the command line, against the file's mappings."""
    words = [f"--{key}={yaml.safe_dump(value, default_flow_style=True).strip()}" for key, value in LISTS.items()]
    teacher = "teacher: {configs: [p.yaml], overrides: {trainer.callbacks+: EarlyStopping}}"
    old = plan_of(tmp_path, HEAD, *words)
    new = plan_of(tmp_path, HEAD.replace("teacher: {configs: [p.yaml]}", teacher) + NEW)
    assert len(new.runs) == 7
    assert new == old


@given(st.lists(st.one_of(_OPTION, _FILE), max_size=6))
def test_any_words_survive_being_written_and_read(groups: list[list[str]]) -> None:
    words = [word for group in groups for word in group]
    mappings = from_words(words, "here")
    assert to_words(mappings) == words
    text = yaml.safe_dump(mappings, allow_unicode=True, sort_keys=False, width=120)
    nodes = yaml.compose(text, Loader=yaml.SafeLoader).value
    assert to_words([read_options(node, text, "here") for node in nodes]) == words


def test_the_study_s_own_record_can_be_started(tmp_path: Path) -> None:
    options = ("--overrides+=-c", "--overrides+=later.yaml", "--overrides+=--data.data_dir=$$d")
    declared = declare(tmp_path, HEAD + NEW, *options)
    write_study(tmp_path / "runs" / "s", declared, expand(declared))
    again = parse_study(["--config", str(tmp_path / "runs" / "s" / "study.yaml")])
    assert again.study == declared.study
    assert expand(again) == expand(declared)


def test_a_study_takes_keys_of_a_shared_file_and_its_own_win(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.yaml").write_text(
        "variables: {data: d, task: nsmc}\noverrides: {x: 1, y: 2}\nseeds: [1, 2]\nmachine: {configs: [m.yaml]}\n"
        "then:\n  $task: {configs: [n.yaml], overrides: {data.data_dir: $data/n}}\n  gone: {configs: [g.yaml]}\n",
        encoding="utf-8",
    )
    (tmp_path / "shared" / "more.yaml").write_text(
        "shared: base.yaml\nvariables: {root: r, data: $root/d}\nbase: [b.yaml]\nteacher: t\n", encoding="utf-8"
    )
    study = declare(
        tmp_path,
        "# Is it so?\nshared: shared/more.yaml\nseeds: [3]\noverrides: {y: 3, z: 4}\nmachine: {configs: [own.yaml]}\n"
        "then: {gone: null, $task: {seeds: [5], overrides: {w: 6}}}\n",
        "--variables.task=other",
    ).study
    assert (study.base, study.teacher, study.seeds) == (["b.yaml"], "t", [3])
    assert study.overrides == ["--x=1", "--y=3", "--z=4"]
    assert study.machine == ["-c", "m.yaml", "-c", "own.yaml"]
    (task,) = study.then.items()
    assert task[0] == "other"
    assert (task[1].configs, task[1].seeds) == (["n.yaml"], [5])
    assert task[1].overrides == ["--data.data_dir=r/d/n", "--w=6"]


@pytest.mark.parametrize(
    ("shared", "message"),
    [
        (None, r"s.yaml, line 2: shared: .*shared.yaml: no such file"),
        ("- a\n", r"shared.yaml: found a sequence; expected settings"),
        ("armz: {}\n", r"shared.yaml, line 1: no key 'armz'"),
        ("arms: {a: [--x=1]}\n", r"shared.yaml, line 1: arms.a: expected options as {option: value}, found '--x=1'"),
        ("shared: s.yaml\n", r"shared.yaml, line 1: shared: .*s.yaml shares this file itself"),
    ],
)
def test_a_shared_file_that_is_wrong_is_named(shared: str | None, message: str, tmp_path: Path) -> None:
    if shared is not None:
        (tmp_path / "shared.yaml").write_text(shared, encoding="utf-8")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        declare(tmp_path, "# Is it so?\nshared: shared.yaml\nbase: [b.yaml]\nteacher: t\n")


def test_merged_options_keep_their_places() -> None:
    first, then = ["--a=1", "-c", "x", "--b=2"], ["-c", "y", "--b=3", "--c=4"]
    assert merge_words(first, then) == ["--a=1", "-c", "x", "-c", "y", "--b=3", "--c=4"]
    assert merge_words(["--l+=1", "--a=1"], ["--l+=2"]) == ["--l+=1", "--a=1", "--l+=2"]
    twice = ["--b=3", "--b=4"]
    assert merge_words(first, twice) == [*first, *twice]
