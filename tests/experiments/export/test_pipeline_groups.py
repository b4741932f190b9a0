"""A tagger that has learnt its labels perfectly, read by transformers' own pipeline through the exported tokenizer."""

from itertools import pairwise
from typing import Any

import torch
from seqeval.metrics.sequence_labeling import get_entities
from transformers import DistilBertConfig, DistilBertForTokenClassification, TokenClassificationPipeline
from transformers.modeling_outputs import TokenClassifierOutput

from datamodules import KlueNERDataModule
from distilkobert import KoBertTokenizer
from distilkobert.tasks.tags.labels import KLUE_NER_LABELS
from tests.support.tasks.data import Make, unpadded

pytest_plugins = ["tests.support.tasks.fixtures"]

Group = tuple[str, int, int]
UNTAUGHT = KLUE_NER_LABELS.index("B-PS")
"""What the tagger says where it was taught nothing."""


Answers = dict[tuple[int, ...], list[int]]


def entities(tags: list[str]) -> list[Group]:
    return [(kind, first, last + 1) for kind, first, last in get_entities(tags)]


def tagger(tiny_tokenizer: KoBertTokenizer, answers: Answers) -> DistilBertForTokenClassification:
    """Says for each known input what `answers` has."""
    config = DistilBertConfig(
        vocab_size=tiny_tokenizer.vocab_size, dim=8, hidden_dim=8, n_layers=1, n_heads=1, pad_token_id=1,
        id2label=dict(enumerate(KLUE_NER_LABELS)), label2id={name: i for i, name in enumerate(KLUE_NER_LABELS)},
    )  # fmt: skip

    def forward(input_ids: torch.Tensor, **_: Any) -> TokenClassifierOutput:
        labels = torch.tensor(answers[tuple(input_ids[0].tolist())])
        return TokenClassifierOutput(logits=torch.nn.functional.one_hot(labels, len(KLUE_NER_LABELS))[None].float())

    model = DistilBertForTokenClassification(config).eval()
    model.forward = forward  # type: ignore[method-assign]
    return model


def test_groups_have_text_do_not_overlap_and_are_the_entities_that_test_reads(
    make: Make, tiny_tokenizer: KoBertTokenizer
) -> None:
    data = make(KlueNERDataModule, max_length=512)
    expected: dict[str, list[Group]] = {}
    answers: Answers = {}
    mark = tiny_tokenizer.convert_tokens_to_ids(["▁"])[0]
    marks_before_entities = 0
    for batch in data.test_dataloader():
        rows = zip(unpadded(batch), unpadded(batch, "labels"), batch["examples"], strict=True)
        for ids, labels, example in rows:
            tags = [KLUE_NER_LABELS[label if label >= 0 else UNTAUGHT] for label in labels]
            answers[tuple(ids)] = [KLUE_NER_LABELS.index(tag) for tag in tags]
            expected["".join(example.words)] = entities(example.predicted_tags(tags))
            marks_before_entities += sum(
                number == mark and after[0] == "B" for number, (_, after) in zip(ids, pairwise(tags), strict=False)
            )
    assert marks_before_entities > 10
    tokenizer = tiny_tokenizer.to_transformers(segment_ids=False)
    model = tagger(tiny_tokenizer, answers)
    ask = TokenClassificationPipeline(model=model, tokenizer=tokenizer, aggregation_strategy="simple")
    for text, groups in expected.items():
        said = ask(text)
        assert all(group["word"].strip() for group in said), (text, said)
        assert all(before["end"] <= after["start"] for before, after in pairwise(said)), (text, said)
        assert [(group["entity_group"], group["start"], group["end"]) for group in said] == groups, text


def test_the_scores_do_not_read_what_is_said_of_a_mark(make: Make) -> None:
    data, marks = make(KlueNERDataModule, max_length=512), 0
    for batch in data.test_dataloader():
        for example in batch["examples"]:
            marks += sum(start == end for start, end in example.offsets)
            read = [
                example.predicted_tags(
                    ["O", *(mark if start == end else "I-LC" for start, end in example.offsets), "O"]
                )
                for mark in ("O", "B-PS", "I-LC")
            ]
            assert read[0] == read[1] == read[2]
    assert marks > 0
