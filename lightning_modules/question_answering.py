"""Extractive question answering: the first and the last piece of the answer (KorQuAD)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import MeanMetric
from transformers import PreTrainedModel

from distilkobert.metrics import KorQuadScore
from distilkobert.metrics.klue_mrc import rouge_w as rouge_w_score
from distilkobert.metrics.korquad import NO_ANSWER, best_scores, write_predictions
from distilkobert.metrics.squad_v2 import AbstainingScores, v2_scores
from distilkobert.models.dropout import NO_CHANGE, DropoutSpec
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import ENTRY, InputSettings
from distilkobert.tasks.kinds import QUESTION_ANSWERING
from distilkobert.tasks.questions.no_answer import decided
from lightning_modules.finetuning import FINE_TUNING, Batch, FineTuning, Record, TaskOutput

_SCORED = ("exact_match", "f1", "exact_match_raw", "f1_raw", "v2_exact", "v2_f1")
"""What answers are scored by where there may be none."""


class QuestionAnswering(FineTuning):
    """An encoder with transformers' question-answering head, scored by the official rules of KorQuAD 1.0 (per cent).

    `exact_match` and `f1` score the final answers, `exact_match_raw` and `f1_raw` the answers before a trailing
    particle was stripped. `rouge_w`, if requested, is KLUE's score of the final answers.

    Questions without an answer train [CLS]. The model gives no answer if [CLS] scores better than the best answer by
    more than a threshold. Every validation selects the threshold with the best F1 on the dev split and saves it with
    the network. For questions without an answer, the empty answer is correct. `v2_exact` and `v2_f1` follow the rules
    of SQuAD 2.0, which compare words; `has_answer_...` covers the questions with an answer, `no_answer_accuracy` the
    others.

    Args:
        init_from: encoder to start from: exported folder, checkpoint of this project, or hub id.
        optimizer: AdamW and its schedule.
        dropout: dropout of the encoder in training, where it is not to be its own.
        vocab_size: pieces of the data's tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        input_settings: how texts become inputs and outputs become answers; filled in from the data.
        rouge_w: also score by KLUE-MRC's ROUGE-W; filled in from the data.
    """

    logit_names = ("start_logits", "end_logits")
    batch_keys = ("start_positions", "end_positions")

    def __init__(
        self,
        init_from: str,
        optimizer: OptimizerSpec = FINE_TUNING,
        dropout: DropoutSpec = NO_CHANGE,
        vocab_size: int | None = None,
        pad_token_id: int | None = None,
        input_settings: InputSettings | None = None,
        rouge_w: bool = False,
    ) -> None:
        super().__init__(
            kind=QUESTION_ANSWERING,
            init_from=init_from,
            optimizer=optimizer,
            dropout=dropout,
            labels=(),
            input_settings=input_settings,
            vocab_size=vocab_size,
            pad_token_id=pad_token_id,
        )
        self.given = KorQuadScore()
        self.raw = KorQuadScore()
        self.rouge_w = MeanMetric().set_dtype(torch.float64) if rouge_w else None
        self.abstaining = AbstainingScores((*_SCORED, *(["rouge_w"] if rouge_w else [])))

    def task_loss(self, batch: Batch, logits: tuple[Tensor, ...]) -> TaskOutput:
        """Mean of the cross-entropies of answer start and end, over windows; two logits (B, T)."""
        targets = (batch["start_positions"], batch["end_positions"])
        start, end = (F.cross_entropy(row.float(), target) for row, target in zip(logits, targets, strict=True))
        return TaskOutput((start + end) / 2, len(logits[0]), logits)

    @property
    def unanswerable(self) -> bool:
        """Whether questions may have no answer."""
        return self.input_settings is not None and self.input_settings.unanswerable

    @property
    def threshold(self) -> float:
        """How much better [CLS] must score than the best answer for none to be given."""
        return float(self.network.config.task_inputs["no_answer_threshold"])

    def settings_kept(self, model: PreTrainedModel, settings: InputSettings) -> InputSettings:
        """The data's settings with the threshold that the network was trained to."""
        entry = getattr(model.config, ENTRY, None) or {}
        return replace(settings, no_answer_threshold=entry.get("no_answer_threshold", settings.no_answer_threshold))

    def records(self, batch: Batch, output: TaskOutput) -> list[Record]:
        """See the base class; answers are given or not by the network's threshold."""
        found = super().records(batch, output)
        return [decided(record, self.threshold) for record in found] if self.unanswerable else found

    def is_right(self, record: Record) -> bool:
        """Whether the answer matches one of the true ones exactly."""
        return best_scores(record["predicted"], record["gold"])[0]

    def shown_ids(self, batch: Batch, number: int) -> list[int]:
        """The question: all of its first window before the context."""
        window = batch["questions"][number].windows[0]
        return list(window.input_ids[: window.context_start])

    def shown_answers(self, batch: Batch, number: int, record: Record) -> tuple[str, str]:
        """The true answers and the one given."""
        return " / ".join(dict.fromkeys(record["gold"])) or "-", record["predicted"] or "-"

    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """Count the questions."""
        if self.unanswerable:
            answered = [self._scored(record) for record in records]
            impossible = [record["gold"] == [NO_ANSWER] for record in records]
            self.abstaining.update([record["no_answer"] for record in records], answered, impossible)
            return
        golds = {record["id"]: record["gold"] for record in records}
        self.given.update({record["id"]: record["predicted"] for record in records}, golds)
        self.raw.update({record["id"]: record["raw"] for record in records}, golds)
        if self.rouge_w is not None and records:
            scores = [100 * rouge_w_score(record["predicted"], record["gold"]) for record in records]
            self.rouge_w.update(torch.tensor(scores, dtype=torch.float64, device=self.device))

    def scores(self, stage: str) -> dict[str, Tensor]:
        """Both scores of the answers given and of the raw ones."""
        if self.unanswerable:
            return self._abstaining_scores(stage)
        values = self.given.compute() | {f"{name}_raw": value for name, value in self.raw.compute().items()}
        self.given.reset()
        self.raw.reset()
        if self.rouge_w is not None:
            values["rouge_w"] = self.rouge_w.compute()
            self.rouge_w.reset()
        return values

    def _abstaining_scores(self, stage: str) -> dict[str, Tensor]:
        found, threshold = self.abstaining.scores(None if stage == "val" else self.threshold)
        self.abstaining.reset()
        self.network.config.task_inputs["no_answer_threshold"] = threshold
        values = {**found, "no_answer_threshold": threshold}
        return {name: torch.tensor(value, device=self.device) for name, value in values.items()}

    def save_predictions(self, folder: Path, stem: str, records: Sequence[Record]) -> None:
        """Write the details, and `<stem>.json` in the official format."""
        super().save_predictions(folder, stem, records)
        write_predictions(folder / f"{stem}.json", {record["id"]: record["predicted"] for record in records})

    def _scored(self, record: Record) -> list[float]:
        """What the best answer of a record scores if it is given, by each name of `abstaining`."""
        given, raw = (best_scores(record[name], record["gold"]) for name in ("best", "best_raw"))
        by_klue = [] if self.rouge_w is None else [rouge_w_score(record["best"], record["gold"])]
        return [*map(float, (*given, *raw, *v2_scores(record["best"], record["gold"]), *by_klue))]
