"""Training batches of the four tasks with KoBERT's tokenizer are, number by number, those they were before.

A deliberate change of how texts become inputs writes the file anew, with a run in docs/log.md:

    UPDATE_GOLDEN=1 pytest tests/golden
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from datamodules import KlueNERDataModule, KorQuADDataModule, NaverNERDataModule, NSMCDataModule
from tests.support.tasks.data import Make

pytest_plugins = ["tests.support.tasks.fixtures"]

GOLDEN = Path(__file__).with_name("task_features.json")
SHORT = {"max_length": 64, "stride": 16, "max_question": 12}
CASES: dict[str, tuple[type, dict[str, Any]]] = {
    "nsmc": (NSMCDataModule, {"max_length": 12}),
    "naver_ner": (NaverNERDataModule, {"max_length": 12}),
    "klue_ner": (KlueNERDataModule, {}),
    "klue_ner split": (KlueNERDataModule, {"particles": "split"}),
    "korquad": (KorQuADDataModule, SHORT),
    "korquad split": (KorQuADDataModule, {**SHORT, "particles": "split"}),
    "korquad original": (KorQuADDataModule, {**SHORT, "reference_decoding": True}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_batches_are_the_golden_ones(case: str, make: Make) -> None:
    module, settings = CASES[case]
    digest = hashlib.sha256()
    for batch in make(module, **settings).train_dataloader():
        for name in sorted(batch):
            if isinstance(batch[name], Tensor):
                digest.update(f"{name} {batch[name].dtype} {batch[name].tolist()}".encode())
    golden = json.loads(GOLDEN.read_text())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps({**golden, case: digest.hexdigest()}, indent=1) + "\n")
    else:
        assert digest.hexdigest() == golden[case]
