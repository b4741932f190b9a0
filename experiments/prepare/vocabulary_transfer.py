"""`prepare vocabulary transfer`: the same encoder with another tokenizer's pieces."""

from pathlib import Path

from distilkobert.io.files import atomic_folder
from distilkobert.io.run_files import write_json
from experiments._shared.quiet import quieten_transformers
from experiments.prepare.vocabulary_folder import (
    ORIGIN_FILE,
    fast_view,
    print_sizes,
    require_replaceable,
    tokenizer_place,
    write_model,
)

_NAMED_PIECES = 20


def transfer(
    model: str, tokenizer: str, output: str, model_tokenizer: str | None = None, overwrite: bool = False
) -> None:
    """Write the same encoder with the vocabulary of another tokenizer.

    Args:
        model: folder, checkpoint or hub id of the encoder; its masked-LM head is kept.
        tokenizer: folder or hub name of the tokenizer with the new pieces.
        output: folder to write: the model and the tokenizer's files.
        model_tokenizer: the model's own tokenizer; by default the one in its folder or run folder.
        overwrite: overwrite the folder of an earlier call.

    Raises:
        FileNotFoundError: model or tokenizer is not there.
        FileExistsError: the output exists.
        ValueError: one of them cannot be read or is unsupported, or they do not fit together.
    """
    from distilkobert.models.checkpoints import load_own
    from distilkobert.tokenizers.loading import load_tokenizer
    from distilkobert.tokenizers.transfer import piece_origins, transfer_vocabulary

    quieten_transformers()
    target = Path(output)
    require_replaceable(target, overwrite)
    own = model_tokenizer or tokenizer_place(model)
    old, new = load_tokenizer(own), load_tokenizer(tokenizer)
    network = load_own(model)
    fast = fast_view(new)
    origins = piece_origins(fast_view(old), fast, own, tokenizer)
    changed = transfer_vocabulary(network, origins, fast)
    origin = {
        "made_by": "vocabulary transfer",
        "model": str(model),
        "model_tokenizer": old.fingerprint,
        "tokenizer": new.fingerprint,
        "pieces": {"all": len(origins.pieces), "without_origin": origins.without},
    }
    with atomic_folder(target, overwrite) as folder:
        write_model(folder, changed, new)
        write_json(folder / ORIGIN_FILE, origin)
    without = origins.without
    listed = " ".join(without[:_NAMED_PIECES]) + (" ..." if without[_NAMED_PIECES:] else "")
    kept = sum(len(ids) == 1 for ids in origins.old_ids)
    print(
        f"{len(origins.pieces):,} pieces: {kept:,} start as one old piece, "
        f"{len(origins.pieces) - kept - len(without):,} as the mean of several, {len(without):,} have none and start "
        f"as the mean of all{f': {listed}' if without else ''}"
    )
    print_sizes(network, changed)
    print(f"written to {target}")
