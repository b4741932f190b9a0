"""How many texts per second a classifier answers: `predict`'s way, against one text at a time through a pipeline."""

from functools import partial
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from experiments._shared.machine.processor import processor_name
from experiments._shared.quiet import quieten_transformers
from experiments.bench.steps.distil import NAIVE
from experiments.bench.timing.threads import torch_threads
from experiments.bench.timing.turns import Turns, take_turns

BATCHED = "batches"


def bench_inference(model: Path, texts: list[str], batch: int, rounds: int) -> Turns:
    """Seconds for all texts: in batches of the codec, and one at a time through transformers' pipeline.

    Args:
        model: exported folder of a classifier of single texts.
        texts: what is classified.
        batch: texts at a time.
        rounds: times that count.

    Raises:
        ValueError: the model is no such classifier.
    """
    import torch
    import transformers

    from distilkobert.io.pretrained import load_pretrained
    from distilkobert.models.checkpoints import load_model, task_of
    from distilkobert.models.checks import class_names, longest_input
    from distilkobert.tasks.input_settings import settings_of
    from distilkobert.tasks.kinds import SEQUENCE_CLASSIFICATION
    from distilkobert.tokenizers.loading import load_tokenizer

    kind = SEQUENCE_CLASSIFICATION
    network, missing = load_model(model, kind.name)
    if missing or task_of(network.config) != kind.name:
        raise ValueError(f"--model={model}: expected an exported classifier of texts, for example of NSMC")
    labels, longest = class_names(network), longest_input(network.config)
    codec = kind.load_codec()(
        load_tokenizer(str(model)), settings_of(network.config.to_dict(), labels, longest, str(model)), labels
    )
    make: Any = transformers.pipeline
    ask = make(kind.pipeline, model=network, tokenizer=load_pretrained(transformers.AutoTokenizer, model))

    def batched() -> None:
        for start in range(0, len(texts), batch):
            rows = [codec.read((text,)) for text in texts[start : start + batch]]
            made = codec.batch(rows, range(len(rows)))
            with torch.inference_mode():
                found = network(input_ids=made["input_ids"], attention_mask=made["attention_mask"])
            codec.records(made, [found.logits], labels)

    def one_at_a_time() -> None:
        for text in texts:
            ask(text, truncation=True)

    return take_turns({BATCHED: partial(batched), NAIVE: partial(one_at_a_time)}, rounds)


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    from distilkobert.synthetic.generation import generate_sentences

    quieten_transformers()
    if options.texts < 1 or options.batch < 1:
        raise ValueError(f"texts is {options.texts} and batch {options.batch}; expected at least 1")
    texts = generate_sentences(options.texts, seed=0)
    with torch_threads(options.threads) as threads:
        turns = bench_inference(Path(options.model), texts, options.batch, options.rounds)
    speed = options.texts / turns.spread(BATCHED).median
    print(
        f"{processor_name()}, threads: {threads}; {options.model}: {speed:,.0f} texts/s in batches of {options.batch}, "
        f"{turns.ratio(BATCHED, NAIVE).text('.2f')} times one at a time through a pipeline"
    )
    return {
        "processor": processor_name(), "threads": threads, "model": Path(options.model).name, "texts_per_s": speed,
        "ways": turns.as_json(NAIVE),
    }  # fmt: skip
