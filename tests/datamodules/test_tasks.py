"""The data modules of the subtasks: parts, texts, settings and files, against slow second versions."""

import lzma
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonargparse import ArgumentParser

from datamodules import KlueNERDataModule, KorQuADDataModule, NaverNERDataModule, NSMCDataModule
from datamodules.tasks import TaskDataModule
from distilkobert import KoBertTokenizer
from distilkobert.tasks.files.ner import read_klue_ner
from distilkobert.tasks.files.nsmc import read_nsmc
from distilkobert.tasks.splits import number_of
from tests.distilkobert.tokenizers.test_loading import save_wordpiece
from tests.support.tasks.data import WRITERS, Make, is_dev, loaders, one_file, unpadded

pytest_plugins = ["tests.support.tasks.fixtures"]


@pytest.mark.parametrize("module", WRITERS)
def test_batches_are_well_formed_and_repeatable(make: Make, module: type, tiny_tokenizer: KoBertTokenizer) -> None:
    data = make(module, batch_size=8, eval_batch_size=4)
    data.prepare_data()
    data.setup("fit")
    assert data.vocab_size == tiny_tokenizer.vocab_size
    assert data.pad_token_id == tiny_tokenizer.pad_token_id
    most = (8, min(4, int(data.facts["data/dev_examples"])), 4)
    for loader, rows in zip(loaders(data), most, strict=True):
        batches = list(loader)
        assert len(batches) == len(loader)
        assert max(len(batch["input_ids"]) for batch in batches) == rows
        for batch in batches:
            ids, mask = batch["input_ids"], batch["attention_mask"]
            assert ids.dtype == mask.dtype == batch["token_type_ids"].dtype == torch.int64
            assert ids.shape == mask.shape == batch["token_type_ids"].shape
            assert ids.shape[1] <= data.max_length
            assert bool((ids[mask == 0] == data.pad_token_id).all())
            assert mask.sum(1).max() == ids.shape[1]
            for row in unpadded(batch):
                assert (row[0], row[-1]) == (tiny_tokenizer.cls_token_id, tiny_tokenizer.sep_token_id)
    same = [batch["input_ids"].tolist() for batch in make(module, batch_size=8, eval_batch_size=4).train_dataloader()]
    assert same == [batch["input_ids"].tolist() for batch in data.train_dataloader()]
    assert same != [b["input_ids"].tolist() for b in make(module, batch_size=8, seed=1).train_dataloader()]
    total = sum(data.facts[f"data/{part}_examples"] for part in ("train", "dev"))
    assert total == 90
    assert data.facts["data/test_examples"] == 31


def test_nsmc_parts_texts_and_labels(make: Make, folders: dict[type, Path], tiny_tokenizer: KoBertTokenizer) -> None:
    data = make(NSMCDataModule, max_length=12)
    assert data.labels == ["negative", "positive"]
    train = list(read_nsmc(folders[NSMCDataModule] / "ratings_train.txt"))
    test = list(read_nsmc(folders[NSMCDataModule] / "ratings_test.txt"))
    parts = [[r for r in train if not is_dev(r.id)], [r for r in train if is_dev(r.id)], test]
    for expected, loader in zip(parts, loaders(data), strict=True):
        seen = {}
        for batch in loader:
            for row, ids, label in zip(batch["rows"], unpadded(batch), batch["labels"].tolist(), strict=True):
                seen[row] = (ids, label)
            assert not batch["token_type_ids"].any()
        assert sorted(seen) == list(range(len(expected)))
        for row, review in enumerate(expected):
            pieces = tiny_tokenizer.convert_tokens_to_ids(tiny_tokenizer.tokenize(review.text))[:10]
            ids = [tiny_tokenizer.cls_token_id, *pieces, tiny_tokenizer.sep_token_id]
            assert seen[row] == (ids, review.label)
    cut = sum(len(tiny_tokenizer.tokenize(review.text)) > 10 for review in test)
    assert data.facts["data/test_truncated_share"] == pytest.approx(cut / len(test))
    assert "by MD5 of the review id modulo 20: 0 dev" in data.facts["data/split"]


def test_deduplication_drops_training_texts_of_the_test_file_but_no_empty_ones(make: Make, tmp_path: Path) -> None:
    head = "id\tdocument\tlabel\n"
    texts = ["좋은 영화", "", "나쁜 영화", *[f"영화 {number}번" for number in range(60)]]
    rows = "".join(f"{number}\t{text}\t{number % 2}\n" for number, text in enumerate(texts))
    (tmp_path / "ratings_train.txt").write_text(head + rows, encoding="utf-8")
    repeated = "901\t영화 7번\t0\n902\t\t1\n903\t좋은 영화\t0\n904\t다른 영화\t0\n"
    (tmp_path / "ratings_test.txt").write_text(head + repeated, encoding="utf-8")
    kept = {}
    for deduplicate in (False, True):
        data = make(NSMCDataModule, data_dir=tmp_path, deduplicate=deduplicate)
        data.setup("fit")
        kept[deduplicate] = data.facts["data/train_examples"] + data.facts["data/dev_examples"]
    assert kept == {False: 63, True: 61}
    assert data.facts["data/train_file_also_in_test"] == 2
    assert data.facts["data/train_file_also_in_test_share"] == pytest.approx(2 / 63)
    assert any(len(row) == 2 for batch in data.train_dataloader() for row in unpadded(batch))  # the empty document


