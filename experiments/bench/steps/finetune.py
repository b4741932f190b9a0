"""How fast examples of each task kind are trained on: batches of like lengths, against padding all to one length.

Both ways train the same network of transformers with the head of the kind, on the same random examples, for one pass.
The naive way takes them as they come and pads every one to the longest length that is allowed, as the original does
(monologg/KoBERT-nsmc, data_loader.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from jsonargparse import Namespace

from distilkobert.models.teachers import EncoderSpec
from distilkobert.tasks.kinds import (
    KINDS,
    MULTI_LABEL_CLASSIFICATION,
    QUESTION_ANSWERING,
    SEQUENCE_REGRESSION,
    TaskName,
    kind_named,
)
from experiments._shared.machine.processor import processor_name
from experiments._shared.quiet import quieten_transformers
from experiments.bench.steps.distil import NAIVE, OURS
from experiments.bench.steps.distilling import PAD
from experiments.bench.timing.threads import torch_threads
from experiments.bench.timing.turns import Clock, Turns, gives_speed, take_turns

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

VOCAB_SIZE, CLASSES = 8002, 3
SHORTEST: Final = 8
LR = 5e-5


@dataclass(frozen=True)
class FineTuningPass:
    """What is trained in one pass.

    Args:
        encoder: shape of the network.
        examples: number of them.
        batch: examples of a step.
        length: most tokens of an example; lengths are spread evenly in logarithms from 8 on.
        rounds: passes of each way that count.
        threads: of torch; by default its own number.
        clock: time that passes, or processor time.
    """

    encoder: EncoderSpec
    examples: int = 256
    batch: int = 32
    length: int = 64
    rounds: int = 5
    threads: int | None = None
    clock: Clock = "wall"

    def __post_init__(self) -> None:
        for name, least in (("examples", 1), ("batch", 1), ("length", SHORTEST), ("rounds", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least {least}")


def bench_finetune(kind: TaskName, what: FineTuningPass) -> Turns:
    """Seconds of a pass of each way.

    Raises:
        ValueError: a setting is out of range.
    """
    import numpy as np

    from distilkobert.batching import TokenBudgetSampler

    generator = np.random.default_rng(0)
    lengths = np.exp(generator.uniform(np.log(SHORTEST), np.log(what.length), what.examples)).round().astype(int)
    sampler = TokenBudgetSampler(lengths, what.batch * what.length, 0, max_sequences=what.batch)
    alike = [key.rows for key in sampler]
    order = [
        list(range(start, min(start + what.batch, what.examples))) for start in range(0, what.examples, what.batch)
    ]
    with torch_threads(what.threads):
        network = make_network(kind, what.encoder)
        batches = {
            OURS: [make_batch(kind, lengths[rows], int(lengths[rows].max())) for rows in alike],
            NAIVE: [make_batch(kind, lengths[rows], what.length) for rows in order],
        }
        train = trainer_of(network)
        ways = {way: partial(_all, train, found) for way, found in batches.items()}
        return take_turns(ways, what.rounds, what.clock)


def make_network(kind: TaskName, encoder: EncoderSpec) -> "PreTrainedModel":
    """A BERT with random weights and the head of a task kind."""
    import torch

    from distilkobert.io.pretrained import build_from_config
    from distilkobert.models.teachers import build_encoder

    torch.manual_seed(0)
    config: Any = build_encoder(encoder, vocab_size=VOCAB_SIZE, pad_token_id=PAD).config
    found = kind_named(kind)
    outputs = {SEQUENCE_REGRESSION: 1, QUESTION_ANSWERING: 2}
    config.num_labels = outputs.get(found, CLASSES)
    config.problem_type = found.problem_type
    network: PreTrainedModel = build_from_config(found.auto_class, config)
    network.train()
    return network


def make_batch(kind: TaskName, lengths: Any, width: int) -> "dict[str, torch.Tensor]":
    """Inputs and labels of examples of these lengths, padded to one width."""
    import torch

    generator = torch.Generator().manual_seed(0)
    rows = len(lengths)
    ids = torch.randint(5, VOCAB_SIZE, (rows, width), generator=generator)
    mask = (torch.arange(width) < torch.as_tensor(lengths)[:, None]).long()
    batch = {"input_ids": ids.masked_fill(mask == 0, PAD), "attention_mask": mask}
    if kind == "question_answering":
        return {**batch, "start_positions": torch.ones(rows, dtype=torch.long), "end_positions": mask.sum(1) - 1}
    if kind == "token_classification":
        return {**batch, "labels": (ids % CLASSES).masked_fill(mask == 0, -100)}
    if kind == MULTI_LABEL_CLASSIFICATION.name:
        return {**batch, "labels": (ids[:, :CLASSES] % 2).float()}
    labels = ids[:, 0] % CLASSES
    return {**batch, "labels": labels.float() if kind == SEQUENCE_REGRESSION.name else labels}


def trainer_of(network: "PreTrainedModel") -> "Callable[[dict[str, torch.Tensor]], None]":
    """An optimizer step with the network's own loss."""
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), lr=LR)

    def train(batch: "dict[str, torch.Tensor]") -> None:
        optimizer.zero_grad()
        network(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    return train


def _all(train: "Callable[[dict[str, torch.Tensor]], None]", batches: "list[dict[str, torch.Tensor]]") -> None:
    for batch in batches:
        train(batch)


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    quieten_transformers()
    width = options.hidden_size
    encoder = EncoderSpec(options.layers, width, options.heads, 4 * width)
    what = FineTuningPass(
        encoder, options.examples, options.batch, options.length, options.rounds, options.threads, options.clock
    )
    with torch_threads(options.threads) as threads:
        print(
            f"{processor_name()}, threads: {threads}; {options.layers} x {width}, {options.examples} examples of up to "
            f"{options.length} tokens, {options.clock} time"
        )
    numbers = {}
    for kind in options.kinds or [kind.name for kind in KINDS]:
        turns = bench_finetune(kind, what)
        speed = options.examples / turns.spread(OURS).median if gives_speed(options.clock, threads) else None
        said = f"{speed:,.0f} examples/s, " if speed else ""
        print(f"{kind}: {said}{turns.ratio(OURS, NAIVE).text('.2f')} times the naive way")
        numbers[kind] = {"examples_per_s": speed, "ways": turns.as_json(NAIVE)}
    return {
        "processor": processor_name(), "threads": threads, "clock": options.clock, "layers": options.layers,
        "hidden_size": width, "kinds": numbers,
    }  # fmt: skip
