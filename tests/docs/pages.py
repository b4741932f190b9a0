"""What the pages for users contain: their commands, options and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GENERATED: Final = ("encoders.md", "performance.md", "results.md", "results_terms.md")
"""Written by commands, and by their tests."""
PAGES: Final = (
    *sorted(Path().glob("*.md")),
    *(page for page in sorted(Path("docs").glob("*.md")) if page.name not in GENERATED),
    *sorted(Path("docs/notebook").glob("*.md")),
    *sorted(Path("configs").glob("*.md")),
    *sorted(Path("examples").glob("*.md")),
)
RUNNABLE: Final = [
    page
    for page in PAGES
    if page.name not in ("CHANGELOG.md", "extending.md", "log.md") and page.parent.name != "notebook"
]
"""Pages whose commands a reader starts: those of the lab notebook are of their day, extending.md has its own tests."""

_FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_CODE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND: Final = re.compile(
    r"python -m experiments\.(?P<name>[\w.]*\w)|^(?P<short>train) (?=fit|validate|test|predict)"
)
_LEFT_OUT: Final = {"...", "NAME"}
_ENDS: Final = {"|", ">", "&&", ";", "2>&1", "&"}


@dataclass(frozen=True)
class Command:
    """A command of the project on a page, for example `experiments.train` with its arguments."""

    page: Path
    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.name}: {self.name} {' '.join(self.arguments)}"


def blocks(page: Path, *kinds: str) -> list[str]:
    """Fenced blocks of the given languages."""
    found = _FENCE.findall(page.read_text(encoding="utf-8"))
    return [str(content) for kind, content in found if kind in kinds]


def inline_code(page: Path) -> list[str]:
    """Code inside sentences and tables."""
    return [str(code) for code in _CODE.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))]


def commands(page: Path) -> Iterator[Command]:
    """Commands of fenced shell blocks and of inline code; without their comments, pipes and redirections."""
    lines = [line for block in blocks(page, "bash") for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *inline_code(page)]:
        found = _COMMAND.search(line.strip())
        if found is None or line.startswith("command="):
            continue
        rest = line.strip()[found.end() :]
        if rest.count("'") % 2:  # the end of a quotation that began on an earlier line
            rest = rest.removesuffix("'")
        words = shlex.split(rest, comments=True) if rest.count("'") % 2 == 0 else []
        end = next((place for place, word in enumerate(words) if word in _ENDS), len(words))
        shown_only = any(word in _LEFT_OUT or word.startswith("[") for word in words)
        if words[:end] and not shown_only:
            yield Command(page, found["name"] or found["short"], tuple(words[:end]))


def links(page: Path) -> list[tuple[str, str]]:
    """Relative links, as (path, anchor)."""
    found = _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return [(path, anchor) for path, _, anchor in (link.partition("#") for link in found if "://" not in link)]


def anchors(page: Path) -> set[str]:
    """Anchors that GitHub gives to the headings of a page."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}
