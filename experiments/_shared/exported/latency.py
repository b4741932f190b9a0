"""How long exported models take for a sentence: all in one process, in turns, so that a busy moment hits all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from distilkobert.io.model_files import onnx_file_of
from distilkobert.io.pretrained import load_pretrained
from experiments._shared.exported.forms import weights_mb
from experiments._shared.exported.latency_file import ModelLatency

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

BATCHES = (1, 32)
ALONE = 5
"""Passes over one sentence for each over a batch: its 99th percentile needs more of them."""


def measure_latency(
    models: Sequence[str], lengths: Sequence[int] = (16, 64), repeats: int = 20
) -> dict[str, ModelLatency]:
    """Time exported models on sentences of random pieces, on the CPU, without padding, and their tokenizers.

    In every round each model reads every batch once, one sentence `ALONE` times, beginning with another model each
    time; before the first round comes one that does not count. Torch has the threads that it has.

    Args:
        models: exported folders, timed without their heads, and ONNX files, whose head is a part of them.
        lengths: pieces in a sentence; every length is timed by itself.
        repeats: rounds.

    Returns:
        The measurements by model, in the order given.

    Raises:
        FileNotFoundError: a folder has no model, or no weights of one.
        ValueError: a setting is out of range, a model is named twice, or a length is more than a model can read.
    """
    megabytes = _check(models, lengths, repeats)
    timed = {name: _load(name, lengths) for name in models}
    times: dict[Call, list[float]] = {}
    for turn in range(-1, repeats):
        for place in range(len(models)):
            for call in timed[models[(turn + place) % len(models)]].calls:
                for _ in range(ALONE if call.batch == 1 else 1):
                    seconds = _seconds(call)
                    if turn >= 0:
                        times.setdefault(call, []).append(seconds)
    return {name: _summary(one, times, megabytes[name]) for name, one in timed.items()}


@dataclass(frozen=True)
class Call:
    """What is timed.

    Args:
        model: its name.
        kind: `model` or `tokenizer`.
        batch: sentences.
        length: pieces in each.
        run: does it once.
    """

    model: str
    kind: str
    batch: int
    length: int
    run: Callable[[], object] = field(compare=False)


@dataclass(frozen=True)
class _Timed:
    """A loaded model."""

    parameters: int
    calls: list[Call]


def _summary(model: _Timed, times: Mapping[Call, Sequence[float]], mb: float) -> ModelLatency:
    def ms(kind: str, batch: int, *shares: float) -> tuple[float, ...]:
        """Quantiles over the repeats, each the mean over the lengths, in ms."""
        found = [times[call] for call in model.calls if (call.kind, call.batch) == (kind, batch)]
        return tuple(map(float, 1e3 * np.quantile(found, shares, axis=1).mean(axis=1))) if found else ()

    low, middle, high, p95, p99 = ms("model", 1, 0.25, 0.5, 0.75, 0.95, 0.99)
    low_32, middle_32, high_32 = ms("model", 32, 0.25, 0.5, 0.75)
    cut, cut_32 = ms("tokenizer", 1, 0.5), ms("tokenizer", 32, 0.5)
    return ModelLatency(
        batch_1_ms=middle,
        batch_32_ms=middle_32,
        batch_1_quartiles_ms=(low, high),
        batch_32_quartiles_ms=(low_32, high_32),
        batch_1_tail_ms=(p95, p99),
        tokenizer_ms=(cut[0], cut_32[0]) if cut and cut_32 else None,
        sentences_per_s=1e3 * BATCHES[1] / middle_32,
        parameters=model.parameters,
        mb=mb,
    )


def _check(models: Sequence[str], lengths: Sequence[int], repeats: int) -> dict[str, float]:
    """Refuse what cannot be measured; the size of each model's weights."""
    if not models:
        raise ValueError("no model given; expected at least one exported folder")
    if not lengths or min(lengths) < 1:
        raise ValueError(f"lengths is {list(lengths)}; expected numbers of pieces from 1 up")
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; expected at least 1")
    places: set[Path] = set()
    megabytes = {}
    for name in models:
        path = Path(name)
        size, folder = weights_mb(path), path.parent if path.suffix == ".onnx" else path
        if size is None or not (folder / "config.json").is_file():
            raise FileNotFoundError(
                f"{path}: no exported model; expected config.json and *.safetensors, which experiments.export "
                "writes, an older pytorch_model.bin, or an .onnx file"
            )
        if path.resolve() in places:
            raise ValueError(f"{path} is given twice; give every model once")
        places.add(path.resolve())
        megabytes[name] = size
    return megabytes


