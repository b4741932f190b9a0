"""A network in an ONNX file, called as one of transformers."""

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel
from transformers.utils.generic import ModelOutput

from distilkobert.io.pretrained import load_pretrained


class OnnxNetwork(nn.Module):
    """An ONNX file with ONNX Runtime on the CPU, with torch's number of threads.

    Args:
        path: the file.
        config: the network's configuration; by default that of the file's folder.

    Raises:
        ValueError: ONNX Runtime is not installed, or cannot read the file.
        FileNotFoundError: the file does not exist.
    """

    def __init__(self, path: Path, config: PreTrainedConfig | None = None) -> None:
        super().__init__()
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file; the command export --onnx=true writes model.onnx")
        self.config = config or load_pretrained(AutoConfig, path.parent)
        self.session = open_session(path)
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]

    def forward(self, **inputs: Tensor) -> ModelOutput:
        """The file's outputs by name, for the inputs of the tokenizer, each (B, T).

        Without a mask nothing is padding; a mask may be (B, 1, 1, T), as SDPA takes it (see `heads.mask_for`).
        """
        ids, mask = inputs["input_ids"], inputs.get("attention_mask")
        inputs["attention_mask"] = torch.ones_like(ids) if mask is None else mask.reshape(ids.shape).to(ids.dtype)
        feed = {name: inputs[name].numpy() for name in self.inputs}
        found = self.session.run(self.outputs, feed)
        values = {name: torch.from_numpy(value) for name, value in zip(self.outputs, found, strict=True)}
        return ModelOutput(values)  # type: ignore[no-untyped-call]


def open_session(path: Path) -> Any:
    """A session of ONNX Runtime on the CPU, with torch's number of threads.

    Raises:
        ValueError: ONNX Runtime is not installed, or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise ValueError(
            f"{path} needs onnxruntime; install with: pip install -c constraints.txt -e '.[export]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class of their own
        raise ValueError(f"{path}: ONNX Runtime cannot read it ({error})") from error


def open_onnx(path: Path, config: PreTrainedConfig | None = None) -> PreTrainedModel:
    """The network of an ONNX file for code that calls a model of transformers and reads its `config`."""
    return cast(PreTrainedModel, OnnxNetwork(path, config))
