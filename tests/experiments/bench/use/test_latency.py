"""The latency benchmark takes turns, counts right and writes what the report reads."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, DistilBertConfig, DistilBertForMaskedLM

from experiments._shared.exported import latency as module
from experiments._shared.exported.latency import ALONE, Call
from experiments._shared.exported.latency_file import ModelLatency
from experiments._shared.machine.processor import processor_name
from experiments.bench.__main__ import main
from experiments.bench.use.latency import bench_latency, latency_table, told_apart, write_latency


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT `teacher` of 4 layers and a DistilBERT `student` of 1."""
    root = tmp_path_factory.mktemp("exported")
    BertForMaskedLM(
        BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=24,
                   max_position_embeddings=32)
    ).save_pretrained(root / "teacher")  # fmt: skip
    DistilBertForMaskedLM(
        DistilBertConfig(vocab_size=50, dim=16, n_layers=1, n_heads=2, hidden_dim=24, max_position_embeddings=32)
    ).save_pretrained(root / "student")
    return root


def test_models_take_turns_and_medians_count(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[tuple[str, int, int]] = []
    in_a_round = 2 * 2 * (ALONE + 1)

    def seconds(call: Call) -> float:
        name, shape = Path(call.model).name, (call.batch, call.length)
        order.append((name, *shape))
        turn = (len(order) - 1) // in_a_round - 1
        busy = 100.0 if turn == 2 and shape == (1, 8) else 0.0  # the median must not see a slow moment
        uneven = 1 + (0.0, 0.1, 0.2, 0.3, 0.4)[turn] if name == "student" else 1.0
        return busy + uneven * shape[0] * shape[1] * (0.001 if name == "student" else 0.002)

    monkeypatch.setattr(module, "_seconds", seconds)
    models = [str(exported / name) for name in ("teacher", "student")]
    found = bench_latency(models, lengths=[4, 8], repeats=5)
    assert found[models[0]].batch_1_ms == pytest.approx(2 * 6)
    assert found[models[0]].batch_32_ms == pytest.approx(2 * 6 * 32)
    assert found[models[0]].batch_1_quartiles_ms == pytest.approx((2 * 6, 2 * 6))
    assert found[models[0]].batch_1_tail_ms == pytest.approx([(100e3 + 16 + 8) / 2] * 2)
    assert found[models[1]].batch_32_ms == pytest.approx(1.2 * 6 * 32)
    assert found[models[1]].batch_32_quartiles_ms == pytest.approx((1.1 * 6 * 32, 1.3 * 6 * 32))
    assert found[models[1]].sentences_per_s == pytest.approx(1000 / (1.2 * 6))
    assert found[models[1]].tokenizer_ms is None
    first_of_rounds = [order[place][0] for place in range(0, len(order), in_a_round)]
    assert first_of_rounds == ["student", "teacher"] * 3  # the round before the first does not count
    assert set(order) == {
        (name, batch, length) for name in ("teacher", "student") for batch in (1, 32) for length in (4, 8)
    }
    assert order.count(("student", 1, 4)) == ALONE * order.count(("student", 32, 4))


def test_parameters_are_those_of_the_encoder(exported: Path) -> None:
    found = bench_latency([str(exported / "student")], lengths=[4], repeats=1)[str(exported / "student")]
    embeddings = (50 + 32) * 16 + 2 * 16
    layer = 4 * (16 * 16 + 16) + 2 * 16 * 24 + 24 + 16 + 2 * 2 * 16
    assert found.parameters == embeddings + layer
    assert found.mb == (exported / "student/model.safetensors").stat().st_size / 2**20
    assert found.batch_1_ms > 0


def test_an_older_file_of_weights_is_measured(exported: Path, tmp_path: Path) -> None:
    torch.save(BertForMaskedLM.from_pretrained(exported / "teacher").state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"no exported model; expected config.json and .*pytorch_model.bin"):
        bench_latency([str(tmp_path)], lengths=[4], repeats=1)
    shutil.copy(exported / "teacher" / "config.json", tmp_path)
    names = [str(tmp_path), str(exported / "student")]
    found = bench_latency(names, lengths=[4], repeats=1)
    assert found[names[0]].mb == (tmp_path / "pytorch_model.bin").stat().st_size / 2**20
    assert found[names[0]].parameters == BertForMaskedLM.from_pretrained(exported / "teacher").bert.num_parameters()
    assert found[names[1]].batch_1_ms > 0


def test_the_pooler_is_not_counted(exported: Path) -> None:
    found = bench_latency([str(exported / "teacher")], lengths=[4], repeats=1)[str(exported / "teacher")]
    expected = BertForMaskedLM.from_pretrained(exported / "teacher").bert.num_parameters()
    assert found.parameters == expected


def test_keys_are_relative_inside_the_folder_of_the_file(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = ModelLatency(1.0, 2.0, (0.5, 1.5), (1.5, 2.5), 3.0, 4, 5.0, (1.75, 1.875), None)
    names = {str(exported / "teacher"): result, "elsewhere": result}
    write_latency(exported / "latency.json", names, threads=2)
    content = json.loads((exported / "latency.json").read_text(encoding="utf-8"))
    assert set(content["models"]) == {"teacher", str(tmp_path / "elsewhere")}
    assert content["threads"] == 2
    assert content["models"]["teacher"] == {
        "batch_1_ms": 1.0, "batch_32_ms": 2.0, "batch_1_quartiles_ms": [0.5, 1.5],
        "batch_32_quartiles_ms": [1.5, 2.5], "batch_1_tail_ms": [1.75, 1.875], "tokenizer_ms": None,
        "sentences_per_s": 3.0, "parameters": 4, "mb": 5.0,
    }  # fmt: skip


def test_ratios_are_to_the_first_model() -> None:
    slow = ModelLatency(9.0, 90.0, (8.0, 11.0), (80.0, 99.0), 1.0, 1, 1.0, (12.0, 13.0), None)
    fast = ModelLatency(3.0, 45.0, (2.5, 3.125), (44.0, 46.0), 2.0, 1, 1.0, (3.25, 4.0), (0.25, 1.0))
    table = latency_table({"a": slow, "bb": fast})
    assert "9.00 [8.00, 11.00] 1.00 x" in table
    assert "3.00 [2.50, 3.12] 3.00 x" in table
    assert "45.00 [44.00, 46.00] 2.00 x" in table
    assert "3.25     4.00      0.250" in table
    assert table.endswith("times faster than a")


def test_command(exported: Path, tmp_path: Path, capsys) -> None:
    options = ["latency", "--models", str(exported / "teacher"), "--output", str(tmp_path / "l.json")]
    assert main([*options, "--lengths", "4", "--repeats", "2"]) == 0
    assert "threads: 1; pieces: 4; for int8: " in capsys.readouterr().out
    assert json.loads((tmp_path / "l.json").read_text(encoding="utf-8"))["hardware"] == processor_name()


def test_the_numbers_name_every_model_in_the_order_given(exported: Path, tmp_path: Path) -> None:
    names = ["teacher/nsmc", "student/nsmc"]
    for name in names:
        shutil.copytree(exported / Path(name).parent, tmp_path / name)
    options = ["latency", "--output", str(tmp_path / "l.json"), "--lengths", "4", "--repeats", "1"]
    numbers = tmp_path / "n.json"
    assert main([*options, "--models", *(str(tmp_path / name) for name in names), f"--json={numbers}"]) == 0
    found = json.loads(numbers.read_text(encoding="utf-8"))
    assert found["order"] == names
    assert set(found["models"]) == set(names)
    assert found["models"][names[0]]["parameters"] > found["models"][names[1]]["parameters"]


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (["runs/teacher", "exported/student"], ["teacher", "student"]),
        (["a/x", "b/x", "a/x/model.onnx"], ["a/x", "b/x", "a/x/model.onnx"]),
        (["t", "s", "s/model.onnx", "s/model_int8.onnx"], ["t", "s", "s/model.onnx", "s/model_int8.onnx"]),
        (["/x/y", "/x/y/y", "/y"], ["x/y", "y/y", "/y"]),
    ],
)
def test_names_are_as_short_as_tells_them_apart(models: list[str], names: list[str]) -> None:
    assert told_apart(models) == names


