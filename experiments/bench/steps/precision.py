"""How fast an encoder trains on this processor in each number format: all in one process, in turns."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from jsonargparse import Namespace

from distilkobert.models.teachers import EncoderSpec
from experiments._shared.machine.processor import processor_name
from experiments.bench.timing.threads import torch_threads
from experiments.bench.timing.turns import take_turns

if TYPE_CHECKING:
    import torch

Format = tuple[str, bool, bool]
FORMATS: tuple[Format, ...] = (
    ("float32", False, True),
    ("bf16, fused attention", True, True),
    ("bf16, plain attention", True, False),
)
"""Name, whether autocast to bfloat16 is on, and whether torch may take its fused attention kernel."""
VOCAB_SIZE, MASKED = 8002, 0.15
"""KoBERT's vocabulary (SKTBrain/KoBERT), and the share of tokens that masked LM predicts (Devlin et al. 2019)."""


@dataclass(frozen=True)
class Training:
    """What is trained in one step.

    Args:
        encoder: shape of the network.
        batch: sequences in a step.
        length: tokens in a sequence, without padding.
        rounds: steps in each format that count; one more comes before them.
        threads: of torch; by default torch's own number.
    """

    encoder: EncoderSpec
    batch: int = 32
    length: int = 64
    rounds: int = 5
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch", "length", "rounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least 1")
        if self.length > self.encoder.max_positions:
            raise ValueError(f"length is {self.length}; the encoder has {self.encoder.max_positions} positions")


def bench_precision(training: Training) -> dict[str, float]:
    """Tokens per second of masked-LM steps (forward, backward, AdamW) on the CPU, by format: medians over rounds."""
    with torch_threads(training.threads):
        step = _step(training)

        def in_format(half: bool, fused: bool) -> None:
            with _attention(fused):
                step(half)

        turns = take_turns({name: partial(in_format, half, fused) for name, half, fused in FORMATS}, training.rounds)
    return {name: training.batch * training.length / turns.spread(name).median for name in turns.seconds}


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    width = options.hidden_size
    encoder = EncoderSpec(options.layers, width, options.heads, intermediate_size=4 * width, dropout=0.0)
    training = Training(encoder, options.batch, options.length, options.rounds, options.threads)
    print(
        f"{processor_name()}; masked LM, {options.layers} x {width}, {options.batch} x {options.length} tokens per step"
    )
    speeds = bench_precision(training)
    print("\n".join(precision_lines(speeds)))
    return {"processor": processor_name(), "tokens_per_s": speeds}


def precision_lines(speeds: dict[str, float]) -> Sequence[str]:
    """The measurements as lines of text, each with its ratio to the first."""
    first, wide = next(iter(speeds.values())), max(map(len, speeds))
    return [f"{name:<{wide}}  {speed:>10,.0f} tokens/s  {speed / first:>5.2f} x" for name, speed in speeds.items()]


@contextmanager
def _attention(fused: bool) -> Iterator[None]:
    import torch

    before = torch.backends.cuda.flash_sdp_enabled()  # type: ignore[no-untyped-call]
    torch.backends.cuda.enable_flash_sdp(fused)
    try:
        yield
    finally:
        torch.backends.cuda.enable_flash_sdp(before)


def _step(training: Training) -> "Callable[[bool], torch.Tensor]":
    import torch

    from distilkobert.models.heads import encode, masked_lm_logits
    from distilkobert.models.teachers import build_encoder
    from distilkobert.objectives.functions import masked_lm_loss

    torch.manual_seed(0)
    model = build_encoder(training.encoder, vocab_size=VOCAB_SIZE, pad_token_id=1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    ids = torch.randint(5, VOCAB_SIZE, (training.batch, training.length))
    masked = torch.rand(ids.shape) < MASKED
    masked[0, 0] = True
    present = torch.ones_like(ids)

    def step(half: bool) -> "torch.Tensor":
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            hidden = encode(model, ids, present)
            loss = masked_lm_loss(masked_lm_logits(model, hidden[masked]), ids[masked])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    return step
