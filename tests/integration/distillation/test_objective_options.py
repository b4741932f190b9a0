"""Objectives on the command line and in files: order of overlays, odd names, input that cannot work."""

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from torch import Tensor

from distilkobert.objectives import Batch, Objective, Outputs
from tests.support.networks.encoders import tiny_encoder
from tests.world import Run, World

BASE = "configs/distill/distilkobert.yaml"
HEAD = "model:\n  class_path: Distillation\n  init_args:\n    objectives:\n"


class WithoutNeeds(Objective):
    """A user's objective that does not say what it needs."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__(weight)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        return student.hidden[0].sum()


@pytest.fixture
def printed(run: Run, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `--print_config` says."""

    def call(*options: str, above: tuple[str, ...] = ()) -> str:
        from experiments.train import main

        with pytest.raises(SystemExit) as end:
            main([*above, "fit", *options, "--print_config"])
        said = capsys.readouterr()
        assert end.value.code == 0, said.err
        return said.out

    return call


def overlay(folder: Path, name: str, *lines: str, indent: str = "") -> str:
    path = folder / f"{name}.yaml"
    text = HEAD + "".join(f"      {line}\n" for line in lines)
    path.write_text("".join(f"{indent}{line}\n" for line in text.splitlines()), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "files",
    [
        ("configs/distill/plus.yaml", "configs/distill/tinybert.yaml"),
        ("configs/distill/plus.yaml", "configs/ablation/mlm_only.yaml"),
        ("configs/distill/attention.yaml", "configs/ablation/init_random.yaml"),
        ("configs/distill/minilm_v2.yaml", "configs/trainer/cpu.yaml"),
    ],
)
def test_shipped_overlays_may_come_in_either_order(files: tuple[str, str], printed: Callable[..., str]) -> None:
    texts = [printed("-c", BASE, *(word for file in order for word in ("-c", file))) for order in permutations(files)]
    assert texts[0] == texts[1]
    assert len({*texts, printed("-c", BASE), *(printed("-c", BASE, "-c", file) for file in files)}) == 4


def test_overlays_of_unlike_objectives_may_come_in_any_order(tmp_path: Path, printed: Callable[..., str]) -> None:
    files = [
        overlay(tmp_path, "weight", "cosine: {init_args: {weight: 0.05}}"),
        overlay(tmp_path, "fewer", "soft_target: {init_args: {on: masked_tokens}}", "masked_lm: null"),
        overlay(tmp_path, "schedule", "cosine: {init_args: {on: masked_tokens}}"),
    ]
    texts = {printed("-c", BASE, *(word for file in order for word in ("-c", file))) for order in permutations(files)}
    assert len(texts) == 1
    (text,) = texts
    assert "weight: 0.05" in text
    assert text.count("'on': masked_tokens") == 2
    assert "MaskedLM" not in text


def test_an_option_counts_where_it_is_among_the_files(tmp_path: Path, printed: Callable[..., str]) -> None:
    other = ("-c", overlay(tmp_path, "other", "soft_target: {init_args: {weight: 0.05}}"))
    own = ("-c", overlay(tmp_path, "own", "cosine: {class_path: HiddenCosine, init_args: {weight: 0.7}}"))
    options = ("--model.objectives.cosine.weight=0.0", "--model.objectives.cosine.on=masked_tokens")
    after = printed("-c", BASE, *other, *options)
    assert printed("-c", BASE, *options, *other) == after
    assert printed("-c", BASE, options[0], *other, options[1]) == after
    later = printed("-c", BASE, *options, *own)
    assert "weight: 0.7" in later
    assert later.count("'on': masked_tokens") == 1


