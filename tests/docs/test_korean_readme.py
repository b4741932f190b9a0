"""README.ko.md has the commands, outputs, numbers and links of README.md."""

import re
from pathlib import Path

from tests.docs.pages import blocks, links

ENGLISH, KOREAN = Path("README.md"), Path("README.ko.md")


def test_commands_and_outputs_are_the_same() -> None:
    for kind in ("bash", "text"):
        english, korean = ([_without_comments(block) for block in blocks(page, kind)] for page in (ENGLISH, KOREAN))
        assert korean == english


def _without_comments(block: str) -> str:
    return re.sub(r"\s+#.*", "", block)


def test_links_are_the_same_but_for_those_to_each_other() -> None:
    english, korean = (set(links(page)) - {("README.md", ""), ("README.ko.md", "")} for page in (ENGLISH, KOREAN))
    assert korean == english


def test_scores_are_the_same() -> None:
    english, korean = (re.findall(r"\d\d\.\d\d", page.read_text(encoding="utf-8")) for page in (ENGLISH, KOREAN))
    assert korean == english
    # The published table, the two tables of results, own vocabulary, six layers, float32 runs.
    tables = sum(len(_scores(table)) for table in _tables()[:2])
    assert len(english) == 12 + tables + 3 + 2 + 5


def test_measured_scores_are_those_of_the_generated_page() -> None:
    page = (ENGLISH.parent / "docs/results.md").read_text(encoding="utf-8").replace("\\_", "_")
    of_arm = {name: "\n".join(re.findall(rf"^\| {re.escape(name)} \|.*", page, re.M)) for name in _ARMS.values()}
    rows = _tables()[0]
    assert len(rows) == len(_ARMS)
    for row in rows:
        for score in re.findall(r"\d+\.\d+", row):
            assert f" {score} " in of_arm[_ARMS[row.split()[1]]], row


_ARMS = {
    "teacher": "teacher",
    "distilled": "triple_loss",
    "task-distilled:": "triple_loss+task_distil",
    "masked": "mlm_only",
    "undistilled": "undistilled",
    "attention": "attention",
    "random": "random_start",
}
"""First words of a row of README, and the arm in the study."""


def test_earlier_scores_are_those_of_the_log() -> None:
    log = (ENGLISH.parent / "docs/log.md").read_text(encoding="utf-8")
    for score in _scores(_tables()[1]):
        assert score in log, score


def _tables() -> list[list[str]]:
    """The rows of each table of results, without its head."""
    part = ENGLISH.read_text(encoding="utf-8").split("## Results\n")[1].split("\n## ")[0]
    return [table.splitlines()[2:] for table in re.findall(r"(?:^\|.*\n)+", part, re.M)]


def _scores(rows: list[str]) -> list[str]:
    return re.findall(r"\d\d\.\d\d", "\n".join(rows))
