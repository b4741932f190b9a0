"""Looks tell arms apart, and Hangul finds a font or a warning."""

import warnings
from pathlib import Path

import pytest

from distilkobert.korean import fonts
from distilkobert.korean.fonts import families, has_hangul, korean_family
from experiments._shared.plan_file import Arm
from experiments.report.figures.style import looks


def test_arms_look_different() -> None:
    students = [Arm(f"s{number}") for number in range(10)]
    found = looks([Arm("teacher", "teacher"), *students, Arm("c", "control"), Arm("d", "control")])
    assert len({(look.color, look.line) for look in found.values()}) == 13
    assert found["teacher"].color == "#000000"
    assert found["s0"].color == found["s6"].color
    assert found["s0"].line != found["s6"].line


def test_markers_tell_arms_apart_without_their_lines() -> None:
    arms = [Arm("teacher", "teacher"), *(Arm(f"s{n}") for n in range(30)), *(Arm(f"c{n}", "control") for n in range(6))]
    assert len({(look.color, look.marker) for look in looks(arms).values()}) == len(arms)


def test_what_has_hangul() -> None:
    assert has_hangul(["abc", "ㅋ"])
    assert not has_hangul(["abc", "日本"])


def test_hangul_without_a_font_warns_once_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "korean_family", lambda: None)
    with pytest.warns(UserWarning, match="fonts-nanum; PyPI: koreanize-matplotlib") as raised:
        assert families(["학생", "교사"]) == ["DejaVu Sans"]
    assert len(raised) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert families(["student"]) == ["DejaVu Sans"]


def test_a_known_family_is_taken_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import font_manager

    entries = [font_manager.FontEntry(name=name) for name in ("DejaVu Sans", "Malgun Gothic", "NanumGothic")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", entries)
    assert korean_family() == "NanumGothic"
    assert families(["학생"]) == ["DejaVu Sans", "NanumGothic"]


def test_a_font_installed_after_matplotlib_looked_is_found_by_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from matplotlib import font_manager

    font = Path(font_manager.findfont("DejaVu Sans"))
    late = tmp_path / "NanumGothic.ttf"
    late.write_bytes(font.read_bytes())
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(tmp_path / "Other.ttf"), str(late)])
    assert korean_family() == "DejaVu Sans"  # the name that the file says
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    monkeypatch.setattr(fonts, "_packaged_fonts", list)
    assert korean_family() is None
