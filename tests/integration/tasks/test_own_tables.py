"""From a table of one's own to predictions, through the commands alone: one YAML, no Python."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from sklearn import metrics

from experiments.export.__main__ import export
from experiments.predict.__main__ import predict
from experiments.train import main
from tests.support.records import assert_records_alike
from tests.world import World, read_json

TEXTS = [
    "영화가 아주 좋았다",
    "음식이 너무 짰다",
    "그냥 그런 하루였다",
    "정말 재미있는 책",
    "다시는 가지 않는다",
    "비가 온다",
]
LABELS = ["긍정", "부정", "중립"]
Fitted = tuple[Path, Path]  # the run's folder, and that of its data


def table(count: int) -> pd.DataFrame:
    rows = [(f"{TEXTS[n % 6]} {n}", f"{TEXTS[n % 5]} {n}", LABELS[n % 6 % 3], n % 11 / 2) for n in range(count)]
    several = [";".join(label for place, label in enumerate(LABELS) if n >> place & 1) for n in range(count)]
    return pd.DataFrame(rows, columns=["문장", "다른 문장", "감정", "점수"]).assign(주제=several)


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "classification": ("SequenceClassification", {"label": "감정"}),
    "pairs": ("SequenceClassification", {"label": "감정", "text_pair": "다른 문장", "class_weights": "balanced"}),
    "multi_label": ("SequenceClassification", {"label": "주제", "kind": "multi_label", "label_separator": ";"}),
    "regression": ("SequenceRegression", {"label": "점수", "kind": "regression", "score_range": [0, 5]}),
}


@pytest.fixture(scope="module", params=KINDS)
def fitted(request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """The run folder of a short fine-tuning after `test`, and the folder of its data."""
    root = tmp_path_factory.mktemp(request.param)
    table(90).to_csv(root / "자료.csv", index=False)
    module, columns = KINDS[request.param]
    settings = {
        "run": {"recipe": "own", "root": str(root / "runs")},
        "model": {"class_path": module, "init_args": {"init_from": str(world.teacher)}},
        "data": {
            "class_path": "TableDataModule",
            "init_args": {
                "tokenizer": str(world.tokenizer), "data_dir": str(root), "train_file": "자료.csv", "text": "문장",
                "max_length": 32, "batch_size": 8, "cache_dir": str(root / "cache"), **columns,
            },
        },
        "trainer": {"max_steps": 3, "accelerator": "cpu", "enable_progress_bar": False},
    }  # fmt: skip
    (root / "own.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["train"])
        main(["fit", "-c", str(root / "own.yaml")])
        run = root / "runs" / "own" / "base_seed42"
        main(["test", "-c", str(run / "config.yaml"), f"--ckpt_path={run / 'checkpoints' / 'best.ckpt'}"])
    return run, root


def stored(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]


def test_scores_are_those_of_the_stored_predictions(fitted: Fitted) -> None:
    run, _ = fitted
    found, records = read_json(run / "metrics.json"), stored(run)
    gold, guess = ([record[name] for record in records] for name in ("gold", "predicted"))
    if "test/accuracy" in found:
        assert found["test/accuracy"] == pytest.approx(metrics.accuracy_score(gold, guess))
        assert found["test/macro_f1"] == pytest.approx(metrics.f1_score(gold, guess, average="macro"))
        assert {f"test/f1_{label}" for label in LABELS} <= found.keys()
    elif "test/micro_f1" in found:
        assert found["test/exact_match"] == pytest.approx(sum(map(list.__eq__, gold, guess)) / len(gold))
        assert {name for held in gold for name in held} == set(LABELS)
    else:
        assert found["test/spearman"] == pytest.approx(pd.Series(gold).corr(pd.Series(guess), method="spearman"))
    assert "자료.csv" in found["data/split"]


def predicted(model: Path, output: Path, **options: Any) -> list[dict[str, Any]]:
    predict(str(model), output=str(output), **options)
    return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def test_run_folder_and_export_predict_alike_from_a_file(fitted: Fitted, tmp_path: Path) -> None:
    run, root = fitted
    export(str(run / "checkpoints" / "best.ckpt"), str(tmp_path / "exported"))
    pair = "pair" in root.name
    names = ["문장", "다른 문장"] if pair else ["문장"]
    table(20).drop(columns=["감정", "점수", "주제"]).to_csv(tmp_path / "new.csv", index=False)
    both = [
        predicted(model, tmp_path / f"{n}.jsonl", input=str(tmp_path / "new.csv"), columns=names, batch_size=7)
        for n, model in enumerate((run, tmp_path / "exported"))
    ]
    assert_records_alike(*both)
    assert [record["row"] for record in both[0]] == list(range(20))
    assert [record["text"] for record in both[0]] == table(20)["문장"].tolist()
    assert "gold" not in both[0][0]
    allowed = {"float"} if "regression" in root.name else {*LABELS}
    for record in both[0]:
        said = record["predicted"]
        assert (
            {type(said).__name__}
            if isinstance(said, float)
            else set([said] if isinstance(said, str) else said) <= allowed
        )
    if not pair:
        return
    lines = ["text\ttext_pair", *(f"{TEXTS[n]}\t{TEXTS[0]}" for n in range(3))]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "plain.tsv").write_text("\n".join(lines[1:]), encoding="utf-8")
    again = [predicted(run, tmp_path / f"{n}.jsonl", input=str(tmp_path / f"{n}.tsv")) for n in ("pairs", "plain")]
    assert again[0] == again[1]
    assert len(again[0]) == 3


def test_one_text_on_the_command_line(fitted: Fitted, capsys: pytest.CaptureFixture[str]) -> None:
    run, root = fitted
    pair = {"text_pair": TEXTS[1]} if "pair" in root.name else {}
    predict(str(run), text=TEXTS[0], **pair)
    (line,) = capsys.readouterr().out.splitlines()
    assert line
    with pytest.raises(ValueError, match=r"the model reads text.*; expected --text"):
        predict(str(run), text=TEXTS[0], **({} if pair else {"text_pair": "다른 글"}))


def test_what_does_not_fit_the_model_is_refused(fitted: Fitted, tmp_path: Path) -> None:
    run, root = fitted
    if root.name.startswith("pairs"):
        (tmp_path / "t.tsv").write_text("하나\t둘\n하나\n", encoding="utf-8")
        message = r"t\.tsv, line 2: found 0 tabs; expected text<TAB>text_pair with one tab"
        empty = '{"text": "하나", "text_pair": " "}\n'
    else:
        (tmp_path / "t.tsv").write_text("하나\n하나\t둘\n", encoding="utf-8")
        message, empty = r"t\.tsv, line 2: found 1 tab; expected a text without a tab", '{"글": "하나"}\n'
    with pytest.raises(ValueError, match=message):
        predict(str(run), input=str(tmp_path / "t.tsv"))
    (tmp_path / "t.jsonl").write_text(empty, encoding="utf-8")
    with pytest.raises(ValueError, match=r"t\.jsonl, line 1: (half of the pair is blank|no text in 'text')"):
        predict(str(run), input=str(tmp_path / "t.jsonl"))


@pytest.mark.parametrize("fitted", ["classification"], indirect=True)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_pair": "둘"}, "--text_pair needs --text"),
        ({"text": "하나", "input": "x.csv"}, "--text and --input are both given"),
        ({"text": "하나", "columns": ["문장"]}, "--columns, --delimiter, --quotes and --header need --input"),
        ({"text": "하나", "output": "x.csv"}, r"--output=x\.csv: expected a name that ends in \.jsonl"),
        ({"text": "하나", "batch_size": 0}, "batch_size=0: must be 1 or more"),
    ],
)
def test_options_that_do_not_go_together(fitted: Fitted, options: dict[str, Any], message: str) -> None:
    run, _ = fitted
    with pytest.raises(ValueError, match=message):
        predict(str(run), **options)


def test_the_model_is_a_pipeline_of_transformers(fitted: Fitted, tmp_path: Path) -> None:
    from transformers import pipeline

    run, root = fitted
    export(str(run / "checkpoints" / "best.ckpt"), str(tmp_path / "exported"))
    ask: Callable[..., Any] = pipeline("text-classification", model=str(tmp_path / "exported"), top_k=None)
    given = {"text": TEXTS[0], "text_pair": TEXTS[1]} if root.name.startswith("pairs") else TEXTS[0]
    answer = ask(given)
    texts = {"text": TEXTS[0], "text_pair": TEXTS[1]} if root.name.startswith("pairs") else {"text": TEXTS[0]}
    (record,) = predicted(run, tmp_path / "one.jsonl", **texts)
    parts = answer[0] if isinstance(answer[0], list) else answer
    scores = {part["label"]: part["score"] for part in parts}
    if root.name.startswith("regression"):
        assert scores == {"score": pytest.approx(record["predicted"], abs=1e-4)}
    elif root.name.startswith("multi_label"):
        assert scores == pytest.approx(record["probabilities"], abs=1e-4)
    else:
        assert scores[record["predicted"]] == pytest.approx(record["probability"], abs=1e-4)
