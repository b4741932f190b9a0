"""A KoBERT tokenizer of transformers' slow kind, for comparison only: every step in Python, one text at a time.

Written from the description of the tokenizer, it shares no code with `distilkobert`.
"""

import unicodedata
from pathlib import Path
from typing import Any

import sentencepiece
from transformers import PreTrainedTokenizer


class SlowKoBertTokenizer(PreTrainedTokenizer):
    """The usual way to wrap a SentencePiece model and a vocabulary file for transformers.

    Args:
        model_file: The SentencePiece model.
        vocab_file: `vocab.txt`, one token per line in id order.
    """

    def __init__(self, model_file: Path, vocab_file: Path) -> None:
        self._model = sentencepiece.SentencePieceProcessor(model_file=str(model_file))
        with vocab_file.open(encoding="utf-8", newline="\n") as lines:
            self._tokens = [line.rstrip("\n") for line in lines]
        self._ids = {token: number for number, token in enumerate(self._tokens)}
        super().__init__(  # type: ignore[no-untyped-call]
            unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]"
        )

    @property
    def vocab_size(self) -> int:
        """Number of ids."""
        return len(self._tokens)

    def get_vocab(self) -> dict[str, int]:
        """Id of every token."""
        return dict(self._ids)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        text = " ".join(text.split()).replace("``", '"').replace("''", '"')
        decomposed = unicodedata.normalize("NFKD", text)
        plain = "".join(character for character in decomposed if not unicodedata.combining(character))
        pieces: list[str] = []
        for piece in self._model.encode(plain, out_type=str):
            if len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit():
                parts = self._model.encode(piece[:-1].replace("▁", ""), out_type=str)
                if not piece.startswith("▁") and parts[0].startswith("▁"):
                    parts = parts[1:] if len(parts[0]) == 1 else [parts[0][1:], *parts[1:]]
                pieces += [*parts, ","]
            else:
                pieces.append(piece)
        return pieces

    def _convert_token_to_id(self, token: str) -> int:
        return self._ids.get(token, self._ids["[UNK]"])

    def _convert_id_to_token(self, index: int) -> str:
        return self._tokens[index]
