"""What is silenced for a while leaves logging as it was."""

import logging

import pytest

from experiments._shared.quiet import only_from


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
