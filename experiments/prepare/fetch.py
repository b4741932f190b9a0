"""Where the task data comes from, and the command that downloads it: `python -m experiments.prepare fetch NAME`.

Hashes are of the files as served. Where none is known the file is taken as it comes, and the command prints its hash.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

from distilkobert.io.downloads import download
from distilkobert.io.files import sha256_of_file
from distilkobert.tasks.data_sets import DatasetName
from experiments._shared.bars import progress_bar


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
_KLUE_ALL: Final = "https://raw.githubusercontent.com/KLUE-benchmark/KLUE/main/klue_benchmark"
_KLUE: Final = f"{_KLUE_ALL}/klue-ner-v1.1"
_KOR_NLU: Final = "https://raw.githubusercontent.com/kakaobrain/kor-nlu-datasets/master"
_QUESTION_PAIR: Final = "https://raw.githubusercontent.com/songys/Question_pair/master"
_HATE_SPEECH: Final = "https://raw.githubusercontent.com/kocohub/korean-hate-speech/master/labeled"
_KORQUAD: Final = "https://korquad.github.io/dataset"


def _klue(name: str) -> Source:
    """The training and development file of a KLUE task; they could not be had here, so their hashes are not known."""
    files = tuple(RemoteFile(f"{_KLUE_ALL}/{name}-v1.1/{name}-v1.1_{part}.json", None) for part in ("train", "dev"))
    return Source(licence="CC BY-SA 4.0 (KLUE-benchmark/KLUE)", files=files)


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
            "place your own copy there: train.tsv and test.tsv (one sentence per line: words, a tab, tags such as "
            "PER-B), or train_data and test_data (one word per line: number, word, tag such as PER_B); one of the two "
            "is enough"
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
    "korsts": Source(
        licence="CC BY-SA 4.0 (kakaobrain/kor-nlu-datasets)",
        files=(
            RemoteFile(
                f"{_KOR_NLU}/KorSTS/sts-train.tsv", "b5aaa7f957d6ff46f4b6834a8b0f024a9234a6eefe9289aed66746b4533da3b8"
            ),
            RemoteFile(
                f"{_KOR_NLU}/KorSTS/sts-dev.tsv", "d835b65b424401fbcce6be28a78159df8d61f5b19977ea7a0b83b8cb6105f393"
            ),
            RemoteFile(
                f"{_KOR_NLU}/KorSTS/sts-test.tsv", "13f83a3440d9db52d134eb40303ce021b03264aa338fbf2871c8786ce04d2105"
            ),
        ),
    ),
    "kornli": Source(
        licence="CC BY-SA 4.0 (kakaobrain/kor-nlu-datasets)",
        files=(
            RemoteFile(
                f"{_KOR_NLU}/KorNLI/xnli.dev.ko.tsv", "821fb1c1c2e538ac2724a6132da36ffa379eb9a542ceb89243b3cf711377382c"
            ),
            RemoteFile(
                f"{_KOR_NLU}/KorNLI/xnli.test.ko.tsv",
                "0db53cf8e182283a0d0404ec3fe1b15d1e29236d23d22082dc20d43067254b3e",
            ),
            RemoteFile(f"{_KOR_NLU}/KorNLI/multinli.train.ko.tsv", None),
        ),
    ),
    "question_pair": Source(
        licence="MIT (songys/Question_pair)",
        files=(
            RemoteFile(
                f"{_QUESTION_PAIR}/kor_pair_train.csv",
                "b0fa4fa4e6fccb9b77f4e4d69c97c558b32d1356ee9041f5faf68fc0446b6fd7",
            ),
            RemoteFile(
                f"{_QUESTION_PAIR}/kor_Pair_test.csv",
                "6e25fc564778bbec695ad3b1d0db7cb8956adabb2186e9c0d582c7346a90a073",
            ),
        ),
    ),
    "hate_speech": Source(
        licence="CC BY-SA 4.0 (kocohub/korean-hate-speech)",
        files=(
            RemoteFile(f"{_HATE_SPEECH}/train.tsv", "ebebacdcd023af2c4acc8c0a37695fb6433ac04fc009feff8f222724e303a5a9"),
            RemoteFile(f"{_HATE_SPEECH}/dev.tsv", "232b615d6e359a9d31dfb8370f32e1733dc5bb3f9c5430d34d7fcc7ba4b7e8ef"),
        ),
    ),
    "klue_nli": _klue("klue-nli"),
    "klue_sts": _klue("klue-sts"),
    "klue_ynat": _klue("ynat"),
    "klue_mrc": _klue("klue-mrc"),
    "paws_x_ko": Source(
        licence="its own terms, free for any purpose with acknowledgement (google-research-datasets/paws)",
        files=(),
        by_hand=(
            "place there translated_train.tsv, dev_2k.tsv and test_2k.tsv of the folder x-final/ko in PAWS-X's archive "
            "that google-research-datasets/paws links to"
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
                f"{error}. Without a network, get the files by other means and place them as {names}"
            ) from error
        state = "downloaded" if new else "there already"
        if file.sha256 is None:
            print(f"{target}: {state}, SHA-256 not known here, found {sha256_of_file(target)}")
        else:
            print(f"{target}: {state}, SHA-256 as expected")


def _download(file: RemoteFile, target: Path) -> bool:
    columns = (TextColumn(file.name), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with progress_bar(*columns) as progress:
        task = progress.add_task("", total=None)
        return download(
            file.url,
            target,
            file.sha256,
            lambda there, total: progress.update(task, completed=there, total=total),
        )
