"""Files of the subtasks: finding them in a folder, and errors that say which task a file seems to belong to."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from distilkobert.io.hub_names import what_is_near
from distilkobert.io.reading.texts import read_lines

COMPRESSIONS: Final = ("", ".gz", ".xz", ".zst")

NSMC_TRAIN: Final = ("ratings_train.txt",)
NSMC_TEST: Final = ("ratings_test.txt",)
# Names in monologg/KoBERT-NER, and in the organisers' naver/nlp-challenge.
NAVER_TRAIN: Final = ("train.tsv", "train_data")
NAVER_TEST: Final = ("test.tsv", "test_data")
KLUE_TRAIN: Final = ("klue-ner-v1.1_train.tsv",)
KLUE_DEV: Final = ("klue-ner-v1.1_dev.tsv",)
KORQUAD_TRAIN: Final = ("KorQuAD_v1.0_train.json",)
KORQUAD_DEV: Final = ("KorQuAD_v1.0_dev.json",)

_DATA_SETS: Final = {
    "NSMC": NSMC_TRAIN + NSMC_TEST,
    "Naver NER": NAVER_TRAIN + NAVER_TEST,
    "KLUE-NER": KLUE_TRAIN + KLUE_DEV,
    "KorQuAD": KORQUAD_TRAIN + KORQUAD_DEV,
}
_CHALLENGE_TAG: Final = re.compile(r"-|[A-Z]+[_-][BI]")
_JSON: Final = re.compile(r"""[\[{][\[{\s]*(["\]}]|$)""")
"""Beginning of a first line of JSON: behind the brackets a string, the end of a bracket, or of the line."""
_LISTED: Final = 6
_SHOWN: Final = 40


def find_file(folder: Path, names: Sequence[str], option: str = "data.data_dir") -> Path | None:
    """The file in `folder` with one of the `names`, plain or ending in .gz, .xz or .zst; None where there is none.

    Args:
        folder: the folder.
        names: without the ending of a compressed file.
        option: names the folder, for messages.

    Raises:
        FileNotFoundError: `folder` is not a folder.
        ValueError: several files match, so it is not clear which one is meant.
    """
    if folder.is_file():
        raise FileNotFoundError(f"{option}: {folder} is a file; expected the folder with the data: {folder.parent}")
    if not folder.is_dir():
        raise FileNotFoundError(f"{option}: there is no data folder {folder}; {what_is_near(folder)}")
    found = [folder / f"{name}{suffix}" for name in names for suffix in COMPRESSIONS]
    found = [path for path in found if path.is_file()]
    if len(found) > 1:
        raise ValueError(
            f"{folder} contains {' and '.join(path.name for path in found)}; keep one of them, so that it is clear "
            "which one to read"
        )
    return found[0] if found else None


def missing_files(folder: Path, names: Sequence[str], remedy: str) -> FileNotFoundError:
    """The error for a folder without the files it should hold; says what is there, and of which data set that is.

    Args:
        folder: the folder.
        names: file names of which one is needed.
        remedy: how to get the files, as the end of a sentence.
    """
    there = sorted(path.name for path in folder.iterdir())
    listed = ", ".join(there[:_LISTED]) + (", ..." if len(there) > _LISTED else "")
    message = (
        f"{folder} contains no {' or '.join(names)} (plain, .gz, .xz or .zst), only {listed or 'nothing'}; {remedy}"
    )
    for data_set, known in _DATA_SETS.items():
        other = not set(known) & set(names)
        if other and any(f"{name}{suffix}" in there for name in known for suffix in COMPRESSIONS):
            return FileNotFoundError(f"{message}, or take the data module of {data_set}, whose files are there")
    return FileNotFoundError(message)


def table_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a tab-separated file with their numbers, from 1; line ends may be Unix or Windows ones, also mixed.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is empty or not UTF-8, or a carriage return is inside a line, as in files of old Macs.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if "\r" in line:
            raise ValueError(
                f"{path}, line {number}: a carriage return inside the line; expected lines that end in LF or CR LF. "
                "Convert the file's line ends"
            )
        yield number, line


def bad_line(path: Path, number: int, found: str, expected: str, own: str = "") -> ValueError:
    """The error for a line; one for the first line says whose file it looks like, unless that is `own`."""
    message = f"{path}, line {number}: found {found}; expected {expected}"
    hint = looks_like(path, own) if number == 1 else ""  # a reader that took the first line reads its own kind of file
    return ValueError(f"{message}. {hint}" if hint else message)


def show(text: str) -> str:
    """`text` for a message, shortened."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def looks_like(path: Path, own: str = "") -> str:
    """What the beginning of a text file shows about its task, as a sentence; empty where it shows nothing, or `own`."""
    first = next(read_lines(path)).lstrip()
    columns = first.split("\t")
    name = ""
    if _JSON.match(first):
        name = "KorQuAD"
    elif columns[0] == "id" and columns[-1] == "label":
        name = "NSMC"
    elif first.startswith("##") and _has_tab_behind_comments(path):
        name = "KLUE-NER"
    elif (len(columns) == 3 and columns[0] == "1" and _CHALLENGE_TAG.fullmatch(columns[2])) or (
        len(columns) == 2 and columns[0].count(" ") == columns[1].count(" ") > 0
    ):
        name = "Naver NER"
    return f"The file begins like {name}: take its data module" if name not in ("", own) else ""


def _has_tab_behind_comments(path: Path) -> bool:
    """Whether one of the comments at the beginning, or the line behind them, has a tab, as in KLUE-NER's files."""
    for line in read_lines(path):
        if "\t" in line or not line.startswith("##"):
            return "\t" in line
    return False
