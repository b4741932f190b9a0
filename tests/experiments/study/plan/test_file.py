"""A study file is refused with its line or key named, and its variables are filled in."""

from pathlib import Path

import pytest

from experiments.study.plan.declaration import SearchRange, TeacherPart
from experiments.study.plan.parsing import parse_study
from tests.support.studies.texts import FULL, SMALL, declare

HEAD = "# Is it so?\nbase: [a.yaml]\nteacher: t\n"


def test_a_file_is_read_with_its_question_and_name(tmp_path: Path) -> None:
    declared = declare(tmp_path, FULL, "--workers=2", name="starts")
    assert (declared.question, declared.name, declared.settings.workers) == ("Does the start matter?", "starts", 2)
    assert isinstance(declared.study.teacher, TeacherPart)
    assert declared.study.arms == {"copied": [], "random": ["-c", "configs/ablation/init_random.yaml"]}
    assert declared.study.controls == ["teacher", "undistilled"]
    assert not declared.dry_run


def test_the_command_line_wins(tmp_path: Path) -> None:
    options = ("--seeds=[4,5]", "--overrides+=--data.max_tokens=9", "--name=other", "--dry_run")
    declared = declare(tmp_path, SMALL, *options)
    assert declared.study.seeds == [4, 5]
    assert declared.study.overrides == ["--data.max_tokens=9"]
    assert (declared.name, declared.dry_run) == ("other", True)


def test_an_option_removes_a_part_as_null_does_in_a_file(tmp_path: Path) -> None:
    study = declare(tmp_path, SMALL, "--then.nsmc=null", "--arms.random=null", "--metric=null").study
    assert (study.then, list(study.arms)) == ({}, ["copied"])
    with pytest.raises(ValueError, match=r"^--then\.nsmcc=null: there is no then\.nsmcc to remove; there are nsmc$"):
        declare(tmp_path, SMALL, "--then.nsmcc=null")


def test_variables_are_filled_in_and_may_use_each_other(tmp_path: Path) -> None:
    text = (
        "# Is it so?\nvariables: {corpus: $data/c, data: data, task: nsmc, n: 3}\nbase: [a.yaml]\nteacher: $data/t\n"
        "overrides: {data.data_dir: $corpus, n: $n, price: $$1}\nthen: {$task: {configs: ['x/${task}_plus.yaml']}}\n"
    )
    study = declare(tmp_path, text, "--variables.data=/x").study
    assert study.overrides == ["--data.data_dir=/x/c", "--n=3", "--price=$1"]
    assert study.teacher == "/x/t"
    assert study.then["nsmc"].configs == ["x/nsmc_plus.yaml"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("base: [a.yaml]\nteacher: t\n", (), r"line 1: expected a comment with the study's question"),
        ("#\nbase: [a.yaml]\nteacher: t\n", (), r"line 1: expected a comment"),
        (HEAD + "arms: {a: {}, b: {}, a: {x: 1}}\n", (), r"line 4: arms.a occurs twice, first in line 4; remove one"),
        (HEAD + "arms:\n  a: {}\n  b: {}\n  a: {}\n", (), r"line 7: arms.a occurs twice, first in line 5"),
        (HEAD + "arms:\n  no: []\n", (), r"line 5: YAML reads the key no not as text; put it in quotes"),
        (HEAD + "arms:\n  1: []\n", (), r"line 5: YAML reads the key 1 not as text"),
        (HEAD + "armz: {}\n", (), r"s.yaml, line 4: no key 'armz'; did you mean arms\?"),
        (HEAD + "colour: {}\n", (), r"s.yaml, line 4: no key 'colour'; there are root, .*arms"),
        (HEAD + "then:\n  nsmc:\n    config: [a]\n", (), r"s.yaml, line 6: .*'config' is not accepted"),
        (HEAD + "seeds: [one]\n", (), r"s.yaml, line 4: seeds: expected an integer, got 'one'"),
        (
            HEAD + "controls: [students]\n",
            (),
            r"line 4: controls: expected teacher, undistilled or mlm_only, got students",
        ),
        (HEAD + "arms: [a\n", (), r"s.yaml, line 4: not YAML"),
        ("# Is it so?\n", (), r"s.yaml: found comments only; expected settings"),
        ("# Is it so?\nbase: [a.yaml]\n", (), r"required: teacher"),
        (HEAD, ("--sedes=[1]",), r"unrecognized arguments: --sedes"),
        (HEAD, ("--workers=0",), r"--workers=0: must be 1 or more"),
        (HEAD, ("--name=a/b",), r"'a/b' cannot be a folder name"),
        (HEAD + "overrides: {data.data_dir: $corpus}\n", (), r"overrides: \$corpus in .* is no variable; .*: none"),
        (HEAD + "overrides: {x: 5$}\n", (), r"write \$\$ for a plain"),
        (HEAD + "variables: {a: $b, b: $a}\n", (), r"variables.a: it uses itself, by way of a and b"),
        (HEAD + "arms: {a: {--x: 1}}\n", (), r"line 4: arms.a: write the option --x without dashes, as `x: VALUE`"),
        (HEAD + "arms: {a: {-c: f}}\n", (), r"arms.a: write the option -c without dashes, as `configs: VALUE`"),
        (HEAD + "arms:\n  a: {trainer: {max_steps: 3}}\n", (), r"line 5: arms.a.trainer: .*`trainer.max_steps: VALUE`"),
        (HEAD + "arms: {a: {x: }}\n", (), r"arms.a.x: has no value; write null"),
        (HEAD + "arms: {a: 3}\n", (), r"arms.a: expected options as {option: value}, found '3'"),
        (HEAD + "arms: {a: {configs: [{b: 1}]}}\n", (), r"arms.a.configs: expected config files"),
        (
            HEAD,
            ("--variables.corpus=/x",),
            r"s.yaml: variables.corpus: nothing uses it; write \$corpus where it belongs",
        ),
        (HEAD + "search: {trials: 2, options: {a: {low: 2, high: 1}}}\n", (), r"needs low < high"),
    ],
)
def test_what_is_wrong_is_refused(text: str, options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"(?s){message}"):
        declare(tmp_path, text, *options)


def test_a_recipe_is_not_a_study() -> None:
    with pytest.raises(
        ValueError, match=r"keys model, data, trainer\), not a study; .*train fit -c configs/distill/dis"
    ):
        parse_study(["--config", "configs/distill/distilkobert.yaml"])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.yaml: no such file"):
        parse_study(["--config", str(tmp_path / "nowhere.yaml")])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "either low and high, or choices"),
        ({"low": 1}, "either low and high, or choices"),
        ({"low": 1, "high": 2, "choices": [1, 2]}, "either low and high, or choices"),
        ({"low": 0, "high": 2, "log": True}, "needs low > 0"),
        ({"choices": [1]}, "two choices or more"),
    ],
)
def test_a_range_has_two_ends_or_choices(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SearchRange(**values)  # type: ignore[arg-type]