def test_deduplication_leaves_the_split_of_other_texts_and_a_dev_part(make: Make, tmp_path: Path) -> None:
    head = "id\tdocument\tlabel\n"
    keys = [number for number in range(200) if not is_dev(str(number))][:30]
    in_dev = next(number for number in range(200) if is_dev(str(number)))
    rows = [f"{number}\t영화 {number}번\t1\n" for number in [*keys, in_dev]]
    (tmp_path / "ratings_train.txt").write_text(head + "".join(rows), encoding="utf-8")
    (tmp_path / "ratings_test.txt").write_text(head + f"900\t영화 {keys[0]}번\t0\n", encoding="utf-8")
    data = make(NSMCDataModule, data_dir=tmp_path, deduplicate=True)
    data.setup("fit")
    assert (data.facts["data/train_examples"], data.facts["data/dev_examples"]) == (29, 1)
    # The only text of the dev part goes: another one takes its place.
    (tmp_path / "ratings_test.txt").write_text(head + f"900\t영화 {in_dev}번\t0\n", encoding="utf-8")
    data = make(NSMCDataModule, data_dir=tmp_path, deduplicate=True)
    data.setup("fit")
    assert (data.facts["data/train_examples"], data.facts["data/dev_examples"]) == (29, 1)
    (tmp_path / "ratings_test.txt").write_text(head + "".join(rows), encoding="utf-8")
    message = r"ratings_train\.txt, without 31 of 31 examples that deduplicate=true leaves out: none .* the train part"
    with pytest.raises(ValueError, match=message):
        make(NSMCDataModule, data_dir=tmp_path, deduplicate=True).setup("fit")


def test_one_file_is_divided_by_hash(make: Make, folders: dict[type, Path], tmp_path: Path) -> None:
    data = make(KlueNERDataModule, data_dir=one_file(folders, KlueNERDataModule, tmp_path))
    sentences = list(read_klue_ner(tmp_path / "klue-ner-v1.1_train.tsv"))
    remainders = [number_of(sentence.id) % 10 for sentence in sentences]
    parts = [[0, 1, 2, 3, 4, 5, 6, 7], [8], [9]]
    for allowed, loader in zip(parts, loaders(data), strict=True):
        expected = [s.units for s, remainder in zip(sentences, remainders, strict=True) if remainder in allowed]
        examples = {
            row: example.words
            for batch in loader
            for row, example in zip(batch["rows"], batch["examples"], strict=True)
        }
        assert [examples[row] for row in range(len(expected))] == expected
    assert data.facts["data/split"].startswith("one file, klue-ner-v1.1_train.tsv, by MD5 of the sentence id modulo 10")


@pytest.mark.parametrize("module", WRITERS)
def test_the_parts_of_training_do_not_need_the_test_file(
    make: Make, folders: dict[type, Path], tmp_path: Path, module: type
) -> None:
    for path in folders[module].iterdir():
        content = path.read_bytes() if "train" in path.name else b"nothing of the kind"
        (tmp_path / path.name).write_bytes(content)
    data = make(module, data_dir=tmp_path)
    data.setup("fit")
    assert len(data.val_dataloader()) > 0
    with pytest.raises(ValueError, match=r", line 1[,:]"):
        data.setup("test")


def test_a_file_of_another_task_under_the_right_name(make: Make, folders: dict[type, Path], tmp_path: Path) -> None:
    (tmp_path / "KorQuAD_v1.0_dev.json").write_bytes((folders[NSMCDataModule] / "ratings_test.txt").read_bytes())
    with pytest.raises(ValueError, match=r"KorQuAD_v1\.0_dev\.json, line 1, .*begins like NSMC: take its data module"):
        make(KorQuADDataModule, data_dir=tmp_path).setup("fit")
    with pytest.raises(
        FileNotFoundError, match=r"contains no ratings_train\.txt .* take the data module of KorQuAD, whose"
    ):
        make(NSMCDataModule, data_dir=tmp_path)


