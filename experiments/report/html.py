"""The report as one HTML file that needs nothing else: no script, no style sheet, no image from outside."""

import base64
from collections.abc import Mapping
from html import escape

from experiments.report.document import Report, Section
from experiments.report.tables import MISSING, Table
from experiments.report.text import NO_NOTES, NOTES_TITLE

_CSS = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --soft: #5a5a5a; --line: #c9c9c9; --lack: #a4262c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181b; --soft: #a8a8a8; --line: #44484d; --lack: #ff9a9a; }
}
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, "Noto Sans KR", "Noto Sans CJK KR", NanumGothic, "Malgun Gothic", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .25rem .7rem; text-align: left; white-space: nowrap; }
td.words { white-space: normal; overflow-wrap: break-word; }
th { border-bottom: 1.5px solid var(--ink); vertical-align: bottom; white-space: normal; }
tbody tr + tr td { border-top: 1px solid var(--line); }
.number { text-align: right; }
.lack { color: var(--lack); font-style: italic; }
.note, figcaption { color: var(--soft); font-size: .85rem; margin: .2rem 0; max-width: 60rem; }
figure { margin: 1.2rem 0; }
figure img { max-width: 100%; height: auto; background: #ffffff; padding: .5rem; box-sizing: border-box; }
@media print {
  :root { --ink: #000000; --paper: #ffffff; --soft: #333333; --line: #999999; --lack: #000000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .wide { overflow: visible; }
  th, td { padding: .15rem .35rem; white-space: normal; }
  figure, tr { break-inside: avoid; }
  h2, caption { break-after: avoid; }
}
"""


def to_html(report: Report, images: Mapping[str, bytes]) -> str:
    """The whole report.

    Args:
        report: what to write.
        images: each figure as SVG, by slug.
    """
    notes = "".join(f"<li>{escape(note)}</li>\n" for note in report.notes)
    body = [
        f"<h1>{escape(report.title)}</h1>",
        f"<p>{escape(report.question)}</p>" if report.question else "",
        f'<p class="lack">{escape(report.lack)}</p>' if report.lack else "",
        *(_section(section, images) for section in report.sections),
        f"<h2>{NOTES_TITLE}</h2>",
        f"<ul>\n{notes}</ul>" if notes else f"<p>{NO_NOTES}</p>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _section(section: Section, images: Mapping[str, bytes]) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>", *(f'<p class="note">{escape(text)}</p>' for text in section.text)]
    parts += [_table(table, with_caption=table.title != section.title) for table in section.tables]
    for drawing in section.drawings:
        data = base64.b64encode(images[drawing.slug]).decode("ascii")
        parts.append(
            f'<figure>\n<img src="data:image/svg+xml;base64,{data}" alt="{escape(drawing.caption)}">\n'
            f"<figcaption>{escape(drawing.caption)}</figcaption>\n</figure>"
        )
    return "\n".join(parts)


def _table(table: Table, *, with_caption: bool) -> str:
    kinds = ["number" if column.numeric else "words" for column in table.columns]
    heads = "".join(
        f'<th scope="col" class="{kind}">{escape(column.heading)}</th>'
        for kind, column in zip(kinds, table.columns, strict=True)
    )
    rows = []
    for row in table.rows:
        cells = "".join(
            f'<td class="{kind}{" lack" if cell.text == MISSING else ""}">{escape(cell.text)}</td>'
            for kind, cell in zip(kinds, row, strict=True)
        )
        rows.append(f"<tr>{cells}</tr>")
    caption = f"<caption>{escape(table.title)}</caption>\n" if with_caption else ""
    body = "\n".join(rows)
    notes = "\n".join(f'<p class="note">{escape(note)}</p>' for note in table.notes)
    return (
        f'<div class="wide">\n<table>\n{caption}<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n'
        f"</div>\n{notes}"
    )
