"""How fast an encoder trains on this processor in each number format: all in one process, in turns."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from distilkobert.models.teachers import EncoderSpec

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
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}; expected at least 1")
        if self.length > self.encoder.max_positions:
            raise ValueError(f"length is {self.length}; the encoder has {self.encoder.max_positions} positions")


def bench_precision(training: Training) -> dict[str, float]:
    """Tokens per second of masked-LM steps (forward, backward, AdamW) on the CPU, by format: medians over rounds."""
    import torch

    threads_before = torch.get_num_threads()
    torch.set_num_threads(training.threads or threads_before)
    try:
        step = _step(training)
        times: dict[str, list[float]] = {name: [] for name, _, _ in FORMATS}
        for turn in range(-1, training.rounds):
            for place in range(len(FORMATS)):
                name, half, fused = FORMATS[(turn + place) % len(FORMATS)]
                with _attention(fused):
                    started = time.perf_counter()
                    step(half)
                if turn >= 0:
                    times[name].append(time.perf_counter() - started)
    finally:
        torch.set_num_threads(threads_before)
    tokens = training.batch * training.length
    return {name: tokens / statistics.median(seconds) for name, seconds in times.items()}


def precision_lines(speeds: dict[str, float]) -> Sequence[str]:
    """The figures as lines of text, each with its ratio to the first."""
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
