"""Trimming: the same fast tokenizer without the pieces that a corpus never uses.

Besides the used pieces, those are kept that make the used ones come out as before:

- WordPiece takes the longest piece first. A word that ends as [UNK] has taken pieces before it failed; without them
  another, shorter one might get through.
- Unigram gives an unknown character the worst score of the vocabulary, less a constant. The worst piece sets it.
- BPE builds a piece by merges of smaller pieces, which need be in no text themselves.
- Special and other added tokens, and all bytes where the vocabulary falls back to them or is made of them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from distilkobert.tokenizers.fast import FastEncoder
from distilkobert.tokenizers.piece_counts import PieceCounter
from distilkobert.tokenizers.pieces import BYTE_PIECES, BYTES
from distilkobert.tokenizers.transfer import ROLES


class TrimmedTokenizer:
    """A tokenizer with fewer pieces, next to the one that it was.

    Args:
        old: the tokenizer before.
        new: the tokenizer after.
        old_ids: the old id of each new one, ascending, (V_new,) int64.
    """

    def __init__(self, old: FastEncoder, new: FastEncoder, old_ids: npt.NDArray[np.int64]) -> None:
        self.new = new
        self.old_ids = old_ids
        self._old = old
        self._new_ids = np.full(old.vocab_size, -1, dtype=np.int64)
        self._new_ids[old_ids] = np.arange(len(old_ids))

    def changed(self, texts: Sequence[str]) -> int:
        """Number of texts that are cut into other pieces than before."""
        both = zip(self._old.encode_batch(texts), self.new.encode_batch(texts), strict=True)
        return sum(not np.array_equal(self._new_ids[before], after) for before, after in both)


def trim_tokenizer(encoder: FastEncoder, counter: PieceCounter, min_count: int, name: str) -> TrimmedTokenizer:
    """Drop the pieces that were counted fewer than `min_count` times and that no kept one needs.

    Args:
        encoder: the tokenizer.
        counter: what has counted the corpus with it.
        min_count: fewest uses of a kept piece.
        name: folder or hub name of the tokenizer, for messages.

    Raises:
        ValueError: `min_count` is below 1, or the tokenizer numbers its pieces in a way that cannot be kept.
    """
    if min_count < 1:
        raise ValueError(f"min_count is {min_count}; expected 1 or more")
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = encoder.tokenizer
    definition = counter.definition
    ids = tokenizer.get_vocab()
    used = {piece for piece, number in ids.items() if counter.counts[number] >= min_count}
    kept = used | _always_kept(definition) | set(tokenizer.all_special_tokens)
    if definition["model"]["type"] == "BPE":
        kept = _with_parts(kept, definition["model"])
    old_ids = sorted(ids[piece] for piece in kept)
    new_ids = {old: new for new, old in enumerate(old_ids)}
    backend = Tokenizer.from_str(json.dumps(_renumbered(definition, kept, new_ids), ensure_ascii=False))
    found = backend.get_vocab(with_added_tokens=True)
    if found != {piece: new_ids[ids[piece]] for piece in kept}:
        raise ValueError(
            f"the tokenizer {name} has added tokens between its pieces, whose order would be lost; such a vocabulary "
            "cannot be trimmed"
        )
    trimmed = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend,
        **{f"{role}_token": token for role in ROLES if (token := getattr(tokenizer, f"{role}_token")) is not None},
        model_max_length=tokenizer.model_max_length,
        model_input_names=tokenizer.model_input_names,
        padding_side=tokenizer.padding_side,
        truncation_side=tokenizer.truncation_side,
        clean_up_tokenization_spaces=tokenizer.clean_up_tokenization_spaces,
    )
    return TrimmedTokenizer(encoder, FastEncoder(trimmed, name), np.array(old_ids, dtype=np.int64))


def _always_kept(definition: Mapping[str, Any]) -> set[str]:
    model = definition["model"]
    kept = {token["content"] for token in definition["added_tokens"]}
    if model["type"] == "Unigram":
        pieces = [piece for piece, _ in model["vocab"]]
        unknown = None if model["unk_id"] is None else pieces[model["unk_id"]]
        kept.add(min(model["vocab"], key=lambda entry: entry[1])[0])
    else:
        pieces, unknown = list(model["vocab"]), model["unk_token"]
    if unknown is not None:
        kept.add(unknown)
    alphabet: Iterable[str] = BYTE_PIECES if model.get("byte_fallback") else ()
    if model["type"] == "BPE" and BYTES.keys() <= set(pieces):
        alphabet = BYTES
    return kept | set(alphabet).intersection(pieces)


def _with_parts(kept: set[str], model: Mapping[str, Any]) -> set[str]:
    """The pieces and, step by step, both parts of every merge that makes one of them."""
    parts: dict[str, list[str]] = {}
    for left, right, whole in _merges(model):
        parts.setdefault(whole, []).extend((left, right))
    waiting, closed = list(kept), set(kept)
    while waiting:
        for part in parts.get(waiting.pop(), ()):
            if part not in closed:
                closed.add(part)
                waiting.append(part)
    return closed


def _merges(model: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Both parts of each merge and what they make; older files write the parts with a space between them."""
    prefix = model.get("continuing_subword_prefix") or ""
    for merge in model["merges"]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        yield left, right, left + right.removeprefix(prefix)


def _renumbered(definition: Mapping[str, Any], kept: set[str], new_ids: Mapping[int, int]) -> dict[str, Any]:
    """The tokenizer.json of the kept pieces under their new ids."""
    new: dict[str, Any] = json.loads(json.dumps(definition))
    model = new["model"]
    if model["type"] == "Unigram":
        if model["unk_id"] is not None:
            model["unk_id"] = new_ids[model["unk_id"]]
        model["vocab"] = [entry for entry in model["vocab"] if entry[0] in kept]
    else:
        model["vocab"] = {piece: new_ids[number] for piece, number in model["vocab"].items() if piece in kept}
    if model["type"] == "BPE":
        model["merges"] = [[left, right] for left, right, whole in _merges(model) if {left, right, whole} <= kept]
    for token in new["added_tokens"]:
        token["id"] = new_ids[token["id"]]
    if new["padding"]:
        new["padding"]["pad_id"] = new_ids[new["padding"]["pad_id"]]
    _renumber_frames(new["post_processor"], new_ids)
    return new


def _renumber_frames(processor: Any, new_ids: Mapping[int, int]) -> None:
    """Give the special tokens of a post-processor, in place, their new ids."""
    if not processor:
        return
    for part in processor.get("processors", ()):
        _renumber_frames(part, new_ids)
    if processor["type"] == "TemplateProcessing":
        for token in processor["special_tokens"].values():
            token["ids"] = [new_ids[number] for number in token["ids"]]
    for name in ("cls", "sep"):  # BERT's and RoBERTa's own frames
        if isinstance(processor.get(name), list):
            processor[name][1] = new_ids[processor[name][1]]
