"""The layout of skt/kobert-base-v1: one SentencePiece model that holds the special tokens and numbers all pieces."""

from pathlib import Path

import pytest
from sentencepiece import sentencepiece_model_pb2

from distilkobert import KoBertTokenizer
from distilkobert.tokenizers import load_tokenizer
from distilkobert.tokenizers.kobert.vocabulary import own_vocabulary
from tests.support.tokenizers.sentences import SENTENCES

SPECIALS = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4


def write_own_model(
    source: Path, target: Path, special_type: int = CONTROL, missing: str = "", extra: str = ""
) -> Path:
    """Rewrite the two files in `source` as one model in the order of its ids."""
    (model_file,) = source.glob("*.model")
    model = sentencepiece_model_pb2.ModelProto.FromString(model_file.read_bytes())
    scores = {piece.piece: piece for piece in model.pieces}
    pieces = []
    for token in (source / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]:
        if token == missing:
            continue
        kind = UNKNOWN if token == "[UNK]" else special_type
        piece = sentencepiece_model_pb2.ModelProto.SentencePiece(piece=token, score=0.0, type=kind)
        if token not in SPECIALS:
            piece.CopyFrom(scores[token])
        pieces.append(piece)
    if extra:
        pieces.append(sentencepiece_model_pb2.ModelProto.SentencePiece(piece=extra, score=0.0, type=CONTROL))
    del model.pieces[:]
    model.pieces.extend(pieces)
    spec = model.trainer_spec
    spec.unk_piece, spec.unk_id, spec.pad_piece, spec.pad_id = "[UNK]", 0, "[PAD]", 1
    spec.bos_piece, spec.bos_id, spec.eos_piece, spec.eos_id = "[CLS]", 2, "[SEP]", 3
    target.mkdir()
    (target / "spiece.model").write_bytes(model.SerializeToString())
    (target / "tokenizer_config.json").write_text('{"tokenizer_class": "XLNetTokenizer"}')
    return target


@pytest.mark.parametrize("special_type", [CONTROL, USER_DEFINED])
def test_the_models_own_order_is_the_vocabulary(
    special_type: int, tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path, tmp_path: Path
) -> None:
    folder = write_own_model(tiny_tokenizer_dir, tmp_path / "skt", special_type)
    loaded = load_tokenizer(folder)
    assert isinstance(loaded, KoBertTokenizer)
    assert loaded.vocab == tiny_tokenizer.vocab
    texts = [*SENTENCES, "[SEP] 오늘은[MASK] [CLS]", "👍", ""]
    for own, expected in zip(loaded.encode_batch(texts), tiny_tokenizer.encode_batch(texts), strict=True):
        assert own.tolist() == expected.tolist()
    for text in texts:
        assert loaded.encode_with_offsets(text) == tiny_tokenizer.encode_with_offsets(text)
    loaded.save_pretrained(tmp_path / "saved")
    assert load_tokenizer(tmp_path / "saved").fingerprint == loaded.fingerprint
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == ["spiece.model", "vocab.txt"]


def test_other_models_alone_need_their_vocabulary(tiny_tokenizer_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (model,) = tiny_tokenizer_dir.glob("*.model")
    (tmp_path / "half" / model.name).write_bytes(model.read_bytes())
    with pytest.raises(FileNotFoundError, match=r"contains no vocab\.txt; place the one that belongs to"):
        KoBertTokenizer.from_pretrained(tmp_path / "half")
    no_mask = write_own_model(tiny_tokenizer_dir, tmp_path / "no_mask", missing="[MASK]")
    assert own_vocabulary((no_mask / "spiece.model").read_bytes()) is None
    more = write_own_model(tiny_tokenizer_dir, tmp_path / "more", extra="<s>")
    assert own_vocabulary((more / "spiece.model").read_bytes()) is None
    assert own_vocabulary(b"no model") is None


def test_a_tokenizer_json_is_preferred(
    tiny_tokenizer_dir: Path, tiny_tokenizer: KoBertTokenizer, tmp_path: Path
) -> None:
    folder = write_own_model(tiny_tokenizer_dir, tmp_path / "skt")
    tiny_tokenizer.to_transformers().save_pretrained(folder)
    assert not isinstance(load_tokenizer(folder), KoBertTokenizer)


@pytest.mark.real_data
def test_the_published_example_of_skt(real_data_dir: Path, tmp_path: Path) -> None:
    """Ids of SKT's README (SKTBrain/KoBERT, kobert_hf): the sentence in the frame of a single text."""
    loaded = load_tokenizer(write_own_model(real_data_dir / "kobert_tokenizer", tmp_path / "skt"))
    (ids,) = loaded.encode_batch(["한국어 모델을 공유합니다."])
    assert loaded.frame.single(ids.tolist()) == [2, 4958, 6855, 2046, 7088, 1050, 7843, 54, 3]
