"""A second, naive KoBERT tokenizer: the original's steps one by one, from the two files; and texts to compare on."""

import io
import random
import unicodedata
from pathlib import Path

import sentencepiece
from hypothesis import strategies as st

SPECIALS = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"]


def naive_normalize(text: str) -> str:
    collapsed = ""
    for character in text:
        if not character.isspace():
            collapsed += character
        elif collapsed and not collapsed.endswith(" "):
            collapsed += " "
    text = collapsed.removesuffix(" ")
    text = text.replace("``", '"')
    text = text.replace("''", '"')
    kept = ""
    for character in unicodedata.normalize("NFKD", text):
        if unicodedata.combining(character) == 0:
            kept += character
    return kept


def write_tokenizer(folder: Path, lines: list[str], settings: dict[str, object]) -> None:
    """Train by SentencePiece alone, with settings that our own trainer does not use, and write the two files."""
    content = io.BytesIO()
    fixed = {"num_threads": 1, "minloglevel": 2}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=content, **(fixed | settings))
    model = sentencepiece.SentencePieceProcessor(model_proto=content.getvalue())
    pieces = sorted(model.id_to_piece(number) for number in range(3, model.get_piece_size()))
    (folder / "test.model").write_bytes(content.getvalue())
    (folder / "vocab.txt").write_bytes("".join(f"{token}\n" for token in SPECIALS + pieces).encode())


def comma_lists() -> list[str]:
    """Lists without spaces; SentencePiece's own settings make pieces of them that end in a digit and a comma."""
    draw = random.Random(0)
    return [",".join(draw.choice("12가나") for _ in range(6)) for _ in range(300)]


class NaiveTokenizer:
    def __init__(self, folder: Path) -> None:
        (model,) = folder.glob("*.model")
        self.model = sentencepiece.SentencePieceProcessor(model_file=str(model))
        lines = (folder / "vocab.txt").read_bytes().decode("utf-8").split("\n")
        self.ids = {line: number for number, line in enumerate(lines) if line}

    def pieces(self, text: str) -> list[str]:
        result: list[str] = []
        for piece in self.model.EncodeAsPieces(naive_normalize(text)):
            if len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit():
                inner = self.model.EncodeAsPieces(piece[:-1].replace("▁", ""))
                if piece[0] != "▁" and inner[0][0] == "▁":
                    inner = inner[1:] if len(inner[0]) == 1 else [inner[0][1:], *inner[1:]]
                result.extend(inner)
                result.append(",")
            else:
                result.append(piece)
        return result

    def encode(self, text: str) -> list[int]:
        """Ids of text as text: no piece is a special token, whatever it looks like."""
        unknown = self.ids["[UNK]"]
        return [unknown if piece in SPECIALS else self.ids.get(piece, unknown) for piece in self.pieces(text)]


_ODDITIES = [
    *"①⑳㈜㎏㎡½…‥％（）！～：，．０１２ＡＢａｂ［］ﾊﾞｶﾞｱ「」、。·ㆍ",
    *"ㅋㅎㅠㅜㅏㅣㄱㄳㅄㄲㅇ", *"ᄀ카ᅲᆨᆪ", *"ﾡﾢￂￃ", *"각난닭가나다힣뷁",
    *"éñüçÅ", *"\u0301\u0308\u0327\u3099\u20d0", *"がぎ漢字人無金﨑",
    *" \t\n\r\x0b\x0c\x1c\x85\xa0\u3000\u2003\u200b\u200d\ufeff\u2028", *"\x00\x01\x7f\x9f", *"▁▅_", *"😀❤️🇰🇷♥☆",
    *"٣٤१२²³", *"`'\"“”‘’", *"0123456789,.", "``", "''", "1,", "12,345",
    "[CLS]", "[SEP]", "[MASK", "［ＳＥＰ］", "<s>", "<unk>", "ﷺ",
    unicodedata.normalize("NFD", "각난닭"), "e\u0301", "  ", "....", "ㅋㅠ", "가ㄳ",
]  # fmt: skip

TEXTS = st.one_of(
    st.lists(
        st.one_of(
            st.sampled_from(_ODDITIES),
            st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
            st.characters(min_codepoint=0x20, max_codepoint=0x7E),
        ),
        max_size=24,
    ).map("".join),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
)