def _load(name: str, lengths: Sequence[int]) -> _Timed:
    """The model of a folder, or of an ONNX file, with what is timed of it."""
    import torch

    from distilkobert.models.checks import longest_input

    path = Path(name)
    network = _network(path)
    limit = longest_input(network.config)
    if max(lengths) > limit:
        raise ValueError(f"{name} reads at most {limit} pieces; name shorter lengths than {max(lengths)}")
    generator = torch.Generator().manual_seed(0)
    calls: list[Call] = []
    for batch in BATCHES:
        for length in lengths:
            ids = torch.randint(0, network.config.vocab_size, (batch, length), generator=generator)
            calls.append(Call(name, "model", batch, length, _pass(network, ids)))
    folder = path if path.is_dir() else path.parent
    if (folder / "tokenizer_config.json").is_file():
        calls += _tokenizing(name, folder, lengths)
    return _Timed(_parameters(network, folder), calls)


def _network(path: Path) -> "PreTrainedModel":
    """The encoder without its head, and without the pooler, which no task of ours uses; or an ONNX file as it is."""
    import torch
    from transformers import AutoModel

    from distilkobert.models.onnx_network import open_onnx

    if file := onnx_file_of(path):
        return open_onnx(file)
    model: PreTrainedModel = load_pretrained(AutoModel, path, dtype=torch.float32)
    if getattr(model, "pooler", None) is not None:
        setattr(model, "pooler", None)  # noqa: B010 - torch types every attribute as a module
    model.train(False)
    return model


def _parameters(network: "PreTrainedModel", folder: Path) -> int:
    """Parameters of the encoder, without pooler and head."""
    from transformers import AutoConfig, AutoModel

    from distilkobert.io.pretrained import build_from_config

    if hasattr(network, "num_parameters"):
        return network.num_parameters()
    import torch

    with torch.device("meta"):
        model = build_from_config(AutoModel, load_pretrained(AutoConfig, folder))
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("pooler."))


def _pass(network: "PreTrainedModel", ids: "torch.Tensor") -> Callable[[], object]:
    import torch

    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if "token_type_ids" in getattr(network, "inputs", ()):  # of an ONNX file, which has no default for them
        inputs["token_type_ids"] = torch.zeros_like(ids)

    def call() -> object:
        with torch.inference_mode():
            return network(**inputs)

    return call


def _tokenizing(name: str, folder: Path, lengths: Sequence[int]) -> list[Call]:
    """Calls that cut synthetic Korean sentences of about so many pieces."""
    from transformers import AutoTokenizer

    from distilkobert.synthetic.generation import generate_sentences

    tokenizer = load_pretrained(AutoTokenizer, folder)
    pool = " ".join(generate_sentences(200, seed=0))
    offsets = tokenizer(pool, return_offsets_mapping=True, add_special_tokens=False)["offset_mapping"]

    def texts(count: int, length: int) -> list[str]:
        places = [(number * length) % (len(offsets) - length) for number in range(count)]
        return [pool[offsets[start][0] : offsets[start + length - 1][1]] for start in places]

    def cutting(batch: list[str]) -> Callable[[], object]:
        return lambda: tokenizer(batch, return_tensors="pt", padding=True, truncation=True)

    return [
        Call(name, "tokenizer", batch, length, cutting(texts(batch, length))) for batch in BATCHES for length in lengths
    ]


def _seconds(call: Call) -> float:
    started = time.perf_counter()
    call.run()
    return time.perf_counter() - started
