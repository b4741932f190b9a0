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
    parent, parts = path.parent, len(path.parts)
    local = path.is_absolute() or parts > 2 or path.parts[:1] in (("..",), ("~",))
    if path.exists() or (not local and (parts < 2 or not parent.is_dir() or _is_cached(path))):
        return
    if not parent.is_dir():
        raise FileNotFoundError(f"there is no folder '{path}', and no '{parent}'")
    kept = sorted(found.name for found in parent.iterdir() if not found.name.startswith("."))
    near = get_close_matches(path.name, kept, n=1)
    holds = f"did you mean {parent / near[0]}?" if near else f"{parent} contains {', '.join(kept[:8]) or 'nothing'}"
    fetch = "" if local else f" (for a repository of that name on the hub, fetch it first: hf download {path})"
    raise FileNotFoundError(f"there is no folder '{path}'; {holds}{fetch}")


def _is_cached(repository: Path) -> bool:
    from huggingface_hub.constants import HF_HUB_CACHE

    return (Path(HF_HUB_CACHE) / f"models--{'--'.join(repository.parts)}").is_dir()
