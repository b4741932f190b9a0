"""A run goes on with its own data alone; damaged data ends it with the file's name."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings
from experiments._shared.commandline import plain_cause
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.support.resume_world import KeyDataset, SaveAndInterrupt, train
from tests.world import Run, World, read_json


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


def test_other_content_is_refused_at_an_epochs_start_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = tmp_path / "end.ckpt"
    train(tmp_path, [SaveAndInterrupt("on_train_epoch_end", 1, checkpoint)], max_epochs=3)
    monkeypatch.setattr(KeyDataset, "fingerprint", "others")
    with pytest.raises(ValueError, match="trained on data of fingerprint keys, but the data now has others"):
        train(tmp_path, checkpoint=checkpoint, max_epochs=3)


def test_other_text_of_the_same_lengths(world: World, run: Run, tmp_path: Path) -> None:
    """The lines in the opposite order: as many sequences and tokens, and another corpus."""
    lines = (world.root / "text.txt").read_text(encoding="utf-8").splitlines()
    other = tmp_path / "text.txt"
    other.write_text("\n".join(lines[::-1]), encoding="utf-8")
    settings = CorpusSettings(min_tokens=5, max_tokens=64, validation_fraction=0.1)
    prepare_corpus([str(other)], str(world.tokenizer), tmp_path / "corpus", settings)
    run("fit", world.pretrain(tmp_path, "--trainer.max_steps=2"))
    folder = tmp_path / "pretrain" / "base_seed42"
    kept = read_json(folder / "corpus_manifest.json")
    go_on = ["-c", str(folder / "config.yaml"), "--ckpt_path=last", "--trainer.max_steps=4"]
    with pytest.raises(ValueError, match=r"other texts or labels\. Give the run's data"):
        run("fit", [*go_on, f"--data.data_dir={tmp_path / 'corpus'}"])
    assert read_json(folder / "corpus_manifest.json") == kept
    shutil.copytree(world.corpus, tmp_path / "moved")
    run("fit", [*go_on, f"--data.data_dir={tmp_path / 'moved'}"])
    assert read_json(folder / "metrics.json")["steps"] == 4


def test_flipped_labels_are_other_data(tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    run("fit", [*tasks.options("nsmc", tmp_path), "--trainer.max_steps=2"])
    folder = tmp_path / "nsmc" / "base_seed42"
    data = Path(yaml.safe_load((folder / "config.yaml").read_text())["data"]["init_args"]["data_dir"])
    shutil.copytree(data, tmp_path / "flipped")
    train_file = tmp_path / "flipped" / "ratings_train.txt"
    head, *rows = train_file.read_text(encoding="utf-8").splitlines()
    flipped = [row[:-1] + ("1" if row[-1] == "0" else "0") for row in rows]
    train_file.write_text("\n".join([head, *flipped]) + "\n", encoding="utf-8")
    go_on = ["-c", str(folder / "config.yaml"), "--ckpt_path=last", "--trainer.max_steps=4"]
    with pytest.raises(ValueError, match="other texts or labels"):
        run("fit", [*go_on, f"--data.data_dir={tmp_path / 'flipped'}"])


@pytest.mark.parametrize("workers", [0, 1])
def test_ids_out_of_the_vocabulary_end_training_with_the_corpus_name(
    workers: int, world: World, run: Run, tmp_path: Path
) -> None:
    """A corpus whose hashes do not cover the ids that were overwritten."""
    corpus = tmp_path / "corpus"
    shutil.copytree(world.corpus, corpus)
    manifest = json.loads((corpus / "manifest.json").read_text())
    (corpus / "manifest.json").write_text(json.dumps({**manifest, "files": {}}))
    (arrow,) = (corpus / "train").glob("*.arrow")
    content = bytearray(arrow.read_bytes())
    middle = len(content) // 4
    content[middle : middle + 64] = b"\xff" * 64
    arrow.write_bytes(content)
    options = [
        f"--data.data_dir={corpus}",
        f"--data.num_workers={workers}",
        "--trainer.max_steps=-1",
        "--trainer.max_epochs=1",
    ]
    with pytest.raises(
        ValueError, match=r"the corpus in .* is damaged: train sequence \d+ has the id 65535"
    ) as refused:
        run("fit", world.pretrain(tmp_path / "runs", *options))
    assert str(plain_cause(refused.value)).startswith(f"the corpus in {corpus} is damaged: train sequence ")
