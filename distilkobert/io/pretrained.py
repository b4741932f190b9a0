"""The one place where transformers makes something from a folder, a hub repository or a configuration.

A model's files may name Python code of their own (`auto_map`). By default transformers asks on standard input whether
to run it, which is where the command `predict` reads its texts. Nothing of a file is run here; a test over the sources
forbids the same calls elsewhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def load_pretrained(kind: Any, source: str | Path, **options: Any) -> Any:
    """`kind.from_pretrained(source, **options)`, without running code that the source names.

    Args:
        kind: `AutoConfig`, `AutoTokenizer`, `AutoModel...` or a class of transformers.
        source: folder or hub repository.
        options: passed on.

    Raises:
        ValueError: the source can be read with its own code only; and whatever transformers raises.
    """
    with _own_code_refused(str(source)):
        return kind.from_pretrained(source, trust_remote_code=False, **options)


def build_from_config(kind: Any, config: Any, **options: Any) -> Any:
    """`kind.from_config(config, **options)`, without running code that the configuration names.

    Args:
        kind: `AutoModel...`.
        config: configuration of a network.
        options: passed on.

    Raises:
        ValueError: the network can be made with code of its own only; and whatever transformers raises.
    """
    with _own_code_refused(f"model type '{config.model_type}'"):
        return kind.from_config(config, trust_remote_code=False, **options)


@contextmanager
def _own_code_refused(source: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if "trust_remote_code" not in str(error):
            raise
        # Without its cause, whose text advises to run it.
        raise ValueError(
            f"{source}: its config.json refers to its own Python code (auto_map), which is never run here; use a "
            "model type that transformers supports"
        ) from None
