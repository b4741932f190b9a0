"""What the hub reads of a model card: only what is known, under the hub's names."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCardData
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from distilkobert.tasks.kinds import MASKED_LM, SEQUENCE_CLASSIFICATION, SEQUENCE_REGRESSION, TOKEN_CLASSIFICATION, Head
from distilkobert.tasks.splits import DEV_CUT, KLUE_SPLIT, HashSplit, describe
from experiments.export.card_deployment import deployment
from experiments.export.card_header import base_model, card_header, dataset_of, is_korean
from experiments.export.model_card import _of_step
from tests.support.tokenizers.fast import KINDS, build
from tests.support.tokenizers.sentences import SENTENCES


def wordpiece(*pieces: str) -> Any:
    numbers = {piece: number for number, piece in enumerate(("[UNK]", *pieces))}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordPiece(numbers, unk_token="[UNK]")))


def header(head: Head, config: dict[str, Any], metrics: dict[str, Any], **given: Any) -> dict[str, Any]:
    tokenizer = given.get("tokenizer") or wordpiece("[PAD]", "영화", "재미", "##다")
    text = card_header(
        "m", head, config, metrics, tokenizer, licence=given.get("licence"), language=given.get("language")
    )
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_a_fine_tuned_model_has_all_of_it() -> None:
    config = {"data": {"class_path": "datamodules.NSMCDataModule"}, "model": {"init_args": {"init_from": "a/student"}}}
    found = header(SEQUENCE_CLASSIFICATION, config, {"test/accuracy": 0.91, "val/accuracy": 0.5}, licence="mit")
    results = found.pop("model-index")
    assert found == {
        "language": "ko", "license": "mit", "library_name": "transformers", "pipeline_tag": "text-classification",
        "base_model": "a/student", "datasets": ["e9t/nsmc"], "metrics": ["accuracy"],
    }  # fmt: skip
    (result,) = results[0]["results"]
    assert result["dataset"] == {"type": "e9t/nsmc", "name": "NSMC", "split": "test"}
    assert result["metrics"] == [{"type": "accuracy", "value": 91.0, "name": "accuracy"}]
    assert ModelCardData(**found, **{"model-index": results}), "huggingface_hub reads it"


@pytest.mark.parametrize(
    ("rule", "test_file", "shown"),
    [
        (KLUE_SPLIT, None, "one file, a.tsv, by MD5 of the sentence id modulo 10: 8 dev, 9 test, others train"),
        (DEV_CUT, "b.tsv", "test"),
    ],
)
def test_a_test_cut_out_of_another_file_is_not_called_the_test_split(
    rule: HashSplit, test_file: str | None, shown: str
) -> None:
    split = describe(rule, "sentence id", "a.tsv", None, test_file)
    contents = {"data/train_sha256": "a", "data/test_sha256": "b" if test_file else "a"}
    metrics = {"test/f1": 0.7, "data/split": split, **contents}
    found = header(TOKEN_CLASSIFICATION, {"run": {"recipe": "klue_ner"}}, metrics)
    assert found["model-index"][0]["results"][0]["dataset"]["split"] == shown


def test_scores_of_a_part_or_of_other_weights_are_no_results() -> None:
    config, tested = {"run": {"recipe": "nsmc"}}, {"test/accuracy": 0.91, "tested_step": 100, "val/accuracy": 0.5}
    assert "model-index" in header(SEQUENCE_CLASSIFICATION, config, tested)
    part = {**tested, "limited/test": "20 of 782 batches"}
    assert "model-index" not in header(SEQUENCE_CLASSIFICATION, config, part)
    assert _of_step(tested, 100) == tested
    assert _of_step(tested, 90) == {"tested_step": 100, "val/accuracy": 0.5}
    earlier = {"test/accuracy": 0.91}
    assert _of_step(earlier, 90) == earlier  # of a run before the step was recorded


def test_scores_have_the_hubs_names() -> None:
    config = {"run": {"recipe": "korsts"}}
    found = header(SEQUENCE_REGRESSION, config, {"test/pearson": 0.5, "test/spearman": 0.25})
    assert found["metrics"] == ["pearsonr", "spearmanr"]
    assert found["datasets"] == ["korsts"]
    assert header(TOKEN_CLASSIFICATION, {"run": {"recipe": "naver_ner"}}, {"test/f1": 0.8})["metrics"] == ["f1"]


def test_what_is_not_known_is_left_out() -> None:
    assert header(MASKED_LM, {}, {}) == {
        "language": "ko", "library_name": "transformers", "pipeline_tag": "fill-mask",
    }  # fmt: skip
    assert header(SEQUENCE_CLASSIFICATION, {"run": {"recipe": "mine"}}, {"test/accuracy": 1.0}, language="en") == {
        "language": "en", "library_name": "transformers", "pipeline_tag": "text-classification",
    }  # fmt: skip
    assert "language" not in header(MASKED_LM, {}, {}, tokenizer=wordpiece("[PAD]", "the", "가", "##ing", "of"))
    assert is_korean(["가", "a", "b"])


@pytest.mark.parametrize("kind", [*KINDS, "word_level"])
def test_a_korean_vocabulary_is_known_in_every_spelling(kind: str) -> None:
    if kind == "word_level":
        words = {word: number for number, word in enumerate(("[UNK]", *SENTENCES[0].split()))}
        tokenizer: Any = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(words, "[UNK]")))
    else:
        tokenizer = build(kind, SENTENCES, vocab_size=1000)
    assert header(MASKED_LM, {}, {}, tokenizer=tokenizer)["language"] == "ko"


def test_pieces_of_bytes_of_another_language_are_not_korean() -> None:
    english = [
        "the film was long but good",
        "we walked along the river and talked",
        "a book about the history of music",
    ]
    assert "language" not in header(MASKED_LM, {}, {}, tokenizer=build("byte_level", english))


@pytest.mark.parametrize(
    ("source", "expected"),
    [("owner/name", "owner/name"), ("/home/me/model", None), ("runs/last.ckpt", None), ("a/b/c", None), (None, None)],
)
def test_the_base_is_named_where_the_hub_has_it(source: str | None, expected: str | None) -> None:
    assert base_model({"model": {"init_args": {"teacher": source}}}) == expected


def test_the_base_of_an_exported_base_is_taken_over(tmp_path: Path) -> None:
    config = {"model": {"init_args": {"init_from": str(tmp_path)}}}
    (tmp_path / "README.md").write_text("---\nbase_model: owner/teacher\n---\n# x\n", encoding="utf-8")
    assert base_model(config) == "owner/teacher"
    (tmp_path / "README.md").write_text("# no header\n", encoding="utf-8")
    assert base_model(config) is None


def test_data_sets_are_known_by_module_or_recipe() -> None:
    ner = dataset_of({"data": {"class_path": "KlueNERDataModule"}})
    assert ner is not None
    assert ner.name == "klue_ner"
    assert dataset_of({"data": {"class_path": "TableDataModule"}, "run": {"recipe": "mine"}}) is None


def test_the_table_of_forms_names_what_is_not_there() -> None:
    measured = {
        "processor": "X", "int8_instructions": "avx2", "int8_range": "reduced", "torch/mb": 4.0, "int8/mb": 1.0,
        "int8_full/mb": 1.0, "int8/test/accuracy": 0.875, "onnx/difference": 1e-6, "onnx/mb": 4.0,
    }  # fmt: skip
    text = deployment(measured)
    assert "| | PyTorch | ONNX | ONNX int8, 7-bit weights | ONNX int8, 8-bit weights (not in this folder) |" in text
    assert "| test/accuracy | - | - | 0.875 | - |" in text
    assert "with these instructions for int8: avx2" in text
    assert deployment({}) == ""
