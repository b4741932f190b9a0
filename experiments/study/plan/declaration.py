"""What a study file may say: one frozen dataclass for each group of keys. docs/studies.md describes them by example.

The classes are the schema of the YAML and of the command line (`parsing.py`); what becomes of
them is `expand.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Args = list[str]
Control = Literal["teacher", "undistilled", "mlm_only"]
CONTROLS: tuple[Control, ...] = ("teacher", "undistilled", "mlm_only")


@dataclass(frozen=True)
class CorpusPart:
    """A corpus prepared once, before anything else.

    Args:
        input: text files or globs.
        tokenizer: folder or hub name: KoBERT's, or any fast tokenizer of transformers.
        options: further options of `experiments.prepare corpus`.
    """

    input: list[str]
    tokenizer: str
    options: Args = field(default_factory=list)


@dataclass(frozen=True)
class TeacherPart:
    """A teacher pretrained and exported once.

    Args:
        configs: config files of the pretraining.
        overrides: options of the pretraining.
        seed: seed of the pretraining; by default the study's first.
    """

    configs: list[str]
    overrides: Args = field(default_factory=list)
    seed: int | None = None


@dataclass(frozen=True)
class TaskDistilPart:
    """Distillation on the task: the teacher fine-tuned on it teaches the exports of some arms.

    Each of these arms gets a row NAME+task_distil. All learn from one run, the teacher's fine-tuning with
    `teacher_seed`: a seed fixed in advance, not the best one.

    Args:
        configs: config files on top of the task's, for example configs/finetune/distil.yaml.
        overrides: options on top of the task's.
        arms: students and controls that are distilled; by default the declared arms of the task.
        teacher_seed: seed of the fine-tuned teacher; by default the teacher's first on this task.
    """

    configs: list[str]
    overrides: Args = field(default_factory=list)
    arms: list[str] | None = None
    teacher_seed: int | None = None


@dataclass(frozen=True)
class TaskPart:
    """A fine-tuning recipe for the exports of the arms.

    Args:
        configs: config files of the fine-tuning.
        overrides: options of the fine-tuning.
        seeds: seeds of the fine-tuning; by default those of the arm. A seed without a distillation starts from the
            arm's first export.
        arms: arms that are fine-tuned on it, including `teacher`; by default all.
        distil: distillation on the task, in addition to plain fine-tuning.
        arm_fine_tuning: options of single arms on this task, which win over all others.
    """

    configs: list[str]
    overrides: Args = field(default_factory=list)
    seeds: list[int] | None = None
    arms: list[str] | None = None
    distil: TaskDistilPart | None = None
    arm_fine_tuning: dict[str, Args] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelPart:
    """A model that is fine-tuned without distillation, such as a multilingual encoder with its own vocabulary.

    Args:
        init_from: its folder, checkpoint or hub id.
        overrides: options on top of those of every task, such as its tokenizer.
    """

    init_from: str
    overrides: Args = field(default_factory=list)


@dataclass(frozen=True)
class SearchRange:
    """Values of one option: from `low` to `high`, whole numbers where both are whole, or one of `choices`.

    Args:
        low: smallest value.
        high: largest value.
        log: draw on a logarithmic scale.
        choices: the values themselves, instead of two ends.
    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: list[str | int | float | bool] | None = None

    def __post_init__(self) -> None:
        ends = self.low is not None and self.high is not None
        if ends == (self.choices is not None) or (self.low is None) != (self.high is None):
            raise ValueError(f"a search range has either low and high, or choices; found {self}")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"a search range needs low < high; found low={self.low}, high={self.high}")
        if self.log and (self.low is None or self.low <= 0):
            raise ValueError(f"a search range with log needs low > 0; found low={self.low}")
        if self.choices is not None and len(self.choices) < 2:
            raise ValueError(f"a search range needs two choices or more; found {self.choices}")


@dataclass(frozen=True)
class SearchPart:
    """Points proposed by Optuna's TPE, each distilled and fine-tuned like an arm, with the study's first seed.

    Args:
        trials: number of points to propose.
        options: name of an option of `experiments.train`, without dashes, and its range: `low` and `high`, or
            `choices`.
        direction: whether to maximize or minimize `metric`; by default losses are minimized, all else maximized.
        seed: seed of the proposals.
    """

    trials: int
    options: dict[str, SearchRange]
    direction: Literal["maximize", "minimize"] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Study:
    """What is compared, on what, how often.

    Args:
        base: config files of the distillation that all arms share.
        teacher: folder, checkpoint or hub id of the teacher, or how to pretrain one.
        overrides: options of the distillation for all arms.
        arms: name of an arm, and the arguments that it adds to the base: `-c FILE`, `--option=value`.
        axes: name of an axis, its labels, and their arguments; every arm is multiplied by all combinations.
        seeds: seeds of every arm.
        arm_seeds: seeds of single arms, instead of `seeds`.
        then: name of a task, and how the exports of the arms are fine-tuned on it.
        arm_fine_tuning: options of single arms' fine-tunings, also of `teacher`, which win over those of every task.
        models: name of a row, and a model that is fine-tuned without distillation.
        controls: arms that are added: the teacher, the student without distillation, masked LM alone.
        base_arm: reference arm of the comparisons; by default the first.
        corpus: corpus to prepare first; without it `overrides` name a prepared corpus.
        machine: options added to every training, such as devices and precision.
        metric: score shown for every arm at the end, which a search optimizes, as STAGE/KEY of a metrics.json:
            `nsmc/test/accuracy`, `distil/val/loss`. A search takes held-out data only.
        search: values to search, in addition to the arms.
        latency: measure the latency of all exports at the end.
        variables: values that replace `$name` in the file.
    """

    base: list[str]
    teacher: str | TeacherPart
    overrides: Args = field(default_factory=list)
    arms: dict[str, Args] = field(default_factory=dict)
    axes: dict[str, dict[str, Args]] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=lambda: [1])
    arm_seeds: dict[str, list[int]] = field(default_factory=dict)
    then: dict[str, TaskPart] = field(default_factory=dict)
    arm_fine_tuning: dict[str, Args] = field(default_factory=dict)
    models: dict[str, ModelPart] = field(default_factory=dict)
    controls: list[Control] = field(default_factory=lambda: list(CONTROLS))
    base_arm: str | None = None
    corpus: CorpusPart | None = None
    machine: Args = field(default_factory=list)
    metric: str | None = None
    search: SearchPart | None = None
    latency: bool = True
    variables: dict[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """How a study is started.

    Args:
        root: folder of all studies.
        name: name of the study and of its folder; by default that of the file.
        workers: number of runs at a time.
        only: shell patterns of labels, separated by commas, for example `nsmc/*,*/triple_loss_*`: run only these and
            what they need.
    """

    root: str = "runs"
    name: str | None = None
    workers: int = 1
    only: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"--workers={self.workers}: must be 1 or more")


@dataclass(frozen=True)
class Declared:
    """A study file as read.

    Args:
        question: the comment in its first line.
        name: name of the study and of its folder.
        study: its keys, with every `$name` filled in.
        settings: how it is started.
        dry_run: print the command lines and write plan.json, start nothing.
        file: the study file.
        lines: line of each of its keys, by the key's full name.
    """

    question: str
    name: str
    study: Study
    settings: Settings
    dry_run: bool = False
    file: Path = Path()
    lines: Mapping[str, int] = field(default_factory=dict)
