"""A font that has Hangul, for figures: found among the installed ones, never downloaded."""

import importlib.util
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

FAMILIES = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Noto Sans CJK JP",  # the first face of the collection file that also holds the Korean one; all faces have Hangul
    "NanumGothic",
    "NanumBarunGothic",
    "Malgun Gothic",
    "AppleGothic",
    "Apple SD Gothic Neo",
    "UnDotum",
    "Baekmuk Dotum",
)
"""Sans-serif families with Hangul: of Linux distributions, Windows and macOS, best first."""

_FILES = re.compile(
    r"(NotoSansCJK|NotoSansCJKkr|NotoSansKR)-(Regular|VF)|Nanum(Barun)?Gothic|malgun|Apple(SD)?Gothic(Neo)?|UnDotum|dotum"
)
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_PACKAGED = "koreanize_matplotlib"
"""A package of PyPI (distribution koreanize-matplotlib, MIT, last release 2022) that carries NanumGothic (SIL OFL)."""


def has_hangul(texts: Iterable[str]) -> bool:
    """Whether any of the texts has a Korean letter."""
    return any(_HANGUL.search(text) for text in texts)


def korean_family() -> str | None:
    """Family of a font with Hangul that matplotlib can draw with; None where there is none on this machine."""
    from matplotlib import font_manager

    known = {entry.name for entry in font_manager.fontManager.ttflist}
    for family in FAMILIES:
        if family in known:
            return family
    # matplotlib lists fonts once and for all; one that was installed later is found by its file.
    files = [path for path in map(Path, font_manager.findSystemFonts()) if _FILES.fullmatch(path.stem)]
    for path in [*sorted(files), *_packaged_fonts()]:
        font_manager.fontManager.addfont(str(path))
        return str(font_manager.FontProperties(fname=str(path)).get_name())
    return None


def families(texts: Iterable[str]) -> list[str]:
    """Font families for a figure with these texts, the first one that has a letter drawing it; warns where none has."""
    if not has_hangul(texts):
        return ["DejaVu Sans"]
    korean = korean_family()
    if korean is None:
        warnings.warn(
            "no installed font has Hangul, so Korean names in figures are drawn as boxes; install one of "
            f"{', '.join(FAMILIES[:2])}, NanumGothic (Debian: fonts-noto-cjk or fonts-nanum; PyPI: "
            f"{_PACKAGED.replace('_', '-')}) and run the command again",
            stacklevel=2,
        )
        return ["DejaVu Sans"]
    return ["DejaVu Sans", korean]


def _packaged_fonts() -> list[Path]:
    """The font file of the package; found without importing it, which fails where Python has no distutils (3.12)."""
    spec = importlib.util.find_spec(_PACKAGED)
    if spec is None or spec.origin is None:
        return []
    return sorted((Path(spec.origin).parent / "fonts").glob("NanumGothic.ttf"))
