"""Tokenizers of the Hugging Face hub."""

from collections.abc import Sequence
from pathlib import Path

from distilkobert.io.hub_names import UnreachableHubError, check_hub


def tokenizer_snapshot(name: str, files: Sequence[str], remedy: str) -> Path:
    """Bring files of a hub repository into the hub's cache, or find them there, and give their folder.

    Args:
        name: the repository, OWNER/NAME.
        files: names or patterns.
        remedy: what to do without a network, for the message.

    Raises:
        FileNotFoundError: the hub has no such repository, or does not answer.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        check_hub(name)
        return Path(snapshot_download(name, allow_patterns=list(files)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, UnreachableHubError) as error:
        raise FileNotFoundError(
            f"there is no folder {name!r}, and the Hugging Face hub has no such tokenizer or cannot be reached "
            f"({type(error).__name__}: {str(error).strip().splitlines()[0]}). Without a network, {remedy}"
        ) from error
