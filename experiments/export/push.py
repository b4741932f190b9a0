"""Send an exported folder to the Hugging Face hub."""

import re
from pathlib import Path

_NAME = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")


def check_push(repository: str, licence: str | None) -> None:
    """Check what can be known before any work is done.

    Raises:
        ValueError: the name is none of a repository, no license is given, or the user is not logged in.
    """
    from huggingface_hub import get_token

    if not _NAME.fullmatch(repository):
        raise ValueError(f"--push={repository}: expected OWNER/NAME, letters, digits, '-', '_' and '.'")
    if not licence:
        raise ValueError(
            "--push needs --license: users of the model must know what it may be used for, and the licenses of "
            "its data and its teacher apply; for example --license=apache-2.0, cc-by-sa-4.0 or other"
        )
    if get_token() is None:
        raise ValueError("--push needs a token of the hub: log in with `hf auth login`, or set HF_TOKEN")


def push_folder(folder: Path, repository: str, private: bool) -> str:
    """Upload a folder in one commit; returns its address.

    Args:
        folder: the export.
        repository: OWNER/NAME; made where it is missing.
        private: make a created repository private.

    Raises:
        OSError: the hub refused it; the folder stays.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=repository, folder_path=folder, commit_message=f"Export of {folder.name}", ignore_patterns=[".*"]
        )
    except Exception as error:  # of the network and of the hub: no class that all its versions share
        raise OSError(
            f"{folder} is written, but {repository} refused it ({error}); after fixing that: hf upload "
            f"{repository} {folder}"
        ) from error
    return str(done.commit_url)
