"""Names that have the form of a hub id and are mistyped folders: the hub is not asked."""

import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from distilkobert.io.hub_names import refuse_mistyped_folder
from distilkobert.models import load_teacher
from distilkobert.models.checkpoints import load_model
from distilkobert.tokenizers import KoBertTokenizer
from distilkobert.tokenizers.loading import load_tokenizer

TEMPLATE = "{repo_id}/resolve/{revision}/{filename}"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a model in it; asking the hub fails the test."""
    (tmp_path / "exported" / "student").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for name in ("huggingface_hub.snapshot_download", "transformers.AutoConfig.from_pretrained"):
        monkeypatch.setattr(name, lambda *args, **options: pytest.fail("the hub was asked"))
    return tmp_path


@pytest.mark.parametrize("load", [load_tokenizer, load_teacher, KoBertTokenizer.from_pretrained])
def test_a_mistyped_folder_is_answered_at_once(load: object) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder 'exported/studnet'; did you mean exported/student\?"):
        load("exported/studnet")  # type: ignore[operator]


def test_the_hub_is_not_advised_where_a_folder_is_near() -> None:
    with pytest.raises(FileNotFoundError, match=r"did you mean exported/student\?$"):
        refuse_mistyped_folder("exported/studnet")


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (
            partial(load_model, task=None),
            r"no folder or checkpoint 'made/student' here, .* not be fetched .*Error: .*refused",
        ),
        (load_teacher, r"made/student.* could not be fetched .*refused.* --model\.teacher=FOLDER$"),
        (load_tokenizer, r"no folder 'made/student', and the Hugging Face hub .*refused.*Without a network"),
    ],
)
def test_a_hub_that_does_not_answer_is_asked_once(
    load: Callable[[str], object], message: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # taken, and nothing listens
        address = "http://{}:{}".format(*unused.getsockname())
        for name, value in (("ENDPOINT", address), ("HUGGINGFACE_CO_URL_TEMPLATE", f"{address}/{TEMPLATE}")):
            monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
        started = time.monotonic()
        with pytest.raises(FileNotFoundError, match=message):
            load("made/student")
    assert time.monotonic() - started < 5
    assert "Retrying" not in caplog.text


def test_what_is_there_is_named_where_nothing_is_near() -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder 'exported/x'; exported contains student .*hf download"):
        refuse_mistyped_folder("exported/x")


def test_a_longer_path_is_never_for_the_hub(here: Path) -> None:
    (here / "exported" / "tutorial" / "student").mkdir(parents=True)
    for parent in ("exported/tutorial", str(here / "exported" / "tutorial")):
        with pytest.raises(FileNotFoundError) as refused:
            refuse_mistyped_folder(f"{parent}/studnet")
        assert str(refused.value) == f"there is no folder '{parent}/studnet'; did you mean {parent}/student?"
    with pytest.raises(FileNotFoundError, match=r"no folder 'exportd/tutorial/x'; did you mean exported\?$"):
        refuse_mistyped_folder("exportd/tutorial/x")
    with pytest.raises(FileNotFoundError, match=r"; did you mean exported/tutorial/student\?$"):
        refuse_mistyped_folder("exportd/tutorial/student")
    with pytest.raises(FileNotFoundError, match=r"no folder 'a/b/c'; \. contains exported$"):
        refuse_mistyped_folder("a/b/c")


def test_names_for_the_hub_pass(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("monologg/kobert", "bert-base", "exported/student"):
        refuse_mistyped_folder(name)
    (here / "hub" / "models--exported--cached").mkdir(parents=True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(here / "hub"))
    refuse_mistyped_folder("exported/cached")
