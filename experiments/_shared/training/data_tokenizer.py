"""`--data.tokenizer=auto`, the tokenizer of the model that a command starts from; and whether the two have the same."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jsonargparse import Namespace

from distilkobert.corpus.manifest import MANIFEST_NAME, read_manifest
from distilkobert.io.hub_names import refuse_mistyped_folder, what_is_near
from distilkobert.io.model_files import why_no_model
from distilkobert.tokenizers.loading import TextEncoder, load_tokenizer, tokenizer_beside
from experiments._shared.run.launching import is_first_process
from experiments._shared.settings import model_sources, places_of

AUTO: Final = "auto"
_USUAL: Final = Path("data/kobert")


def default_tokenizer(data: Any) -> None:
    """Let data whose tokenizer is required and not named have that of the model.

    Args:
        data: `data` as it was parsed.
    """
    settings = data.get("init_args") if isinstance(data, Namespace) else None
    if isinstance(settings, Namespace) and "tokenizer" in settings and settings.tokenizer is None:
        settings.tokenizer = AUTO


def fill_tokenizer(config: Namespace) -> None:
    """Replace `auto` with the folder of a tokenizer, and print which.

    Taken is the tokenizer in the folder of what the module starts from: the run of `--ckpt_path`, else the teacher,
    `init_from`, the student's start; of several, that which a prepared corpus was made with. Where none has one,
    data/kobert is taken, and where that is not there either, the hub's repository that the module names.

    Args:
        config: the settings of a command.

    Raises:
        FileNotFoundError: it can only be the hub's, and a folder that the module names is mistyped.
        ValueError: nothing names a tokenizer.
    """
    data = config.data.get("init_args")
    if data is None or data.get("tokenizer") != AUTO:
        return
    named = [("ckpt_path", config.ckpt_path)] if config.get("ckpt_path") else []
    named += [(f"model.{option}", source) for option, source in model_sources(config.model.init_args.as_dict())]
    found = {str(folder): option for option, source in named if (folder := tokenizer_beside(source)) is not None}
    if _USUAL.is_dir():
        found.setdefault(str(_USUAL), "the usual folder")
    if not found:
        check_sources(config.model.init_args.as_dict())
        hub = [(option, source) for option, source in named if not Path(source).exists() and option != "ckpt_path"]
        found = {source: f"{option}: no such folder, the hub is asked" for option, source in hub}
    if not found:
        starts = ", ".join(f"{option}={source}" for option, source in named) or "the module has no initial model"
        raise ValueError(
            f"data.tokenizer is not set, {_USUAL} does not exist, and the model has no tokenizer ({starts}); set "
            "--data.tokenizer=FOLDER"
        )
    data.tokenizer = _that_of_corpus(places_of(data.get("data_dir")), list(found))
    if is_first_process():
        print(f"tokenizer: {data.tokenizer} ({found[data.tokenizer]})", file=sys.stderr)


def _that_of_corpus(corpora: list[str], folders: list[str]) -> str:
    """The folder whose tokenizer made the first corpus; the first where there is no corpus, or none has made it."""
    if len(folders) > 1 and corpora and (Path(corpora[0]) / MANIFEST_NAME).is_file():
        made = read_manifest(Path(corpora[0]))["tokenizer"]["fingerprint"]
        return next((folder for folder in folders if load_tokenizer(folder).fingerprint == made), folders[0])
    return folders[0]


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
    for option, source in model_sources(settings):
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


def check_sources(settings: Mapping[str, Any], *, resumes: bool = False) -> None:
    """Refuse a teacher or a start that is mistyped or no model, before anything asks the hub for it.

    Args:
        settings: of the module.
        resumes: a checkpoint is resumed, which reads the teacher alone.

    Raises:
        FileNotFoundError: there is no such folder or checkpoint, or the folder or file holds no model; names the option
            and what is there.
    """
    moved = "; if it has moved, name its new place: its files are compared with the run's" if resumes else ""
    for option, source in model_sources(settings):
        if resumes and option != "teacher":
            continue
        path = Path(source)
        try:
            if path.suffix == ".ckpt" and not path.is_file():
                raise FileNotFoundError(f"there is no checkpoint '{source}'; {what_is_near(path)}")
            refuse_mistyped_folder(path)
            if why := why_no_model(path):
                raise FileNotFoundError(why)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"--model.{option}={source}: {error}{moved}") from None
