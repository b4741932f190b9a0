"""Unknown pieces in the encoded examples of a task."""

from collections.abc import Mapping, Sequence

from distilkobert.tasks.feature_cache import FeatureTable
from distilkobert.tokenizers.unknowns import PieceCounts


def count_pieces(tables: Mapping[str, FeatureTable], rows: Sequence[int], unk_token_id: int) -> PieceCounts:
    """Count the pieces of some examples: columns `ids` and those that end in `_ids`, in all tables.

    Args:
        tables: tables of a file; one named `contexts` has what the column `context` of `questions` refers to, of
            which each is counted once.
        rows: the examples.
        unk_token_id: the tokenizer's unknown token.
    """
    counts = PieceCounts()
    for name, table in tables.items():
        chosen = rows
        if name == "contexts":
            chosen = sorted(set(tables["questions"].numbers("context")[list(rows)].tolist()))
        for column in table.names:
            if column == "ids" or column.endswith("_ids"):
                counts += PieceCounts.of([table.flat(column, chosen)], unk_token_id)
    return counts
