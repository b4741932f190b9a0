"""A running TensorBoard shows what the runs wrote: asked over HTTP on loopback, as its pages ask it."""

import json
import re
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from distilkobert.synthetic.tasks import write_nsmc
from tests.integration.tasks.world import make_task_world
from tests.world import World, read_json

pytestmark = pytest.mark.slow
Ask = Callable[..., Any]
STATUSES = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]


@pytest.fixture(scope="module")
def runs(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two arms of a distillation, one of them resumed, and a fine-tuning that was tested and validated again."""
    from experiments.train import main

    runs = tmp_path_factory.mktemp("runs")
    tasks = make_task_world(world, tmp_path_factory.mktemp("tasks"))
    write_nsmc(runs.parent / "probe_data", train=200, test=20, seed=4)
    probe = f"--probe.data_dir={runs.parent / 'probe_data'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["train"])
        main(["fit", *world.distil(runs, probe)])
        main(
            [
                "fit",
                *world.distil(runs, "--run.arm=other", "--model.objectives.cosine.weight=0", "--trainer.max_steps=3"),
            ]
        )
        other = runs / "distilkobert" / "other_seed42"
        resume = ["-c", str(other / "config.yaml"), f"--ckpt_path={other / 'checkpoints' / 'last.ckpt'}"]
        main(["fit", *resume, "--trainer.max_steps=6"])
        main(["fit", *tasks.options("nsmc", runs)])
        nsmc = runs / "nsmc" / "base_seed42"
        saved = ["-c", str(nsmc / "config.yaml"), f"--ckpt_path={nsmc / 'checkpoints' / 'last.ckpt'}"]
        main(["test", *saved, "--model.init_from=nowhere/any-more"])
        main(["validate", *saved])
    return runs


@pytest.fixture(scope="module")
def ask(runs: Path) -> Iterator[Ask]:
    """Ask the server for a path; a body makes it a POST."""
    options = [f"--logdir={runs}", "--host=127.0.0.1", "--port=0", "--reload_interval=1"]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        said: list[str] = []
        found = None
        while found is None:
            line = server.stdout.readline()
            said.append(line)
            assert line, "".join(said)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
        address = found[0]

        def get(path: str, body: Any = None, raw: bool = False) -> Any:
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
            return content if raw else json.loads(content)

        deadline = time.monotonic() + 60
        while len(get("/data/runs")) < 3 and time.monotonic() < deadline:
            time.sleep(0.5)
        yield get
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_every_run_is_there_with_its_curves(ask: Ask) -> None:
    tags = ask("/data/plugin/scalars/tags")
    assert sorted(tags) == ["distilkobert/base_seed42", "distilkobert/other_seed42", "nsmc/base_seed42"]
    expected = {"train/tokens_seen", "val/agreement/rare", "val/similarity/layer2", "val/cka/layer0"}
    assert expected | {"probe/nsmc_retention"} <= set(tags["distilkobert/base_seed42"])
    assert expected <= set(tags["distilkobert/other_seed42"])
    points = ask("/data/plugin/scalars/scalars?tag=train/tokens_seen&run=distilkobert/other_seed42")
    assert [step for _, step, _ in points] == [1, 2, 3, 4, 5, 6]
    # `validate` of the last checkpoint adds to the curve; it does not replace it.
    assert {step for _, step, _ in ask("/data/plugin/scalars/scalars?tag=val/accuracy&run=nsmc/base_seed42")} == {4}


def test_the_hparams_tab_compares_the_arms(ask: Ask, runs: Path) -> None:
    experiment = ask("/data/plugin/hparams/experiment", {"experimentName": ""})
    infos = {info["name"]: info for info in experiment["hparamInfos"]}
    assert {
        "arm",
        "recipe",
        "seed",
        "cosine.weight",
        "layers",
        "init",
        "soft_target.temperature",
        "lr",
        "batch_size",
    } <= infos.keys()
    assert infos["cosine.weight"]["differs"]
    assert not infos["soft_target.temperature"].get("differs")
    metrics = [info["name"]["tag"] for info in experiment["metricInfos"]]
    assert metrics[:3] == ["final/accuracy", "final/agreement", "final/loss"]
    asked = {"experimentName": "", "allowedStatuses": STATUSES, "colParams": [], "startIndex": 0, "sliceSize": 99}
    groups = {group["name"]: group for group in ask("/data/plugin/hparams/session_groups", asked)["sessionGroups"]}
    assert sorted(groups) == ["distilkobert/base_seed42", "distilkobert/other_seed42", "nsmc/base_seed42"]
    for name, group in groups.items():
        assert len(group["sessions"]) == 1
        assert group["sessions"][0]["status"] == "STATUS_SUCCESS"
        metrics = read_json(runs / name / "metrics.json")
        shown = {metric["name"]["tag"]: metric["value"] for metric in group["metricValues"]}
        compared = [tag for tag in shown if tag.startswith(("val/", "test/", "probe/"))]
        assert {tag: shown[tag] for tag in compared} == pytest.approx({tag: metrics[tag] for tag in compared}, rel=1e-5)
        assert shown["final/loss"] == pytest.approx(metrics["val/loss"], rel=1e-5)
        assert ("test/accuracy" in shown) == (metrics["recipe"] == "nsmc")
        assert (group["hparams"]["arm"], group["hparams"]["seed"]) == (metrics["arm"], 42)
    assert [groups[f"distilkobert/{arm}_seed42"]["hparams"]["cosine.weight"] for arm in ("base", "other")] == [
        0.33,
        0.0,
    ]
    # The settings of `fit` stay, whatever a later `test` was called with.
    assert groups["nsmc/base_seed42"]["hparams"]["init_from"].endswith("teacher")


def test_the_custom_scalars_page_has_the_objectives(ask: Ask) -> None:
    (part,) = ask("/data/plugin/custom_scalars/layout")["category"]
    charts = {chart["title"]: chart["multiline"]["tag"] for chart in part["chart"]}
    assert part["title"] == "objectives"
    assert list(charts) == ["value", "value times weight", "held-out value"]
    assert {"train/weighted/soft_target", "train/weighted/masked_lm"} <= set(charts["value times weight"])


def test_pages_of_text_come_as_tables_and_the_configuration_as_it_is(ask: Ask) -> None:
    tags = ask("/data/plugin/text/tags")
    assert set(tags["nsmc/base_seed42"]) == {
        "config/text_summary",
        "val/samples/text_summary",
        "test/samples/text_summary",
    }
    (page,) = ask("/data/plugin/text/text?run=nsmc/base_seed42&tag=test/samples/text_summary")
    assert page["step"] == 4
    # TensorBoard puts a table around every text; the second of ours is there if an answer was wrong.
    assert page["text"].count("<table") in (2, 3)
    assert page["text"].count("<td") > 5 * 3
    config = ask("/data/plugin/text/text?run=distilkobert/base_seed42&tag=config/text_summary")[0]["text"]
    assert "soft_target:" in config
    assert "weight: 0.33" in config


def test_confusion_matrices_are_pictures(ask: Ask) -> None:
    pytest.importorskip("matplotlib")
    (image,) = ask("/data/plugin/images/images?run=nsmc/base_seed42&tag=test/confusion&sample=0")
    assert image["step"] == 4
    picture = ask(f"/data/plugin/images/individualImage?{image['query']}", raw=True)
    assert picture.startswith(b"\x89PNG")
    assert min(struct.unpack(">II", picture[16:24])) > 200, "width and height"
