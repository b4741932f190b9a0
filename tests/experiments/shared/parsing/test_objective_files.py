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


def merged(*contents: str) -> Any:
    files, found = ObjectiveFiles(), {}
    for number, content in enumerate(contents):
        found = yaml.safe_load(merge_objectives(Path(f"{number}.yaml"), content, files, {}))
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


def test_the_old_form_becomes_objectives() -> None:
    old = (
        "model:\n  init_args:\n    losses: {cosine: 0.0, masked_lm: 1, temperature: 4, soft_target_on: masked_tokens}\n"
    )
    objectives = merged(old)
    assert {name: entry["init_args"]["weight"] for name, entry in objectives.items()} == {
        "soft_target": 0.33, "masked_lm": 1, "cosine": 0.0,
    }  # fmt: skip
    assert objectives["soft_target"] == {
        "class_path": "distilkobert.objectives.SoftTargets",
        "init_args": {"weight": 0.33, "temperature": 4, "on": "masked_tokens"},
    }


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


def test_an_unknown_old_setting_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.yaml, line 3: losses\.cosin: unknown; the old settings are soft_target"):
        merged("model:\n  init_args:\n    losses: {cosin: 0.0}\n")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--model.losses.cosine=0", "it is now --model.objectives.cosine.weight"),
        ("--model.init_args.losses.soft_target_on=x", "it is now --model.objectives.soft_target.on"),
        ("--model.losses.x=0", "its settings were soft_target, masked_lm, cosine, temperature, soft_target_on"),
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
