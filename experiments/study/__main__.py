"""Run a study: one YAML declares the comparison, each command is a process, a restart continues.

    python -m experiments.study --config configs/study/demo.yaml [--workers 2] [--variables.data=/x] [--dry_run]

Start the same command again after a crash, or several times for several workers. docs/studies.md describes the file,
docs/cluster.md clusters.
"""

import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from distilkobert.io.run_files import write_json
from distilkobert.listing import few
from distilkobert.stop_signals import under_nohup
from experiments._shared.commandline import run_command
from experiments._shared.plan_file import PLAN_FILE, Plan, read_plan
from experiments.study.plan.arms import Point, sample_points
from experiments.study.plan.declaration import Declared
from experiments.study.plan.expand import expand, study_folder
from experiments.study.plan.folder import check_folder, on_other_machines, planned, together, write_study
from experiments.study.plan.parsing import option_place, parse_study
from experiments.study.run.journal import has_begun, open_storage, require_optuna
from experiments.study.run.locks import FileLock
from experiments.study.run.metric import metric_lines
from experiments.study.run.process import PYTHON
from experiments.study.run.runner import Worker
from experiments.study.run.search import Search
from experiments.study.run.trials import RunJournal
from experiments.study.run.view import View


@dataclass(frozen=True)
class Opened:
    """A study that is checked and entered in its journal.

    Args:
        plan: its plan, with the points that a search has proposed.
        journal: its journal.
        search: its search, if it has one.
        presence: lock that all workers of the study share; released when this one ends.
    """

    plan: Plan
    journal: RunJournal
    search: Search | None
    presence: FileLock


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Raises:
        ValueError: the study is not as it should be, or runs failed.
        FileNotFoundError: a file that it names is not there.
        KeyboardInterrupt: it was stopped.
    """
    declared = parse_study(arguments)
    if declared.dry_run:
        lines = dry_run(declared)
        print("\n".join(lines), flush=True)
        plan = planned(declared).only(declared.settings.only)
        folder = Path(study_folder(declared))
        file = folder / PLAN_FILE
        written = f"{file} keeps the plan of the runs that have begun" if has_begun(folder) else f"plan: {file}"
        print(f"{len(plan.counted)} runs planned{_besides(plan)}, nothing started; {written}", file=sys.stderr)
        return
    require_optuna()
    check(declared)
    stop_on_signals()
    try:
        run_study(declared)
    except KeyboardInterrupt:
        words = shlex.join(sys.argv[1:] if arguments is None else arguments)
        print(f"next: the same command continues: python -m experiments.study {words}", file=sys.stderr)
        raise


def check(declared: Declared) -> None:
    """Let the trainer's parser take every command, unless this very plan has begun with each stage that is wanted.

    Raises:
        ValueError: a command is refused, or two arms are the same; names the arm.
        FileNotFoundError: a config file, data, a teacher or a tokenizer is not there; names the key. A dry run only
            notes what is not a config file, and so does a study of a part for the runs that are left out.
    """
    plan, folder = planned(declared), Path(study_folder(declared))
    wanted = plan.only(declared.settings.only)  # refuses patterns before anything is written
    before = read_plan(folder) if has_begun(folder) else None
    begun = all((folder / stage).is_dir() for stage in {run.stage for run in wanted.runs})
    if before is not None and before.as_json() == plan.as_json() and begun:
        return
    from experiments.study.plan.check import check_plan

    samples = sample_points(declared.study.search) if declared.study.search else ()
    try:
        part = wanted if declared.settings.only else None
        lack = check_plan(expand(declared, samples), folder, [point.name for point in samples], part)
    except ValueError as error:
        raise ValueError(f"{option_place(declared, str(error))}{error}") from error
    if lack.asked:
        print(f"note: no local folder, will be requested from the hub: {'; '.join(lack.asked)}", file=sys.stderr)
    if lack.later:
        print(f"note: no such folder, for runs that --only leaves out: {'; '.join(lack.later)}", file=sys.stderr)
    if lack.missing:
        text = f"no such folder: {'; '.join(lack.missing)}. Name it with --variables, or make it first"
        if not declared.dry_run:
            raise FileNotFoundError(text)
        print(f"note: {text}", file=sys.stderr)


def dry_run(declared: Declared) -> list[str]:
    """Check the study, write its plan where nothing has been run yet, and return its command lines.

    One line is one run, each after those that it needs; its label follows as a comment.
    """
    check(declared)
    if declared.study.search:
        print("note: the points of the search are not among these lines; it proposes them as it goes", file=sys.stderr)
    plan, folder = planned(declared), Path(study_folder(declared))
    if not has_begun(folder):
        check_folder(folder, plan, None)
        write_study(folder, declared, plan)
    return [
        " && ".join(f"python -m {shlex.join(command)}" for command in run.commands) + f"  # {run.label}"
        for run in plan.only(declared.settings.only).all_runs
    ]


def open_study(declared: Declared) -> Opened:
    """Open or make the study's folder and journal. Workers that start at the same time wait for each other here.

    Raises:
        ValueError: the folder or its journal belong to another study; says what differs. Or a worker is running what
            has been declared otherwise since.
    """
    folder, study, first = Path(study_folder(declared)), declared.study, planned(declared)
    presence = FileLock(folder / "locks" / "workers.lock")

    def enter(points: tuple[Point, ...], *, starting: bool = False) -> Plan:
        plan = replace(expand(declared, points), configs=first.configs)
        if starting:
            changed = check_folder(folder, plan, journal.plan)
            if changed and not presence.try_acquire():
                raise ValueError(
                    f"{folder}: {few(changed)} may be run by another worker as declared before. Stop the "
                    "study's workers first, or undo the change"
                )
            presence.release()
            if moved := on_other_machines(folder, plan):
                print(
                    f"note: `machine` has changed; what has begun keeps its own options: {few(moved)}", file=sys.stderr
                )
            entered = plan
            write_study(folder, declared, entered)
        else:  # another worker may have been started since, with more arms
            entered = together(read_plan(folder), plan)
            write_json(folder / PLAN_FILE, entered.as_json())
        journal.enter(entered.as_json(), [run.label for run in plan.all_runs], retry=starting)
        return plan

    with FileLock(folder / "locks" / "study.lock").held():
        if not has_begun(folder):
            check_folder(folder, first, None)
        storage = open_storage(folder)
        journal, search = RunJournal(storage, declared.name), None
        if study.search and study.metric:
            search = Search(storage, declared.name, study.search, study.metric, folder, enter)
        plan = enter(search.points() if search else (), starting=True)
        presence.try_share()  # nobody has it alone: who wants that holds the study's lock, as this process does
        return Opened(plan, journal, search, presence)


def run_study(declared: Declared, launcher: tuple[str, ...] = PYTHON, pause: float = 1.0) -> None:
    """Run a study until every run has ended, here or in another worker.

    Args:
        declared: the study, checked.
        launcher: start of the command line, up to the name of the module.
        pause: seconds between two looks at what has ended.

    Raises:
        ValueError: runs failed or were skipped; names them and their logs.
    """
    folder = Path(study_folder(declared))
    opened = open_study(declared)
    with ExitStack() as stack:
        stack.callback(opened.presence.release)
        view = stack.enter_context(View())
        plan = opened.plan.only(declared.settings.only)
        worker = Worker(plan, folder, opened.journal, view, opened.search, declared.settings.workers, launcher, pause)
        status = worker.run()
        if declared.study.metric:
            whole = opened.plan if declared.settings.only else worker.plan  # a search has added to the worker's
            for line in metric_lines(whole, declared.study.metric, folder):
                view.say(line)
        if opened.search and (best := opened.search.best()):
            view.say(best)
        runs = worker.plan.counted
        count = sum(status[run.label] == "done" for run in runs)
        others = len(opened.plan.counted) - len(plan.counted)
        left_out = f" ({others} others were not selected by --only)" if others else ""
        view.say(f"{count} of {len(runs)} runs are done{left_out}; the table: python -m experiments.report {folder}")
    failed = [label for label, value in status.items() if value == "failed"]
    if failed:
        skipped = sum(value == "skipped" for value in status.values())
        raise ValueError(
            f"{len(failed)} runs failed ({', '.join(failed)}) and {skipped} were skipped because of them; the logs are "
            f"in {folder / 'logs'}. The same command repeats them"
        )


def _besides(plan: Plan) -> str:
    """The steps of a plan that are no runs, in words; empty where it has none."""
    steps = [run.stage for run in plan.all_runs if run not in plan.counted]
    return f", besides {' and '.join(steps)}" if steps else ""


def stop_on_signals() -> None:
    """Let SIGTERM, with which clusters announce the end of a job, and a closed terminal stop a worker as Ctrl-C does.

    Ctrl-C itself is set too: a shell starts a background job with SIGINT ignored. SIGHUP stays ignored under `nohup`.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if not under_nohup(number):
            signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(run_command(main))
