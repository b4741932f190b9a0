"""`prepare vocabulary trim`: the same encoder and tokenizer without the pieces that a corpus never uses."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from distilkobert import KoBertTokenizer
from distilkobert.io.files import atomic_folder
from distilkobert.io.reading.inputs import described, expand_inputs
from distilkobert.io.reading.remote import InputFile
from distilkobert.io.reading.texts import read_texts
from distilkobert.io.run_files import write_json
from experiments._shared.quiet import quieten_transformers
from experiments.prepare.vocabulary_folder import (
    ORIGIN_FILE,
    print_sizes,
    require_replaceable,
    tokenizer_place,
    write_model,
)

OLD_IDS = "old_ids.npy"
"""The old id of each new one, (V,) int64, in the folder of a trimmed model."""

_LINES_AT_A_TIME = 2000


def trim(
    model: str,
    corpus: list[str],
    output: str,
    min_count: int = 1,
    field: str | None = None,
    model_tokenizer: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write the same encoder and fast tokenizer without the pieces that a corpus never uses.

    With `min_count` 1 every line of the corpus keeps its pieces and hidden states. `old_ids.npy` in the folder holds
    the old id of each new one.

    Args:
        model: folder, checkpoint or hub id of the encoder; its masked-LM head is kept.
        corpus: .txt, .jsonl or .parquet files or globs, plain or .gz, .xz, .zst; one sentence or document per line.
        output: folder to write: the model and the tokenizer's files.
        min_count: keep pieces that occur at least this often in the corpus.
        field: key or column with the text, for .jsonl and .parquet.
        model_tokenizer: the model's own tokenizer; by default the one in its folder or run folder.
        overwrite: overwrite the folder of an earlier call.

    Raises:
        FileNotFoundError: model, tokenizer or a corpus file is not there.
        FileExistsError: the output exists.
        ValueError: one of them cannot be read, or the tokenizer is unsupported.
    """
    from distilkobert.models.checkpoints import load_own
    from distilkobert.tokenizers.loading import load_tokenizer
    from distilkobert.tokenizers.piece_counts import PieceCounter
    from distilkobert.tokenizers.transfer import change_to
    from distilkobert.tokenizers.trimming import trim_tokenizer

    quieten_transformers()
    target, paths = Path(output), expand_inputs(corpus)
    require_replaceable(target, overwrite)
    own = model_tokenizer or tokenizer_place(model)
    old = load_tokenizer(own)
    if isinstance(old, KoBertTokenizer):
        raise ValueError(f"{own} is KoBERT's tokenizer, not a fast one; use `vocabulary transfer` to change its pieces")
    network = load_own(model)
    counter = PieceCounter(old, own)
    for texts in text_batches(paths, field):
        counter.add(texts)
    trimmed = trim_tokenizer(old, counter, min_count, own)
    new = trimmed.new
    changed = change_to(network, lambda table: table[trimmed.old_ids], new.tokenizer)
    lines = different = 0
    for texts in text_batches(paths, field):
        lines, different = lines + len(texts), different + trimmed.changed(texts)
    if min_count == 1 and different:
        raise ValueError(
            f"{own}: {different:,} of {lines:,} lines would be split differently although all pieces that they use "
            "were kept; this tokenizer has a part that trimming does not support. Nothing was written"
        )
    origin = {
        "made_by": "vocabulary trim",
        "model": str(model),
        "model_tokenizer": old.fingerprint,
        "tokenizer": new.fingerprint,
        "min_count": min_count,
        "corpus": [described(path) for path in paths],
        "lines": {"all": lines, "changed": different},
        "pieces": {"before": old.vocab_size, "all": new.vocab_size},
    }
    with atomic_folder(target, overwrite) as folder:
        write_model(folder, changed, new)
        np.save(folder / OLD_IDS, trimmed.old_ids)
        write_json(folder / ORIGIN_FILE, origin)
    print(f"{different:,} of {lines:,} lines ({different / max(lines, 1):.2%}) are split into other pieces than before")
    print_sizes(network, changed)
    print(f"written to {target}")


def text_batches(paths: Sequence[InputFile], field: str | None) -> Iterator[list[str]]:
    """The texts of all files, some at a time."""
    texts = (text for path in paths for text in read_texts(path, field))
    while batch := list(islice(texts, _LINES_AT_A_TIME)):
        yield batch
