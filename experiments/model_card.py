"""Write the model card of an exported model from what its run left behind."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from distilkobert.run_files import read_metrics

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_PIPELINES = {
    "MaskedLM": "fill-mask",
    "SequenceClassification": "text-classification",
    "TokenClassification": "token-classification",
    "QuestionAnswering": "question-answering",
}
_SHOWN_MANIFEST_KEYS = (
    "input_files",
    "inputs",
    "lines",
    "sequences",
    "tokens",
    "tokenizer_fingerprint",
    "settings",
    "layout",
)


def write_model_card(path: Path, *, name: str, model: "PreTrainedModel", checkpoint: Path, run_folder: Path) -> None:
    """Write the card: what the model is, how to load it, how it was made, what it scored.

    Args:
        path: file to write.
        name: the model's name, the card's title.
        model: the exported network.
        checkpoint: where it comes from.
        run_folder: its run folder; `config.yaml`, `metrics.json` and `corpus_manifest.json` are used where they exist.
    """
    architecture = type(model).__name__
    kind = "DistilBERT" if model.config.model_type == "distilbert" else "BERT"
    pipeline = next((name for head, name in _PIPELINES.items() if architecture.endswith(head)), "feature-extraction")
    header = yaml.safe_dump({"language": "ko", "library_name": "transformers", "pipeline_tag": pipeline}).strip()
    sections = [
        f"---\n{header}\n---",
        f"# {name}",
        _summary(model, kind),
        _usage(model, kind),
        _differences(model),
        _recipe(run_folder),
        _corpus(run_folder),
        _metrics(run_folder, checkpoint),
    ]
    path.write_text("\n\n".join(section for section in sections if section) + "\n", encoding="utf-8")


def _summary(model: "PreTrainedModel", kind: str) -> str:
    config = model.config
    total, encoder = model.num_parameters(), model.base_model.num_parameters()
    return (
        f"A Korean {kind} of {config.num_hidden_layers} layers and width {config.hidden_size}: "
        f"{encoder:,} parameters in the encoder, {total:,} with its {type(model).__name__} head "
        f"({total * 4 / 2**20:.1f} MB in float32), vocabulary of {config.vocab_size:,} pieces, "
        f"sequences of up to {config.max_position_embeddings} tokens."
    )


def _usage(model: "PreTrainedModel", kind: str) -> str:
    extra = "" if kind == "DistilBERT" else ", add_pooling_layer=False"
    loader = "DistilBertModel" if kind == "DistilBERT" else "BertModel"
    return f"""## Use

```python
from transformers import AutoTokenizer, {loader}

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = {loader}.from_pretrained("FOLDER"{extra})
inputs = tokenizer("한국어 모델을 공유합니다.", return_tensors="pt")
cls = model(**inputs).last_hidden_state[:, 0]
```

The fast tokenizer gives the original KoBERT ids on all but a few texts in a thousand (ties between equally likely
cuts, such as four dots in a row). For exact ids use the `*.model` and `vocab.txt` beside it with `KoBertTokenizer`."""


def _differences(model: "PreTrainedModel") -> str:
    if model.config.model_type != "distilbert":
        return (
            "## Good to know\n\n- There is no trained pooler: pass `add_pooling_layer=False` and take "
            f"`last_hidden_state[:, 0]`.\n- [PAD] is id {model.config.pad_token_id}, not 0."
        )
    return (
        "## What differs from BERT\n\n"
        "- No segment ids: the tokenizer gives no `token_type_ids`; two texts are told apart by [SEP]."
        "\n- No pooler: the sentence vector at [CLS] is `last_hidden_state[:, 0]`."
        f"\n- [PAD] is id {model.config.pad_token_id}, not 0."
    )


def _recipe(run_folder: Path) -> str:
    path = run_folder / "config.yaml"
    if not path.is_file():
        return ""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    data = {**config["data"], "init_args": _without_paths(config["data"].get("init_args", {}))}
    trainer_keys = ("max_epochs", "max_steps", "accumulate_grad_batches", "gradient_clip_val", "precision", "devices")
    shown = {
        "seed_everything": config["seed_everything"],
        "model": {**config["model"], "init_args": _without_paths(config["model"].get("init_args", {}))},
        "data": data,
        "trainer": {key: config["trainer"][key] for key in trainer_keys if config["trainer"].get(key) is not None},
    }
    return f"## Recipe\n\n```yaml\n{yaml.safe_dump(shown, sort_keys=False, allow_unicode=True).strip()}\n```"


def _without_paths(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with absolute paths cut to their last part: a card must not tell where somebody's files lie."""
    return {
        name: Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
        for name, value in settings.items()
    }


def _corpus(run_folder: Path) -> str:
    path = run_folder / "corpus_manifest.json"
    if not path.is_file():
        return ""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    shown = json.dumps(manifest, ensure_ascii=False, indent=1)
    return f"## Corpus\n\n```json\n{shown}\n```"


def _metrics(run_folder: Path, checkpoint: Path) -> str:
    metrics = read_metrics(run_folder)
    if not metrics:
        return ""
    rows = "\n".join(f"| {name} | {_cell(value)} |" for name, value in sorted(metrics.items()))
    return (
        f"## Metrics of the run\n\nWeights from `{checkpoint.name}`; `val/...` are those of the last validation.\n\n"
        f"| name | value |\n| --- | --- |\n{rows}"
    )


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
