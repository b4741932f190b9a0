"""The settings that an exported model carries, and those that are assumed where it carries none."""

import json
from typing import Any

import pytest
from transformers import DistilBertConfig

from distilkobert.tasks.input_settings import ENTRY, InputSettings, settings_of, stored
from distilkobert.tasks.tags.labels import KLUE_NER_LABELS, NAVER_NER_LABELS, NSMC_LABELS

OWN = InputSettings(48, "strip", pair=True, units="words", stride=16, max_question=12, reference_decoding=True)


def test_what_is_stored_comes_back_through_config_json(tmp_path: Any) -> None:
    config = DistilBertConfig(vocab_size=9)
    config.update(stored(OWN))
    config.save_pretrained(tmp_path)
    loaded = DistilBertConfig.from_pretrained(tmp_path).to_dict()
    assert settings_of(loaded, (), 512, "here") == OWN
    assert json.loads((tmp_path / "config.json").read_text())[ENTRY]["max_length"] == 48


@pytest.mark.parametrize(
    ("config", "labels", "longest", "expected"),
    [
        ({}, NSMC_LABELS, 512, InputSettings(512)),
        ({}, NSMC_LABELS, 2048, InputSettings(512)),
        ({}, NAVER_NER_LABELS, 300, InputSettings(300, units="words", stride=78)),
        ({}, KLUE_NER_LABELS, 512, InputSettings(512)),
        # Short models: a quarter for the question, a third of the rest from window to window.
        ({}, (), 48, InputSettings(48, stride=12, max_question=12)),
    ],
)
def test_models_of_another_origin_have_stated_defaults(
    config: dict[str, Any], labels: tuple[str, ...], longest: int, expected: InputSettings
) -> None:
    assert settings_of(config, labels, longest, "here") == expected


def test_another_length_leaves_what_fits_into_it() -> None:
    assert OWN.with_length(48) is OWN
    assert OWN.with_length(480) == InputSettings(480, "strip", True, "words", 16, 12, True)
    assert OWN.with_length(24) == InputSettings(24, "strip", True, "words", 6, 6, True)


@pytest.mark.parametrize("entry", [{"max_length": 3}, {**stored(OWN)[ENTRY], "more": 1}, "48", []])
def test_an_entry_of_another_form_is_refused(entry: object) -> None:
    with pytest.raises(
        ValueError, match=r"^here: task_inputs in its config\.json is .*; expected max_length, .*Export"
    ):
        settings_of({ENTRY: entry}, (), 512, "here")
