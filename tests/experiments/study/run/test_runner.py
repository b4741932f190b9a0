"""One worker: order, restart, failures, changes, folders touched by hand; on stand-in commands."""

import json
import re
import shutil
from pathlib import Path

import pytest

from experiments.study.__main__ import dry_run, main, open_study
from experiments.study.plan.declaration import Declared
from experiments.study.plan.expand import study_folder
from experiments.study.plan.parsing import parse_study
from experiments.study.run.journal import open_storage
from experiments.study.run.trials import RunJournal
from tests.support.studies.bench import Bench, bench
from tests.support.studies.texts import SMALL, declare

__all__ = ["bench"]


def test_a_study_runs_once_and_leaves_its_record(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run("--workers=2")
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)
    assert "5 of 5 runs are done" in capsys.readouterr().out
    started = [line.split()[1] for line in bench.trace() if line.startswith("start")]
    plan = json.loads((bench.folder / "plan.json").read_text(encoding="utf-8"))
    for run in plan["runs"]:
        for need in run["needs"]:
            assert started.index(need) < started.index(run["label"])
    assert (bench.folder / "study.yaml").read_text(encoding="utf-8").startswith("# Does the start matter?\n")
    again, declared = parse_study(["--config", str(bench.folder / "study.yaml")]), declare(bench.root)
    assert (again.study, again.name, study_folder(again)) == (declared.study, "s", study_folder(declared))
    assert (bench.folder / "logs" / "distil" / "copied_seed1.log").read_text().count("$ python -m experiments.") == 2
    before = bench.trace()
    bench.run()
    assert bench.trace() == before


def test_a_failing_run_is_named_and_the_rest_goes_on(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.steer("fail", "distil/random_seed1")
    with pytest.raises(ValueError, match=r"1 runs failed \(distil/random_seed1\) and 1 were skipped"):
        bench.run()
    out = capsys.readouterr().out
    assert "the loss is not finite\nerror: no more of this" in out
    assert "nsmc/random_seed1 is skipped, because distil/random_seed1 failed" in out
    assert set(bench.ends()) == set(bench.labels()) - {"distil/random_seed1", "nsmc/random_seed1"}
    entry = RunJournal(open_storage(bench.folder), "s").entries()["distil/random_seed1"]
    assert entry.state == "failed"
    assert entry.note.startswith("exit code 2; end of ")
    assert entry.note.endswith("error: no more of this")

    latency = bench.folder / "latency.json"
    assert len(json.loads(latency.read_text(encoding="utf-8"))["models"]) == 2  # the teacher, copied

    bench.steer("fail", "")
    bench.run()
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)
    assert len(json.loads(latency.read_text(encoding="utf-8"))["models"]) == 3


def test_a_command_that_leaves_nothing_has_failed(bench: Bench) -> None:
    (bench.root / "hollow.py").write_text("", encoding="utf-8")
    from experiments.study.__main__ import run_study

    with pytest.raises(ValueError, match=r"1 runs failed \(teacher/teacher_seed1\) and 5 were skipped"):
        run_study(declare(bench.root), ("python3", str(bench.root / "hollow.py")), 0.02)
    note = RunJournal(open_storage(bench.folder), "s").entries()["teacher/teacher_seed1"].note
    assert note.startswith("ended without an error, but without the result of experiments.train fit")


@pytest.mark.parametrize("touch", ["remove", "break"])
@pytest.mark.parametrize("label", ["distil/copied_seed1", pytest.param("nsmc/copied_seed1", marks=pytest.mark.slow)])
def test_a_touched_run_is_named_and_mended(
    touch: str, label: str, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run()
    table = bench.metrics()
    metrics = bench.folder / label / "metrics.json"
    if touch == "remove":
        metrics.unlink()
    else:
        metrics.write_text('{"steps": 4, ', encoding="utf-8")
    capsys.readouterr()
    bench.run()
    reason = "its results are missing" if touch == "remove" else "broken metrics.json"
    assert re.search(rf"{label} had finished, but {reason}.* It is run again", capsys.readouterr().out)
    assert bench.metrics() == table
    tested = [f"test {label}"] if label.startswith("nsmc/") else []
    assert bench.trace()[-2 - len(tested) :] == [f"start {label} 4", f"end {label}", *tested]
    assert sum(bench.ends().values()) == len(bench.labels()) + 1


def test_a_whole_folder_removed_is_made_again(bench: Bench) -> None:
    bench.run()
    table = bench.metrics()
    shutil.rmtree(bench.folder / "distil" / "copied_seed1")
    bench.run()
    assert bench.metrics() == table
    assert bench.trace()[-2:] == ["start distil/copied_seed1 0", "end distil/copied_seed1"]


def test_a_changed_declaration_is_refused_and_named(bench: Bench, tmp_path: Path) -> None:
    config = tmp_path / "plus.yaml"
    config.write_text("{}", encoding="utf-8")
    text = SMALL.replace("[configs/distill/distilkobert.yaml]", f"[configs/distill/distilkobert.yaml, {config}]")
    bench.run(text=text)
    before = bench.trace()
    with pytest.raises(ValueError, match=r"declared otherwise: distil/copied_seed1 had .*max_tokens=9'; distil/random"):
        bench.run("--overrides+=--data.max_tokens=9", text=text)
    config.write_text("# a comment makes no other study\n{}\n", encoding="utf-8")
    bench.run(text=text)
    config.write_text("data: {}", encoding="utf-8")
    with pytest.raises(
        ValueError, match=rf"otherwise: distil/copied_seed1 was made with {config}, which has changed; "
    ):
        bench.run(text=text)
    assert bench.trace() == before


@pytest.mark.slow
def test_a_study_may_grow(bench: Bench) -> None:
    bench.run()
    bench.run("--seeds=[1,2]", "--arms.more=[--model.objectives.cosine.weight=0]")
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)
    assert len(bench.labels()) == 2 * (3 + 3) + 1
    models = json.loads((bench.folder / "latency.json").read_text(encoding="utf-8"))["models"]
    assert any(name.endswith("exported/more_seed1") for name in models)


