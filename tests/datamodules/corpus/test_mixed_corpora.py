"""CorpusDataModule over several corpora: what an epoch has of each, and what has to agree."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from datasets import load_from_disk
from jsonargparse import ArgumentParser

from datamodules import CorpusDataModule
from datamodules.batches.loading import PlannedLoader
from distilkobert.corpus.corpora import Corpora, Folders
from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.tokenizers.training import train_tokenizer
from experiments._shared.settings import without_places
from experiments._shared.training.saved_paths import with_absolute_paths
from tests.datamodules.corpus.test_corpus import originals, same
from tests.support.tokenizers.sentences import SENTENCES
from tests.world import Run, World, read_json, scalars

BUDGET = 200
Make = Callable[..., CorpusDataModule]
Row = tuple[int, ...]


def make_corpus(folder: Path, tokenizer: Path, sign: str, times: int, fraction: float = 0.2) -> Path:
    folder.mkdir(parents=True)
    lines = [f"{sign}{number} {sentence}" for number in range(times) for sentence in SENTENCES]
    (folder / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    settings = CorpusSettings(validation_fraction=fraction)
    prepare_corpus([str(folder / "text.txt")], str(tokenizer), folder / "corpus", settings)
    return folder / "corpus"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer_dir: Path) -> list[str]:
    root = tmp_path_factory.mktemp("corpora")
    made = [make_corpus(root / name, tiny_tokenizer_dir, name, times) for name, times in (("1", 3), ("2", 2))]
    for folder, name in zip(made, ("wiki", "news"), strict=True):
        folder.rename(root / name)
    return [str(root / "wiki"), str(root / "news")]


@pytest.fixture
def make(tiny_tokenizer_dir: Path) -> Make:
    def call(folders: Folders, seed: int = 1, num_workers: int = 0) -> CorpusDataModule:
        return CorpusDataModule(folders, str(tiny_tokenizer_dir), BUDGET, seed=seed, num_workers=num_workers)  # type: ignore[arg-type]

    return call


def stored(folder: str, part: str) -> list[Row]:
    return [tuple(row) for row in load_from_disk(folder)[part]["input_ids"]]


def rows_of(loader: PlannedLoader, epoch: int) -> Counter[Row]:
    loader.sampler.set_epoch(epoch)
    return Counter(tuple(row) for batch in loader for row in originals(batch))


def test_a_list_is_the_corpora_one_after_the_other(folders: list[str], make: Make) -> None:
    data = make(folders)
    every = {part: [row for folder in folders for row in stored(folder, part)] for part in ("train", "validation")}
    for epoch in (0, 1):
        assert rows_of(data.train_dataloader(), epoch) == Counter(every["train"])
    assert rows_of(data.val_dataloader(), 0) == Counter(every["validation"])  # type: ignore[arg-type]
    assert data.manifest["sequences"] == {part: len(rows) for part, rows in every.items()}
    assert list(data.manifest["corpora"]) == ["wiki", "news"]
    tokens = [token for row in every["train"] for token in row]
    assert data.token_counts.tolist() == np.bincount(tokens, minlength=data.vocab_size).tolist()


def test_weights_repeat_and_draw(folders: list[str], make: Make) -> None:
    """Each of the first corpus twice an epoch; half of the second, the other half in the next."""
    data = make({folders[0]: 2.0, folders[1]: 0.5})
    wiki, news = Counter(stored(folders[0], "train")), stored(folders[1], "train")
    loader, again = data.train_dataloader(), make({folders[0]: 2.0, folders[1]: 0.5}).train_dataloader()
    drawn = []
    for epoch in range(4):
        rows = rows_of(loader, epoch)
        assert rows == rows_of(again, epoch)
        assert {row: rows[row] for row in wiki} == {row: 2 * times for row, times in wiki.items()}
        drawn.append(rows - Counter({row: 2 * times for row, times in wiki.items()}))
        assert drawn[-1].total() == int(len(news) / 2 + 0.5)
    if len(news) % 2 == 0:
        assert drawn[0] + drawn[1] == drawn[2] + drawn[3] == Counter(news)
    both = drawn[0] + drawn[1]
    assert set(both) == set(news)
    other = make({folders[0]: 2.0, folders[1]: 0.5}, seed=2).train_dataloader()
    assert rows_of(other, 0) - Counter(wiki.elements()) - Counter(wiki.elements()) != drawn[0]
    tokens = ([token for row in rows for token in row] for rows in (wiki.elements(), news))
    twice, half = (np.bincount(ids, minlength=data.vocab_size) for ids in tokens)
    assert data.token_counts.tolist() == np.rint(2 * twice + 0.5 * half).tolist()
    held_out = [row for folder in folders for row in stored(folder, "validation")]
    for epoch in (0, 3):
        assert rows_of(data.val_dataloader(), epoch) == Counter(held_out)  # type: ignore[arg-type]


def test_batches_keep_to_the_budget_and_count_the_tokens_of_each_corpus(folders: list[str], make: Make) -> None:
    loader = make({folders[0]: 0.3, folders[1]: 1.6}).train_dataloader()
    wiki = set(stored(folders[0], "train"))
    mixed = 0
    for epoch in range(3):
        loader.sampler.set_epoch(epoch)
        batches = list(loader)
        assert len(batches) == len(loader)
        for batch in batches:
            assert batch["input_ids"].numel() <= BUDGET
            rows = [tuple(row) for row in originals(batch)]
            own = sum(len(row) for row in rows if row in wiki)
            assert int(batch["tokens/wiki"]) == own
            assert int(batch["tokens/news"]) == int(batch["attention_mask"].sum()) - own
            mixed += 0 < own < int(batch["attention_mask"].sum())
    assert mixed


@pytest.mark.parametrize("form", [list, lambda folder: {folder[0]: 1}])
def test_one_folder_of_weight_1_is_the_folder_itself(
    form: Callable[..., Folders], folders: list[str], make: Make
) -> None:
    plain, other = make(folders[0]), make(form(folders[:1]))
    assert same(list(plain.train_dataloader()), list(other.train_dataloader()))
    assert plain.train_dataloader().sampler.plan == other.train_dataloader().sampler.plan
    assert plain.manifest == other.manifest
    assert "tokens/wiki" not in next(iter(other.train_dataloader()))
    assert plain.train_dataloader().dataset.fingerprint == other.train_dataloader().dataset.fingerprint  # type: ignore[attr-defined]


@pytest.mark.slow
def test_batches_do_not_depend_on_loader_workers(folders: list[str], make: Make) -> None:
    weights = {folders[0]: 0.3, folders[1]: 1.6}
    ours, theirs = (make(weights, num_workers=workers).train_dataloader() for workers in (0, 2))
    for epoch in range(2):
        ours.sampler.set_epoch(epoch)
        theirs.sampler.set_epoch(epoch)
        assert same(list(ours), list(theirs))


def test_content_weights_and_order_are_part_of_the_fingerprint(folders: list[str]) -> None:
    wiki, news = folders
    kinds: list[Folders] = [
        wiki, news, [wiki, news], [news, wiki], {wiki: 2}, {wiki: 2, news: 1}, {wiki: 1, news: 2},
    ]  # fmt: skip
    assert len({Corpora(kind).fingerprint for kind in kinds}) == len(kinds)
    assert Corpora([wiki, news]).fingerprint == Corpora({wiki: 1.0, news: 1}).fingerprint


def test_weights_are_compared_as_settings_and_places_are_not() -> None:
    assert without_places({"data_dir": "/a", "tokenizer": "t", "max_tokens": 9}) == {"max_tokens": 9}
    assert without_places({"data_dir": ["/a", "/b"]}) == without_places({"data_dir": {"/c": 1, "/d": 1.0}})
    assert without_places({"data_dir": {"/c": 2, "/d": 0.5}}) == {"weights": [2.0, 0.5]}
    assert without_places({"data_dir": {"/c": 1}}) == without_places({"data_dir": ["/a"]}) == {}


def test_corpora_that_do_not_go_together(folders: list[str], make: Make, tmp_path: Path) -> None:
    wiki, news = folders
    train_tokenizer(SENTENCES, tmp_path / "other", vocab_size=330)
    foreign = str(make_corpus(tmp_path / "foreign", tmp_path / "other", "3", 2))
    cases: list[tuple[Folders, str]] = [
        ([wiki, foreign], f"^{wiki} was prepared with the tokenizer of fingerprint .*, {foreign} with that of"),
        ([wiki, wiki], f"data_dir names a folder twice .*{wiki}"),
        ([wiki, f"{news}/../wiki"], f"data_dir names the folder {wiki} twice; give it a weight of 2"),
        ([], "data_dir names no folder; give one prepared corpus or more"),
        ({wiki: 0.0, news: 1.0}, f"the weight of {wiki} is 0.0; expected more than 0"),
        ({wiki: float("nan")}, f"the weight of {wiki} is nan"),
        ({wiki: 1e-6}, f"weight 1e-06 of {wiki} selects none of its \\d+ sequences in an epoch"),
    ]
    for data_dir, message in cases:
        with pytest.raises(ValueError, match=message):
            make(data_dir)
    with pytest.raises(FileNotFoundError, match="nowhere contains no prepared corpus"):
        make([wiki, str(tmp_path / "nowhere")])


def test_corpora_of_one_name_are_numbered(
    folders: list[str], make: Make, tmp_path: Path, tiny_tokenizer_dir: Path
) -> None:
    alike = str(make_corpus(tmp_path / "deep" / "wiki", tiny_tokenizer_dir, "5", 1))
    Path(alike).rename(tmp_path / "deep" / "wiki" / "wiki")
    named = make([folders[0], str(tmp_path / "deep" / "wiki" / "wiki")]).manifest["corpora"]
    assert list(named) == ["1_wiki", "2_wiki"]


@pytest.mark.parametrize("text", ["{A}", "[{A}, {B}]", "{{{A}: 2, {B}: 0.5}}"])
def test_the_command_line_takes_all_forms(text: str, folders: list[str], tiny_tokenizer_dir: Path) -> None:
    parser = ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_class_arguments(CorpusDataModule, "data")
    given = text.format(A=folders[0], B=folders[1])
    settings = parser.parse_args([f"--data.data_dir={given}", f"--data.tokenizer={tiny_tokenizer_dir}"])
    assert settings.data.data_dir == yaml.safe_load(given)
    assert parser.instantiate(settings).data.vocab_size > 0


def test_a_run_counts_the_tokens_of_each_corpus_and_resumes_its_weights_alone(
    world: World, run: Run, tmp_path: Path
) -> None:
    weights = f"--data.data_dir={{{world.corpus}: 0.5, {world.second_corpus}: 1.5}}"
    run("fit", world.pretrain(tmp_path, weights))
    folder = tmp_path / "pretrain" / "base_seed42"
    metrics, curves = read_json(folder / "metrics.json"), scalars(folder)
    seen = {name: metrics[f"tokens_seen/{name}"] for name in ("corpus", "second")}
    assert min(seen.values()) > 0
    assert sum(seen.values()) == metrics["tokens_seen"]
    for name, count in seen.items():
        assert curves[f"train/tokens_seen/{name}"][4] == count
    assert set(read_json(folder / "corpus_manifest.json")["corpora"]) == {"corpus", "second"}
    go_on = ["-c", str(folder / "config.yaml"), "--ckpt_path=last", "--trainer.max_steps=5"]
    other = f"--data.data_dir={{{world.corpus}: 0.5, {world.second_corpus}: 1.0}}"
    with pytest.raises(ValueError, match=r"data\.weights: checkpoint '\[0\.5, 1\.5\]', now '\[0\.5, 1\.0\]'"):
        run("fit", [*go_on, other])
    with pytest.raises(ValueError, match=r"trained on data of fingerprint \w+, but the data now has"):
        run("fit", [*go_on, f"--data.data_dir={{{world.second_corpus}: 0.5, {world.corpus}: 1.5}}"])
    run("fit", go_on)
    metrics = read_json(folder / "metrics.json")
    assert metrics["steps"] == 5
    assert metrics["tokens_seen/corpus"] + metrics["tokens_seen/second"] == metrics["tokens_seen"]


def test_kept_settings_name_folders_from_anywhere(folders: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(folders[0]).parent)
    kept = with_absolute_paths({"data.data_dir": {"wiki": 2, "gone": 1}, "data.max_tokens": 3})
    assert kept == {"data.data_dir": {folders[0]: 2, "gone": 1}, "data.max_tokens": 3}
    assert with_absolute_paths({"data.data_dir": ["wiki", "news"]}) == {"data.data_dir": folders}
