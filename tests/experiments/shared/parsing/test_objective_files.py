"""Objectives of several configuration files: merged by name, removed by null, replaced by another class."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments._shared.parsing.objective_files import ObjectiveFiles, merge_objectives

HEAD = "model:\n  class_path: Distillation\n  init_args:\n    objectives:\n"
BASE = f"""{HEAD}      soft: {{class_path: SoftTargets, init_args: {{weight: 0.3, on: real_tokens}}}}
      mlm: {{class_path: MaskedLM, init_args: {{weight: 0.2}}}}
"""


def merged(*contents: str | list[str]) -> Any:
    """The objectives of the last file, of files and of options between them."""
    files, found, words = ObjectiveFiles(), {}, list[str]()
    for number, content in enumerate(contents):
        if isinstance(content, list):
            words += content
        else:
            found = yaml.safe_load(merge_objectives(Path(f"{number}.yaml"), content, files, {}, words))
    return found["model"]["init_args"]["objectives"]


def change(text: str) -> str:
    return f"{HEAD}      {text}\n"


SOFT = {"class_path": "SoftTargets", "init_args": {"weight": 0.3, "on": "real_tokens"}}
MLM = {"class_path": "MaskedLM", "init_args": {"weight": 0.2}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mlm: {init_args: {weight: 0}}", {"soft": SOFT, "mlm": {**MLM, "init_args": {"weight": 0}}}),
        ("soft: {init_args: {on: masked_tokens}}",
         {"soft": {**SOFT, "init_args": {"weight": 0.3, "on": "masked_tokens"}}, "mlm": MLM}),
        ("soft: null", {"mlm": MLM}),
        ("mlm: {class_path: Other, init_args: {scale: 1}}",
         {"soft": SOFT, "mlm": {"class_path": "Other", "init_args": {"scale": 1}}}),
        ("new: {class_path: Other}", {"soft": SOFT, "mlm": MLM, "new": {"class_path": "Other"}}),
        ("mlm: {init_args: {weight: {start: 1, end: 0}}}",
         {"soft": SOFT, "mlm": {**MLM, "init_args": {"weight": {"start": 1, "end": 0}}}}),
    ],
)  # fmt: skip
def test_a_later_file_changes_objectives_by_name(text: str, expected: Any) -> None:
    assert merged(BASE, change(text)) == expected
    assert list(merged(BASE, change(text))) == list(expected)


FULL = "distilkobert.objectives.SoftTargets"


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("SoftTargets", FULL, True),
        (FULL, "SoftTargets", True),
        (FULL, "distilkobert.objectives.soft_targets.SoftTargets", True),
        ("gone.package.Own", "Own", True),
        ("gone.package.Own", "other.package.Own", False),
        ("SoftTargets", "gone.package.Own", False),
        ("SoftTargets", "fractions.Fraction", False),
        ("fractions.Fraction", "numbers.Fraction", False),
        ("collections.abc.Mapping", "typing.Mapping", False),
        ("SoftTargets", "HiddenMSE", False),
    ],
)
def test_a_class_in_another_spelling_keeps_its_settings(before: str, after: str, is_same: bool) -> None:
    base = f"{HEAD}      soft: {{class_path: {before}, init_args: {{weight: 0.3, on: real_tokens}}}}\n"
    found = merged(base, change(f"soft: {{class_path: {after}, init_args: {{weight: 0}}}}"))
    kept = {"on": "real_tokens"} if is_same else {}
    assert found == {"soft": {"class_path": after, "init_args": {"weight": 0, **kept}}}


OPTION = "--model.objectives.mlm.weight"


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ([f"{OPTION}=0.0"], "soft: {init_args: {weight: 1}}", {"weight": 0.0}),
        ([OPTION, "0.0"], "soft: {init_args: {weight: 1}}", {"weight": 0.0}),
        (["--model.init_args.objectives.mlm.init_args.weight=0.0"], "soft: null", {"weight": 0.0}),
        ([f"{OPTION}=0.0"], "mlm: {init_args: {weight: 1}}", {"weight": 1}),
        ([f"{OPTION}=0.0"], "mlm: {class_path: Other}", None),
        ([f"{OPTION}.start=1", f"{OPTION}.end=0"], "soft: null", {"weight": {"start": 1, "end": 0}}),
        ([f"{OPTION}={{start: 1, end: 0}}", f"{OPTION}.end=2"], "soft: null", {"weight": {"start": 1, "end": 2}}),
        (["--model.objectives.mlm.on=a: b: c"], "soft: null", {"weight": 0.2, "on": "a: b: c"}),
        (["--model.objectives.mlm=MaskedLM"], "soft: null", {"weight": 0.2}),
        (["--model.objectives.mlm={init_args: {on: 1}}"], "soft: null", {"weight": 0.2, "on": 1}),
        (["--trainer.max_steps=1"], "soft: null", {"weight": 0.2}),
    ],
)  # fmt: skip
def test_an_option_before_a_file_is_not_undone_by_it(words: list[str], text: str, expected: Any) -> None:
    assert merged(BASE, words, change(text))["mlm"].get("init_args") == expected


def test_options_between_files_add_and_change_in_their_order() -> None:
    new = ["--model.objectives.new.class_path=HiddenMSE", "--model.objectives.new.weight=3"]
    over = change("new: {init_args: {weight: 4}}")
    assert merged(BASE, new, change("soft: null"))["new"] == {"class_path": "HiddenMSE", "init_args": {"weight": 3}}
    assert merged(BASE, new, over, change("soft: null"))["new"]["init_args"] == {"weight": 4}
    assert list(merged(BASE, new, over)) == ["soft", "mlm", "new"]
    assert "new" not in merged(BASE, new[1:], change("soft: null")), "refused in the end: it has no class"


@pytest.mark.parametrize("option", ["--model.objectives.mlm=HiddenMSE", "--model.objectives.mlm.class_path=HiddenMSE"])
def test_a_class_that_an_option_changes_before_a_file_with_objectives_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match=rf"^{option} is before 2\.yaml, which has objectives: .*after all files"):
        merged(BASE, [option], change("soft: null"))
    files = ObjectiveFiles()
    merge_objectives(Path("base.yaml"), BASE, files, {})
    merge_objectives(Path("cpu.yaml"), "trainer: {}\n", files, {}, [option])


def test_two_overlays_of_unlike_objectives_may_come_in_either_order() -> None:
    one, two = change("soft: {init_args: {weight: 0}}"), change("mlm: {init_args: {weight: 1}}")
    assert merged(BASE, one, two) == merged(BASE, two, one)
    assert merged(BASE, one, two)["soft"]["init_args"]["weight"] == 0


def test_files_without_objectives_are_left_as_they_are() -> None:
    content = "# a comment\ntrainer:\n  max_steps: 1\nmodel:\n  init_args: {student: {init: random}}\n"
    files = ObjectiveFiles()
    merge_objectives(Path("base.yaml"), BASE, files, {})
    assert merge_objectives(Path("a.yaml"), content, files, {}) == content
    assert merge_objectives(Path("b.yaml"), "trainer: {}\n", files, {}) == "trainer: {}\n"


def test_files_above_a_command_and_of_a_command_are_merged_together() -> None:
    fit = ObjectiveFiles()
    above = "fit:\n" + "".join(f"  {line}\n" for line in BASE.splitlines())
    merge_objectives(Path("above.yaml"), above, ObjectiveFiles(), {"fit": fit})
    found = yaml.safe_load(merge_objectives(Path("b.yaml"), change("soft: {init_args: {weight: 0}}"), fit, {}))
    expected = {"soft": {**SOFT, "init_args": {"weight": 0, "on": "real_tokens"}}, "mlm": MLM}
    assert found["model"]["init_args"]["objectives"] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "mln: {init_args: {weight: 0}}",
            r"1\.yaml, line 5: there is no objective 'mln'; the files have soft, mlm; a new",
        ),
        ("mln: null", "the files have soft, mlm, so there is nothing to remove"),
        ("mlm: 0", r"1\.yaml, line 5: mlm: expected class_path and init_args below it, or null"),
    ],
)
def test_mistakes_name_file_line_and_the_known_objectives(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        merged(BASE, change(text))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "--model.objectives.cosin.weight=0",
            "there is no objective 'cosin'; the files have soft, mlm; a new one needs",
        ),
        ("--model.objectives.soft.weight=0", ""),
        ("--trainer.max_steps=1", ""),
    ],
)
def test_options_that_name_no_objective_are_explained(option: str, message: str) -> None:
    files = ObjectiveFiles()
    merge_objectives(Path("base.yaml"), BASE, files, {})
    found = files.refused([option])
    assert message in found
    assert bool(message) == bool(found)
    assert files.refused(["--model.objectives.new.class_path=A", "--model.objectives.new.weight=1"]).count("new") == 0
