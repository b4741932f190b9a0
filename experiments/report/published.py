"""Published scores, shown apart from ours and never among them."""

from experiments.report.tables import Cell, Column, Table

_ROWS = (
    ("KoBERT", "351", "89.63", "86.11", "52.81 / 80.27"),
    ("DistilKoBERT", "108", "88.41", "84.13", "54.12 / 77.80"),
    ("multilingual BERT", "681", "87.07", "84.20", "77.04 / 87.85"),
)
"""README.md of monologg/DistilKoBERT, table of results."""


def published_table() -> Table:
    """The original's table, with its source and what keeps it apart from ours."""
    headings = ("size MB", "NSMC accuracy", "Naver NER F1", "KorQuAD EM / F1")
    return Table(
        slug="published",
        title="Published by the original, not measured here",
        columns=(Column("model"), *(Column(heading, ("",)) for heading in headings)),
        rows=tuple((Cell(model), *(Cell(score, (score,)) for score in scores)) for model, *scores in _ROWS),
        notes=(
            "Source: README of monologg/DistilKoBERT; one run per cell, no spread given. Other data splits, settings "
            "and scorers than ours: compare only within this table.",
            "Sizes are MB of float32 weights, of different heads: KoBERT with its pooler, the other two with a "
            "masked-LM head. The KorQuAD scores of multilingual BERT are another team's leaderboard score.",
        ),
    )
