"""Exported fine-tuned models of both architectures and both kinds of tokenizers, used as strangers use them."""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, PreTrainedModel, pipeline

from distilkobert.models.checkpoints import model_from_checkpoint, read_checkpoint
from distilkobert.tasks.kinds import QUESTION_ANSWERING
from distilkobert.tasks.tags.labels import KLUE_NER_LABELS, NAVER_NER_LABELS, NSMC_LABELS
from distilkobert.tokenizers.loading import TextEncoder, load_tokenizer
from experiments.export.checking import check_export
from experiments.predict.model import Predictor
from experiments.predict.source import Source
from tests.integration.predict.wide import POSITIONS, export_of, fit_and_test, save_wide, save_wordpiece
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.world import World, read_json

HEADS = {
    "nsmc": ("sequence_classification", NSMC_LABELS, "test/accuracy"),
    "naver_ner": ("token_classification", NAVER_NER_LABELS, "test/f1_strict"),
    "klue_ner": ("token_classification", KLUE_NER_LABELS, "test/f1_strict"),
    "korquad": ("question_answering", (), "test/exact_match"),
}
TEXT = "김민수는 어제 부산에서 10시에 찹쌀가루를 반죽했나요?"
QUESTION, CONTEXT = "누가 반죽했나?", "어제 부산에서 주방장이 찹쌀가루를 반죽했다. 그는 10시에 왔다."


class Exported(NamedTuple):
    """An exported folder, the run it comes from, and the network and tokenizer that it should hold."""

    folder: Path
    run_folder: Path
    network: PreTrainedModel
    encoder: TextEncoder


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    root = tmp_path_factory.mktemp("tasks")
    wordpiece = load_tokenizer(save_wordpiece(root / "wordpiece"))
    for kind in ("bert", "distilbert"):
        save_wide(root / f"kobert-{kind}", kind)
        save_wide(root / f"wordpiece-{kind}", kind, wordpiece.vocab_size, wordpiece.pad_token_id)
    return make_task_world(world, root)


@pytest.fixture(scope="module")
def made(tasks: TaskWorld, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Exported]:
    """Fine-tune, test and export a task on an encoder with a tokenizer, once."""
    done: dict[tuple[str, str, str], Exported] = {}

    def get(task: str, kind: str, tokenizer: str) -> Exported:
        if (task, kind, tokenizer) not in done:
            runs = tmp_path_factory.mktemp("runs")
            source = tasks.world.tokenizer if tokenizer == "kobert" else tasks.root / "wordpiece"
            options = [f"--model.init_from={tasks.root / f'{tokenizer}-{kind}'}", f"--data.tokenizer={source}"]
            run_folder = fit_and_test(tasks, task, runs, *options)
            checkpoint = run_folder / "checkpoints" / "last.ckpt"
            network = model_from_checkpoint(read_checkpoint(checkpoint), checkpoint)
            folder = export_of(run_folder, runs / "exported")
            done[task, kind, tokenizer] = Exported(folder, run_folder, network, load_tokenizer(source))
        return done[task, kind, tokenizer]

    return get


# Every task, architecture and tokenizer, and most pairs of them; the rest is slow.
FAST = {("nsmc", "bert", "wordpiece"), ("klue_ner", "distilbert", "kobert"), ("korquad", "distilbert", "wordpiece")}
ALL = [(task, kind, pieces) for task in HEADS for kind in ("bert", "distilbert") for pieces in ("kobert", "wordpiece")]
COMBINATIONS = [pytest.param(*c, id="-".join(c), marks=[] if c in FAST else [pytest.mark.slow]) for c in ALL]


def framed(encoder: TextEncoder, *texts: str) -> list[int]:
    """[CLS] A [SEP], or [CLS] A [SEP] B [SEP], as the data modules frame them."""
    ids = [encoder.cls_token_id]
    for text in texts:
        ids += [*encoder.encode_with_offsets(text)[0], encoder.sep_token_id]
    return ids


def logits_of(network: PreTrainedModel, ids: list[int], first: int | None = None) -> Any:
    """Outputs of the checkpoint's own network; `first` tokens are of the first segment."""
    inputs = {"input_ids": torch.tensor([ids])}
    if network.config.model_type == "bert":
        segments = [0 if first is None or place < first else 1 for place in range(len(ids))]
        inputs["token_type_ids"] = torch.tensor([segments])
    with torch.inference_mode():
        return network(**inputs)


