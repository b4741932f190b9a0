"""The shipped teacher: small, with its tokenizer, and one that knows the demo's language."""

from functools import cache
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import PreTrainedModel

from distilkobert.models.teachers import load_teacher
from distilkobert.synthetic.contexts import opinion, telling
from distilkobert.synthetic.lexicon import CLASS_NOUNS, make_lexicon
from distilkobert.tokenizers.kobert import KoBertTokenizer
from experiments.demo.files import LEXICON, PRETRAINED

MEGABYTES = 5


@cache
def teacher() -> PreTrainedModel:
    tokenizer = KoBertTokenizer.from_pretrained(PRETRAINED)
    return load_teacher(PRETRAINED, vocab_size=tokenizer.vocab_size, pad_token_id=tokenizer.pad_token_id)


def logits_of(pieces: list[str]) -> torch.Tensor:
    """The teacher's logits for one sequence, (T, V)."""
    ids = KoBertTokenizer.from_pretrained(PRETRAINED).convert_tokens_to_ids(["[CLS]", *pieces, "[SEP]"])
    with torch.no_grad():
        logits: torch.Tensor = teacher()(input_ids=torch.tensor([ids])).logits[0]
    return logits


def test_the_folder_is_small_and_holds_no_pickle() -> None:
    files = [path for path in Path(PRETRAINED).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MEGABYTES * 2**20
    assert {"config.json", "model.safetensors", "vocab.txt", "README.md"} <= {path.name for path in files}
    assert not [path for path in files if path.suffix in (".bin", ".pt", ".ckpt", ".py")]


def test_most_words_are_one_piece() -> None:
    tokenizer, lexicon = KoBertTokenizer.from_pretrained(PRETRAINED), make_lexicon(LEXICON)
    nouns = [noun for slot in CLASS_NOUNS for noun in (*lexicon.own[slot], *lexicon.shared_nouns(slot))]
    for words in (nouns, [*lexicon.praise, *lexicon.blame]):
        assert sum(len(tokenizer.tokenize(word)) == 1 for word in words) > 0.9 * len(words)


@pytest.mark.parametrize("slot", sorted(CLASS_NOUNS))
def test_it_fills_a_gap_with_nouns_of_the_class_that_its_context_tells(slot: str) -> None:
    tokenizer, lexicon, rng = KoBertTokenizer.from_pretrained(PRETRAINED), make_lexicon(LEXICON), Random(7)
    pieces_of = {noun: tokenizer.tokenize(noun) for noun in (*lexicon.own[slot], *lexicon.shared_nouns(slot))}
    inside = [tokenizer.convert_tokens_to_ids(cut)[0] for cut in pieces_of.values() if len(cut) == 1]
    shares: list[float] = []
    while len(shares) < 20:
        sentence = telling(rng, lexicon)
        pieces = tokenizer.tokenize(sentence.text)
        (first, *more) = sentence.mentions
        noun = sentence.text[first.start : first.end]
        if more or first.slot != slot or len(pieces_of[noun]) > 1:
            continue
        place = pieces.index(pieces_of[noun][0])
        pieces[place] = "[MASK]"
        shares.append(logits_of(pieces)[place + 1].softmax(-1)[inside].sum().item())
    assert sum(shares) / len(shares) > 0.8


def test_it_expects_a_closing_line_that_agrees_with_a_plain_judgement() -> None:
    tokenizer, lexicon, rng = KoBertTokenizer.from_pretrained(PRETRAINED), make_lexicon(LEXICON), Random(7)
    starts = (["강력"], ["보지", "시간이"])  # the others begin with one and the same piece
    praise, blame = ([tokenizer.convert_tokens_to_ids(tokenizer.tokenize(w)[:1])[0] for w in side] for side in starts)
    assert not set(praise) & set(blame)
    right: list[bool] = []
    while len(right) < 100:
        positive = len(right) % 2 == 0
        judgement = opinion(rng, lexicon, positive=positive)
        if any(word in judgement for word in (lexicon.blame if positive else lexicon.praise)):
            continue  # a denial or a concession
        logits = logits_of([*tokenizer.tokenize(judgement), "[MASK]"])[-2]
        right.append((logits[praise].logsumexp(0) > logits[blame].logsumexp(0)).item() is positive)
    assert sum(right) > 75
