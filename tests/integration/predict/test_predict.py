"""Predictions line by line from an exported folder: hand-set models without layers, whose answers can be worked out."""

import json
import math
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
)

from distilkobert import KoBertTokenizer
from distilkobert.tasks.input_settings import InputSettings, stored
from experiments.predict.__main__ import predict
from tests.integration.predict.hand_set import Ask, Terminal, ask, config, folder_of, ids_of, set_by_token
from tests.world import VOCABULARY, World

__all__ = ["ask"]


@pytest.fixture
def sentiment(world: World, tmp_path: Path) -> Path:
    model = DistilBertForSequenceClassification(config(["negative", "positive"]))
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([0.0, math.log(3.0)]))
    return folder_of(model, world.tokenizer, tmp_path / "sentiment")


def test_classification_prints_label_and_probability(sentiment: Path, ask: Ask) -> None:
    assert ask(sentiment, "재미있다\n별로다\r\n끝", batch_size=2) == ["positive\t0.7500"] * 3


def test_a_batch_gives_what_single_lines_give(world: World, tmp_path: Path, ask: Ask) -> None:
    torch.manual_seed(1)
    bert = BertConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=64, pad_token_id=1, initializer_range=1.0,
    )  # fmt: skip
    model = BertForSequenceClassification(bert).eval()
    folder = folder_of(model, world.tokenizer, tmp_path / "bert")
    lines = ["영화가 좋다", "정말로 아주 길고 지루한 영화였다고 생각한다", "나쁘다", "그 배우는 오래 기억될 것이다"]
    tokenizer = KoBertTokenizer.from_pretrained(world.tokenizer)
    expected = []
    for line in lines:
        with torch.no_grad():
            inputs = tokenizer(line, return_tensors="pt", max_length=64, truncation="longest_first")
            probability, choice = model(**inputs).logits[0].softmax(-1).max(-1)
        expected.append((f"LABEL_{int(choice)}", float(probability)))
    printed = [line.split("\t") for line in ask(folder, "\n".join(lines))]
    assert [label for label, _ in printed] == [label for label, _ in expected]
    assert [float(value) for _, value in printed] == pytest.approx([value for _, value in expected], abs=1e-4)


def test_word_entities_have_positions_in_the_line(world: World, tmp_path: Path, ask: Ask) -> None:
    tokenizer = KoBertTokenizer.from_pretrained(world.tokenizer)
    # Words of one piece, so that the piece decides and no other word shares it.
    whole = [piece[1:] for piece in tokenizer.vocab if piece.startswith("▁") and len(piece) > 2]
    person, place = [word for word in whole if tokenizer.tokenize(word) == [f"▁{word}"]][:2]
    classes = {ids_of(world, person)[0]: 1, ids_of(world, place)[0]: 2}
    labels = ["O", "PER-B", "LOC-B", "LOC-I"]
    model = set_by_token(DistilBertForTokenClassification(config(labels)), "classifier", classes)
    folder = folder_of(model, world.tokenizer, tmp_path / "words")
    end = 2 + len(person)
    second = end + 3
    expected = f"PER:2-{end}:{person}\tLOC:{second}-{second + len(place)}:{place}"
    assert ask(folder, f"  {person}   {place}\n") == [expected]


def test_character_entities_come_from_prefix_tags(world: World, tmp_path: Path, ask: Ask) -> None:
    tokenizer = KoBertTokenizer.from_pretrained(world.tokenizer)
    text = "부산에서 만난 사람"
    ids, offsets = tokenizer.encode_with_offsets(text)
    place = next(number for number, span in zip(ids, offsets, strict=True) if span[1] > span[0])
    start, end = offsets[ids.index(place)]
    model = set_by_token(DistilBertForTokenClassification(config(["O", "B-LC"])), "classifier", {place: 1})
    folder = folder_of(model, world.tokenizer, tmp_path / "characters")
    assert ids.count(place) == 1
    assert ask(folder, text) == [f"LC:{start}-{end}:{text[start:end]}"]
    assert ask(folder, "하늘") == ["-"]


@pytest.mark.parametrize("labels", [["O", "PER-B", "PER-I"], ["O", "B-PS", "I-PS"]])
def test_a_tab_inside_an_entity_is_no_column(labels: list[str], world: World, tmp_path: Path, ask: Ask) -> None:
    model = set_by_token(DistilBertForTokenClassification(config(labels)), "classifier", {}, other=2)
    folder = folder_of(model, world.tokenizer, tmp_path / "tagger")
    kind = labels[1].replace("B", "").strip("-")
    assert ask(folder, "부산\t사람\n") == [f"{kind}:0-5:부산 사람"]


def test_an_older_export_says_which_lengths_are_taken(
    sentiment: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("재미있다".encode(), terminal=False))
    predict(str(sentiment))
    assert "does not record the input length of its training; using 64 tokens" in capsys.readouterr().err
    settings = json.loads((sentiment / "config.json").read_text())
    settings |= stored(InputSettings(32))
    (sentiment / "config.json").write_text(json.dumps(settings))
    monkeypatch.setattr("sys.stdin", Terminal("재미있다".encode(), terminal=False))
    predict(str(sentiment))
    assert capsys.readouterr().err == ""


