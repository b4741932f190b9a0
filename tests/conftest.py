"""Fixtures shared by all tests."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Before torch is imported: two test processes of two threads each fight over two cores, mostly in barriers.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A background job of a shell ignores SIGINT, and so would the commands that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The same of SIGHUP under `nohup`; a handler, which is not inherited, keeps the tests themselves running.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

pytest_plugins = ["tests.world", "tests.support.tokenizers.fixtures"]

# The same examples in every run, so that a change alone decides about its checks; HYPOTHESIS_PROFILE=explore draws new
# ones.
settings.register_profile("repeat", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that have a time limit of their own, the longest; no process waits for one at the end."""

    def limit(item: pytest.Item) -> float:
        mark = item.get_closest_marker("timeout")
        return float(mark.args[0]) if mark else 0.0

    items.sort(key=limit, reverse=True)


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """Folder with the real Korean files, named by KOBERT_DATA_DIR; tests that need it are skipped without it."""
    folder = os.environ.get("KOBERT_DATA_DIR")
    if not folder:
        pytest.skip("KOBERT_DATA_DIR is not set: this test reads real Korean files from the folder it names")
    if not Path(folder).is_dir():
        pytest.fail(f"KOBERT_DATA_DIR={folder} is not a folder")
    return Path(folder)
