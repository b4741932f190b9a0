"""How the shipped teacher is made: the steps hand their folders on, and the text and tokenizer are always the same."""

from pathlib import Path

import pytest

from experiments.demo import pretrain as module
from experiments.demo.files import write_files


def test_the_steps_hand_their_folders_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[str, ...]] = []
    monkeypatch.setattr(module, "run_step", lambda *step: steps.append(step))
    monkeypatch.setattr(module, "write_text_and_tokenizer", lambda folder: None)
    output = str(tmp_path / "out")
    assert module.pretrain(output, seed=9) == tmp_path / "out" / "pretrained"
    prepare, train, export = steps
    assert (prepare[:2], train[:2], export[0]) == (("prepare", "corpus"), ("train", "fit"), "export")
    corpus = next(word.removeprefix("--output=") for word in prepare if word.startswith("--output="))
    assert f"--data.data_dir={corpus}" in train
    assert {f"--tokenizer={output}/tokenizer"} <= set(prepare)
    assert {f"--data.tokenizer={output}/tokenizer", "--seed_everything=9"} <= set(train)
    assert export[1] == f"--checkpoint={output}/teacher/base_seed9/checkpoints/last.ckpt"


def test_a_finished_teacher_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "pretrained").mkdir()
    with pytest.raises(ValueError, match="pretrained exists"):
        module.pretrain(str(tmp_path))


def test_text_and_tokenizer_are_the_same_every_time(tmp_path: Path) -> None:
    for name in "ab":
        module.write_text_and_tokenizer(tmp_path / name, sentences=3000, vocabulary=400)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) == 3
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


def test_another_seed_gives_other_files_in_the_same_words(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_files(tmp_path / str(seed), seed=seed, sentences=2000)
    names = sorted(path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*.*") if path.is_file())
    assert len(names) == 8
    same = [str(name) for name in names if (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()]
    assert same == ["tasks/naver_ner/label.txt"]
