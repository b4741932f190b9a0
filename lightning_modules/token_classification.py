"""Token classification: entities by one tag per piece (Naver NER, KLUE-NER)."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.metrics import EntityF1
from distilkobert.metrics.entities import UNKNOWN_TAG, lenient_entities, tag_type
from distilkobert.models.dropout import NO_CHANGE, DropoutSpec
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.examples import TaggedExample, WordExample
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import TOKEN_CLASSIFICATION
from lightning_modules.finetuning import FINE_TUNING, Batch, FineTuning, Record, TaskOutput


class TokenClassification(FineTuning):
    """An encoder under transformers' token classification head, scored by entities (0 to 1).

    `precision`, `recall`, `f1` and, on the test part, `f1_TYPE` are seqeval's over all words or characters, those that
    truncation cut off counting as O; `f1_kept` leaves them out, as the original's metric does; `f1_strict` takes
    entities by strict IOB2. All but `f1_TYPE` are micro averages over entities. KLUE's own scores of KLUE-NER are macro
    averages: over the entity types (strict IOB2), and over the tags of characters.

    Args:
        init_from: encoder to start from: exported folder, checkpoint of this project, or hub id.
        labels: all tags; filled in from the data.
        suffix_tags: tags are written PER-B (Naver) and not B-PS (KLUE); filled in from the data.
        optimizer: AdamW and its schedule.
        dropout: dropout of the encoder in training, where it is not to be its own.
        vocab_size: pieces of the data's tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        input_settings: how texts become inputs; filled in from the data.
    """

    batch_keys = ("labels", "examples", "rows")

    def __init__(
        self,
        init_from: str,
        labels: Sequence[str],
        suffix_tags: bool = False,
        optimizer: OptimizerSpec = FINE_TUNING,
        dropout: DropoutSpec = NO_CHANGE,
        vocab_size: int | None = None,
        pad_token_id: int | None = None,
        input_settings: InputSettings | None = None,
    ) -> None:
        super().__init__(
            kind=TOKEN_CLASSIFICATION,
            init_from=init_from,
            optimizer=optimizer,
            dropout=dropout,
            labels=labels,
            input_settings=input_settings,
            vocab_size=vocab_size,
            pad_token_id=pad_token_id,
        )
        self.suffix_tags = suffix_tags
        self.entities = EntityF1(labels, suffix=suffix_tags)
        self.kept_entities = EntityF1(labels, suffix=suffix_tags)
        self.strict_entities = EntityF1(labels, suffix=suffix_tags, strict=True)

    def task_loss(self, batch: Batch, logits: tuple[Tensor, ...]) -> TaskOutput:
        """Cross-entropy over the pieces that carry a label; logits (B, T, labels)."""
        labels = batch["labels"].flatten()
        count = (labels != IGNORE_INDEX).sum()  # not a Python number: that would wait for the device
        total = F.cross_entropy(logits[0].flatten(0, 1).float(), labels, ignore_index=IGNORE_INDEX, reduction="sum")
        return TaskOutput(total / count.clamp(min=1), count, logits)

    @property
    def classes(self) -> tuple[str, ...]:
        """The entity types, then O, then UNK where it is a label."""
        types = dict.fromkeys(tag_type(label, self.suffix_tags) for label in self.labels)
        outside = [name for name in ("O", UNKNOWN_TAG) if name in types]
        return (*(name for name in types if name not in outside), *outside)

    def confusions(self, record: Record) -> list[tuple[str, str]]:
        """The type of every word or character, whether it opens an entity or continues one."""
        pairs = zip(record["gold"], record["predicted"], strict=True)
        return [(tag_type(gold, self.suffix_tags), tag_type(guess, self.suffix_tags)) for gold, guess in pairs]

    def shown_answers(self, batch: Batch, number: int, record: Record) -> tuple[str, str]:
        """The entities, each as its type and its text."""
        joint = " " if isinstance(batch["examples"][number], WordExample) else ""

        def listed(tags: list[str]) -> str:
            found = lenient_entities(tags, self.suffix_tags)
            return ", ".join(f"{e.type} {joint.join(record['units'][e.start : e.end])}" for e in found) or "-"

        return listed(record["gold"]), listed(record["predicted"])

    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """Count the entities."""
        golds = [record["gold"] for record in records]
        guesses = [record["predicted"] for record in records]
        self.entities.update(guesses, golds)
        self.strict_entities.update(guesses, golds)
        examples: list[TaggedExample] = batch["examples"]
        kept = [example.kept for example in examples]
        self.kept_entities.update(
            [tags[:end] for tags, end in zip(guesses, kept, strict=True)],
            [tags[:end] for tags, end in zip(golds, kept, strict=True)],
        )

    def scores(self, stage: str) -> dict[str, Tensor]:
        """Scores over all units, and the F1 of the two other ways to count."""
        values = self.entities.compute()
        if stage != "test":
            values = {name: value for name, value in values.items() if not name.startswith("f1_")}
        values |= {"f1_kept": self.kept_entities.compute()["f1"], "f1_strict": self.strict_entities.compute()["f1"]}
        for metric in (self.entities, self.kept_entities, self.strict_entities):
            metric.reset()
        return values
