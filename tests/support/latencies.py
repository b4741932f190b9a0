"""Measured latencies, whole, for tests to which a few of the numbers matter."""

from experiments._shared.exported.latency_file import ModelLatency


def measured_latency(
    batch_1_ms: float = 1.0,
    batch_32_ms: float = 1.0,
    sentences_per_s: float = 1.0,
    parameters: int = 1,
    mb: float = 1.0,
    tail: tuple[float, float] = (1.25, 1.5),
    tokenizer: tuple[float, float] | None = None,
) -> ModelLatency:
    """A model of which all repeats but the slowest took the same time."""
    alone, together = (batch_1_ms, batch_1_ms), (batch_32_ms, batch_32_ms)
    return ModelLatency(batch_1_ms, batch_32_ms, alone, together, sentences_per_s, parameters, mb, tail, tokenizer)