def test_unknown_pieces_are_named(sentiment: Path, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    ask(sentiment, "재미있다\n별로다\n")
    assert "unknown" not in caplog.text
    assert ask(sentiment, "\U0001f600 \U0001f601 \U0001f602\n") == ["positive\t0.7500"]
    assert "standard input: " in caplog.text
    assert "pieces are unknown to the tokenizer" in caplog.text


def test_decomposed_hangul_is_named(
    sentiment: Path, ask: Ask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = ["재미있다", unicodedata.normalize("NFD", "재미있다"), unicodedata.normalize("NFD", "별로다")]
    path, note = tmp_path / "a.txt", "Hangul in conjoining letters (U+1100 to U+11FF, Unicode NFD) in 2 examples;"
    path.write_text("\n".join(lines), encoding="utf-8")
    ask(sentiment, "\n".join(lines), batch_size=1)
    predict(str(sentiment), input=str(path))
    named = [message for message in caplog.messages if "conjoining" in message]
    assert [message.partition("; many")[0] + ";" for message in named] == [f"standard input: {note}", f"{path}: {note}"]


def test_a_fast_tokenizer_alone_is_enough(sentiment: Path, world: World, ask: Ask) -> None:
    KoBertTokenizer.from_pretrained(world.tokenizer).to_transformers().save_pretrained(sentiment)
    for file in [*sentiment.glob("*.model"), sentiment / "vocab.txt"]:
        file.unlink()
    assert AutoTokenizer.from_pretrained(sentiment).is_fast
    assert ask(sentiment, "재미있다") == ["positive\t0.7500"]


def test_a_bad_line_is_named(sentiment: Path, ask: Ask) -> None:
    with pytest.raises(ValueError, match=r"line 3: not UTF-8 \(byte 0xbf at position 1\)"):
        ask(sentiment, "가\n나\n".encode() + "영화".encode("cp949"))


def test_texts_of_another_tokenizer_are_refused_from_a_pipe(sentiment: Path, ask: Ask, caplog) -> None:
    line = "\u4e00\u4e01 " * 60 + "\n"  # a lone word-start mark and an unknown piece each
    with pytest.raises(ValueError, match=r"standard input: 50\.0% of 120 pieces are unknown .*raise unknown_limit"):
        ask(sentiment, line)
    assert len(ask(sentiment, line * 3, unknown_limit=1)) == 3
    assert "standard input: 50.0% of 360 pieces are unknown" in caplog.text
    assert len(ask(sentiment, line * 3, terminal=True)) == 3
    assert len(ask(sentiment, "\u4e00\u4e01\n")) == 1  # one odd line says nothing about the tokenizer


def test_an_empty_line_gets_its_line_of_output(world: World, sentiment: Path, tmp_path: Path, ask: Ask) -> None:
    """NSMC has empty documents; outputs must stay beside their inputs."""
    assert len(ask(sentiment, "재미있다\n\n \n나쁘다\n")) == 4
    for name, labels in (("words", ["O", "PER-B"]), ("characters", ["B-PS", "O"])):
        tagger = folder_of(DistilBertForTokenClassification(config(labels)), world.tokenizer, tmp_path / name)
        assert ask(tagger, "가\n\n \n")[1:] == ["-", "-"]


def test_cut_texts_are_counted(
    sentiment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = KoBertTokenizer.from_pretrained(next(sentiment.glob("*.model")).parent)
    word = "영화가 "
    fits = next(word * n for n in range(60, 0, -1) if len(tokenizer.tokenize(word * n)) <= 14)
    longer = next(word * n for n in range(1, 60) if len(tokenizer.tokenize(word * n)) > 14)
    predict(str(sentiment), text=fits, max_length=16)
    assert "cut" not in capsys.readouterr().err
    predict(str(sentiment), text=longer, max_length=16)
    assert "note: 1 example was cut to max_length 16 " in capsys.readouterr().err
    lines = f"{longer}\n{fits}\n{longer}\n".encode()
    monkeypatch.setattr("sys.stdin", Terminal(lines, terminal=False))
    predict(str(sentiment), max_length=16, batch_size=2)
    assert "note: 2 examples were cut" in capsys.readouterr().err


def test_an_empty_input_is_an_error_and_a_blank_line_is_none(sentiment: Path, ask: Ask, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with pytest.raises(ValueError, match="standard input is empty, so there is nothing to predict; expected a text in"):
        ask(sentiment, "", output=str(output))
    assert not output.exists()
    assert len(ask(sentiment, "\n")) == 1
    assert ask(sentiment, "", terminal=True) == []


def test_a_terminal_goes_on_after_a_bad_line_and_a_bom_is_no_text(
    sentiment: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(sentiment, b"\xef\xbb\xbf\xea\xb0\x80\n\xff\n\xeb\x82\x98\n", terminal=True) == ["positive\t0.7500"] * 2


def test_folders_that_cannot_predict_are_refused(world: World, sentiment: Path, tmp_path: Path, ask: Ask) -> None:
    with pytest.raises(FileNotFoundError, match=r"neither config\.json nor checkpoints"):
        ask(tmp_path / "nowhere", "가")
    with pytest.raises(ValueError, match="BertForMaskedLM, which fits none of the tasks sequence_class"):
        ask(world.teacher, "가")
    with pytest.raises(ValueError, match="max_length=65: expected 16 to 64"):
        ask(sentiment, "가", max_length=65)
    with pytest.raises(ValueError, match="has no trained head for question_answering"):
        ask(sentiment, "가", task="question_answering")  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_pipe_gets_what_was_asked_before_the_bad_line_and_no_traceback(sentiment: Path) -> None:
    command = [sys.executable, "-m", "experiments.predict", "--model", str(sentiment)]
    lines = "좋다\n".encode() + b"\xff\n" + "나쁘다\n".encode()
    done = subprocess.run(command, input=lines, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (2, b"positive\t0.7500\n")
    note, error = done.stderr.splitlines()
    assert note.startswith(b"note: ")
    assert error.startswith(b"error: line 2: not UTF-8 (byte 0x")
