"""What the loader of a corpus gives one process, and what it costs to pad batches to few lengths."""

import time
from typing import Any

from jsonargparse import Namespace

from experiments._shared.machine.processor import processor_name
from experiments.bench.timing.turns import Spread


def main(options: Namespace) -> dict[str, Any]:
    """Make batches, print and give the numbers.

    Raises:
        FileNotFoundError: corpus or tokenizer does not exist.
        ValueError: a setting is out of range, or the two do not belong together.
    """
    if options.batches < 1:
        raise ValueError(f"batches is {options.batches}; expected at least 1")
    print(f"{processor_name()}; batches of {options.max_tokens:,} tokens, processor time of one process")
    ways = {}
    for multiple in options.multiples:
        found = ways[str(multiple)] = measure(options, multiple)
        print(
            f"multiples of {multiple}: {found['shapes']} shapes, {found['padding']:.1%} padding, "
            f"{1000 * found['seconds'][1]:.2f} ms per batch, {found['tokens_per_s']:,.0f} tokens/s"
        )
    return {"processor": processor_name(), "max_tokens": options.max_tokens, "ways": ways}


def measure(options: Namespace, multiple: int) -> dict[str, Any]:
    """Shapes and padding of an epoch's first batches, and the processor time that it takes to read and mask them.

    Args:
        options: of the command.
        multiple: tokens to a multiple of which batches are padded.
    """
    from datamodules import CorpusDataModule

    data = CorpusDataModule(
        options.corpus, options.tokenizer, max_tokens=options.max_tokens, pad_to_multiple_of=multiple
    )
    loader = data.train_dataloader()
    seconds, shapes, real, padded = [], set(), 0, 0
    for key in list(loader.sampler)[: options.batches]:
        started = time.process_time()
        batch = loader.dataset[key]
        seconds.append(time.process_time() - started)
        shapes.add(tuple(batch["input_ids"].shape))
        real += int(batch["attention_mask"].sum())
        padded += batch["input_ids"].numel()
    spread = Spread.of(seconds)
    return {
        "shapes": len(shapes), "padding": 1 - real / padded, "seconds": list(vars(spread).values()),
        "tokens_per_s": real / len(seconds) / spread.median,
    }  # fmt: skip
