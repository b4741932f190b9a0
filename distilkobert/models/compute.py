"""Settings of computation that change only speed and memory."""

from collections.abc import Iterable
from dataclasses import dataclass

from transformers import PreTrainedModel


@dataclass(frozen=True)
class ComputeSpec:
    """Settings of computation. Losses change only by rounding; docs/performance.md has the effect on speed.

    Args:
        compile: compile the encoders with torch.compile. The first steps take longer; on a CPU it needs a C++ compiler.
        gradient_checkpointing: store one state per layer of the trained network and recompute the rest in the backward
            pass: less memory, about a third more work.
    """

    compile: bool = False
    gradient_checkpointing: bool = False

    def apply(self, trained: PreTrainedModel, others: Iterable[PreTrainedModel] = ()) -> None:
        """Prepare networks that are built.

        Args:
            trained: the network that learns.
            others: those that only run.

        Raises:
            ValueError: the trained network does not support gradient checkpointing.
        """
        if self.gradient_checkpointing:
            if not trained.supports_gradient_checkpointing:
                raise ValueError(
                    f"compute.gradient_checkpointing: {type(trained).__name__} does not support it; leave it out"
                )
            trained.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[no-untyped-call]
        if self.compile:
            for network in (trained, *others):
                network.base_model.compile(dynamic=True)
