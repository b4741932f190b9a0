"""`prepare vocabulary` from the command line: what it writes, says and refuses."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, BertModel, PreTrainedTokenizerFast

from distilkobert import KoBertTokenizer
from distilkobert.models.checkpoints import load_model, load_own
from distilkobert.tokenizers.loading import load_tokenizer
from experiments.prepare.__main__ import main
from tests.support.networks.tiny import tiny_teacher
from tests.support.tokenizers.fast import build
from tests.support.tokenizers.sentences import SENTENCES
from tests.world import read_json


def encoder_folder(folder: Path, tokenizer: PreTrainedTokenizerFast, head: bool) -> Path:
    model = tiny_teacher(vocab_size=len(tokenizer), layers=2, pad_token_id=tokenizer.pad_token_id)
    bare = BertModel(model.config, add_pooling_layer=False)
    bare.load_state_dict(model.bert.state_dict())
    (model if head else bare).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A bare encoder with a tokenizer as E5 has it."""
    return encoder_folder(tmp_path / "source", build("unigram", SENTENCES, vocab_size=360), head=False)


def transfer(source: Path, tokenizer: Path, output: Path, *options: str) -> int:
    arguments = [f"--model={source}", f"--tokenizer={tokenizer}", f"--output={output}", *options]
    return main(["vocabulary", "transfer", *arguments])


def trim(source: Path, corpus: Path, output: Path, *options: str) -> int:
    return main(["vocabulary", "trim", f"--model={source}", "--corpus", str(corpus), f"--output={output}", *options])


def test_the_folder_loads_everywhere(
    source: Path, tiny_tokenizer_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new"
    assert transfer(source, tiny_tokenizer_dir, output) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("350 pieces: ")
    assert "start as the mean of all" in said[0]
    assert said[1].split()[:3] == ["before:", "360", "pieces,"]
    assert said[2].split()[:3] == ["after:", "350", "pieces,"]
    assert said[-1] == f"written to {output}"
    encoder = load_tokenizer(output)
    assert isinstance(encoder, KoBertTokenizer)
    assert encoder.fingerprint == load_tokenizer(tiny_tokenizer_dir).fingerprint
    fast = AutoTokenizer.from_pretrained(output)
    assert fast("친구와 영화를")["input_ids"] == encoder("친구와 영화를")["input_ids"]
    assert fast.model_max_length == 32
    model, report = AutoModel.from_pretrained(output, add_pooling_layer=False, output_loading_info=True)
    assert not report["missing_keys"]
    assert model.config.vocab_size == 350
    assert (model.config.pad_token_id, fast.pad_token_id) == (1, 1)
    masked, missing = load_model(output, "masked_lm")
    assert masked.config.vocab_size == 350
    assert all(name.startswith("cls.predictions.") for name in missing)
    origin = read_json(output / "vocabulary.json")
    assert origin["tokenizer"] == encoder.fingerprint
    assert origin["pieces"]["all"] == 350


@pytest.mark.parametrize("kind", ["wordpiece", "byte_level"])
def test_a_fast_tokenizer_is_written_as_it_was_read(kind: str, tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    kobert = KoBertTokenizer.from_pretrained(tiny_tokenizer_dir)
    source = encoder_folder(tmp_path / "kobert", kobert.to_transformers(), head=True)
    kobert.save_pretrained(source)
    tokenizer = build(kind, SENTENCES)
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    assert transfer(source, tmp_path / "tokenizer", tmp_path / "new") == 0
    loaded = AutoTokenizer.from_pretrained(tmp_path / "new")
    assert loaded("친구와", "영화를") == tokenizer("친구와", "영화를")
    model, report = AutoModelForMaskedLM.from_pretrained(tmp_path / "new", output_loading_info=True)
    assert not report["missing_keys"]
    ids = torch.tensor([loaded("친구와 영화를 봤다")["input_ids"]])
    assert model(ids).logits.shape[-1] == len(tokenizer)
    assert model.config.pad_token_id == tokenizer.pad_token_id


def test_only_its_own_folders_are_replaced(
    source: Path, tiny_tokenizer_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new"
    assert transfer(source, tiny_tokenizer_dir, output) == 0
    assert transfer(source, tiny_tokenizer_dir, output) == 2
    assert "exists; choose another --output, or replace it with --overwrite" in capsys.readouterr().err
    (output / "note.txt").touch()
    assert transfer(source, tiny_tokenizer_dir, output, "--overwrite") == 0
    assert not (output / "note.txt").exists()
    assert transfer(source, tiny_tokenizer_dir, source, "--overwrite") == 2
    assert "was not made by this command (vocabulary.json is missing)" in capsys.readouterr().err
    assert type(load_own(source)) is BertModel


def test_what_is_missing_or_does_not_fit_is_named_and_leaves_nothing(
    source: Path, tiny_tokenizer_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new"
    assert transfer(source, tmp_path / "nowhere", output) == 2
    assert "nowhere" in capsys.readouterr().err
    assert transfer(tmp_path / "nowhere", tiny_tokenizer_dir, output) == 2
    assert "nowhere" in capsys.readouterr().err
    build("byte_level", SENTENCES, vocab_size=420).save_pretrained(tmp_path / "larger")
    assert transfer(source, tiny_tokenizer_dir, output, f"--model_tokenizer={tmp_path / 'larger'}") == 2
    assert "the model has 360 embeddings, its tokenizer 420 pieces" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["larger", "source"]


@pytest.mark.parametrize("kind", ["unigram", "wordpiece", "byte_level"])
def test_trimming_keeps_the_hidden_states_of_every_line(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = encoder_folder(tmp_path / "source", build(kind, SENTENCES), head=True)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES[::4]), encoding="utf-8")
    output = tmp_path / "small"
    assert trim(source, corpus, output) == 0
    said = capsys.readouterr().out
    assert f"0 of {len(SENTENCES[::4])} lines (0.00%) are split into other pieces" in said
    models = [AutoModelForMaskedLM.from_pretrained(folder).eval() for folder in (source, output)]
    tokenizers = [AutoTokenizer.from_pretrained(folder) for folder in (source, output)]
    old_ids = np.load(output / "old_ids.npy")
    assert models[1].config.vocab_size == len(tokenizers[1]) == len(old_ids) < len(tokenizers[0])
    for line in SENTENCES[::4]:
        before, after = (
            tokenizer(line, return_tensors="pt", truncation=True, max_length=32) for tokenizer in tokenizers
        )
        assert torch.equal(torch.from_numpy(old_ids)[after["input_ids"]], before["input_ids"])
        with torch.inference_mode():
            hidden = [
                model.bert(**inputs).last_hidden_state for model, inputs in zip(models, (before, after), strict=True)
            ]
            logits = [model(**inputs).logits for model, inputs in zip(models, (before, after), strict=True)]
        assert torch.equal(*hidden)
        assert torch.equal(logits[0][..., old_ids], logits[1])
    origin = read_json(output / "vocabulary.json")
    assert origin["lines"] == {"all": len(SENTENCES[::4]), "changed": 0}
    assert load_tokenizer(output).fingerprint == origin["tokenizer"]


def test_the_field_that_is_asked_for_is_counted(source: Path, tmp_path: Path) -> None:
    half = len(SENTENCES) // 2
    rows = zip(SENTENCES[:half], SENTENCES[half:], strict=False)
    lines = [json.dumps({"text": other, "body": text}) for other, text in rows]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "corpus.txt").write_text("\n".join(SENTENCES[half : half + len(lines)]), encoding="utf-8")
    assert trim(source, tmp_path / "corpus.jsonl", tmp_path / "field", "--field=body") == 0
    assert trim(source, tmp_path / "corpus.jsonl", tmp_path / "other", "--field=text") == 0
    assert trim(source, tmp_path / "corpus.txt", tmp_path / "plain") == 0
    kept = {name: np.load(tmp_path / name / "old_ids.npy").tolist() for name in ("field", "other", "plain")}
    assert kept["field"] == kept["plain"] != kept["other"]


def test_a_higher_count_says_how_many_lines_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = encoder_folder(tmp_path / "source", build("unigram", SENTENCES), head=False)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES), encoding="utf-8")
    assert trim(source, corpus, tmp_path / "small", "--min_count=5") == 0
    changed = read_json(tmp_path / "small" / "vocabulary.json")["lines"]["changed"]
    assert changed > 0
    assert f"{changed} of {len(SENTENCES)} lines ({changed / len(SENTENCES):.2%})" in capsys.readouterr().out
    before, after = (AutoTokenizer.from_pretrained(tmp_path / name) for name in ("source", "small"))
    assert changed == sum(before.tokenize(line) != after.tokenize(line) for line in SENTENCES)