def test_settings_below_the_commands_name_are_merged_as_well(tmp_path: Path, printed: Callable[..., str]) -> None:
    """A file before the command holds its settings below `fit`; it and those behind the command are one row."""
    content = Path(BASE).read_text(encoding="utf-8")
    (tmp_path / "above.yaml").write_text("fit:\n" + "".join(f"  {line}\n" for line in content.splitlines()))
    names = ("cosine: {init_args: {weight: 0.05}}", "masked_lm: {init_args: {weight: 0.9}}")
    below = [overlay(tmp_path, f"below{place}", line) for place, line in enumerate(names)]
    above = []
    for place, line in enumerate(names):
        path = Path(overlay(tmp_path, f"above{place}", line, indent="  "))
        path.write_text("fit:\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
        above.append(str(path))
    expected = printed("-c", BASE, "-c", below[0], "-c", below[1])
    assert "weight: 0.05" in expected
    assert "weight: 0.9" in expected
    base = ("-c", str(tmp_path / "above.yaml"))
    assert printed(above=(*base, "-c", above[0], "-c", above[1])) == expected
    assert printed(above=(*base, "-c", above[1], "-c", above[0])) == expected
    assert printed("-c", below[0], above=(*base, "-c", above[1])) == expected
    assert printed("-c", below[1], "-c", below[0], above=base) == expected


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["cosine: {init_args: {weight: 1}}", "masked_lm: null", "cosine: {init_args: {weight: 0}}"],
         "line 7: model.objectives.cosine occurs twice, first in line 5; remove one"),
        (["own: {class_path: MaskedLM}", "own: {class_path: HiddenCosine}"],
         "line 6: model.objectives.own occurs twice, first in line 5; remove one"),
        (["cosin: {init_args: {weight: 0}}"],
         "line 5: there is no objective 'cosin'; the files have soft_target, masked_lm, cosine; a new one needs class"),
        (["cosin: null"],
         "line 5: there is no objective 'cosin'; the files have soft_target, masked_lm, cosine, so there is nothing"),
        (["own: {class_path: HiddenCosin}"], "AttentionTransfer, HiddenCosine, HiddenMSE, LogitsMSE, MaskedLM"),
        (["own: {class_path: HiddenCosin}"], "got HiddenCosin; did you mean HiddenCosine?"),
        (["own: {class_path: torch.nn.Linear}"], "torch.nn.Linear does not correspond to a subclass of Objective"),
        (["own: {class_path: tests.integration.distillation.test_objective_options.WithoutNeeds}"],
         "test_objective_options.WithoutNeeds is abstract: it defines no needs"),
        (["cosine: {init_args: {weight: lots}}"], "cosine: weight: expected float or LinearSchedule, got lots"),
        (["h: {class_path: HiddenMSE, init_args: {layers: [3]}}"],
         "HiddenMSE: layers: expected uniform, last, or pairs [[student, teacher], ...], got [3]"),
        (["cosine: {init_args: {weight: {start: 1}}}"], "weight: LinearSchedule: the following arguments are required"),
        (["cosine: {init_args: {weight: {start: 1, ende: 0}}}"], "LinearSchedule: Option 'ende' is not accepted"),
    ],
)  # fmt: skip
def test_what_cannot_be_parsed_is_named(
    lines: list[str], words: str, world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run("fit", world.distil(tmp_path / "runs", "-c", overlay(tmp_path, "overlay", *lines)))
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert words.lower() in said.lower()
    assert len(said.splitlines()) == 2
    assert not (tmp_path / "runs").exists()


ATTENTION = "a: {class_path: AttentionTransfer, init_args: {layers: %s}}"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["cosine: {init_args: {weight: {start: 1, end: 0, begin: 0.8, until: 0.2}}}"],
         "--model.objectives.cosine.weight: schedule begin=0.8, until=0.2: expected shares of training with 0"),
        (["cosine: {init_args: {weight: -1}}"], "--model.objectives.cosine.weight=-1.0: expected a finite number"),
        (["soft_target: {init_args: {temperature: {start: 2, end: 0}}}"],
         "--model.objectives.soft_target.temperature=0.0: expected"),
        (["soft_target: {init_args: {weight: 0}}", "masked_lm: {init_args: {weight: {start: 0, end: 0}}}",
          "cosine: null"], "objectives: all weights are 0 (soft_target, masked_lm)"),
        ([ATTENTION % "[[0, 12]]"], "objective a: layer map [[0, 12]]: the teacher has layers 0 to 11, not 12"),
        ([ATTENTION % "[[0, 3], [1, 7], [2, 10], [3, 11]]"], "the student has layers 0 to 2, not 3"),
        ([ATTENTION % "[[0, 3, 7]]"], "layer map [[0, 3, 7]]: expected uniform, last, or a list of [student layer,"),
        ([ATTENTION % "[]"], "layer map []: expected uniform, last, or a list"),
        (["r: {class_path: RelationTransfer, init_args: {heads: 3}}"],
         "objective r: heads=3 relation heads do not divide the width 16 of the student"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_leave_no_folder(
    lines: list[str], words: str, world: World, run: Run, tmp_path: Path
) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are compared as they are
        run("fit", world.distil(tmp_path / "runs", "-c", overlay(tmp_path, "overlay", *lines)))
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("family", "head", "line", "words"),
    [
        ("bert", False, None, "the checkpoint has no trained masked-LM head"),
        ("bert", False, "l: {class_path: LogitsMSE}", "objectives that need no logits"),
        ("deberta-v2", True, ATTENTION % "last", "objective a needs query, key and value, which the "),
        ("deberta-v2", True, "r: {class_path: RelationTransfer, init_args: {heads: 2}}", "use an objective on hidden "),
    ],
)  # fmt: skip
def test_networks_that_do_not_give_what_is_needed_leave_no_folder(
    family: str, head: bool, line: str | None, words: str, world: World, run: Run, tmp_path: Path
) -> None:
    tiny_encoder(family, head=head, vocab_size=600, positions=80).save_pretrained(tmp_path / "teacher")
    none = [f"{name}: null" for name in ("soft_target", "masked_lm", "cosine")]
    student = ["--model.student.architecture=same", "--model.student.layers=[0,1]"]
    student += ["--model.student.freeze_positions=false"] if family == "deberta-v2" else []
    lines = ["-c", overlay(tmp_path, "overlay", *none, line)] if line else []
    with pytest.raises(ValueError) as error:  # noqa: PT011
        run("fit", world.distil(tmp_path / "runs", *lines, *student, f"--model.teacher={tmp_path / 'teacher'}"))
    assert words in str(error.value)
    assert not (tmp_path / "runs").exists()
