"""A study's worker on stand-in commands, as a process that a test can kill."""

import sys

from experiments._shared.commandline import run_command
from experiments.study.__main__ import run_study, stop_on_signals
from experiments.study.plan.parsing import parse_study
from tests.support.studies.fakes import LAUNCHER


def main() -> None:
    """Run the study without asking the trainer's parser, which would take longer than the test."""
    stop_on_signals()
    run_study(parse_study(sys.argv[1:]), LAUNCHER, pause=0.02)


if __name__ == "__main__":
    sys.exit(run_command(main))
