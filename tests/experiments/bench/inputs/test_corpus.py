"""The corpus benchmark compares two ways to the same ids."""

import pickle
from pathlib import Path

import pytest

from distilkobert import KoBertTokenizer
from experiments.bench.__main__ import main
from experiments.bench.baselines.slow_tokenizer import SlowKoBertTokenizer
from experiments.bench.inputs.corpus import usual_way
from tests.support.tokenizers.sentences import SENTENCES


@pytest.fixture
def slow_tokenizer(tiny_tokenizer_dir: Path) -> SlowKoBertTokenizer:
    (model,) = tiny_tokenizer_dir.glob("*.model")
    return SlowKoBertTokenizer(model, tiny_tokenizer_dir / "vocab.txt")


def test_slow_tokenizer_gives_the_same_ids(
    slow_tokenizer: SlowKoBertTokenizer, tiny_tokenizer: KoBertTokenizer
) -> None:
    texts = [*SENTENCES, "``가''  나\t①②", "caf\u00e9 ｆｕｌｌ 1,234,", ""]
    for text, ids in zip(texts, tiny_tokenizer.encode_batch(texts), strict=True):
        assert slow_tokenizer.encode(text, add_special_tokens=False) == ids.tolist()
    assert slow_tokenizer.convert_ids_to_tokens(list(range(5))) == list(tiny_tokenizer.vocab[:5])
    assert len(slow_tokenizer.get_vocab()) == tiny_tokenizer.vocab_size


def test_the_usual_way_pickles_all_lines(
    tmp_path: Path, tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path
) -> None:
    (tmp_path / "a.txt").write_text("\n".join(SENTENCES), encoding="utf-8")
    assert usual_way([tmp_path / "a.txt"], str(tiny_tokenizer_dir), tmp_path / "out.pickle") > 0
    stored = pickle.loads((tmp_path / "out.pickle").read_bytes())  # noqa: S301 - written above
    cls, sep = tiny_tokenizer.cls_token_id, tiny_tokenizer.sep_token_id
    expected = [[cls, *ids.tolist(), sep] for ids in tiny_tokenizer.encode_batch(SENTENCES)]
    assert sorted(ids.tolist() for ids in stored) == sorted(expected)


def test_errors_are_one_line(tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    options = ["corpus", "--input", str(tmp_path / "gone.txt"), "--tokenizer", str(tiny_tokenizer_dir)]
    assert main(options) == 2
    assert capsys.readouterr().err.startswith("error: no file matches")
    assert main([*options, "--lines", "0"]) == 2
    assert "lines is 0; expected at least 1" in capsys.readouterr().err


@pytest.mark.slow
def test_command_prints_both_and_the_ratio(tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    (tmp_path / "a.txt").write_text("\n".join(SENTENCES * 200), encoding="utf-8")
    options = ["--input", str(tmp_path / "a.txt"), "--tokenizer", str(tiny_tokenizer_dir), "--lines", "1000"]
    assert main(["corpus", *options]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1,000 lines")
    assert printed.count("lines/s, peak memory") == 2
    assert "times faster" in printed
