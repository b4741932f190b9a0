"""A teacher in int8: how much faster the step is, and how far what it teaches moves.

A step is that of `distil`, of the teacher that is named, over a held-out batch of its corpus. What moves is measured
over masked tokens: the teacher's own loss, how often its most likely piece stays, and the Kullback-Leibler divergence
between both distributions at the temperature of 1.
"""

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from jsonargparse import Namespace

from experiments._shared.machine.processor import int8_instructions, processor_name
from experiments._shared.quiet import quieten_lightning, quieten_transformers
from experiments.bench.steps.distil import step_of
from experiments.bench.steps.distilling import Option, module_of
from experiments.bench.timing.threads import torch_threads
from experiments.bench.timing.turns import take_turns

if TYPE_CHECKING:
    from torch import Tensor

    from datamodules.batches.loading import Batch
    from lightning_modules import Distillation

EXACT, INT8 = "step", "step, int8 teacher"
EXACT_PASS, INT8_PASS = "teacher pass", "teacher pass, int8"
OPTIONS: dict[str, Option | None] = {EXACT: None, INT8: "int8_teacher"}


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers.

    Raises:
        FileNotFoundError: teacher, corpus or tokenizer is missing.
        ValueError: they do not fit together, or the corpus has no validation part.
    """
    from datamodules import CorpusDataModule

    quieten_transformers()
    quieten_lightning()
    data = CorpusDataModule(options.corpus, options.tokenizer, options.tokens)
    data.setup("test")
    batches: list[Batch] = list(islice(iter(data.val_dataloader()), options.batches))  # type: ignore[arg-type]
    layers = tuple(options.student_layers)
    modules = {
        way: module_of(options.teacher, layers, data.vocab_size, data.pad_token_id, data.max_length, option)
        for way, option in OPTIONS.items()
    }
    with torch_threads(options.threads) as threads:
        changes = moved(modules[EXACT], modules[INT8], batches)
        ways: dict[str, Callable[[], object]] = {way: step_of(one, batches[0]) for way, one in modules.items()}
        ways[EXACT_PASS] = partial(taught, modules[EXACT], batches[0])
        ways[INT8_PASS] = partial(taught, modules[INT8], batches[0])
        turns = take_turns(ways, options.rounds, options.clock)
    shape = modules[EXACT].teacher_run.model.config
    tokens = int(batches[0]["attention_mask"].sum())
    print(
        f"{processor_name()} ({int8_instructions()}), threads: {threads}; {shape.num_hidden_layers} x "
        f"{shape.hidden_size} into {len(layers)} layers, {tokens} tokens per step, {options.clock} time"
    )
    for fast, slow in ((INT8, EXACT), (INT8_PASS, EXACT_PASS)):
        print(
            f"{fast}: {turns.spread(fast).text()} s, {turns.ratio(fast, slow).text('.2f')} times as fast as in float32"
        )
    print(
        f"over {changes['masked_tokens']:,} masked tokens: loss {changes['loss']:.4f} -> {changes['int8_loss']:.4f}, "
        f"agreement {changes['agreement']:.4f}, divergence {changes['divergence']:.5f}"
    )
    return {
        "processor": processor_name(), "int8_instructions": int8_instructions(), "threads": threads,
        "layers": shape.num_hidden_layers, "hidden_size": shape.hidden_size, "student_layers": len(layers),
        "tokens": tokens, "clock": options.clock, "ways": turns.as_json(EXACT), "changes": changes,
    }  # fmt: skip


def taught(module: "Distillation", batch: "Batch") -> "Tensor":
    """The teacher's logits at the masked tokens of a batch, (N, V)."""
    from torch import no_grad

    from distilkobert.models.heads import encode, masked_lm_logits

    model = module.teacher_run.model
    with no_grad():
        states = encode(model, batch["input_ids"], batch["attention_mask"])
        return masked_lm_logits(model, states.flatten(0, 1)[batch["masked_positions"]])


def moved(exact: "Distillation", near: "Distillation", batches: "list[Batch]") -> dict[str, float]:
    """What a teacher teaches, against what an exact one does; means over the masked tokens of some batches."""
    from torch.nn.functional import cross_entropy, kl_div

    sums = dict.fromkeys(("loss", "int8_loss", "agreement", "divergence"), 0.0)
    count = 0
    for batch in batches:
        labels = batch["labels"].flatten()[batch["masked_positions"]]
        expected, found = taught(exact, batch), taught(near, batch)
        sums["loss"] += cross_entropy(expected, labels, reduction="sum").item()
        sums["int8_loss"] += cross_entropy(found, labels, reduction="sum").item()
        sums["agreement"] += (expected.argmax(-1) == found.argmax(-1)).sum().item()
        logs = found.double().log_softmax(-1), expected.double().log_softmax(-1)
        sums["divergence"] += kl_div(*logs, reduction="sum", log_target=True).item()
        count += len(labels)
    return {**{name: value / count for name, value in sums.items()}, "masked_tokens": count}
