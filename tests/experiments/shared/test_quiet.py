"""What is silenced for a while leaves logging as it was."""

import logging
import warnings
from pathlib import Path

import pytest
from pytorch_lightning.callbacks import model_checkpoint

from experiments._shared.quiet import only_from, quieten_lightning
from tests.world import Run, World


def test_a_training_shorter_than_its_first_validation_is_not_warned_about(
    world: World, run: Run, tmp_path: Path
) -> None:
    model_checkpoint.warning_cache.clear()  # it keeps what an earlier training was warned about
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        quieten_lightning()
        whole_epochs = ("--trainer.val_check_interval=1.0", "--trainer.check_val_every_n_epoch=1")
        run("fit", world.pretrain(tmp_path, *whole_epochs, "--trainer.max_steps=1"))
    assert not [warning for warning in shown if "monitored key" in str(warning.message)]
    assert (tmp_path / "pretrain" / "base_seed42" / "checkpoints" / "best.ckpt").exists()


def test_a_handler_that_a_library_adds_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    own = logging.NullHandler()
    for handlers in ([], [own]):
        monkeypatch.setattr(logging.root, "handlers", handlers)
        level = logging.root.level
        with only_from(logging.ERROR):
            logging.warning("as a library does")
            logging.getLogger().addHandler(logging.NullHandler())
            assert len(logging.root.handlers) == 2
        assert logging.root.handlers == ([own] if handlers else [])
        assert logging.root.level == level


def test_an_error_leaves_logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])

    def failing() -> None:
        logging.basicConfig()
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"), only_from(logging.ERROR, "some"):
        failing()
    assert not logging.root.handlers
    assert logging.getLogger("some").level == logging.NOTSET
