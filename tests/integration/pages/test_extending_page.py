"""The pages on data and callbacks of one's own in docs/extending.md: their files and commands, as the page has them."""

import csv
import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
import yaml

from experiments.export.__main__ import main as export_command
from experiments.predict.__main__ import main as predict_command
from experiments.train import main
from tests.world import World, read_json

PAGE = Path("docs/extending.md").read_text(encoding="utf-8")
SMALL = [
    "--trainer.max_epochs=-1", "--trainer.max_steps=4", "--trainer.val_check_interval=2", "--trainer.accelerator=cpu",
    "--trainer.enable_progress_bar=false", "--data.batch_size=4", "--data.max_length=48",
]  # fmt: skip


def block(section: str, kind: str) -> str:
    """The only code block of a language in a section."""
    (found,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    (content,) = re.findall(rf"```{kind}\n(.*?)```", found, re.DOTALL)
    return str(content)


@pytest.fixture
def options(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("sys.argv", ["train"])
    return [
        f"--model.init_from={world.teacher}", f"--data.tokenizer={world.tokenizer}",
        f"--data.cache_dir={tmp_path / 'cache'}", f"--run.root={tmp_path / 'runs'}", *SMALL,
    ]  # fmt: skip


def test_the_table_is_the_example_s_and_the_yaml_too() -> None:
    section = "Texts or pairs with labels of your own"
    with Path("examples/emotions/emotions.csv").open(encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    shown = list(csv.reader(block(section, "csv").splitlines()))
    assert all(row in rows for row in shown)
    assert Counter(label for _, label in rows[1:]) == {"긍정": 20, "부정": 20, "중립": 20}
    assert len({text for text, _ in rows}) == 61
    example = yaml.safe_load(Path("examples/emotions/emotions.yaml").read_text(encoding="utf-8"))
    page = yaml.safe_load(block(section, "yaml"))
    settings = page["data"]["init_args"]
    assert settings.items() <= example["data"]["init_args"].items()
    assert page["best_checkpoint"] == example["best_checkpoint"]


def test_from_a_table_to_predictions_by_the_page_s_commands(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = "Texts or pairs with labels of your own"
    file, run = tmp_path / "emotions.yaml", tmp_path / "runs" / "emotions" / "base_seed42"
    file.write_text(block(section, "yaml"), encoding="utf-8")
    (tmp_path / "new.csv").write_text("번호,문장\n1,정말 좋았다\n2,너무 늦었다\n", encoding="utf-8")
    places = {"emotions.yaml": str(file), "runs/emotions/base_seed42": str(run), "new.csv": str(tmp_path / "new.csv"),
              "said.jsonl": str(tmp_path / "said.jsonl"), "exported/emotions": str(tmp_path / "exported")}  # fmt: skip
    commands = {"experiments.predict": predict_command, "experiments.export": export_command}
    done = []
    for line in block(section, "bash").splitlines():
        for name, place in places.items():
            line = line.replace(name, place)
        _, _, command, *words = shlex.split(line)
        done.append(command)
        if command == "experiments.train":
            kept = [word for word in words if not word.startswith(("--model.init_from", "--data.tokenizer"))]
            main([*kept, *(options if words[0] == "fit" else [])])
        else:
            monkeypatch.setattr("sys.argv", [command, *words])
            commands[command]()
    assert done == ["experiments.train"] * 2 + ["experiments.predict"] * 2 + ["experiments.export"]
    said = [json.loads(line) for line in (tmp_path / "said.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["text"] for record in said] == ["정말 좋았다", "너무 늦었다"]
    assert {record["predicted"] for record in said} <= {"긍정", "부정", "중립"}
    metrics = read_json(run / "metrics.json")
    assert {"test/accuracy", "test/f1_긍정", "test/f1_부정", "test/f1_중립"} <= metrics.keys()
    assert (tmp_path / "exported" / "README.md").read_text(encoding="utf-8").count("긍정")


def test_entities_of_the_page(options: list[str], tmp_path: Path) -> None:
    section = "Entities of your own"
    (tmp_path / "entities.yaml").write_text(block(section, "yaml"), encoding="utf-8")
    words = block(section, "text")
    sentences = "\n".join(words.replace("환자가", f"환자{n}이") + "\n" for n in range(30))
    (tmp_path / "entities.txt").write_text(sentences, encoding="utf-8")
    own = ["fit", "-c", str(tmp_path / "entities.yaml"), f"--data.data_dir={tmp_path}", *options]
    main(own)
    run = tmp_path / "runs" / "diseases" / "base_seed42"
    config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    assert config["data"]["class_path"].endswith("TaggingDataModule")
    assert read_json(run / "metrics.json")["val/step"] == 4
    spans = json.loads(block(section, "json"))
    assert [spans["text"][start:end] for start, end, _ in spans["entities"]] == ["독감", "서른명"]
    for name in ("spans", "dev"):
        (tmp_path / f"{name}.jsonl").write_text((json.dumps(spans, ensure_ascii=False) + "\n") * 40, encoding="utf-8")
    more = ["--data.train_file=spans.jsonl", "--data.format=spans", "--data.units=characters", "--data.particles=split"]
    more += [
        f"--data.dev_file={tmp_path / 'dev.jsonl'}",
        "--data.test_share=0",
        "--run.arm=spans",
        "--data.max_length=32",
    ]
    main([*own, *more])


def test_questions_of_the_page(options: list[str], tmp_path: Path) -> None:
    section = "Questions of your own"
    (tmp_path / "questions.yaml").write_text(block(section, "yaml"), encoding="utf-8")
    content = json.loads(block(section, "json"))
    (article,) = content["data"]
    for paragraph in article["paragraphs"]:
        for question in paragraph["qas"]:
            for answer in question["answers"]:
                start = answer["answer_start"]
                assert paragraph["context"][start : start + len(answer["text"])] == answer["text"]
    articles = []
    for number in range(12):
        copy = json.loads(json.dumps(article)) | {"title": f"강 {number}"}
        for question in copy["paragraphs"][0]["qas"]:
            question["id"] = f"{number}-{question['id']}"
        articles.append(copy)
    (tmp_path / "our_train_data.json").write_text(json.dumps({"data": articles}), encoding="utf-8")
    lengths = ["--data.stride=16", "--data.max_question=12"]
    main(["fit", "-c", str(tmp_path / "questions.yaml"), f"--data.data_dir={tmp_path}", *options, *lengths])
    metrics = read_json(tmp_path / "runs" / "river" / "base_seed42" / "metrics.json")
    assert {"val/f1", "val/v2_f1", "val/no_answer_accuracy", "val/no_answer_threshold"} <= metrics.keys()


def test_callbacks_of_several_files_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both orders; an option right after early stopping changes it."""
    (tmp_path / "my_callbacks.py").write_text(block("A callback of your own", "python"), encoding="utf-8")
    (tmp_path / "callback.yaml").write_text(block("A callback of your own", "yaml"), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    stopping = ["-c", "configs/finetune/early_stopping.yaml", "--trainer.callbacks.monitor=val/spearman"]
    own = ["-c", str(tmp_path / "callback.yaml")]
    names = ["EarlyStopping", "CountBatches"]
    for files, expected in (([*stopping, *own], names), ([*own, *stopping], names[::-1])):
        with pytest.raises(SystemExit) as end:
            main(["fit", "-c", "configs/finetune/nsmc.yaml", *files, "--print_config"])
        assert end.value.code == 0
        callbacks = yaml.safe_load(capsys.readouterr().out)["trainer"]["callbacks"]
        found = [one["class_path"].rpartition(".")[2] for one in callbacks]
        assert found == expected
        settings = {name: one["init_args"] for name, one in zip(found, callbacks, strict=True)}
        assert (settings["EarlyStopping"]["monitor"], settings["EarlyStopping"]["patience"]) == ("val/spearman", 4)
        assert settings["CountBatches"]["every"] == 2


def test_the_callback_of_the_page(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = "A callback of your own"
    (tmp_path / "my_callbacks.py").write_text(block(section, "python"), encoding="utf-8")
    (tmp_path / "callback.yaml").write_text(block(section, "yaml"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    main(["fit", "-c", "examples/emotions/emotions.yaml", "-c", str(tmp_path / "callback.yaml"), *options])
    assert "2 batches" in capsys.readouterr().out
