"""The commands below `prepare vocabulary`: give an encoder the vocabulary of another tokenizer."""

from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import Namespace

from distilkobert import KoBertTokenizer
from distilkobert.io.files import atomic_folder
from distilkobert.io.pretrained import load_pretrained
from distilkobert.io.run_files import write_json
from experiments._shared.parsers import StrictParser
from experiments._shared.quiet import quieten_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from distilkobert.tokenizers.fast import FastEncoder

RECORD = "vocabulary.json"
"""What the folder was made from; only a folder that has it is replaced by `--overwrite`."""

_NAMED_PIECES = 20


def add_vocabulary_commands(parser: StrictParser) -> None:
    """Give the parser of `prepare vocabulary`, once it is part of another one, its own commands."""
    commands = parser.add_subcommands(required=True, dest="action")
    for function, help_text in ((transfer, "the same encoder with another tokenizer's pieces"),):
        one = StrictParser()
        one.add_function_arguments(function, skip={"overwrite"})
        one.add_argument("--overwrite", action="store_true", help="replace a folder that an earlier call made")
        commands.add_subcommand(function.__name__, one, help=help_text)


def change_vocabulary(settings: Namespace) -> None:
    """Run the command that was read."""
    options = settings[settings.action]
    {"transfer": transfer}[settings.action](**vars(options))


def transfer(
    model: str, tokenizer: str, output: str, model_tokenizer: str | None = None, overwrite: bool = False
) -> None:
    """Write the same encoder with the vocabulary of another tokenizer.

    Args:
        model: folder, checkpoint or hub id of the encoder; a masked-LM head goes along.
        tokenizer: folder or hub name of the tokenizer whose pieces it gets.
        output: folder to make: the model, and the tokenizer's files.
        model_tokenizer: the model's own tokenizer; by default the one in its folder or run folder.
        overwrite: replace a folder that an earlier call made.

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
    record = {
        "made_by": "vocabulary transfer",
        "model": str(model),
        "model_tokenizer": old.fingerprint,
        "tokenizer": new.fingerprint,
        "pieces": {"all": len(origins.pieces), "without_origin": origins.without},
    }
    with atomic_folder(target, overwrite) as folder:
        write_model(folder, changed, new)
        write_json(folder / RECORD, record)
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


def require_replaceable(target: Path, overwrite: bool) -> None:
    """Refuse an output that is not ours to replace, before anything is loaded.

    Raises:
        FileExistsError: it exists, and `overwrite` is off or it was not made by these commands.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / RECORD).is_file():
        raise FileExistsError(
            f"{target} exists and was not made by this command ({RECORD} is missing); name another --output"
        )
    if not overwrite:
        raise FileExistsError(f"{target} exists; name another --output, or replace it with --overwrite")


def tokenizer_place(model: str) -> str:
    """Where the tokenizer of a model is: its folder or hub name, or of a checkpoint its run folder's."""
    path = Path(model)
    return str(path.resolve().parent.parent / "tokenizer") if path.is_file() else model


def fast_view(encoder: "KoBertTokenizer | FastEncoder") -> "PreTrainedTokenizerFast":
    """A loaded tokenizer as a fast one of transformers, with the same ids."""
    return encoder.to_transformers() if isinstance(encoder, KoBertTokenizer) else encoder.tokenizer


def write_model(folder: Path, model: "PreTrainedModel", encoder: "KoBertTokenizer | FastEncoder") -> None:
    """Write model and tokenizer into `folder`, and load both as a user would.

    Raises:
        ValueError: what was written does not load, or model and tokenizer do not fit together.
    """
    from transformers import AutoTokenizer

    from distilkobert.models.checkpoints import load_own
    from distilkobert.models.checks import longest_input
    from distilkobert.tokenizers.loading import load_tokenizer

    model.save_pretrained(folder)
    if isinstance(encoder, KoBertTokenizer):
        segments = getattr(model.config, "type_vocab_size", 0) > 1
        encoder.to_transformers(longest_input(model.config), segments).save_pretrained(folder)
    encoder.save_pretrained(folder)
    loaded, tokenizer, own = load_own(folder), load_pretrained(AutoTokenizer, folder), load_tokenizer(folder)
    found = [(own.fingerprint, own.pad_token_id), (encoder.fingerprint, tokenizer.pad_token_id)]
    expected = (encoder.fingerprint, encoder.pad_token_id)
    if found != [expected] * 2 or loaded.config.pad_token_id != encoder.pad_token_id:
        raise ValueError(f"the tokenizer written to {folder.name} is not the one that was read; nothing was kept")
    if type(loaded) is not type(model) or loaded.config.vocab_size < own.vocab_size:
        raise ValueError(f"the model written to {folder.name} does not load as it was; nothing was kept")


def print_sizes(before: "PreTrainedModel", after: "PreTrainedModel") -> None:
    """Say what the change of vocabulary did to the model's size."""
    for word, model in (("before", before), ("after", after)):
        parameters = sum(parameter.numel() for parameter in model.parameters())
        print(
            f"{word + ':':7} {model.config.vocab_size:>8,} pieces, {parameters / 1e6:6.1f} million parameters, "
            f"{parameters * 4 / 2**20:6.1f} MB in float32"
        )
