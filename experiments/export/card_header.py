"""The metadata that begins a model card, as the Hugging Face hub reads it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from huggingface_hub import EvalResult, ModelCardData

from distilkobert.io.metric_names import FILE_CONTENT, LIMITED_TEST, SPLIT, TEST
from distilkobert.tasks.data_sets import DATASETS, Dataset
from distilkobert.tasks.kinds import Head, TaskKind
from distilkobert.tokenizers.pieces import PieceSpelling

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_ON_THE_HUB: Final = {
    "nsmc": "e9t/nsmc",
    "korquad": "KorQuAD/squad_kor_v1",
    "klue_ner": "klue/klue",
    "klue_nli": "klue/klue",
    "klue_sts": "klue/klue",
    "klue_ynat": "klue/klue",
    "klue_mrc": "klue/klue",
}
"""Repositories of data sets at huggingface.co/datasets; others are named as their recipes are."""

_METRICS: Final = {"mcc": "matthews_correlation", "pearson": "pearsonr", "spearman": "spearmanr"}
"""Names of metrics at huggingface.co/metrics where they are not ours; macro F1 and others of its kind are `f1`."""

_KOREAN: Final = 0.3
"""Share of pieces with Hangul from which a vocabulary is a Korean one. KoBERT's has 0.9, an English one none."""


def card_header(
    name: str,
    head: Head,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    tokenizer: "PreTrainedTokenizerFast",
    *,
    licence: str | None,
    language: str | None,
) -> str:
    """The metadata as YAML, without what is not known.

    Args:
        name: the model's.
        head: its head.
        config: settings of its run; empty where it has none.
        metrics: `metrics.json` of its run.
        tokenizer: the exported one.
        licence: identifier of the hub.
        language: code; None looks at the tokenizer's pieces.
    """
    data = dataset_of(config)
    results = list(_results(head, data, metrics)) if isinstance(head, TaskKind) and data else []
    header = ModelCardData(
        language=language or ("ko" if is_korean(_piece_texts(tokenizer)) else None),
        license=licence,
        library_name="transformers",
        pipeline_tag=head.pipeline,
        base_model=base_model(config),
        datasets=[_ON_THE_HUB.get(data.name, data.name)] if data else None,
        metrics=list(dict.fromkeys(result.metric_type for result in results)) or None,
        model_name=name if results else None,
        eval_results=results or None,
    )
    return header.to_yaml().strip()


def _results(head: TaskKind, data: Dataset, metrics: Mapping[str, Any]) -> "list[EvalResult]":
    """The scores of a whole test; the hub would show those of a part as if they were the same.

    A test that is cut out of another file is named by the rule of its split, as it is not the data set's own.
    """
    if LIMITED_TEST in metrics:
        return []
    train, test = (metrics.get(FILE_CONTENT.format(part)) for part in ("train", "test"))
    found = [score for score in head.scores if isinstance(metrics.get(f"{TEST}{score.key}"), (int, float))]
    return [
        EvalResult(
            task_type=head.pipeline,
            dataset_type=_ON_THE_HUB.get(data.name, data.name),
            dataset_name=data.title,
            dataset_split=str(metrics[SPLIT]) if test and test == train else "test",
            metric_type="f1" if score.key.endswith("f1") else _METRICS.get(score.key, score.key),
            metric_name=score.title,
            metric_value=round(float(metrics[f"{TEST}{score.key}"]) * score.scale, 4),
        )
        for score in found
    ]


def dataset_of(config: Mapping[str, Any]) -> Dataset | None:
    """The known data set that a run was fine-tuned on, by its data module or the name of its recipe."""
    words = [config.get("data", {}).get("class_path", "").rpartition(".")[2].removesuffix("DataModule").lower()]
    words.append(str(config.get("run", {}).get("recipe", "")))
    names = {known.name.replace("_", ""): known for known in DATASETS} | {known.name: known for known in DATASETS}
    return next((names[word] for word in words if word in names), None)


def base_model(config: Mapping[str, Any]) -> str | None:
    """The model on the hub that a run began with: its own source, or that of the export that it names."""
    given = config.get("model", {}).get("init_args", {})
    source = given.get("init_from") or given.get("teacher")
    if not isinstance(source, str):
        return None
    card = Path(source) / "README.md"
    if card.is_file():
        parts = card.read_text(encoding="utf-8").split("---\n")
        header = yaml.safe_load(parts[1]) if len(parts) > 2 and not parts[0] else {}
        found = header.get("base_model") if isinstance(header, dict) else None
        return found if isinstance(found, str) else None
    is_hub_id = source.count("/") == 1 and not Path(source).exists() and not source.startswith(("/", ".", "~"))
    return source if is_hub_id and Path(source).suffix != ".ckpt" else None


def _piece_texts(tokenizer: "PreTrainedTokenizerFast") -> list[str]:
    """What the pieces spell; in a vocabulary of bytes those that are parts of characters alone are left out."""
    pieces = list(tokenizer.get_vocab())
    try:
        spelling = PieceSpelling(tokenizer, "of the export")
    except ValueError:  # of a kind that does not mark where words start; its pieces are text
        return pieces
    return [text for piece in pieces if (text := spelling.read(piece).text) is not None]


def is_korean(pieces: Sequence[str]) -> bool:
    """Whether so many pieces hold Hangul that the vocabulary is one of Korean text."""
    return sum(any("가" <= letter <= "힣" for letter in piece) for piece in pieces) >= _KOREAN * len(pieces)
