"""Expand a study into its plan. Pure: no file is read, nothing is started."""

from distilkobert.io.metric_names import TEST
from distilkobert.tasks.modes import usual_mode
from experiments._shared.plan_file import DISTIL, TEACHER, Plan
from experiments.study.plan.arms import Point, arms_of, base_arm, check_seeds
from experiments.study.plan.commands import Commands
from experiments.study.plan.declaration import Declared, Study
from experiments.study.plan.keys import CONFIGS, TRAINING_OPTIONS, check_names, values_at
from experiments.study.plan.mappings import check_words

_OWN_FOLDERS = ("corpus", "teacher", "distil", "latency", "exported", "logs", "locks")


def expand(declared: Declared, points: tuple[Point, ...] = ()) -> Plan:
    """The plan of a study.

    Runs are in an order in which they can be run one after the other: the corpus, the teacher, then everything of
    the arms' first seeds, so that a whole table comes before any second seed.

    Args:
        declared: the study.
        points: points that its search has proposed so far.

    Raises:
        ValueError: the declaration contradicts itself; names the key.
    """
    study = declared.study
    if not study.base:
        raise ValueError("base: is empty; name a recipe, for example configs/distill/distilkobert.yaml")
    if isinstance(study.teacher, str) and not study.teacher.strip():
        raise ValueError("teacher: is empty; name a folder, a checkpoint or a hub id, or how to pretrain it")
    if study.corpus is not None and not study.corpus.input:
        raise ValueError("corpus.input: is empty; name text files, or remove corpus and set data.data_dir")
    check_names(study.then, "then")
    for key, files in values_at(study, CONFIGS):
        if not files:
            raise ValueError(f"{key}: is empty; name a config file, for example of configs/")
    if taken := [name for name in study.then if name in _OWN_FOLDERS]:
        raise ValueError(f"then: {taken[0]!r} is the name of a folder in every study; choose another name")
    for key, words in values_at(study, TRAINING_OPTIONS):
        check_words(words, key)
    _check_metric(study)
    arms = arms_of(study, points)
    commands = Commands(study, study_folder(declared))
    first = [*commands.corpus(), *commands.teacher()]
    distilled = [commands.distillation(arm, seed) for arm in arms if arm.is_distilled for seed in arm.seeds]
    exports = {(run.arm, run.seed): run for run in distilled}
    tuned = [run for arm in arms for run in commands.fine_tunings(arm, exports)]
    turn = {(arm.name, seed): place for arm in arms for place, seed in enumerate(arm.seeds)}
    teaching = {need for run in tuned for need in run.needs}
    places = {
        run.label: 0 if run.label in teaching and run.arm == TEACHER else turn.get((run.arm, run.seed), len(turn))
        for run in (*distilled, *tuned)
    }
    later = sorted(
        [*distilled, *tuned],  # not before what it needs, which may be the export of an arm with other seeds
        key=lambda run: max(places[run.label], *(places.get(need, 0) for need in run.needs), 0),
    )
    return Plan(
        study=declared.name,
        question=declared.question,
        base_arm=base_arm(study),
        arms=arms,
        tasks=tuple(study.then),
        runs=(*first, *later),
        latency=commands.latency(exports, arms) if study.latency else None,
        metric=study.metric,
        trials=study.search.trials if study.search else 0,
        points=len(points),
    )


def study_folder(declared: Declared) -> str:
    """The study's folder, as it is written in the command lines."""
    return f"{declared.settings.root.rstrip('/')}/{declared.name}"


def _check_metric(study: Study) -> None:
    if study.search is not None:
        check_words([f"--{option}=" for option in study.search.options], "search.options")
        check_seeds([study.search.seed], "search.seed")
        if study.metric is None or not study.search.options or study.search.trials < 1:
            raise ValueError(
                "search: needs options, trials of 1 or more, and the study a metric: nsmc/best/val/accuracy"
            )
        if study.metric.partition("/")[2].startswith(TEST):
            raise ValueError(
                f"metric: {study.metric}: a search must not choose by the test file that it then reports on; "
                "choose by held-out data: nsmc/best/val/accuracy, distil/val/loss"
            )
        usual, direction = usual_mode(study.metric), study.search.direction
        if usual and direction and not direction.startswith(usual):
            raise ValueError(
                f"search.direction: {direction} would seek the worst {study.metric}; leave it out, or set {usual}imize"
            )
    if study.metric is not None:
        stage, _, key = study.metric.partition("/")
        stages = (DISTIL, *study.then)
        if stage not in stages or not key:
            raise ValueError(f"metric: {study.metric!r} must be STAGE/KEY, its stage one of {', '.join(stages)}")
        if study.search is not None and stage in study.then and study.then[stage].arms is not None:
            raise ValueError(
                f"metric: {study.metric}: then.{stage}.arms leaves the points of the search out, so none would have "
                f"this metric; remove `arms` from then.{stage}, or choose a metric of another stage"
            )
