"""The code of model cards, run as users run it: it says what `experiments.predict` says of the same texts."""

import contextlib
import io
import json
import re
from ast import literal_eval
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from distilkobert import KoBertTokenizer
from distilkobert.models.checks import takes_segments
from distilkobert.tasks.input_settings import InputSettings, stored
from distilkobert.tasks.kinds import (
    MASKED_LM,
    MULTI_LABEL_CLASSIFICATION,
    QUESTION_ANSWERING,
    SEQUENCE_CLASSIFICATION,
    SEQUENCE_REGRESSION,
    TOKEN_CLASSIFICATION,
    Head,
    TaskKind,
)
from distilkobert.tasks.tags.labels import bio_labels, naver_labels
from distilkobert.tokenizers.loading import load_tokenizer
from experiments.export.model_card import write_model_card
from experiments.predict.inputs import Asked
from experiments.predict.model import Predictor
from experiments.predict.source import Source
from tests.support.tokenizers.kinds import KINDS, save_kind
from tests.support.tokenizers.sentences import SENTENCES

TYPES = ("PS", "LC")


def export_of(
    folder: Path,
    tokenizer: Path,
    head: Head,
    settings: InputSettings | None = None,
    labels: Sequence[str] = (),
    spread: float = 0.02,
) -> str:
    """Write a folder as `experiments.export` does, with random weights; give its card.

    Args:
        folder: to write.
        tokenizer: folder of its tokenizer.
        head: its head.
        settings: of its inputs; None for models without a task.
        labels: names of its classes, where they have names.
        spread: standard deviation of its weights; the more, the more [CLS] differs from text to text.
    """
    encoder = load_tokenizer(str(tokenizer))
    classes: dict[str, Any] = {"num_labels": 1 if head is SEQUENCE_REGRESSION else 2}
    if labels:
        classes = {"id2label": dict(enumerate(labels)), "label2id": {name: n for n, name in enumerate(labels)}}
    config = transformers.BertConfig(
        vocab_size=encoder.vocab_size, pad_token_id=encoder.pad_token_id, hidden_size=16, intermediate_size=24,
        num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=128, type_vocab_size=3,
        initializer_range=spread, **classes,
    )  # fmt: skip
    config.problem_type = head.problem_type
    if settings is not None:
        config.update(stored(settings))
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = getattr(transformers, f"BertFor{head.ending}")(config).eval()
        embeddings = model.base_model.embeddings
        with torch.no_grad():  # so that pieces differ in what is said of them
            embeddings.word_embeddings.weight.mul_(100)
            embeddings.position_embeddings.weight.mul_(100)
    model.save_pretrained(folder)
    encoder.to_transformers(model_max_length=128, segment_ids=takes_segments(config)).save_pretrained(folder)
    if isinstance(encoder, KoBertTokenizer):
        encoder.save_pretrained(folder)
    card = folder / "README.md"
    write_model_card(
        card, name="x", model=model, head=head, checkpoint=Path("x.ckpt"), step=1, run_folder=folder / "none"
    )
    return card.read_text(encoding="utf-8")


def printed(card: str, folder: Path, *replaced: tuple[str, str], piece: int = 0) -> str:
    """What a piece of code of the card prints, for its folder and with other texts."""
    code = re.findall(r"```python\n(.*?)```", card, re.DOTALL)[piece].replace('"FOLDER"', json.dumps(str(folder)))
    for before, after in replaced:
        assert json.dumps(before, ensure_ascii=False) in code
        code = code.replace(json.dumps(before, ensure_ascii=False), json.dumps(after, ensure_ascii=False))
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(code, {})  # noqa: S102 - our own text
    return shown.getvalue().strip()


def predicted(folder: Path, kind: TaskKind, *texts: str) -> dict[str, Any]:
    predictor = Predictor.of(Source.of(folder), kind, None)
    (record,) = predictor.records([predictor.read(Asked("here", texts))])
    return record


@pytest.mark.parametrize("labels", [bio_labels(TYPES), naver_labels(TYPES)], ids=["prefix", "suffix"])
@pytest.mark.parametrize("tokenizer", ["kobert", *KINDS])
def test_words_have_the_tags_that_predict_gives(
    tokenizer: str, labels: list[str], tiny_tokenizer_dir: Path, tmp_path: Path
) -> None:
    source = tiny_tokenizer_dir if tokenizer == "kobert" else save_kind(tokenizer, tmp_path / "tokenizer")
    settings = InputSettings(max_length=128, units="words")
    card = export_of(tmp_path / "x", source, TOKEN_CLASSIFICATION, settings, labels)
    seen = set()
    for text in [*SENTENCES[:4], "부산에서, (어제) 김민수가!"]:
        said = printed(card, tmp_path / "x", (TOKEN_CLASSIFICATION.sample, text))
        record = predicted(tmp_path / "x", TOKEN_CLASSIFICATION, text)
        assert said.splitlines() == [f"{w} {t}" for w, t in zip(record["units"], record["predicted"], strict=True)]
        seen |= {*record["predicted"]}
    assert len(seen) > 2
    assert "were tagged at their first piece" in card
    assert ("Tags are written PER-B" in card) == ("UNK" in labels)


