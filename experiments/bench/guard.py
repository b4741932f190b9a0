"""Refuse a change that makes steps slower: their ratio to the naive ones must keep most of what is stored.

A ratio of two ways in turns depends less on the machine than a speed does, but not on the code alone (docs/log.md):
what is stored is of a busy machine, where it was low.
"""

import json
from pathlib import Path
from typing import Any, Final

from jsonargparse import Namespace

from distilkobert.io.run_files import write_json
from distilkobert.models.teachers import EncoderSpec
from experiments._shared.quiet import quieten_lightning, quieten_transformers
from experiments.bench.steps.distil import NAIVE, OURS, make_ways
from experiments.bench.steps.distilling import Distilling, make_batch
from experiments.bench.steps.pretrain import make_steps
from experiments.bench.timing.threads import torch_threads
from experiments.bench.timing.turns import take_turns

KEPT: Final = 0.8
"""Share of a stored ratio that must be reached."""
ROUNDS: Final = 5
SHAPE: Final = Distilling(EncoderSpec(6, 128, 2, 512), (0, 2, 4), 8002, batch=8, length=64)
"""Small, and with a vocabulary that makes logits of every place dear, as at KoBERT's size."""


def ratios() -> dict[str, float]:
    """How many times as fast as a naive step the step of each module is: medians of processor time."""
    quieten_transformers()
    quieten_lightning()
    with torch_threads(1):
        batch = make_batch(SHAPE)
        ways = {name: way for name, way in make_ways(SHAPE, batch).items() if name in (OURS, NAIVE)}
        measured = {"distil": take_turns(ways, ROUNDS, "cpu")}
        measured["pretrain"] = take_turns(make_steps(SHAPE, batch), ROUNDS, "cpu")
    return {name: turns.ratio(OURS, NAIVE).median for name, turns in measured.items()}


def main(options: Namespace) -> dict[str, Any]:
    """Measure and compare, or store.

    Raises:
        FileNotFoundError: nothing is stored.
        ValueError: a ratio is less than it may be.
    """
    path = Path(options.stored)
    found = ratios()
    if options.store:
        write_json(path, found)
        print(f"{path}: stored {found}")
        return found
    if not path.is_file():
        raise FileNotFoundError(f"--stored={path}: no such file; write it with --store")
    stored: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    for name, ratio in found.items():
        print(f"{name}: {ratio:.2f} times the naive step, stored {stored[name]:.2f}")
    slow = [name for name, ratio in found.items() if ratio < KEPT * stored[name]]
    if slow:
        raise ValueError(
            f"{', '.join(slow)}: less than {KEPT} of the stored ratio in {path}. Find what became slower with "
            "`experiments.bench distil`; if it must be so, say why in docs/log.md and store it with --store"
        )
    return found
