"""Where a model is: found before anything that is heavy is loaded."""

from dataclasses import dataclass
from pathlib import Path

from distilkobert.io.model_files import onnx_file_of


@dataclass(frozen=True)
class Source:
    """Where a model is.

    Args:
        weights: exported folder, ONNX file, or checkpoint.
        tokenizer: folder of its tokenizer.
    """

    weights: Path
    tokenizer: Path

    @classmethod
    def of(cls, model: Path) -> "Source":
        """The model of an exported folder, of a run folder (its best checkpoint, or its last), or of a file.

        A folder with an ONNX file and without other weights is run with ONNX Runtime; so is an ONNX file that is named.

        Raises:
            FileNotFoundError: the folder holds none of these.
        """
        if model.suffix == ".ckpt":
            return cls(model, model.parent.parent / "tokenizer")
        onnx = onnx_file_of(model)
        if onnx is not None and (onnx.parent / "config.json").is_file():
            return cls(onnx, onnx.parent)
        if (model / "config.json").is_file():
            return cls(model, model)
        kept = [model / "checkpoints" / f"{name}.ckpt" for name in ("best", "last")]
        found = next((path for path in kept if path.is_file()), None)
        if found is None:
            raise FileNotFoundError(
                f"{model} contains neither config.json nor checkpoints/best.ckpt; give a run folder, or one that "
                "python -m experiments.export --checkpoint ... has written"
            )
        return cls(found, model / "tokenizer")
