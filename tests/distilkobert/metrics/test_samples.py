"""Sample tables: any text of a data file is shown as text, by the very converter TensorBoard uses."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.metrics.samples import Sample, as_cell, sample_page, sample_table

NASTY = [
    "<script>alert(1)</script>",
    "a | b || c",
    "[link](http://example.com) ![img](x.png)",
    "**굵게** _기울임_ `코드` # 제목 ~~x~~",
    "&lt;b&gt; &amp; \\| \\\\",
    "첫 줄\n둘째 줄\r\n| 셋 |\t끝",
    "http://example.com <http://example.com>",
]


def shown(page: str) -> str:
    from tensorboard.plugin_util import markdown_to_safe_html

    return str(markdown_to_safe_html(page))


def cells(page: str) -> list[list[str]]:
    """Text of the cells of all table bodies, as a browser shows it."""
    import html

    rows = re.findall(r"<tr>\s*(<td.*?)</tr>", shown(page), flags=re.DOTALL)
    return [[html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.DOTALL)] for row in rows]


@pytest.mark.parametrize("text", NASTY)
def test_text_comes_out_of_the_table_as_it_went_in(text: str) -> None:
    page = sample_table([Sample(7, text, text, text, 0.5, right=True)])
    plain = " ".join(text.split())
    assert cells(page) == [[f"<strong>7</strong> {plain}", plain, f"{plain} (0.500)"]]
    body = shown(page)
    assert not re.search(r"<(script|a|img|b|em|code|del)\b", body)
    assert body.count("<strong>") == 1, "the row's number"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_stays_one_cell(text: str) -> None:
    rows = cells(sample_table([Sample(0, text, "긍정", "부정", 1.0, right=False)]))
    assert len(rows) == 1
    assert rows[0][0].startswith("<strong>0</strong>")
    assert rows[0][1:] == ["긍정", "부정 (1.000) ✗"]


def test_long_texts_are_cut_and_what_cannot_be_shown_is_replaced() -> None:
    assert as_cell("가" * 300) == "가" * 199 + "…"
    assert as_cell("a\x00b\u202ec") == "a\ufffdb\ufffdc"


def test_a_page_without_a_wrong_answer_says_so() -> None:
    first = Sample(0, "좋다", "positive", "positive", 0.9, right=True)
    page = sample_page([first], [], "Wrong answers, most confident first")
    assert "None: every answer is right." in page
    assert len(cells(page)) == 1
    wrong = Sample(3, "나쁘다", "negative", "positive", 0.8, right=False)
    assert [row[1] for row in cells(sample_page([first], [wrong], "Wrong answers, most confident first"))] == [
        "positive",
        "negative",
    ]
