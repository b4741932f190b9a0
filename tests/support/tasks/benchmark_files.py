"""Files in the layouts of data sets that are not here: every text is ours, the keys are those of the data sets."""

import json
from pathlib import Path
from typing import Any

WORDS = ("영화", "음식", "날씨", "여행", "도서관", "축구")
TOPICS = ("IT과학", "경제", "사회", "생활문화", "세계", "스포츠", "정치")
NLI = ("entailment", "neutral", "contradiction")


def _sentence(number: int) -> str:
    return f"{WORDS[number % 6]} 이야기를 {number}번째로 적는다."


def _nli(number: int) -> dict[str, Any]:
    first, second = _sentence(number // 3), _sentence(number)
    pair = {"premise": first, "hypothesis": second}
    return {"guid": f"nli-{number}", "source": "own", **pair, "gold_label": NLI[number % 3]}


def _sts(number: int) -> dict[str, Any]:
    score = number % 11 / 2
    labels = {"label": round(score, 1), "real-label": score, "binary-label": int(score >= 3)}
    pair = {"sentence1": _sentence(number), "sentence2": _sentence(number + number % 4)}
    return {"guid": f"sts-{number}", "source": "own", **pair, "labels": labels}


def _ynat(number: int) -> dict[str, Any]:
    return {"guid": f"ynat-{number}", "title": _sentence(number), "label": TOPICS[number % 7], "url": "x", "date": "y"}


def _mrc(number: int) -> dict[str, Any]:
    context = f"제{number}회 {WORDS[number % 6]} 대회는 서울에서 열렸다. 날씨가 맑았다."
    answer = {"text": "서울", "answer_start": context.index("서울")}
    known = {"guid": f"a{number}", "question": "어디에서 열렸나?", "answers": [answer], "is_impossible": False}
    nothing = {"guid": f"n{number}", "question": "누가 이겼나?", "answers": [], "is_impossible": True}
    asked = [{**known, "question_type": 1}, {**nothing, "question_type": 3}]
    paragraph = {"context": context, "qas": asked}
    return {"title": f"{number}", "news_category": None, "source": "own", "paragraphs": [paragraph]}


def _json(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def write_benchmark(recipe: str, folder: Path, train: int = 120, test: int = 20) -> None:
    """The files that a recipe reads.

    Args:
        recipe: `klue_nli`, `klue_sts`, `klue_ynat`, `klue_mrc` or `paws_x_ko`.
        folder: where they go; it is made.
        train: examples of the training file.
        test: examples of the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if recipe == "paws_x_ko":
        for name, count in (("translated_train.tsv", train), ("dev_2k.tsv", test), ("test_2k.tsv", test)):
            rows = (f"{n}\t{_sentence(n)}\t{_sentence(n + n % 2)}\t{n % 2}" for n in range(count))
            (folder / name).write_text("\n".join(["id\tsentence1\tsentence2\tlabel", *rows]) + "\n", encoding="utf-8")
        return
    make = {"klue_nli": _nli, "klue_sts": _sts, "klue_ynat": _ynat, "klue_mrc": _mrc}[recipe]
    name = recipe.removeprefix("klue_") if recipe == "klue_ynat" else recipe.replace("_", "-")
    for part, count in (("train", train), ("dev", test)):
        items = [make(number) for number in range(count)]
        _json(folder, f"{name}-v1.1_{part}.json", {"version": name, "data": items} if recipe == "klue_mrc" else items)
