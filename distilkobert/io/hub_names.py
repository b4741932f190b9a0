"""Names that may be a folder here or a repository of the Hugging Face hub."""

from difflib import get_close_matches
from pathlib import Path


def refuse_mistyped_folder(name: str | Path) -> None:
    """Refuse a name that is not a folder although the folder around it is there: no request to the hub is made.

    `data/kobret` has the form of a hub id, and asking for it takes a minute of retries where there is no network. A
    repository that the hub's client has in its cache is taken.

    Raises:
        FileNotFoundError: names what is there.
    """
    path = Path(name)
    parent = path.parent
    if path.exists() or path.is_absolute() or len(path.parts) != 2 or not parent.is_dir() or _is_cached(path):
        return
    kept = sorted(found.name for found in parent.iterdir() if not found.name.startswith("."))
    near = get_close_matches(path.name, kept, n=1)
    holds = f"did you mean {parent / near[0]}?" if near else f"{parent} contains {', '.join(kept[:8]) or 'nothing'}"
    raise FileNotFoundError(
        f"there is no folder '{path}'; {holds} (for a repository of that name on the hub, fetch it first: "
        f"hf download {path})"
    )


def _is_cached(repository: Path) -> bool:
    from huggingface_hub.constants import HF_HUB_CACHE

    return (Path(HF_HUB_CACHE) / f"models--{'--'.join(repository.parts)}").is_dir()
