"""The progress bar: messages of the log are not glued to it."""

import io
import logging
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from pytorch_lightning.callbacks.progress.tqdm_progress import Tqdm

from lightning_modules.callbacks.progress import TokenProgressBar


@pytest.mark.parametrize("ending", ["teardown", "on_exception"])
def test_a_message_has_a_line_of_its_own(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, logger = io.StringIO(), logging.getLogger("pytorch_lightning")
    usual = [logging.StreamHandler(stream)]
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(logger, "handlers", usual)
    trainer: Any = SimpleNamespace(is_global_zero=True)
    bar, module = TokenProgressBar(), Any
    bar.setup(trainer, module, "fit")  # type: ignore[arg-type]
    with Tqdm(total=3, file=stream, leave=True):
        logger.warning("said above it")
    getattr(bar, ending)(trainer, module, "fit")
    lines = re.split(r"[\r\n]+", stream.getvalue())
    assert "said above it" in [line.strip() for line in lines]
    assert logger.handlers == usual
