"""`prepare corpus` killed as by a power cut, and inputs of odd sizes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import load_from_disk

from distilkobert.tokenizers import load_tokenizer
from tests.support.corpus_text import LINES, leftovers, prepare

KILLED = """
import os, signal, sys
from distilkobert.corpus.preparation import shards
from experiments.prepare.__main__ import main
shards.SHARD_BYTES, write, count = 500, shards.ShardFolder.write, [0]
def killed(self, shard, encoded):
    if count[0] == 2:
        next(iter(encoded))
        os.kill(os.getpid(), signal.SIGKILL)
    count[0] += 1
    write(self, shard, encoded)
shards.ShardFolder.write = killed
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_killed_preparation_goes_on(
    tmp_path: Path, tiny_tokenizer_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(4)]
    for number, path in enumerate(files):
        path.write_text("\n".join(f"{number} {line}" for line in LINES), encoding="utf-8")
    names = list(map(str, files))
    args = ["--max_tokens", "64", "--min_tokens", "5", "--validation_fraction", "0.1"]
    command = ["corpus", "--input", *names, "--tokenizer", str(tiny_tokenizer_dir), *args]
    output = tmp_path / "corpus"
    done = subprocess.run([sys.executable, "-c", KILLED, *command, "--output", str(output)], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert not output.exists()
    assert len(list((tmp_path / ".corpus.shards").glob("*.json"))) == 2
    monkeypatch.setattr("distilkobert.corpus.preparation.shards.SHARD_BYTES", 500)
    assert prepare(files[0], tiny_tokenizer_dir, output, "--input", *names, *args) == 0
    assert prepare(files[0], tiny_tokenizer_dir, tmp_path / "whole", "--input", *names, *args) == 0
    ours, theirs = (load_from_disk(str(tmp_path / name)) for name in ("corpus", "whole"))
    assert all(ours[part].data.equals(theirs[part].data) for part in ("train", "validation"))
    assert [name for name in leftovers(tmp_path) if name.startswith(".")] in ([], [".corpus.lock"])


@pytest.mark.slow
def test_a_line_of_ten_megabytes(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    """As many pieces as its sentences have one by one, cut into sequences."""
    sentence = LINES[0]
    times = 10_000_000 // len(sentence.encode() + b" ") + 1
    path = tmp_path / "long.txt"
    path.write_text(" ".join([sentence] * times) + "\n" + "\n".join(LINES), encoding="utf-8")
    assert path.stat().st_size > 10_000_000
    assert prepare(path, tiny_tokenizer_dir, tmp_path / "corpus", "--unknown_limit", "1") == 0
    parts = load_from_disk(str(tmp_path / "corpus"))
    counted = sum(sum(parts[part]["length"]) - 2 * len(parts[part]) for part in ("train", "validation"))
    tokenizer = load_tokenizer(str(tiny_tokenizer_dir))
    expected = times * len(tokenizer.encode_batch([sentence])[0])
    expected += sum(len(ids) for ids in tokenizer.encode_batch(LINES))
    assert 0 <= expected - counted < 12  # an end of fewer than min_tokens is left out