@pytest.mark.parametrize(("task", "kind", "pieces"), COMBINATIONS)
def test_the_folder_is_whole(task: str, kind: str, pieces: str, made: Any) -> None:
    exported: Exported = made(task, kind, pieces)
    _, labels, metric = HEADS[task]
    config = read_json(exported.folder / "config.json")
    if labels:
        assert config["id2label"] == {str(number): name for number, name in enumerate(labels)}
        assert config["label2id"] == {name: number for number, name in enumerate(labels)}
    tokenizer = AutoTokenizer.from_pretrained(exported.folder)
    assert (tokenizer.model_max_length, tokenizer.mask_token) == (POSITIONS, "[MASK]")
    inputs = tokenizer(QUESTION, CONTEXT)
    assert ("token_type_ids" in inputs) == (kind == "bert")
    assert inputs["input_ids"] == framed(exported.encoder, QUESTION, CONTEXT)
    assert len(tokenizer(TEXT * 20, truncation=True)["input_ids"]) == POSITIONS
    kobert_files = {path.name for path in exported.folder.glob("*.model")} | {
        path.name for path in exported.folder.glob("vocab.txt")
    }
    assert len(kobert_files) == (2 if pieces == "kobert" else 0)
    assert load_tokenizer(exported.folder).encode_with_offsets(TEXT) == exported.encoder.encode_with_offsets(TEXT)
    card = (exported.folder / "README.md").read_text(encoding="utf-8")
    score = read_json(exported.run_folder / "metrics.json")[metric]
    assert f"| {metric} | {score:.4g} |" in card
    assert "48 tokens" in card
    assert "sequences of up to 64 tokens" in card
    assert ("KoBertTokenizer" in card) == (pieces == "kobert")
    assert ("is id 1, not 0" in card) == (pieces == "kobert")
    assert ("Tags are written PER-B" in card) == (task == "naver_ner")


@pytest.mark.parametrize(("task", "kind", "pieces"), [c for c in COMBINATIONS if "nsmc" in c.values])
def test_the_classification_pipeline_says_what_the_checkpoint_says(
    task: str, kind: str, pieces: str, made: Any
) -> None:
    exported: Exported = made(task, kind, pieces)
    (said,) = pipeline("text-classification", model=str(exported.folder))(TEXT)
    logits = logits_of(exported.network, framed(exported.encoder, TEXT)).logits[0]
    assert said["label"] == NSMC_LABELS[int(logits.argmax())]
    assert said["score"] == pytest.approx(float(logits.softmax(-1).max()), abs=1e-5)


@pytest.mark.parametrize(("task", "kind", "pieces"), [c for c in COMBINATIONS if "ner" in c.values[0]])
def test_the_tagging_pipeline_says_what_the_checkpoint_says(task: str, kind: str, pieces: str, made: Any) -> None:
    exported: Exported = made(task, kind, pieces)
    said = pipeline("token-classification", model=str(exported.folder), ignore_labels=[])(TEXT)
    labels = HEADS[task][1]
    _, spans = exported.encoder.encode_with_offsets(TEXT)
    logits = logits_of(exported.network, framed(exported.encoder, TEXT)).logits[0, 1:-1]
    assert [piece["entity"] for piece in said] == [labels[number] for number in logits.argmax(-1).tolist()]
    assert [piece["score"] for piece in said] == pytest.approx(logits.softmax(-1).max(-1).values.tolist(), abs=1e-5)
    ends = [end for start, end in spans if end > start]
    assert [piece["end"] for piece, (start, end) in zip(said, spans, strict=True) if end > start] == ends
    if task == "klue_ner":
        groups = pipeline("token-classification", model=str(exported.folder), aggregation_strategy="simple")(TEXT)
        assert groups
        assert {group["entity_group"] for group in groups} <= {"PS", "LC", "OG", "DT", "TI", "QT"}


