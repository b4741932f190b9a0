"""What the tests of the task data modules share, beside the fixtures in `fixtures.py`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from datamodules import KlueNERDataModule, KorQuADDataModule, NaverNERDataModule, NSMCDataModule
from datamodules.tasks import TaskDataModule
from distilkobert.synthetic.tasks import write_nsmc
from distilkobert.tasks.splits import number_of
from tests.support.tasks.synthetic import write_klue_ner, write_korquad, write_naver_ner

Make = Callable[..., Any]
WRITERS = {
    NSMCDataModule: write_nsmc,
    NaverNERDataModule: write_naver_ner,
    KlueNERDataModule: write_klue_ner,
    KorQuADDataModule: write_korquad,
}


def one_file(folders: dict[type, Path], module: type, target: Path) -> Path:
    """A folder with the training file alone."""
    (source,) = [path for path in folders[module].iterdir() if "train" in path.name]
    (target / source.name).write_bytes(source.read_bytes())
    return target


def unpadded(batch: dict[str, Any], name: str = "input_ids") -> list[list[int]]:
    rows = zip(batch[name], batch["attention_mask"], strict=True)
    return [row[inside.bool()].tolist() for row, inside in rows]


def loaders(data: TaskDataModule) -> Iterator[Any]:
    yield from (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())


def is_dev(key: str) -> bool:
    return number_of(key) % 20 == 0
