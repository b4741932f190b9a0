"""From questions and contexts to tables of ids and answer labels: what `feature_cache.py` keeps.

A context is encoded once for all of its questions. Windows are laid later (`spans.build_windows`), so one table serves
every length and stride. Tables made:

- `contexts`: `text`, `ids`, `starts` and `ends` (spans of characters, empty lists in the original's way);
- `questions`: `id`, `title`, `context` (row in `contexts`), `ids`, `pieces`, `context_pieces`, `gold` (answer texts),
  `first` and `last` (pieces of the first answer in the context, -1 where it has none).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from distilkobert.korean.particles import ParticleMode, encode_text
from distilkobert.tasks.feature_cache import Columns, ragged
from distilkobert.tasks.files.json_files import JsonPlace
from distilkobert.tasks.files.korquad import GoldAnswer, Paragraph
from distilkobert.tasks.reference_decoding import read_context, seed_answer_pieces
from distilkobert.tasks.spans import PieceRange, answer_pieces
from distilkobert.tokenizers.inputs import Span
from distilkobert.tokenizers.kobert import KoBertTokenizer
from distilkobert.tokenizers.loading import TextEncoder


class _EncodedContext(NamedTuple):
    ids: Sequence[int]
    spans: Sequence[Span]
    place: Callable[[GoldAnswer], PieceRange | None]


def question_features(
    paragraphs: Iterable[Paragraph], encoder: TextEncoder, particles: ParticleMode
) -> dict[str, Columns]:
    """Both tables, with labels by character offsets.

    Raises:
        ValueError: a context or a question has no piece; names file, line, article, paragraph and question.
    """

    def encode(text: str) -> _EncodedContext:
        ids, spans = encode_text(text, encoder.encode_with_offsets, particles)
        return _EncodedContext(
            ids, spans, lambda answer: answer_pieces(spans, answer.start, answer.start + len(answer.text))
        )

    return _tables(paragraphs, encode, lambda text: encode(text).ids)


def seed_question_features(paragraphs: Iterable[Paragraph], tokenizer: KoBertTokenizer) -> dict[str, Columns]:
    """Both tables as the original pipeline makes them: contexts word by word, labels by string search.

    Raises:
        ValueError: as `question_features`.
    """

    def encode(text: str) -> _EncodedContext:
        context = read_context(text, tokenizer.tokenize)
        ids = tokenizer.convert_tokens_to_ids(context.pieces)
        return _EncodedContext(
            ids, (), lambda answer: seed_answer_pieces(context, answer.text, answer.start, tokenizer.tokenize)
        )

    return _tables(paragraphs, encode, lambda text: tokenizer.encode_batch([text])[0].tolist())


def _tables(
    paragraphs: Iterable[Paragraph], encode: Callable[[str], _EncodedContext], ask: Callable[[str], Sequence[int]]
) -> dict[str, Columns]:
    contexts: list[tuple[str, _EncodedContext]] = []
    rows: list[dict[str, Any]] = []
    for paragraph in paragraphs:
        context = encode(paragraph.context)
        _require_pieces(context.ids, paragraph.where, "context")
        for number, question in enumerate(paragraph.questions):
            ids = ask(question.text)
            _require_pieces(ids, paragraph.where.inner("qas", number, name=f"question {question.id!r}"), "question")
            first, last = context.place(question.answers[0]) or (-1, -1)
            rows.append(
                {
                    "id": question.id,
                    "title": paragraph.title,
                    "context": len(contexts),
                    "ids": ids,
                    "pieces": len(ids),
                    "context_pieces": len(context.ids),
                    "gold": [answer.text for answer in question.answers],
                    "first": first,
                    "last": last,
                }
            )
        contexts.append((paragraph.context, context))
    questions: Columns = {name: [row[name] for row in rows] for name in rows[0]}
    questions["ids"] = ragged(questions["ids"])
    columns = {
        "text": [text for text, _ in contexts],
        "ids": ragged([context.ids for _, context in contexts]),
        "starts": ragged([[start for start, _ in context.spans] for _, context in contexts]),
        "ends": ragged([[end for _, end in context.spans] for _, context in contexts]),
    }
    return {"contexts": columns, "questions": questions}


def _require_pieces(ids: Sequence[int], where: JsonPlace, name: str) -> None:
    if not ids:
        raise ValueError(
            f"{where}: the {name} has no piece: it is all white space or combining marks; correct the file"
        )