def test_characters_are_read_by_the_pipeline(tiny_tokenizer_dir: Path, tmp_path: Path) -> None:
    card = export_of(
        tmp_path / "x", tiny_tokenizer_dir, TOKEN_CLASSIFICATION, InputSettings(max_length=128), bio_labels(TYPES)
    )
    assert 'aggregation_strategy="simple"' in card
    assert "first piece" not in card


@pytest.mark.parametrize("tokenizer", ["bert", "roberta", "xlm_roberta", "modernbert"])
def test_the_mask_is_that_of_the_tokenizer(tokenizer: str, tmp_path: Path) -> None:
    card = export_of(tmp_path / "x", save_kind(tokenizer, tmp_path / "tokenizer"), MASKED_LM)
    assert len(printed(card, tmp_path / "x", piece=1).splitlines()) == 5
    assert ("[MASK]" in card) == (tokenizer not in ("roberta", "xlm_roberta"))


PAIR = ("비행기가 이륙하고 있다.", "비행기가 하늘로 날아오른다.")


@pytest.mark.parametrize("tokenizer", ["bert", "roberta"])
@pytest.mark.parametrize("head", [SEQUENCE_CLASSIFICATION, SEQUENCE_REGRESSION], ids=lambda head: head.name)
def test_models_of_pairs_are_asked_of_both_texts(head: TaskKind, tokenizer: str, tmp_path: Path) -> None:
    labels = ["다르다", "같다"] if head.has_labels else []
    settings = InputSettings(max_length=128, pair=True)
    card = export_of(tmp_path / "x", save_kind(tokenizer, tmp_path / "tokenizer"), head, settings, labels)
    for pair in (PAIR, (SENTENCES[0], SENTENCES[1])):
        said = literal_eval(printed(card, tmp_path / "x", *zip(PAIR, pair, strict=True)))
        record = predicted(tmp_path / "x", head, *pair)
        if labels:
            assert said["label"] == record["predicted"]
        assert said["score"] == pytest.approx(record["probability" if labels else "predicted"], abs=1e-5)


@pytest.mark.parametrize("pair", [False, True], ids=["texts", "pairs"])
def test_all_labels_above_a_half_are_given(pair: bool, tiny_tokenizer_dir: Path, tmp_path: Path) -> None:
    labels, head, numbers = [f"주제{number}" for number in range(5)], MULTI_LABEL_CLASSIFICATION, set()
    settings = InputSettings(max_length=128, pair=pair)
    card = export_of(tmp_path / "x", tiny_tokenizer_dir, head, settings, labels, spread=0.4)
    for number in range(12):
        before = PAIR if pair else (head.sample,)
        texts = (SENTENCES[number], SENTENCES[-1 - number])[: len(before)]
        said = literal_eval(printed(card, tmp_path / "x", *zip(before, texts, strict=True)))
        record = predicted(tmp_path / "x", head, *texts)
        assert {found["label"] for found in said} == {*record["predicted"]}
        for found in said:
            assert found["score"] == pytest.approx(record["probabilities"][found["label"]], abs=1e-5)
        numbers.add(len(said))
    assert len(numbers) > 2


@pytest.mark.parametrize("unanswerable", [False, True], ids=["always", "abstaining"])
def test_an_answer_is_given_or_not_as_predict_does(
    unanswerable: bool, tiny_tokenizer_dir: Path, tmp_path: Path
) -> None:
    question, context = QUESTION_ANSWERING.sample.split("\t")
    settings = InputSettings(128, stride=20, max_question=60, unanswerable=unanswerable, no_answer_threshold=-3.25)
    card = export_of(tmp_path / "x", tiny_tokenizer_dir, QUESTION_ANSWERING, settings, spread=0.4)
    given = set()
    for number, text in enumerate(SENTENCES[:12]):
        asked = (SENTENCES[-1 - number], text)
        said = printed(card, tmp_path / "x", *zip((question, context), asked, strict=True))
        record = predicted(tmp_path / "x", QUESTION_ANSWERING, *asked)
        assert said == (record["predicted"] or "no answer")
        given.add(said == "no answer")
    assert given == ({False, True} if unanswerable else {False})
    assert ("threshold = -3.25" in card) == ("may have no answer" in card) == unanswerable
