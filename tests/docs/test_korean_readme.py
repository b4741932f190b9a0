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
    assert len(english) == 12