def test_folders_of_others_are_left_alone(bench: Bench) -> None:
    stranger = bench.folder / "distil" / "copied_seed1"
    stranger.mkdir(parents=True)
    with pytest.raises(ValueError, match=rf"{stranger} exists, but this study did not make it"):
        bench.run()
    assert stranger.is_dir()
    assert not bench.trace()
    assert not (bench.folder / "journal.log").exists()


def test_a_folder_copied_by_hand_is_named_and_made_again(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run()
    table = bench.metrics()
    shutil.rmtree(bench.folder / "distil" / "copied_seed1")
    shutil.copytree(bench.folder / "distil" / "random_seed1", bench.folder / "distil" / "copied_seed1")
    capsys.readouterr()
    bench.run()
    named = "distil/copied_seed1 had finished, but its metrics.json is that of arm='random'. It is run again"
    assert named in capsys.readouterr().out
    assert bench.metrics() == table
    assert bench.trace()[-2:] == ["start distil/copied_seed1 0", "end distil/copied_seed1"]


@pytest.mark.parametrize("content", ["", "not json\n"])
def test_broken_predictions_are_named_and_the_test_is_run_again(
    content: str, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run()
    table = bench.metrics()
    predictions = bench.folder / "nsmc" / "copied_seed1" / "predictions.jsonl"
    whole = predictions.read_text(encoding="utf-8")
    predictions.write_text(content, encoding="utf-8")
    before = bench.trace()
    capsys.readouterr()
    bench.run()
    assert re.search(rf"nsmc/copied_seed1 had finished, but {predictions}.* It is run again", capsys.readouterr().out)
    assert (bench.metrics(), predictions.read_text(encoding="utf-8")) == (table, whole)
    assert bench.trace()[len(before) :] == ["test nsmc/copied_seed1"]


def test_a_metric_that_no_run_has_is_named_with_those_there_are(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run("--metric=nsmc/test/acuracy")
    known = "has no test/acuracy; did you mean test/accuracy? It has best/val/accuracy, test/accuracy, test/loss"
    out = capsys.readouterr().out
    assert out.count(f"metric: nsmc/test/acuracy: nsmc/copied_seed1 {known}") == 1
    assert out.count("has no test/acuracy") == 1


def test_a_dry_run_starts_nothing_and_may_be_repeated(bench: Bench) -> None:
    lines = dry_run_lines(bench)
    assert len(lines) == 6
    assert lines[0].startswith("python -m experiments.train fit -c configs/pretrain/mlm.yaml ")
    assert lines[1].count(" && ") == 1
    assert lines[1].endswith("  # distil/copied_seed1")
    assert not bench.trace()
    assert len(dry_run_lines(bench, "--seeds=[1,2]")) == 10
    bench.run("--seeds=[3]")
    content = (bench.folder / "plan.json").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"declared otherwise: .* is gone"):
        bench.run("--seeds=[4]")
    assert (bench.folder / "plan.json").read_text(encoding="utf-8") == content


def test_a_dry_run_ends_with_a_count_and_the_plan(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    declared = declare(bench.root, SMALL, "--dry_run")
    words = ["--config", str(declared.file), "--root", str(bench.root / "runs"), "--dry_run"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.study.__main__.check", lambda declared: None)
        main(words)
        plan = bench.root / "runs" / "s" / "plan.json"
        assert plan.is_file()
        said = capsys.readouterr()
        assert said.err == f"5 runs planned, besides latency, nothing started; plan: {plan}\n"
        assert len(said.out.splitlines()) == 6
        (plan.parent / "journal.log").touch()
        main(words)
        assert capsys.readouterr().err.endswith(f"; {plan} keeps the plan of the runs that have begun\n")

        def stopped(declared: Declared) -> None:
            raise KeyboardInterrupt

        patch.setattr("experiments.study.__main__.run_study", stopped)
        patch.setattr("experiments.study.__main__.stop_on_signals", lambda: None)
        with pytest.raises(KeyboardInterrupt):
            main(words[:-1])
    assert capsys.readouterr().err == (
        f"next: the same command continues: python -m experiments.study {' '.join(words[:-1])}\n"
    )


def dry_run_lines(bench: Bench, *options: str) -> list[str]:
    """Command lines of the small study; its plan counts as checked."""
    from experiments.study import __main__ as study

    original, study.check = study.check, lambda declared: None
    try:
        return dry_run(declare(bench.root, SMALL, *options))
    finally:
        study.check = original


def test_without_optuna_the_extra_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(ValueError, match=r"pip install 'distilkobert\[study\]'"):
        open_study(declare(bench.root))
