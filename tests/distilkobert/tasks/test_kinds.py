"""The record of each task kind agrees with transformers, with our modules, and with the shipped recipes."""

from pathlib import Path
from typing import get_args

import pytest
import transformers
import yaml

import lightning_modules
from distilkobert.tasks.codec import Codec
from distilkobert.tasks.data_sets import DATASETS, DatasetName, kind_of_recipe
from distilkobert.tasks.kinds import (
    ENCODER,
    KINDS,
    MASKED_LM,
    MULTI_LABEL_CLASSIFICATION,
    QUESTION_ANSWERING,
    SEQUENCE_CLASSIFICATION,
    SEQUENCE_REGRESSION,
    TOKEN_CLASSIFICATION,
    TaskName,
    head_named,
    head_of_class,
    kind_named,
    kind_of_scores,
)


def test_names_are_those_of_the_records() -> None:
    assert get_args(TaskName) == tuple(kind.name for kind in KINDS)
    assert get_args(DatasetName) == tuple(known.name for known in DATASETS)


@pytest.mark.parametrize("head", [MASKED_LM, *KINDS], ids=lambda head: head.name)
def test_a_head_is_that_of_transformers(head: object) -> None:
    auto = head.auto_class  # type: ignore[attr-defined]
    config = transformers.DistilBertConfig(vocab_size=9, dim=4, hidden_dim=4, n_layers=0, n_heads=1)
    made = type(auto.from_config(config)).__name__
    assert made == f"DistilBertFor{head.ending}"  # type: ignore[attr-defined]
    assert head_of_class(made, head.problem_type) is head  # type: ignore[attr-defined]
    assert head_named(head.name) is head  # type: ignore[attr-defined]


def test_the_encoder_alone_is_no_head_of_a_class() -> None:
    assert ENCODER.auto_class is transformers.AutoModel
    assert head_named("encoder") is ENCODER


def test_a_class_without_one_of_the_heads_has_none() -> None:
    assert head_of_class("BertModel") is None
    assert head_of_class("BertForNextSentencePrediction") is None


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown head 'x', expected one of masked_lm, sequence_classification"):
        head_named("x")
    with pytest.raises(ValueError, match="'masked_lm' is not a task; expected one of sequence_classification"):
        kind_named(MASKED_LM.name)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_has_one_main_score_a_codec_and_a_module(kind: object) -> None:
    assert isinstance(kind, type(SEQUENCE_CLASSIFICATION))
    assert [score.main for score in kind.scores].count(True) == 1
    assert kind.main_score.main
    codec = kind.load_codec()
    assert issubclass(codec, Codec)
    assert not codec.__abstractmethods__
    name = "SequenceRegression" if kind is SEQUENCE_REGRESSION else kind.ending
    assert hasattr(lightning_modules, name), "a module is called as the head's classes in transformers"


@pytest.mark.parametrize("known", DATASETS, ids=lambda known: known.name)
def test_recipes_watch_a_score_of_their_task(known: object) -> None:
    assert known in DATASETS
    name, kind = known.name, known.kind  # type: ignore[attr-defined]
    recipe = yaml.safe_load(Path(f"configs/finetune/{name}.yaml").read_text(encoding="utf-8"))
    module = "SequenceRegression" if kind is SEQUENCE_REGRESSION else kind.ending
    assert recipe["model"]["class_path"] == module
    assert recipe["run"]["recipe"] == name
    watched = [{"monitor": f"val/{score.key}", "mode": score.mode} for score in kind.scores]
    assert recipe["best_checkpoint"] in watched


def test_kinds_are_known_by_all_of_their_scores() -> None:
    assert kind_of_scores(["loss", "accuracy"]) is SEQUENCE_CLASSIFICATION
    assert kind_of_scores(["f1", "precision", "recall", "f1_strict"]) is TOKEN_CLASSIFICATION
    assert kind_of_scores(["exact_match", "f1", "f1_raw"]) is QUESTION_ANSWERING
    assert kind_of_scores(["micro_f1", "macro_f1", "exact_match"]) is MULTI_LABEL_CLASSIFICATION
    assert kind_of_scores(["pearson", "spearman"]) is SEQUENCE_REGRESSION
    assert kind_of_scores(["exact_match"]) is None
    assert kind_of_scores([]) is None


def test_recipes_are_known_by_a_word_of_a_data_set() -> None:
    assert kind_of_recipe("klue_ner_plus") is TOKEN_CLASSIFICATION
    assert kind_of_recipe("my_ner") is TOKEN_CLASSIFICATION
    assert kind_of_recipe("korquad_strip") is QUESTION_ANSWERING
    assert kind_of_recipe("klue_sts") is SEQUENCE_REGRESSION
    assert kind_of_recipe("klue_other") is None
    assert kind_of_recipe("own_labels") is None


def test_one_class_of_transformers_has_heads_of_three_kinds() -> None:
    name = "BertForSequenceClassification"
    assert head_of_class(name) is SEQUENCE_CLASSIFICATION
    assert head_of_class(name, "multi_label_classification", 3) is MULTI_LABEL_CLASSIFICATION
    assert head_of_class(name, classes=1) is head_of_class(name, "regression", 1) is SEQUENCE_REGRESSION
