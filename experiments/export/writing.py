"""Write the folder of an export, with every form of the model, what was measured of them, and the model card."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from distilkobert import KoBertTokenizer
from distilkobert.io.metric_names import INT8, ONNX, TORCH
from distilkobert.io.model_files import INT8_FILE, ONNX_FILE
from distilkobert.io.run_files import METRICS_FILE, write_json
from distilkobert.models.checkpoints import ENTRY, model_from_checkpoint, read_checkpoint
from distilkobert.models.checks import longest_input, takes_segments
from distilkobert.models.onnx_network import open_onnx
from distilkobert.tasks.kinds import head_named
from distilkobert.tokenizers.loading import load_tokenizer
from experiments._shared.exported.forms import weights_mb
from experiments._shared.exported.latency import measure_latency
from experiments._shared.machine.processor import int8_instructions, processor_name
from experiments.export.checking import check_export, check_tokenizer
from experiments.export.int8 import NAMES, write_int8
from experiments.export.model_card import write_model_card
from experiments.export.onnx import compare, write_onnx
from experiments.export.scores import Part, measure_scores


@dataclass(frozen=True)
class Wanted:
    """What is to be exported; see the options of the command.

    Args:
        name: title of the model card.
        checkpoint: the checkpoint.
        run_folder: its run.
        tokenizer: folder of the tokenizer.
        onnx: write model.onnx.
        int8: write model_int8.onnx; needs `onnx`.
        reduce_range: setting of int8; None takes the nearer one.
        evaluate: part that every form is scored on.
        overrides: options of the trainer for that.
        latency: time every form.
        license: for the model card.
        language: for the model card.
    """

    name: str
    checkpoint: Path
    run_folder: Path
    tokenizer: Path
    onnx: bool
    int8: bool
    reduce_range: bool | None
    evaluate: Part | None
    overrides: tuple[str, ...]
    latency: bool
    license: str | None
    language: str | None


def write_export(folder: Path, wanted: Wanted) -> tuple[dict[str, dict[str, float]], int]:
    """Write everything into an empty folder.

    Returns:
        The scores of each form by name, none where it is not to be scored, and the optimizer step of the weights.

    Raises:
        FileNotFoundError: tokenizer or data is not there.
        ValueError: the tokenizer does not fit, a form of the model is not the checkpoint's, or cannot be scored.
    """
    saved = read_checkpoint(wanted.checkpoint)
    model, task = model_from_checkpoint(saved, wanted.checkpoint), saved[ENTRY]["task"]
    encoder = load_tokenizer(str(wanted.tokenizer))
    check_tokenizer(encoder, model)
    model.save_pretrained(folder)
    fast = encoder.to_transformers(
        model_max_length=longest_input(model.config), segment_ids=takes_segments(model.config)
    )
    fast.save_pretrained(folder)
    if isinstance(encoder, KoBertTokenizer):
        encoder.save_pretrained(folder)
    check_export(folder, model, task)
    # In the folder, as a file is moved from it, which another file system would not allow.
    with tempfile.TemporaryDirectory(prefix=".forms_", dir=folder) as scratch:
        measured, scores = _other_forms(folder, Path(scratch), model, fast, wanted)
    if measured:
        facts = {"processor": processor_name(), "int8_instructions": int8_instructions()}
        write_json(folder / METRICS_FILE, facts | measured)
    write_model_card(
        folder / "README.md", name=wanted.name, model=model, head=head_named(task), checkpoint=wanted.checkpoint,
        step=saved["global_step"], run_folder=wanted.run_folder, license=wanted.license, language=wanted.language,
    )  # fmt: skip
    return scores, saved["global_step"]


def _other_forms(
    folder: Path, scratch: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, wanted: Wanted
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Write the ONNX files, and measure all forms: what is to be known by `FORM/NAME`, and the scores by form."""
    measured: dict[str, Any] = {}
    scores: dict[str, dict[str, float]] = {}
    files: dict[str, Path] = {TORCH: folder}
    networks: dict[str, PreTrainedModel] = {TORCH: model}
    if wanted.onnx:
        files[ONNX] = folder / ONNX_FILE
        write_onnx(files[ONNX], model)
        measured[f"{ONNX}/difference"] = compare(files[ONNX], model)
    if wanted.int8:
        made = write_int8(files[ONNX], scratch, model, tokenizer, wanted.reduce_range)
        kept, other = made.reduce_range, not made.reduce_range
        files[INT8] = made.files[kept].replace(folder / INT8_FILE)
        files[f"{INT8}_{NAMES[other]}"] = made.files[other]
        measured[f"{INT8}_range"] = NAMES[kept]
        for setting, form in ((kept, INT8), (other, f"{INT8}_{NAMES[other]}")):
            measured[f"{form}/difference"] = made.differences[setting]
    networks |= {form: open_onnx(path, model.config) for form, path in files.items() if form != TORCH}
    if wanted.evaluate:
        scores = measure_scores(wanted.checkpoint, networks, wanted.evaluate, wanted.overrides)
        measured |= {f"{form}/{name}": value for form, found in scores.items() for name, value in found.items()}
    if wanted.latency:
        measured |= _latency({form: files[form] for form in (TORCH, ONNX, INT8) if form in files})
    if measured:
        measured |= {f"{form}/mb": weights_mb(path) for form, path in files.items()}
    return measured, scores


def _latency(files: Mapping[str, Path]) -> dict[str, Any]:
    """Times of every form with one thread, in ms."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = measure_latency([str(path) for path in files.values()])
    finally:
        torch.set_num_threads(threads)
    measured: dict[str, Any] = {"latency_threads": 1}
    for form, one in zip(files, found.values(), strict=True):
        times = {"batch_1_p50_ms": one.batch_1_ms, "batch_32_p50_ms": one.batch_32_ms}
        times |= dict(zip(("batch_1_p95_ms", "batch_1_p99_ms"), one.batch_1_tail_ms, strict=True))
        if one.tokenizer_ms:
            times |= dict(zip(("tokenizer_1_p50_ms", "tokenizer_32_p50_ms"), one.tokenizer_ms, strict=True))
        measured |= {f"{form}/{name}": ms for name, ms in times.items()}
    return measured
