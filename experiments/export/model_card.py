"""Write the model card of an exported model from what its run left behind."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from transformers import AutoTokenizer

from distilkobert.io.metric_names import FORM_SCORES, TEST, TESTED_STEP
from distilkobert.io.model_files import INT8_FILE, ONNX_FILE
from distilkobert.io.pretrained import load_pretrained
from distilkobert.io.run_files import CONFIG_FILE, read_metrics
from distilkobert.tasks.kinds import Head
from experiments.export.card_deployment import deployment
from experiments.export.card_header import card_header
from experiments.export.model_usage import differences, labels, usage

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def write_model_card(
    path: Path,
    *,
    name: str,
    model: "PreTrainedModel",
    head: Head,
    checkpoint: Path,
    step: int,
    run_folder: Path,
    license: str | None = None,
    language: str | None = None,
) -> None:
    """Write the card: what the model is, how to load it, how it was made, what it scored.

    Args:
        path: file to write, in the exported folder; the tokenizer, ONNX files and `metrics.json` are there already.
        name: the model's name, the card's title.
        model: the exported network.
        head: its head.
        checkpoint: where it comes from.
        step: its optimizer step.
        run_folder: its run folder; `config.yaml`, `metrics.json` and `corpus_manifest.json` are used where they exist.
        license: of the model; see the command.
        language: of the model; see the command.
    """
    settings = run_folder / CONFIG_FILE
    config = yaml.safe_load(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
    tokenizer, metrics = load_pretrained(AutoTokenizer, path.parent), _of_step(read_metrics(run_folder), step)
    header = card_header(name, head, config, metrics, tokenizer, licence=license, language=language)
    forms = [file for file in (ONNX_FILE, INT8_FILE) if (path.parent / file).is_file()]
    sections = [
        f"---\n{header}\n---",
        f"# {name}",
        _summary(model),
        usage(model, head, mask_token=tokenizer.mask_token, exact=any(path.parent.glob("*.model")), onnx=forms),
        labels(model, head),
        differences(model, head),
        deployment(read_metrics(path.parent)),
        _recipe(config),
        _corpus(run_folder),
        _metrics(metrics, checkpoint),
    ]
    path.write_text("\n\n".join(section for section in sections if section) + "\n", encoding="utf-8")


def _summary(model: "PreTrainedModel") -> str:
    from distilkobert.models.checks import longest_input

    config = model.config
    kind = {"distilbert": "DistilBERT", "bert": "BERT"}.get(config.model_type, config.model_type)
    total, encoder = (sum(weight.numel() for weight in part.parameters()) for part in (model, model.base_model))
    return (
        f"A {kind} of {config.num_hidden_layers} layers and width {config.hidden_size}: "
        f"{encoder:,} parameters in the encoder, {total:,} with its {type(model).__name__} head "
        f"({total * 4 / 2**20:.1f} MB in float32), vocabulary of {config.vocab_size:,} pieces, "
        f"sequences of up to {longest_input(config)} tokens."
    )


def _recipe(config: dict[str, Any]) -> str:
    if not config:
        return ""
    data = {**config["data"], "init_args": _without_paths(config["data"].get("init_args", {}))}
    trainer_keys = ("max_epochs", "max_steps", "accumulate_grad_batches", "gradient_clip_val", "precision", "devices")
    shown = {
        "seed_everything": config["seed_everything"],
        "model": {**config["model"], "init_args": _without_paths(config["model"].get("init_args", {}))},
        "data": data,
        "trainer": {key: config["trainer"][key] for key in trainer_keys if config["trainer"].get(key) is not None},
    }
    length = data["init_args"].get("max_length")
    cut = f"Training inputs were truncated to, or split into windows of, {length} tokens.\n\n" if length else ""
    return f"## Recipe\n\n{cut}```yaml\n{yaml.safe_dump(shown, sort_keys=False, allow_unicode=True).strip()}\n```"


def _without_paths(value: Any) -> Any:
    """Settings with absolute paths cut to their last part: a card must not show local paths."""
    if isinstance(value, dict):  # weights of corpora are stored with their folders
        return {_without_paths(name): _without_paths(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_paths(part) for part in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _corpus(run_folder: Path) -> str:
    path = run_folder / "corpus_manifest.json"
    if not path.is_file():
        return ""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    shown = json.dumps(manifest, ensure_ascii=False, indent=1)
    return f"## Corpus\n\n```json\n{shown}\n```"


def _of_step(metrics: dict[str, Any], step: int) -> dict[str, Any]:
    """The metrics, without those of a test of other weights."""
    if metrics.get(TESTED_STEP, step) == step:
        return metrics
    return {name: value for name, value in metrics.items() if not name.startswith(TEST)}


def _metrics(metrics: dict[str, Any], checkpoint: Path) -> str:
    if not metrics:
        return ""
    shown = {name: value for name, value in sorted(metrics.items()) if not name.startswith(FORM_SCORES)}
    rows = "\n".join(f"| {name} | {_cell(value)} |" for name, value in shown.items())
    return (
        f"## Metrics of the run\n\nWeights from `{checkpoint.name}`; `val/...` are those of the last validation.\n\n"
        f"| name | value |\n| --- | --- |\n{rows}"
    )


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
