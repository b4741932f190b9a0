"""Texts that break careless readers, through every task: odd bytes in files, and odd characters up to the batches."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datamodules import KlueNERDataModule, KorQuADDataModule, NaverNERDataModule, NSMCDataModule
from distilkobert.tasks.files.korquad import read_korquad
from distilkobert.tasks.files.ner import read_klue_ner, read_naver_ner
from distilkobert.tasks.files.nsmc import read_nsmc
from distilkobert.tasks.questions.windows import answer_pieces
from tests.distilkobert.tokenizers.test_loading import save_wordpiece
from tests.support.tasks.data import Make

pytest_plugins = ["tests.support.tasks.fixtures"]

# Emoji with skin colour, a family of joined emoji, a flag, compatibility and conjoining jamo, decomposed Hangul, old
# Hangul, a lone combining mark, full-width letters, Hanja, right-to-left letters, an invisible space, a special token.
ODD = ("👍🏽", "👨‍👩‍👧", "🇰🇷", "ㅋㅋㅠㅠ", "ᄒᆞᆫ글", "한", "\u0301", "ＡＢＣ", "金", "שלום", "\u200b", "[SEP]", "가")


def question(number: int, context: str, answer: str) -> dict[str, Any]:
    start = context.index(answer)
    asked = {"id": f"q{number}", "question": f"{answer} 무엇?", "answers": [{"text": answer, "answer_start": start}]}
    return {"title": f"글 {number}", "paragraphs": [{"context": context, "qas": [asked]}]}


def korquad() -> str:
    """Odd answers between words, and each as a whole context of its own, down to one character."""
    articles = [question(number, f"앞 {word} 뒤에서 {word}", word) for number, word in enumerate(ODD)]
    articles += [
        question(100 + number, word, word) for number, word in enumerate(ODD) if word not in ("\u0301", "\u200b")
    ]
    return json.dumps({"version": "KorQuAD_v1.0_train", "data": articles}, ensure_ascii=False)


FILES: dict[str, tuple[type, Callable[[Path], Iterator[Any]], str]] = {
    "ratings_train.txt": (
        NSMCDataModule,
        read_nsmc,
        "id\tdocument\tlabel\n" + "".join(f"{n}\t좋다 {word}\t{n % 2}\n" for n, word in enumerate(ODD * 8)),
    ),
    "train.tsv": (
        NaverNERDataModule,
        read_naver_ner,
        "".join(f"그 {word} {n} 갔다\tO PER-B NUM-B O\n" for n, word in enumerate(ODD * 8)),
    ),
    "klue-ner-v1.1_train.tsv": (
        KlueNERDataModule,
        read_klue_ner,
        "".join(
            f"## s{n}\t글\n그\tO\n \tO\n"
            + "".join(f"{c}\t{'I' if place else 'B'}-PS\n" for place, c in enumerate(word))
            + "\n"
            for n, word in enumerate(ODD * 8)
        ),
    ),
    "KorQuAD_v1.0_train.json": (KorQuADDataModule, read_korquad, korquad()),
}


@pytest.mark.parametrize("name", FILES)
def test_a_byte_order_mark_and_mixed_line_ends_change_nothing(name: str, tmp_path: Path) -> None:
    _, reader, content = FILES[name]
    (tmp_path / name).write_bytes(content.encode())
    expected = list(reader(tmp_path / name))
    lines = json.dumps(json.loads(content), indent=1).split("\n") if name.endswith("json") else content.split("\n")
    mixed = "".join(line + ("\r\n" if number % 2 else "\n") for number, line in enumerate(lines[:-1])) + lines[-1]
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + mixed.encode())
    assert list(reader(tmp_path / name)) == expected


@pytest.mark.parametrize("name", FILES)
def test_windows_949_bytes_are_named_with_their_line(name: str, tmp_path: Path) -> None:
    _, reader, content = FILES[name]
    head, _, rest = content.partition("\n")
    (tmp_path / name).write_bytes(head.encode() + b"\n" + "김민수".encode("cp949") + b"\n" + rest.encode())
    with pytest.raises(ValueError, match=rf"{name}, line 2: .*not UTF-8.*iconv -f CP949"):
        list(reader(tmp_path / name))


def made(make: Make, module: type, name: str, folder: Path, tokenizer: str) -> Any:
    (folder / name).write_text(FILES[name][2], encoding="utf-8")
    if module is NSMCDataModule:
        (folder / "ratings_test.txt").write_text(FILES[name][2], encoding="utf-8")
    settings: dict[str, Any] = {"max_length": 40, "unknown_limit": 1}
    if module is KorQuADDataModule:
        settings |= {"max_question": 8, "stride": 16}
    if tokenizer == "wordpiece":
        settings["tokenizer"] = save_wordpiece(folder / "wordpiece")
    return make(module, data_dir=folder, **settings)


@pytest.mark.parametrize("tokenizer", ["kobert", "wordpiece"])
@pytest.mark.parametrize("name", FILES)
def test_odd_characters_come_through(name: str, tokenizer: str, make: Make, tmp_path: Path) -> None:
    module, reader, _ = FILES[name]
    data = made(make, module, name, tmp_path, tokenizer)
    data.setup("fit")
    examples = {}
    for batch in [*data.train_dataloader(), *data.val_dataloader(), *data.test_dataloader()]:
        assert int(batch["input_ids"].max()) < data.vocab_size
        assert int(batch["attention_mask"].sum(1).min()) >= 2
        for example in batch.get("examples", ()):
            examples["".join(example.words)] = example
    for example in examples.values():
        # The true tags, sent through the pieces and back, must stay tags of as many units.
        pieces = example.pieces if hasattr(example, "pieces") else len(example.offsets)
        assert len(example.predicted_tags(["O"] * (pieces + 2))) == len(example.words)
    if module in (NaverNERDataModule, KlueNERDataModule):
        read = {"".join(sentence.units) for sentence in reader(tmp_path / name)}
        assert examples.keys() == read
    assert sum(data.facts[f"data/{part}_examples"] for part in ("train", "dev")) > 10


@pytest.mark.parametrize("tokenizer", ["kobert", "wordpiece"])
def test_pieces_of_odd_answers_hold_the_answer(tokenizer: str, make: Make, tmp_path: Path) -> None:
    data = made(make, KorQuADDataModule, "KorQuAD_v1.0_train.json", tmp_path, tokenizer)
    lost = []
    for paragraph in read_korquad(tmp_path / "KorQuAD_v1.0_train.json"):
        (answer,) = paragraph.questions[0].answers
        _, spans = data.tokenizer.encode_with_offsets(paragraph.context)
        pieces = answer_pieces(spans, answer.start, answer.start + len(answer.text))
        if pieces is None:
            lost.append(answer.text)
            continue
        assert paragraph.context[spans[pieces[0]][0] : spans[pieces[1]][1]].startswith(answer.text.rstrip("\u200d"))
    assert set(lost) <= {"\u0301", "\u200b"}  # what tokenizers drop: no piece can hold it
    data.setup("fit")
    found = [value for name, value in data.facts.items() if name.endswith("answers_without_piece")]
    assert sum(found) <= len(lost)
