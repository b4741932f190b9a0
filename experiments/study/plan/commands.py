"""The command lines of a study's runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments._shared.exported.latency_file import LATENCY_FILE
from experiments._shared.parsing.words import CONFIG_OPTIONS
from experiments._shared.plan_file import CORPUS, DISTIL, LATENCY, TEACHER, Arm, Command, PlannedRun
from experiments.study.plan.arms import check_seeds, distilled_on, seeds_of
from experiments.study.plan.declaration import Study
from experiments.study.plan.mappings import merge_words

BEST_CHECKPOINT = "checkpoints/best.ckpt"
"""What a fine-tuning leaves in its folder to be tested, and to teach."""


@dataclass(frozen=True)
class Commands:
    """Makes runs of one study.

    Args:
        study: the declaration.
        folder: the study's folder, as the command lines have it.
    """

    study: Study
    folder: str

    def corpus(self) -> list[PlannedRun]:
        """The preparation of the corpus, if the study has one."""
        part = self.study.corpus
        if part is None:
            return []
        args = ("--input", *part.input, f"--tokenizer={part.tokenizer}", f"--output={self._corpus_folder}")
        command = ("experiments.prepare", "corpus", *args, *part.options)
        return [PlannedRun(CORPUS, CORPUS, self.study.seeds[0], (command,))]

    def teacher(self) -> list[PlannedRun]:
        """The pretraining of the teacher, if the study has one."""
        part = self.study.teacher
        if isinstance(part, str):
            return []
        seed = self.study.seeds[0] if part.seed is None else check_seeds([part.seed], "teacher.seed")[0]
        args = (*self._corpus_args, *part.overrides)
        needs = tuple(run.label for run in self.corpus())
        return [self._exporting(TEACHER, TEACHER, seed, part.configs, args, needs)]

    def distillation(self, arm: Arm, seed: int) -> PlannedRun:
        """One arm, distilled with one seed."""
        teacher = f"--model.teacher={self._teacher_source}"
        args = (*self._corpus_args, *self.study.overrides, teacher, *arm.args)
        needs = tuple(run.label for run in (*self.corpus(), *self.teacher()))
        return self._exporting(DISTIL, arm.name, seed, self.study.base, args, needs)

    def fine_tunings(self, arm: Arm, exports: Mapping[tuple[str, int], PlannedRun]) -> Iterator[PlannedRun]:
        """All tasks of one arm, from its exports; plain, or taught by the teacher that was fine-tuned on the task.

        Raises:
            ValueError: see `check_seeds`; or the study has no such fine-tuned teacher.
        """
        for task, part in self.study.then.items():
            configs, args = part.configs, part.overrides
            taught_by: tuple[str, ...] = ()
            if arm.taught_from is not None:
                if part.distil is None or arm.taught_from not in distilled_on(self.study, part):
                    continue
                teacher = self._fine_tuned_teacher(task, part.distil.teacher_seed)
                configs = [*configs, *part.distil.configs]
                args = [*args, *part.distil.overrides, f"--model.teacher={self.folder}/{teacher}/{BEST_CHECKPOINT}"]
                taught_by = (teacher,)
            elif part.arms is not None and arm.name not in part.arms:
                continue
            for words in (arm.fine_tuning, arm.task_fine_tuning.get(task, ())):
                if any(word in CONFIG_OPTIONS for word in words):  # its files win over the task's options too
                    args = [*args, *words]
                elif words:
                    args = merge_words(args, words)
            for seed in self._task_seeds(task, arm.seeds):
                source, needs = self._start(arm, seed, exports)
                own = arm.args if arm.init_from is not None else ()
                init = f"--model.init_from={source}"
                fit, place = self._fit(task, arm.name, seed, configs, (*args, *own, init))
                best = f"--ckpt_path={place}/{BEST_CHECKPOINT}"
                test = ("experiments.train", "test", "-c", f"{place}/config.yaml", best)
                yield PlannedRun(task, arm.name, seed, (fit, test), (*needs, *taught_by), machine=self._machine)

    def _task_seeds(self, task: str, of_arm: tuple[int, ...]) -> tuple[int, ...]:
        seeds = self.study.then[task].seeds
        return of_arm if seeds is None else check_seeds(seeds, f"then.{task}.seeds")

    def _start(self, arm: Arm, seed: int, exports: Mapping[tuple[str, int], PlannedRun]) -> tuple[str, tuple[str, ...]]:
        """What a fine-tuning starts from, and the runs that make it."""
        if arm.init_from is not None:
            return arm.init_from, ()
        if arm.name == TEACHER:
            return self._teacher_source, tuple(run.label for run in self.teacher())
        source = arm.taught_from or arm.name
        first = next(seed for name, seed in exports if name == source)
        start = exports.get((source, seed)) or exports[source, first]
        return f"{self.folder}/{start.export}", (start.label,)

    def _fine_tuned_teacher(self, task: str, seed: int | None) -> str:
        """Label of the teacher's fine-tuning on a task, the first or that of a seed."""
        part, key = self.study.then[task], f"then.{task}.distil"
        if TEACHER not in self.study.controls or (part.arms is not None and TEACHER not in part.arms):
            where = "controls" if TEACHER not in self.study.controls else f"then.{task}.arms"
            raise ValueError(
                f"{key}: the study does not fine-tune its teacher on {task}, and students learn from that run; add "
                f"`{TEACHER}` to {where}"
            )
        seeds = self._task_seeds(task, seeds_of(self.study, TEACHER))
        if seed is not None and seed not in seeds:
            known = ", ".join(map(str, seeds))
            raise ValueError(f"{key}.teacher_seed: {seed} is not a seed of the teacher on {task}; it has {known}")
        return f"{task}/{TEACHER}_seed{seeds[0] if seed is None else seed}"

    def latency(self, exports: Mapping[tuple[str, int], PlannedRun], arms: Sequence[Arm]) -> PlannedRun:
        """The teacher and the first export of each arm, measured side by side in one process.

        What is not a folder when it is measured is left out: a teacher on the hub or in a checkpoint, an export whose
        run failed.
        """
        firsts = [exports[arm.name, arm.seeds[0]] for arm in arms if arm.is_distilled]
        models = [self._teacher_source, *(f"{self.folder}/{run.export}" for run in firsts)]
        models += [arm.init_from for arm in arms if arm.init_from is not None]
        output = f"--output={self.folder}/{LATENCY_FILE}"
        command = ("experiments.bench", "latency", "--models", *dict.fromkeys(models), output, "--skip_missing=true")
        needs = tuple(run.label for run in (*self.teacher(), *firsts))
        return PlannedRun(LATENCY, "exports", self.study.seeds[0], (command,), needs)

    @property
    def _machine(self) -> Command:
        return tuple(self.study.machine)

    @property
    def _corpus_folder(self) -> str:
        return f"{self.folder}/{CORPUS}/{CORPUS}_seed{self.study.seeds[0]}"

    @property
    def _corpus_args(self) -> tuple[str, ...]:
        if self.study.corpus is None:
            return ()
        return (f"--data.data_dir={self._corpus_folder}", f"--data.tokenizer={self.study.corpus.tokenizer}")

    @property
    def _teacher_source(self) -> str:
        part = self.study.teacher
        return part if isinstance(part, str) else f"{self.folder}/{self.teacher()[0].export}"

    def _exporting(
        self, stage: str, arm: str, seed: int, configs: Sequence[str], args: Sequence[str], needs: tuple[str, ...]
    ) -> PlannedRun:
        """Train and export; `fit` ends with a validation, so the metrics are those of the weights exported."""
        fit, place = self._fit(stage, arm, seed, configs, args)
        last, export = f"{place}/checkpoints/last.ckpt", f"exported/{arm}_seed{seed}"
        exported = ("experiments.export", f"--checkpoint={last}", f"--output={self.folder}/{export}")
        return PlannedRun(stage, arm, seed, (fit, exported), needs, export, self._machine)

    def _fit(self, stage: str, arm: str, seed: int, configs: Sequence[str], args: Sequence[str]) -> tuple[Command, str]:
        """A training and the folder it writes."""
        stack = [arg for file in configs for arg in ("-c", file)]
        own = (f"--run.root={self.folder}", f"--run.recipe={stage}", f"--run.arm={arm}", f"--seed_everything={seed}")
        quiet = "--trainer.enable_progress_bar=false"
        command = ("experiments.train", "fit", *stack, *self._machine, quiet, *args, *own)
        return command, f"{self.folder}/{stage}/{arm}_seed{seed}"
