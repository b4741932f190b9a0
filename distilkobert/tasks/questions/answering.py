"""Extractive question answering: a question and its context in overlapping windows, the answer a part of the context.

A context is encoded once for all of its questions. Windows are laid when a batch is made, so one table serves every
length and stride.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distilkobert.korean.particles import encode_text
from distilkobert.metrics.klue_mrc import rouge_w
from distilkobert.metrics.korquad import NO_ANSWER, best_scores
from distilkobert.padding import padded_inputs
from distilkobert.tasks.codec import Batch, Codec, Counts, Record, Row, as_column
from distilkobert.tasks.examples import QuestionWindows, reference_offsets
from distilkobert.tasks.files.json_files import JsonPlace
from distilkobert.tasks.files.korquad import Paragraph
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.questions.contexts import EncodedContext, context_row, read_reference_context
from distilkobert.tasks.questions.no_answer import decided
from distilkobert.tasks.questions.reference_decoding import ReferenceContext, read_context, reference_answer_pieces
from distilkobert.tasks.questions.spans import Answer
from distilkobert.tasks.questions.windows import Window, WindowSettings, answer_pieces, build_windows, window_label
from distilkobert.tasks.score_sums import ratio_sums
from distilkobert.tokenizers.kobert import KoBertTokenizer
from distilkobert.tokenizers.loading import TextEncoder


class AnsweringCodec(Codec):
    """Rows are questions, each with the row of its context under `context`.

    Questions have `id`, `ids`, `gold` (texts of the answers, an empty one where there is no answer), `impossible`,
    `first` and `last` (pieces of the first answer in the context, -1 where it has none); contexts have `text`, `ids`,
    `starts` and `ends` (spans of characters, empty in the original's way).

    Raises:
        ValueError: question, stride and context do not fit into an input; or `reference_decoding` with another
            tokenizer than KoBERT's.
    """

    def __init__(self, encoder: TextEncoder, settings: InputSettings, labels: Sequence[str] = ()) -> None:
        super().__init__(encoder, settings, labels)
        if settings.reference_decoding and not isinstance(encoder, KoBertTokenizer):
            raise ValueError(
                "reference_decoding is on, but the tokenizer is not a KoBERT tokenizer, whose pieces the original "
                "searches; set reference_decoding to false, or name a folder with KoBERT's *.model and vocab.txt"
            )
        self.windows = WindowSettings(
            settings.max_length, settings.stride, settings.max_question, self.frame.special_count(2)
        )

    def encode(self, paragraphs: Iterable[Paragraph]) -> tuple[list[Row], list[Row]]:
        """Contexts and questions of a file; `context` of a question is the number of its context.

        Raises:
            ValueError: a context or a question has no piece; names file, line, article, paragraph and question.
        """
        contexts: list[Row] = []
        questions: list[Row] = []
        for paragraph in paragraphs:
            context = self.encode_context(paragraph.context)
            _require_pieces(context.ids, paragraph.where, "context")
            for number, question in enumerate(paragraph.questions):
                ids = self._encode_question(question.text)
                where = paragraph.where.inner("qas", number, name=f"question {question.id!r}")
                _require_pieces(ids, where, "question")
                first, last = (question.answers and context.place(question.answers[0])) or (-1, -1)
                row = {"id": question.id, "title": paragraph.title, "context": len(contexts), "ids": ids}
                row |= {"pieces": len(ids), "context_pieces": len(context.ids), "first": first, "last": last}
                gold = [NO_ANSWER] if question.impossible else [answer.text for answer in question.answers]
                questions.append({**row, "gold": gold, "impossible": question.impossible})
            contexts.append(context_row(paragraph.context, context))
        return contexts, questions

    def encode_context(self, text: str) -> EncodedContext:
        """Encode a context, words cut as `particles` says, or the original's way."""
        if self.settings.reference_decoding:
            tokenizer, context = self._reference_tokenizer, read_context(text, self._reference_tokenizer.tokenize)
            return EncodedContext(
                tokenizer.convert_tokens_to_ids(context.pieces),
                (),
                lambda answer: reference_answer_pieces(context, answer.text, answer.start, tokenizer.tokenize),
            )
        ids, spans = encode_text(text, self.encoder.encode_with_offsets, self.settings.particles)
        return EncodedContext(
            ids, spans, lambda answer: answer_pieces(spans, answer.start, answer.start + len(answer.text))
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """Question and context."""
        return ("question", "context")

    def read(self, texts: Sequence[str]) -> Row:
        """See the base class."""
        question, context = texts
        row = {"id": "", "ids": self._encode_question(question), "gold": [], "first": -1, "last": -1}
        row["context"] = context_row(context, self.encode_context(context))
        self.build(row)  # refuses texts without a piece here, where the line is known
        return row

    def build(self, row: Row) -> list[Window]:
        """All windows of a question.

        Raises:
            ValueError: question or context has no piece.
        """
        return build_windows(row["ids"], row["context"]["ids"], self.windows, self.frame)

    def batch(self, rows: Sequence[Row], numbers: Sequence[int]) -> Batch:
        """All windows of the questions: what `window_batch` gives, and `questions`, one object a question."""
        chosen: list[tuple[Row, Window]] = []
        questions: list[QuestionWindows] = []
        for row, number in zip(rows, numbers, strict=True):
            windows, context = self.build(row), row["context"]
            reference_context = self._reference_context(context["text"]) if self.settings.reference_decoding else None
            offsets = tuple(zip(context["starts"], context["ends"], strict=True))
            questions.append(
                QuestionWindows(
                    id=row["id"],
                    row=number,
                    context=context["text"],
                    gold=tuple(row["gold"]),
                    rows=range(len(chosen), len(chosen) + len(windows)),
                    windows=tuple(windows),
                    offsets=offsets if reference_context is None else reference_offsets(reference_context),
                    particles=self.settings.particles,
                    reference_context=reference_context,
                    unanswerable=self.settings.unanswerable,
                    threshold=self.settings.no_answer_threshold,
                )
            )
            chosen += [(row, window) for window in windows]
        return {**self.window_batch(chosen), "questions": questions}

    def window_batch(self, chosen: Sequence[tuple[Row, Window]]) -> Batch:
        """`input_ids`, `attention_mask`, `token_type_ids` (B, T), `start_positions` and `end_positions` (B,).

        A window without the whole answer is labelled with its [CLS].

        Args:
            chosen: questions and one window of each.
        """
        windows = [window for _, window in chosen]
        labels = [
            window_label(window, None if row["first"] < 0 else (row["first"], row["last"])) for row, window in chosen
        ]
        starts, ends = zip(*labels, strict=True)
        ids, segments = [window.input_ids for window in windows], [window.segment_ids for window in windows]
        return {
            **padded_inputs(ids, segments, self.frame.pad),
            "start_positions": torch.tensor(starts),
            "end_positions": torch.tensor(ends),
        }

    @staticmethod
    def records(batch: Mapping[str, Any], logits: Sequence[Tensor], labels: Sequence[str]) -> list[Record]:
        """Row, id, gold answers, answer given, answer before stripping, place in the context, and probability."""
        starts, ends = (values.float().cpu().numpy() for values in logits)
        records = []
        questions: list[QuestionWindows] = batch["questions"]
        for question in questions:
            rows = slice(question.rows.start, question.rows.stop)
            scores = list(starts[rows]), list(ends[rows])
            best = question.answer(*scores)
            # Without a single character among the best spans the question stays unanswered, which scores 0.
            raw = best[0] if best else Answer(NO_ANSWER, 0, 0, 0.0, 0.0)
            given = question.given(raw)
            record = {
                "row": question.row,
                "id": question.id,
                "gold": list(question.gold),
                "predicted": given.text,
                "raw": raw.text,
                "start": given.start,
                "end": given.end,
                "probability": given.probability,
            }
            if question.unanswerable:
                record |= {"best": record["predicted"], "best_raw": record["raw"], "place": [given.start, given.end]}
                record["no_answer"] = question.margin(*scores, best[0] if best else None)
                record = decided(record, question.threshold)
            records.append(record)
        return records

    def line(self, record: Record, text: str) -> str:
        """Answer, START-END in the context, and probability; or a dash."""
        if not record["end"]:
            return "-"
        return f"{as_column(record['predicted'])}\t{record['start']}-{record['end']}\t{record['probability']:.4f}"

    @staticmethod
    def counts(records: Sequence[Mapping[str, Any]]) -> Counts:
        """Of exact match and F1 by KorQuAD's rules, and of KLUE's ROUGE-W, each question's of 1."""
        answers = [(record["predicted"], record["gold"]) for record in records]
        scores = [(*best_scores(given, golds), rouge_w(given, golds)) for given, golds in answers]
        columns = [np.array(values, dtype=np.float64) for values in zip(*scores, strict=True)]
        titles = ("EM", "F1", "ROUGE-W")
        return {title: ratio_sums(column, np.ones_like(column)) for title, column in zip(titles, columns, strict=True)}

    def _encode_question(self, text: str) -> list[int]:
        if self.settings.reference_decoding:
            return [int(number) for number in self.encoder.encode_batch([text])[0]]
        return encode_text(text, self.encoder.encode_with_offsets, self.settings.particles)[0]

    @property
    def _reference_tokenizer(self) -> KoBertTokenizer:
        assert isinstance(self.encoder, KoBertTokenizer)  # checked at the start
        return self.encoder

    def _reference_context(self, text: str) -> ReferenceContext:
        return read_reference_context(text, self._reference_tokenizer)


def _require_pieces(ids: Sequence[int], where: JsonPlace, name: str) -> None:
    if not ids:
        raise ValueError(
            f"{where}: the {name} has no piece: it is all white space or combining marks; correct the file"
        )