@pytest.mark.parametrize(("task", "kind", "pieces"), [c for c in COMBINATIONS if "korquad" in c.values])
def test_offsets_of_the_tokenizer_cut_the_answer_that_the_checkpoint_gives(
    task: str, kind: str, pieces: str, made: Any
) -> None:
    exported: Exported = made(task, kind, pieces)
    tokenizer = AutoTokenizer.from_pretrained(exported.folder)
    inputs = tokenizer(QUESTION, CONTEXT, return_offsets_mapping=True, return_tensors="pt")
    offsets, parts = inputs.pop("offset_mapping")[0].tolist(), inputs.sequence_ids(0)
    with torch.inference_mode():
        said = AutoModelForQuestionAnswering.from_pretrained(exported.folder).eval()(**inputs)
    first = parts.index(1)
    expected = logits_of(exported.network, inputs["input_ids"][0].tolist(), first)
    assert torch.equal(said.start_logits, expected.start_logits)
    assert torch.equal(said.end_logits, expected.end_logits)
    _, spans = exported.encoder.encode_with_offsets(CONTEXT)
    shown = [CONTEXT[start:end] for start, end in offsets[first:-1]]
    assert [text for text, (start, end) in zip(shown, spans, strict=True) if end > start] == [
        CONTEXT[start:end] for start, end in spans if end > start
    ]
    # The example of the card finds what the project's own decoding finds.
    asked = "누가 그렸나?\t이 그림은 김홍도가 그렸다."
    predictor = Predictor.of(Source.of(exported.folder), QUESTION_ANSWERING, None)
    question = predictor.read_line(1, asked.encode())
    (record,) = predictor.records([question])
    assert run_card(exported.folder) == predictor.line(record, question).split("\t")[0]


def code_of(folder: Path) -> str:
    """The example of a model card, for its own folder."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    return card.split("```python\n")[1].split("```")[0].replace('"FOLDER"', json.dumps(str(folder)))


def run_card(folder: Path) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code_of(folder), {})  # noqa: S102 - our own text
    return printed.getvalue().strip()


STRANGER = """
import sys
for name in ("distilkobert", "lightning_modules", "datamodules", "experiments"):
    sys.modules[name] = None
for line in sys.stdin.read().split("\\0"):
    exec(line, {})
"""


@pytest.mark.slow
def test_the_examples_of_all_cards_run_where_this_project_is_unknown(made: Any, tmp_path: Path) -> None:
    exported = [made(*combination) for combination in ALL]
    code = "\0".join(code_of(one.folder) for one in exported)
    done = subprocess.run(
        [sys.executable, "-c", STRANGER], input=code, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [line for one in exported for line in run_card(one.folder).splitlines()]


def test_a_head_that_differs_is_not_kept(made: Any) -> None:
    exported: Exported = made("klue_ner", "distilbert", "kobert")
    check_export(exported.folder, exported.network, "token_classification")
    weight = exported.network.classifier.weight
    before = weight.detach().clone()
    try:
        with torch.no_grad():
            weight[0, 0] += 1e-3
        with pytest.raises(ValueError, match=r"\(1 of them, first classifier\.weight\); the export was not kept"):
            check_export(exported.folder, exported.network, "token_classification")
    finally:
        with torch.no_grad():
            weight.copy_(before)
    other = exported.network.classifier.register_forward_hook(lambda layer, inputs, output: output + 1e-3)
    try:
        with pytest.raises(ValueError, match=r"differs from the checkpoint by .* in logits; the export was not kept"):
            check_export(exported.folder, exported.network, "token_classification")
    finally:
        other.remove()
    names = dict(exported.network.config.id2label)
    exported.network.config.id2label = {**names, 0: "B-XX"}
    try:
        with pytest.raises(ValueError, match="the checkpoint a DistilBertForTokenClassification with B-XX"):
            check_export(exported.folder, exported.network, "token_classification")
    finally:
        exported.network.config.id2label = names


def test_a_tokenizer_of_another_model_is_refused(made: Any, world: World, tmp_path: Path) -> None:
    exported: Exported = made("nsmc", "bert", "wordpiece")
    with pytest.raises(ValueError, match=r"the tokenizer has 600 pieces and \[PAD\]=1, the model \d+ and 0"):
        export_of(exported.run_folder, tmp_path / "out", tokenizer=str(world.tokenizer))
    assert not (tmp_path / "out").exists()
