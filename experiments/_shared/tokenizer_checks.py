"""Do the models that a command starts from have the data's tokenizer?"""

from collections.abc import Iterator, Mapping
from typing import Any

from distilkobert.tokenizers.loading import TextEncoder, load_tokenizer, tokenizer_beside

_SOURCES = ("teacher", "init_from", "student.init_from")


def check_tokenizers(settings: Mapping[str, Any], tokenizer: TextEncoder) -> None:
    """Refuse a teacher or a start whose folder holds another tokenizer than the data's, of whatever size.

    Pieces are compared by their ids, so it does not matter in which files they are kept. A hub id, and a folder without
    a tokenizer, is not checked.

    Args:
        settings: of the module.
        tokenizer: the data's.

    Raises:
        ValueError: the pieces differ; names the option, and a piece.
    """
    for option, source in sources(settings):
        folder = tokenizer_beside(source)
        if folder is None:
            continue
        found = load_tokenizer(str(folder))
        count = min(found.vocab_size, tokenizer.vocab_size)
        theirs, ours = (each.convert_ids_to_tokens(range(count)) for each in (found, tokenizer))
        unlike = [number for number, pair in enumerate(zip(theirs, ours, strict=True)) if pair[0] != pair[1]]
        if unlike:
            raise ValueError(
                f"--model.{option}={source} was trained with another tokenizer than data.tokenizer: {len(unlike)} of "
                f"{count} ids are other pieces (id {unlike[0]}: {theirs[unlike[0]]!r}, {ours[unlike[0]]!r} in the "
                f"data's). Set --data.tokenizer={folder}, and prepare the corpus with it"
            )


def sources(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The models that a module starts from: the option, and the folder, checkpoint or hub id that it names."""
    for option in _SOURCES:
        value: Any = settings
        for name in option.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            yield option, value
