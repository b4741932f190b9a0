"""The folder of a model whose vocabulary was changed: what may be replaced, how it is written and checked."""

from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert import KoBertTokenizer
from distilkobert.io.pretrained import load_pretrained
from distilkobert.io.run_files import run_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from distilkobert.tokenizers.fast import FastEncoder

ORIGIN_FILE = "vocabulary.json"
"""What the folder was made from; only a folder that has it is replaced by `--overwrite`."""


def require_replaceable(target: Path, overwrite: bool) -> None:
    """Refuse an output that is not ours to replace, before anything is loaded.

    Raises:
        FileExistsError: it exists, and `overwrite` is off or it was not made by these commands.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / ORIGIN_FILE).is_file():
        raise FileExistsError(
            f"{target} exists and was not made by this command ({ORIGIN_FILE} is missing); choose another --output"
        )
    if not overwrite:
        raise FileExistsError(f"{target} exists; choose another --output, or replace it with --overwrite")


def tokenizer_place(model: str) -> str:
    """Where the tokenizer of a model is: its folder or hub name, or of a checkpoint its run folder's."""
    path = Path(model)
    return str(run_of(path) / "tokenizer") if path.is_file() else model


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
    from distilkobert.models.checks import longest_input, takes_segments
    from distilkobert.tokenizers.loading import load_tokenizer

    model.save_pretrained(folder)
    if isinstance(encoder, KoBertTokenizer):
        encoder.to_transformers(longest_input(model.config), takes_segments(model.config)).save_pretrained(folder)
    encoder.save_pretrained(folder)
    loaded, tokenizer, own = load_own(folder), load_pretrained(AutoTokenizer, folder), load_tokenizer(folder)
    found = [(own.fingerprint, own.pad_token_id), (encoder.fingerprint, tokenizer.pad_token_id)]
    expected = (encoder.fingerprint, encoder.pad_token_id)
    if found != [expected] * 2 or loaded.config.pad_token_id != encoder.pad_token_id:
        raise ValueError(f"the tokenizer written to {folder.name} differs from the original; nothing was kept")
    if type(loaded) is not type(model) or loaded.config.vocab_size < own.vocab_size:
        raise ValueError(f"the model written to {folder.name} does not load unchanged; nothing was kept")


def print_sizes(before: "PreTrainedModel", after: "PreTrainedModel") -> None:
    """Say what the change of vocabulary did to the model's size."""
    for word, model in (("before", before), ("after", after)):
        parameters = sum(parameter.numel() for parameter in model.parameters())
        print(
            f"{word + ':':7} {model.config.vocab_size:>8,} pieces, {parameters / 1e6:6.1f} million parameters, "
            f"{parameters * 4 / 2**20:6.1f} MB in float32"
        )
