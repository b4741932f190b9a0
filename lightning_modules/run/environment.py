"""What a run was made with: versions, hardware, and the revision of the source."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

_PACKAGES = ("torch", "pytorch-lightning", "transformers", "sentencepiece")


def environment() -> dict[str, Any]:
    """Versions, hardware and git revision of this process, all as plain values."""
    if torch.cuda.is_available():
        hardware = f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    else:
        hardware = f"cpu {platform.machine()}, {torch.get_num_threads()} threads"
    versions = {f"version/{name}": version(name) for name in _PACKAGES}
    return {"hardware": hardware, "python": platform.python_version(), "git_revision": git_revision(), **versions}


def git_revision() -> str:
    """Commit of the source this process runs, `-dirty` added where files differ from it; `unknown` outside git."""
    source = Path(__file__).parent
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=source,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