def test_the_advice_for_missing_files_names_the_data_sets_own_folder(make: Make, folders: dict[type, Path]) -> None:
    nsmc = folders[NSMCDataModule]
    with pytest.raises(FileNotFoundError, match=r"fetch klue_ner --output data/klue_ner, or take the data module of N"):
        make(KlueNERDataModule, data_dir=nsmc)
    with pytest.raises(
        FileNotFoundError, match=r"is not downloaded: place your own copy in data/naver_ner;"
    ) as refused:
        make(NaverNERDataModule, data_dir=nsmc)
    assert "comes with" not in str(refused.value)
    assert f"--output {nsmc}" not in str(refused.value)


@pytest.mark.parametrize(
    ("module", "settings", "message"),
    [
        (
            KorQuADDataModule,
            {"max_length": 64, "max_question": 64},
            "max_question=64 and 3 special tokens leave no piece",
        ),
        (
            KorQuADDataModule,
            {"reference_decoding": True, "particles": "split"},
            "particles is split, unlike the original",
        ),
        (NSMCDataModule, {"max_length": 2}, "max_length is 2; expected at least 3"),
        (NSMCDataModule, {"batch_size": 0}, r"data\.batch_size is 0; expected at least 1"),
        (NaverNERDataModule, {"eval_batch_size": 0}, "eval_batch_size is 0"),
        (KlueNERDataModule, {"seed": -1}, "seed is -1"),
    ],
)
def test_settings_out_of_range(make: Make, module: type, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(module, **settings)


def test_other_tokenizers_go_through_the_same_code(make: Make, tmp_path: Path) -> None:
    wordpiece = save_wordpiece(tmp_path / "wordpiece")
    for module in WRITERS:
        data = make(module, tokenizer=wordpiece, unknown_limit=1)
        assert (data.vocab_size, data.pad_token_id) == (14, 0)
        assert all(batch["input_ids"].max() < 14 for loader in loaders(data) for batch in loader)
    with pytest.raises(ValueError, match="is not a KoBERT tokenizer"):
        make(KorQuADDataModule, tokenizer=wordpiece, reference_decoding=True)


@pytest.mark.parametrize("module", WRITERS)
def test_the_number_of_workers_reaches_every_loader(make: Make, module: type) -> None:
    assert [loader.num_workers for loader in loaders(make(module, num_workers=2))] == [2, 2, 2]


def test_loader_workers_give_the_same_batches(make: Make) -> None:
    expected = [batch["input_ids"].tolist() for batch in make(KorQuADDataModule).test_dataloader()]
    assert expected == [b["input_ids"].tolist() for b in make(KorQuADDataModule, num_workers=1).test_dataloader()]


@pytest.mark.parametrize("module", WRITERS)
def test_the_constructor_is_a_schema(module: type, folders: dict[type, Path], tiny_tokenizer_dir: Path) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(TaskDataModule, "data")
    options = {"data_dir": str(folders[module]), "tokenizer": str(tiny_tokenizer_dir), "batch_size": 3}
    content = {"data": {"class_path": f"datamodules.{module.__name__}", "init_args": options}}
    made = parser.instantiate(parser.parse_object(content))
    assert isinstance(made.data, module)
    assert made.data.batch_size == 3


@pytest.mark.real_data
def test_the_real_splits_have_the_published_sizes(real_data_dir: Path, make: Make) -> None:
    real = {"tokenizer": real_data_dir / "kobert_tokenizer"}
    sizes = {}
    for module, name in ((KlueNERDataModule, "klue_ner"), (KorQuADDataModule, "korquad")):
        data = make(module, data_dir=real_data_dir / name, **real)
        for stage in ("fit", "test"):
            data.setup(stage)
        sizes[name] = [data.facts[f"data/{part}_examples"] for part in ("train", "dev", "test")]
    assert sizes == {"klue_ner": [3979, 533, 488], "korquad": [4264, 217, 1293]}


@pytest.mark.parametrize("module", WRITERS)
def test_predict_takes_a_file_of_its_own_or_the_test_part(
    make: Make, folders: dict[type, Path], tmp_path: Path, module: type
) -> None:
    (source,) = [path for path in folders[module].iterdir() if "train" in path.name]
    (tmp_path / "mine.xz").write_bytes(lzma.compress(source.read_bytes()))
    inputs = {}
    for predict_file in (None, str(tmp_path / "mine.xz")):
        data = make(module, predict_file=predict_file)
        data.setup("predict")
        inputs[predict_file] = [row for batch in data.predict_dataloader() for row in unpadded(batch)]
    tested = [row for batch in make(module).test_dataloader() for row in unpadded(batch)]
    assert inputs.pop(None) == tested
    (answered,) = inputs.values()
    trained = [row for loader in list(loaders(make(module)))[:2] for batch in loader for row in unpadded(batch)]
    assert sorted(answered) == sorted(trained)
    with pytest.raises(FileNotFoundError, match=r"nothing\.txt does not exist"):
        make(module, predict_file="nothing.txt")
