"""Where a model is: found before anything that is heavy is loaded."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """Where a model is.

    Args:
        weights: exported folder, or checkpoint.
        tokenizer: folder of its tokenizer.
    """

    weights: Path
    tokenizer: Path

    @classmethod
    def of(cls, model: Path) -> "Source":
        """The model of an exported folder, of a run folder (its best checkpoint, or its last), or of a checkpoint.

        Raises:
            FileNotFoundError: the folder holds none of these.
        """
        if model.suffix == ".ckpt":
            return cls(model, model.parent.parent / "tokenizer")
        if (model / "config.json").is_file():
            return cls(model, model)
        kept = [model / "checkpoints" / f"{name}.ckpt" for name in ("best", "last")]
        found = next((path for path in kept if path.is_file()), None)
        if found is None:
            raise FileNotFoundError(
                f"{model} holds no config.json and no checkpoints/best.ckpt; name a run folder, or one that python -m "
                "experiments.export --checkpoint ... has written"
            )
        return cls(found, model / "tokenizer")
