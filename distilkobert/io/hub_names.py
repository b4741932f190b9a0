"""Names that may be a folder here or a repository of the Hugging Face hub."""

from difflib import get_close_matches
from pathlib import Path


def refuse_mistyped_folder(name: str | Path) -> None:
    """Refuse a name that is not there and cannot be meant for the hub: no request is made.

    `data/kobret` has the form of a hub id, and asking for it takes a minute of retries where there is no network; it is
    refused because the folder `data` is there. A repository that the hub's client has in its cache is taken. A longer
    path is never a hub id.

    Raises:
        FileNotFoundError: names what is there.
    """
    path = Path(name)
    if path.exists() or may_be_on_hub(path):
        return
    near = what_is_near(path)
    fetch = f" (for a repository of that name on the hub, fetch it first: hf download {path})"
    advised = not is_local(path) and not near.startswith("did you mean")
    raise FileNotFoundError(f"there is no folder '{path}'; {near}{fetch if advised else ''}")


def may_be_on_hub(path: Path) -> bool:
    """Whether a path that is not there may name a repository: `a/b` does not if the folder `a` is there."""
    return not is_local(path) and (len(path.parts) < 2 or not path.parent.is_dir() or _is_cached(path))


def is_local(path: Path) -> bool:
    """Whether a path cannot be a hub id, which looks like owner/name."""
    return path.is_absolute() or len(path.parts) > 2 or path.parts[:1] in (("..",), ("~",))


def what_is_near(path: Path) -> str:
    """What a path that is not there was probably meant to be, or what the folder has in which its first mistake is."""
    wrong = path
    while not wrong.parent.is_dir():
        wrong = wrong.parent
    kept = sorted(found.name for found in wrong.parent.iterdir() if not found.name.startswith("."))
    near = get_close_matches(wrong.name, kept, n=1)
    if not near:
        return f"{wrong.parent} contains {', '.join(kept[:8]) or 'nothing'}"
    meant = wrong.parent / near[0]
    whole = meant / path.relative_to(wrong)
    return f"did you mean {whole if whole.exists() else meant}?"


def check_hub(name: str | Path) -> None:
    """Ask the hub once for a name that is no folder here, before a client asks it with its retries.

    Where there is no network those take 23 s for each file. A repository in the client's cache is not asked for.

    Raises:
        UnreachableHubError: the hub does not answer; says why.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    path = Path(name)
    if path.exists() or _is_cached(path) or constants.HF_HUB_OFFLINE:
        return
    try:
        get_hf_file_metadata(hf_hub_url(path.as_posix(), "config.json"))
    except (HfHubHTTPError, HFValidationError):
        return  # an answer, or a name that the client refuses in its own words
    except Exception as error:  # those of the transport have no name in the client's interface
        raise UnreachableHubError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error


class UnreachableHubError(OSError):
    """The hub does not answer."""


class NotFetchedError(FileNotFoundError):
    """A name that is no folder here, and that the hub does not have or could not be asked for."""


def _is_cached(repository: Path) -> bool:
    from huggingface_hub.constants import HF_HUB_CACHE

    return (Path(HF_HUB_CACHE) / f"models--{'--'.join(repository.parts)}").is_dir()
