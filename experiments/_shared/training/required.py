"""Settings that are required by their classes, and that a command may leave out all the same."""

from jsonargparse import Namespace

from experiments._shared.training.data_tokenizer import default_tokenizer
from experiments._shared.training.loggers import fill_folder


def fill_required(settings: Namespace) -> None:
    """Fill them in before the parser asks for them.

    Args:
        settings: of a command, or of the program with those of its command below the command's name.
    """
    command = settings.get("subcommand")
    own = settings.get(command) if command else settings
    if isinstance(own, Namespace) and own.get("trainer") is not None and own.get("run") is not None:
        fill_folder(own.trainer.get("logger"), own.run.root)
        default_tokenizer(own.get("data"))
