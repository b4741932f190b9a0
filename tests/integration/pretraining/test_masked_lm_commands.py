"""`test` and `predict` of pretraining and distillation."""

import json
from pathlib import Path

import pytest
import torch

from distilkobert import KoBertTokenizer
from tests.world import Run, World, read_json

LINES = ["[MASK] 친구와 영화를 봤다.", "오늘은 [MASK] 가 [MASK] 좋았다 [SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def finished(world: World, run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run folders of a short distillation and a short pretraining."""
    runs = tmp_path_factory.mktemp("runs")
    run("fit", world.distil(runs, "--trainer.max_steps=2", "--trainer.val_check_interval=2"))
    run("fit", world.pretrain(runs, "--trainer.max_steps=2", "--trainer.val_check_interval=2"))
    return {"distil": runs / "distilkobert" / "base_seed42", "pretrain": runs / "pretrain" / "base_seed42"}


def evaluation(folder: Path, *options: str) -> list[str]:
    return ["-c", str(folder / "config.yaml"), f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}", *options]


@pytest.mark.parametrize("name", ["distil", "pretrain"])
def test_a_corpus_has_no_test(name: str, finished: dict[str, Path], run: Run) -> None:
    before = {path: path.read_bytes() for path in finished[name].rglob("*") if path.is_file()}
    module = {"distil": "Distillation", "pretrain": "MaskedLanguageModeling"}[name]
    with pytest.raises(ValueError, match=f"^{module} has no test: a corpus has no test split, .* Run `validate` with"):
        run("test", evaluation(finished[name]))
    assert {path: path.read_bytes() for path in finished[name].rglob("*") if path.is_file()} == before
    measured = read_json(finished[name] / "metrics.json")
    run("validate", evaluation(finished[name]))  # as the message says
    again = read_json(finished[name] / "metrics.json")
    assert {key: again[key] for key in measured if key.startswith("val/")} == pytest.approx(
        {key: value for key, value in measured.items() if key.startswith("val/")}, abs=1e-6
    )


@pytest.mark.parametrize("name", ["distil", "pretrain"])
def test_predict_gives_the_likeliest_pieces_of_every_mask(
    name: str, finished: dict[str, Path], world: World, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(LINES), encoding="utf-8")
    cli = run("predict", evaluation(finished[name], f"--data.predict_file={file}", f"--run.root={tmp_path}"))
    (stored,) = tmp_path.glob("*/base_seed42/predict.jsonl")
    records = [json.loads(line) for line in stored.read_text(encoding="utf-8").splitlines()]
    assert [record["row"] for record in records] == [0, 1, 2]
    assert [record["text"] for record in records] == LINES
    assert [len(record["masks"]) for record in records] == [1, 2, 1]
    tokenizer = KoBertTokenizer.from_pretrained(str(world.tokenizer))
    for line, record in zip(LINES, records, strict=True):
        # A line that writes another special token means its letters.
        texts = line.replace("[SEP]", "").strip()
        tokens = ["[CLS]", *tokenizer.tokenize(texts)]
        tokens += tokenizer.convert_ids_to_tokens(tokenizer.encode_batch(["[SEP]"])[0]) if "[SEP]" in line else []
        ids = tokenizer.convert_tokens_to_ids([*tokens, "[SEP]"])
        with torch.no_grad():
            chances = cli.model.network.eval()(input_ids=torch.tensor([ids])).logits[0].softmax(-1)
        places = [place for place, token in enumerate(tokens) if token == "[MASK]"]
        for place, filled in zip(places, record["masks"], strict=True):
            best = chances[place].sort(descending=True)
            assert [entry["probability"] for entry in filled] == pytest.approx(best.values[:5].tolist(), abs=1e-5)
            assert [entry["piece"] for entry in filled] == tokenizer.convert_ids_to_tokens(best.indices[:5].tolist())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("좋은 [MASK] 이다\n오늘은 좋다\n", r"lines\.txt, line 2: found no \[MASK\]; write \[MASK\] where"),
        ("[MASK]\n\n", r"lines\.txt, line 2: found no \[MASK\]"),
        ("[MASK] " * 90, r"lines\.txt, line 1: found \d+ tokens.*expected at most \d+"),
        ("", r"lines\.txt is empty"),
        (None, r"no file to predict on; set --data\.predict_file"),
    ],
)
def test_what_cannot_be_predicted_is_refused(
    content: str | None, message: str, finished: dict[str, Path], run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "lines.txt"
    options = [] if content is None else [f"--data.predict_file={file}"]
    file.write_text(content or "", encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        run("predict", evaluation(finished["pretrain"], *options, f"--run.root={tmp_path}"))
    assert not list(tmp_path.glob("*/*/predict.jsonl"))


def test_random_weights_predict_nothing(world: World, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(LINES), encoding="utf-8")
    with pytest.raises(ValueError, match=r"random weights, so there is nothing to predict; name .* --ckpt_path"):
        run("predict", world.pretrain(tmp_path, f"--data.predict_file={file}"))


def test_an_encoder_with_too_few_positions_is_refused(world: World, run: Run, tmp_path: Path) -> None:
    longest = max(read_json(world.corpus / "manifest.json")["longest"].values())
    found = f"model.encoder: accepts at most {longest - 1} tokens, but inputs have up to {longest}"
    remedies = (
        f"set --model.encoder.max_positions={longest} or more, or prepare the corpus with --max_tokens {longest - 1}"
    )
    with pytest.raises(ValueError, match=f"^{found}; {remedies}$"):
        run("fit", world.pretrain(tmp_path, f"--model.encoder.max_positions={longest - 1}"))
    assert not any(tmp_path.iterdir())
    run("fit", world.pretrain(tmp_path, f"--model.encoder.max_positions={longest}", "--trainer.max_steps=1"))
