"""Torch's number of threads for the time of a measurement."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def torch_threads(count: int | None) -> Iterator[int]:
    """Give torch `count` threads, or leave it its own number; yields how many it has.

    Raises:
        ValueError: it is less than 1.
    """
    import torch

    if count is not None and count < 1:
        raise ValueError(f"threads is {count}; expected at least 1")
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield count or before
    finally:
        torch.set_num_threads(before)
