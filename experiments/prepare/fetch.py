"""Where the task data comes from, and the command that brings it: `python -m experiments.prepare fetch NAME`.

Hashes are of the files as served. Where none is known the file is taken as it comes, and the command prints its hash.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from distilkobert.io.downloads import download
from distilkobert.io.files import sha256_of_file

DatasetName = Literal["nsmc", "naver_ner", "klue_ner", "korquad"]


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Args:
        url: where it is served.
        sha256: what it hashes to; None where that is not known here.
    """

    url: str
    sha256: str | None

    @property
    def name(self) -> str:
        """Its name in the data folder."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Source:
    """A data set.

    Args:
        licence: under which terms it may be used.
        files: what is downloaded.
        by_hand: which files to place in the folder where they are not downloaded.
    """

    licence: str
    files: tuple[RemoteFile, ...]
    by_hand: str = ""


_NSMC: Final = "https://raw.githubusercontent.com/e9t/nsmc/master"
_KLUE: Final = "https://raw.githubusercontent.com/KLUE-benchmark/KLUE/main/klue_benchmark/klue-ner-v1.1"
_KORQUAD: Final = "https://korquad.github.io/dataset"

SOURCES: Final[dict[DatasetName, Source]] = {
    "nsmc": Source(
        licence="CC0 1.0 (e9t/nsmc)",
        files=(
            RemoteFile(
                f"{_NSMC}/ratings_train.txt", "e03b7d14e9e41be8d464a28057cd25d7396c53e67aa7fd5f7e552c59b0ee2940"
            ),
            RemoteFile(f"{_NSMC}/ratings_test.txt", "8ac9f64052f11dbf6ae0acb5e038f03d90a76f0eda7820cfb3a92d02edfcebda"),
        ),
    ),
    "naver_ner": Source(
        licence=(
            "none that is open: the agreement of the Naver and Changwon NLP Challenge 2018 keeps all rights and "
            "forbids passing the data on"
        ),
        files=(),
        by_hand=(
            "place your own copy there: train.tsv and test.tsv (one sentence a line: words, a tab, tags such as PER-B)"
            ", or train_data and test_data (one word a line: number, word, tag such as PER_B); one of the two is enough"
        ),
    ),
    "klue_ner": Source(
        licence="CC BY-SA 4.0 (KLUE-benchmark/KLUE)",
        files=(
            RemoteFile(f"{_KLUE}/klue-ner-v1.1_train.tsv", None),
            RemoteFile(
                f"{_KLUE}/klue-ner-v1.1_dev.tsv", "0f4d5e818f7b82d299c3a87856fc40a706f5943207580ddb252397e387050a54"
            ),
        ),
    ),
    "korquad": Source(
        licence="CC BY-ND 2.0 KR (LG CNS): only unmodified copies may be passed on, with attribution",
        files=(
            # A checksum that two public projects publish, not computed from the file here.
            RemoteFile(
                f"{_KORQUAD}/KorQuAD_v1.0_train.json",
                "40d5115879a701751781df721d901abfa736d8db5f89000f2619433f39bf2dd2",
            ),
            RemoteFile(
                f"{_KORQUAD}/KorQuAD_v1.0_dev.json", "25ffeb51e6c51ec02c071b60a10188e10005c144110f0d876b26079d80a35bdf"
            ),
        ),
    ),
}


def fetch(source: Source, folder: Path) -> None:
    """Download the files of a data set into `folder`, which is made where missing, and say under which licence.

    Files that are there already are checked and kept.

    Raises:
        FileNotFoundError: a file is not served any more, or has to be placed by hand.
        ConnectionError: there is no network; the message says which file to place where.
        ValueError: a file hashes to something else than it should.
    """
    print(f"licence: {source.licence}")
    if not source.files:
        raise FileNotFoundError(f"this data is not downloaded; make the folder {folder} and {source.by_hand}")
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.files:
        target = folder / file.name
        try:
            new = _download(file, target)
        except ConnectionError as error:
            names = " and ".join(str(folder / other.name) for other in source.files)
            raise ConnectionError(
                f"{error}. Without a network, bring the files by other means and place them as {names}"
            ) from error
        state = "downloaded" if new else "there already"
        if file.sha256 is None:
            print(f"{target}: {state}, SHA-256 not known here, found {sha256_of_file(target)}")
        else:
            print(f"{target}: {state}, SHA-256 as expected")


def _download(file: RemoteFile, target: Path) -> bool:
    columns = (TextColumn(file.name), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=None)
        return download(
            file.url,
            target,
            file.sha256,
            lambda there, total: progress.update(task, completed=there, total=total),
        )
