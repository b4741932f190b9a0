"""A folder arrives at a hub on the loopback interface as it is; what cannot be pushed is refused before any work."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.export.__main__ import export
from experiments.export.push import push_folder
from tests.support.servers.hub_server import Hub, loopback_hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with loopback_hub() as found:
        monkeypatch.setenv("HF_TOKEN", "hf_of_the_test")
        for name in ("ENDPOINT", "HUGGINGFACE_CO_URL_HOME"):
            monkeypatch.setattr(f"huggingface_hub.constants.{name}", found.address)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # this interface is no network
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "student"
    made.mkdir()
    (made / "README.md").write_text("---\nlicense: mit\n---\n# student\n", encoding="utf-8")
    (made / "model.safetensors").write_bytes(secrets.token_bytes(300_000))
    (made / "config.json").write_text("{}", encoding="utf-8")
    return made


def test_all_files_arrive_whole(hub: Hub, folder: Path) -> None:
    address = push_folder(folder, "someone/student", private=True)
    assert address.startswith(f"{hub.address}/someone/student")
    assert hub.files == {"someone/student": {path.name: path.read_bytes() for path in folder.iterdir()}}
    asked = hub.made["someone/student"]
    assert asked.get("private") is True or asked.get("visibility") == "private"
    assert hub.tokens == {"Bearer hf_of_the_test"}


def test_a_refusal_names_the_folder_and_the_command(hub: Hub, folder: Path) -> None:
    hub.refuses = True
    with pytest.raises(
        OSError, match=r"(?s)student is written, but someone/student refused it .*hf upload someone/stu"
    ):
        push_folder(folder, "someone/student", private=False)
    assert (folder / "config.json").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"push": "student"}, "--push=student: expected OWNER/NAME"),
        ({"push": "a/b/c", "license": "mit"}, "--push=a/b/c: expected OWNER/NAME"),
        ({"push": "someone/student"}, "--push needs --license"),
        ({"push": "someone/student", "license": "mit"}, "--push needs a token of the hub"),
        (
            {"private": False},
            "^--private=false has no effect without --push; add --push=OWNER/NAME, or leave --private",
        ),
        ({"reduce_range": False, "onnx": True}, "^--reduce_range=false has no effect without --int8; add --int8=true"),
        ({"overrides": ["--data.data_dir=d"]}, "^--overrides=.*d'] has no effect without --evaluate; add --evaluate"),
    ],
)
def test_what_cannot_be_pushed_or_has_no_effect_is_refused_at_once(
    options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(ValueError, match=message):
        export(str(tmp_path / "gone.ckpt"), str(tmp_path / "out"), **options)
    assert not (tmp_path / "out").exists()
