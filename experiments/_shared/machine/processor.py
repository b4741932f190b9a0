"""What the processor is called and which instructions it has."""

import platform
import re
from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")

_INT8: Final = (
    "amx_int8", "avx512_vnni", "avx_vnni", "avx512bw", "avx2", "i8mm", "asimddp",
)  # fmt: skip
"""Instructions that int8 matrix products use, the best first: x86, then Arm; names of Linux."""


def processor_name(cpuinfo: Path = CPUINFO) -> str:
    """The processor's own name if Linux reports it, else its kind."""
    found = None
    if cpuinfo.is_file():
        found = re.search(r"^model name\s*:\s*(.+?)\s*$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else f"cpu {platform.machine()}"


def processor_flags(cpuinfo: str) -> frozenset[str] | None:
    """Instruction sets named in the text of `/proc/cpuinfo`; None where it lists none."""
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    return None if flags is None else frozenset(flags[1].split())


def int8_instructions(cpuinfo: Path = CPUINFO) -> str:
    """Names of the instructions for int8 that the processor has, the best first; `unknown` if nothing reports them."""
    flags = processor_flags(cpuinfo.read_text(encoding="utf-8")) if cpuinfo.is_file() else None
    return "unknown" if flags is None else " ".join(name for name in _INT8 if name in flags) or "none"
