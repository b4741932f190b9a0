"""Names in figures keep off each other, looks tell arms apart, and Hangul finds a font or a warning."""

import warnings
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.korean import fonts
from distilkobert.korean.fonts import families, has_hangul, korean_family
from experiments.report.figures.style import looks
from experiments.report.names import letters_wide, place_boxes, spread_out
from experiments.report.reading.runs import Arm

unit = st.floats(0, 1, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(st.lists(unit, max_size=9))
def test_spread_places_keep_their_gap_their_order_and_the_range(places: list[float]) -> None:
    moved = spread_out(places, 0.08, 0.0, 1.0)
    in_order = [moved[place] for place in sorted(range(len(places)), key=lambda place: places[place])]
    assert all(later - earlier >= 0.08 - 1e-9 for earlier, later in pairwise(in_order))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in moved)


def test_spread_worked_by_hand() -> None:
    assert spread_out([0.2, 0.8], 0.1, 0, 1) == pytest.approx([0.2, 0.8])
    assert spread_out([0.5, 0.5], 0.1, 0, 1) == pytest.approx([0.45, 0.55])
    assert spread_out([0.52, 0.5, 0.51], 0.1, 0, 1) == pytest.approx([0.61, 0.41, 0.51])
    assert spread_out([0.0, 0.0], 0.1, 0, 1) == pytest.approx([0.0, 0.1])
    assert spread_out([0.9] * 3, 0.8, 0, 1) == pytest.approx([0.0, 0.5, 1.0])
    assert spread_out([], 0.1, 0, 1) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.31, 0.9]), unit), max_size=7))
def test_names_lie_on_nothing(points: list[tuple[float, float]]) -> None:
    boxes = place_boxes(points, [0.2] * len(points), 0.05)
    for number, box in enumerate(boxes):
        assert not any(box.meets(other) for other in boxes[number + 1 :])
        assert not any(box.left < x < box.right and box.low < y < box.high for x, y in points)


def test_where_nothing_is_free_a_name_stays_beside_its_point() -> None:
    (box,) = place_boxes([(0.5, 0.5)], [3.0], 0.05)
    assert box.low == pytest.approx(0.475)


def test_arms_look_different() -> None:
    students = [Arm(f"s{number}") for number in range(10)]
    found = looks([Arm("teacher", "teacher"), *students, Arm("c", "control"), Arm("d", "control")])
    assert len({(look.color, look.line) for look in found.values()}) == 13
    assert found["teacher"].color == "#000000"
    assert found["s0"].color == found["s6"].color
    assert found["s0"].line != found["s6"].line
    assert found["s0"].ink == "#005585"  # three quarters of 00 72 B2


def test_markers_tell_arms_apart_without_their_lines() -> None:
    arms = [Arm("teacher", "teacher"), *(Arm(f"s{n}") for n in range(30)), *(Arm(f"c{n}", "control") for n in range(6))]
    assert len({(look.color, look.marker) for look in looks(arms).values()}) == len(arms)


def test_a_name_is_nearer_to_its_own_point_than_to_another() -> None:
    boxes = place_boxes([(0.3, 0.5), (0.315, 0.5)], [0.2, 0.2], 0.05)
    assert boxes[0].right < 0.3  # free to its right, but beyond the other point
    assert boxes[1].left > 0.315


def test_a_name_lies_on_no_line() -> None:
    line = [(place / 100, 0.5) for place in range(100)]
    (box,) = place_boxes([(0.0, 0.5)], [0.2], 0.05, line)
    assert box.low > 0.5 or box.high < 0.5


def test_widths_of_letters() -> None:
    assert letters_wide("ab") == pytest.approx(1.2)
    assert letters_wide("한국") == pytest.approx(2.0)
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
