"""README.ko.md has the commands, outputs, numbers and links of README.md."""

import re
from pathlib import Path

import pytest

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
    # The published table, the three tables of results, own vocabulary, six layers, float32 runs.
    tables = sum(len(_scores(table)) for table in _tables()[:3])
    assert len(english) == 12 + tables + 3 + 2 + 5


@pytest.mark.parametrize(("number", "name"), [(0, "results.md"), (1, "results_terms.md")])
def test_measured_scores_are_those_of_the_generated_page(number: int, name: str) -> None:
    page = (ENGLISH.parent / "docs" / name).read_text(encoding="utf-8").replace("\\_", "_").replace("**", "")
    arms, rows = _ARMS[number], _tables()[number]
    arm_rows = {arm: "\n".join(re.findall(rf"^\| {re.escape(arm)} \|.*", page, re.M)) for arm in arms.values()}
    assert len(rows) == len(arms)
    for row in rows:
        title, scores = row[1:].split("|", maxsplit=1)
        title = re.split(r":| \(", title.strip())[0]
        for score in re.findall(r"\d+\.\d+", scores):
            assert f" {score} " in arm_rows[arms[title]], row


_ARMS = (
    {
        "teacher": "teacher",
        "distilled": "triple_loss",
        "task-distilled": "triple_loss+task_distil",
        "masked LM alone, as many tokens": "mlm_only",
        "undistilled": "undistilled",
        "attention transfer in place of the three objectives": "attention",
        "random start, distilled": "random_start",
    },
    {
        "teacher": "teacher",
        "all three terms": "triple_loss",
        "without soft targets": "no_soft_target",
        "without masked LM": "no_masked_lm",
        "without masked LM, task-distilled": "no_masked_lm+task_distil",
        "without cosine": "no_cosine",
        "masked LM alone, 2.4 times the tokens": "mlm_equal_time",
        "relations of query, key and value in place of the three": "relations",
        "relations and soft targets in place of the three": "relations_soft",
        "hidden states in place of the three": "hidden_mse",
        "layers 0, 1 and 2 in place of 1, 5 and 9": "first_three",
        "layers 9, 10 and 11 in place of 1, 5 and 9": "last_three",
        "undistilled": "undistilled",
    },
)
"""First words of a row of the first two tables of README, and the arm in the study."""


def test_earlier_scores_are_those_of_the_log() -> None:
    log = (ENGLISH.parent / "docs/log.md").read_text(encoding="utf-8")
    for score in _scores(_tables()[2]):
        assert score in log, score


def _tables() -> list[list[str]]:
    """The rows of each table of results, without its head."""
    part = ENGLISH.read_text(encoding="utf-8").split("## Results\n")[1].split("\n## ")[0]
    return [table.splitlines()[2:] for table in re.findall(r"(?:^\|.*\n)+", part, re.M)]


def _scores(rows: list[str]) -> list[str]:
    return re.findall(r"\d\d\.\d\d", "\n".join(rows))