def test_folders_that_are_not_there_may_be_left_out(exported: Path, tmp_path: Path, capsys) -> None:
    checkpoint = tmp_path / "last.ckpt"
    checkpoint.touch()
    models = ["gone", str(checkpoint), str(exported / "teacher")]
    options = ["latency", "--models", *models, "--output", str(tmp_path / "l.json")]
    assert main([*options, "--lengths", "4", "--repeats", "1"]) == 2
    assert main([*options, "--lengths", "4", "--repeats", "1", "--skip_missing=true"]) == 0
    assert f"no exported models, left out: gone, {checkpoint}" in capsys.readouterr().err
    assert list(json.loads((tmp_path / "l.json").read_text(encoding="utf-8"))["models"]) == [str(exported / "teacher")]
    assert main(["latency", "--models", "gone", *options[-2:], "--skip_missing=true"]) == 2
    assert "no model given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--repeats", "0"], "repeats is 0; expected at least 1"),
        (["--threads", "0"], "threads is 0; expected at least 1"),
        (["--lengths", "0"], "lengths is [0]; expected numbers of pieces from 1 up"),
        (["--lengths", "33"], "reads at most 32 pieces"),
        (["--models", "gone"], "gone: no exported model"),
        (["--output", "gone/latency.json"], "in a folder that exists"),
    ],
)
def test_clear_errors(exported: Path, tmp_path: Path, capsys, changes: list[str], message: str) -> None:
    options = ["latency", "--models", str(exported / "teacher"), "--output", str(tmp_path / "l.json")]
    assert main([*options, *changes]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "l.json").exists()


def test_a_model_named_twice_is_refused(exported: Path) -> None:
    with pytest.raises(ValueError, match="is given twice"):
        bench_latency([str(exported / "teacher"), str(exported / "student/../teacher")])