def test_what_cannot_be_trimmed_is_refused(
    source: Path, tiny_tokenizer_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES), encoding="utf-8")
    assert trim(source, corpus, tmp_path / "small", f"--model_tokenizer={tiny_tokenizer_dir}") == 2
    assert "is KoBERT's tokenizer, not a fast one; use `vocabulary transfer` to change" in capsys.readouterr().err
    assert trim(source, tmp_path / "nothing.txt", tmp_path / "small") == 2
    assert "no file matches" in capsys.readouterr().err
    assert trim(source, corpus, tmp_path / "small", "--min_count=0") == 2
    assert "min_count is 0; expected 1 or more" in capsys.readouterr().err
    assert not (tmp_path / "small").exists()


def test_the_help_of_each_command_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    for command, about in (("transfer", "with another tokenizer's"), ("trim", "without the pieces that a corpus")):
        with pytest.raises(SystemExit):
            main(["vocabulary", command, "--help"])
        assert f"\nWrite the same encoder {about}" in capsys.readouterr().out


@pytest.mark.real_data
def test_the_real_encoder_gets_the_real_pieces(real_data_dir: Path, tmp_path: Path) -> None:
    """18 of KoBERT's pieces have no counterpart in E5's Korean part, which one trial of somebody else's also found."""
    tool = real_data_dir.parent / "tools" / "expand_e5_small_ko.py"
    subprocess.run([sys.executable, str(tool), str(tmp_path / "e5")], check=True, capture_output=True)
    assert transfer(tmp_path / "e5", real_data_dir / "kobert_tokenizer", tmp_path / "new") == 0
    assert len(read_json(tmp_path / "new" / "vocabulary.json")["pieces"]["without_origin"]) == 18
    old, new = (load_own(tmp_path / name).get_input_embeddings().weight for name in ("e5", "new"))
    assert new.shape == (8002, 384)
    pieces = [AutoTokenizer.from_pretrained(tmp_path / name) for name in ("e5", "new")]
    for piece in ("▁한국", "하는", "▁", "."):
        numbers = [tokenizer.convert_tokens_to_ids(piece) for tokenizer in pieces]
        assert torch.equal(old[numbers[0]], new[numbers[1]]), piece
    for there, here in (
        ("<s>", "[CLS]"),
        ("</s>", "[SEP]"),
        ("<pad>", "[PAD]"),
        ("<unk>", "[UNK]"),
        ("<mask>", "[MASK]"),
    ):
        assert torch.equal(old[pieces[0].convert_tokens_to_ids(there)], new[pieces[1].convert_tokens_to_ids(here)])
