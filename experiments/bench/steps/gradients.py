"""How much each objective contributes to the gradient of the student, and whether objectives agree in direction.

Measured on held-out batches without dropout, at the weights of a checkpoint: the norm of each weighted term's gradient
with respect to the student, its share of the sum of the norms, and the cosine between the gradients of two terms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import Namespace

from experiments._shared.quiet import quieten_lightning, quieten_transformers
from experiments._shared.run.loaded import load_run
from experiments.bench.timing.turns import Spread

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lightning_modules import Distillation


@dataclass(frozen=True)
class Gradients:
    """What the objectives' gradients are like; one entry per batch.

    Args:
        norms: Euclidean norm of each weighted term's gradient, by objective.
        cosines: between the gradients of two objectives, by their names in order.
    """

    norms: Mapping[str, Sequence[float]]
    cosines: Mapping[tuple[str, str], Sequence[float]]

    def share(self, name: str) -> Spread:
        """Share of one objective in the sum of the norms."""
        totals = [sum(norms) for norms in zip(*self.norms.values(), strict=True)]
        return Spread.of([norm / total for norm, total in zip(self.norms[name], totals, strict=True)])


def gradients_of(terms: "Mapping[str, Tensor]", parameters: "Sequence[nn.Parameter]") -> "dict[str, Tensor]":
    """The gradient of each scalar as one vector; 0 where a parameter has no part in it."""
    import torch

    def vector(term: "Tensor") -> "Tensor":
        found = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
        pairs = zip(found, parameters, strict=True)
        return torch.cat([(torch.zeros_like(own) if grad is None else grad).flatten() for grad, own in pairs])

    return {name: vector(term) for name, term in terms.items()}


def measure_gradients(module: "Distillation", batches: "Sequence[dict[str, Tensor]]") -> Gradients:
    """Measure a module whose networks are built and whose weights are loaded.

    Args:
        module: in evaluation mode.
        batches: `input_ids`, `attention_mask` and `labels`, each (B, T).
    """
    import torch
    import torch.nn.functional as F

    parameters = [parameter for parameter in module.network.parameters() if parameter.requires_grad]
    names = [name for name, _ in module.objectives.items()]
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    norms: dict[str, list[float]] = {name: [] for name in names}
    cosines: dict[tuple[str, str], list[float]] = {pair: [] for pair in pairs}
    for batch in batches:
        with torch.enable_grad():
            vectors = gradients_of(module.loss(batch).weighted, parameters)
        for name in names:
            norms[name].append(float(vectors[name].norm()))
        for one, other in pairs:
            cosines[one, other].append(float(F.cosine_similarity(vectors[one], vectors[other], dim=0)))
    return Gradients(norms, cosines)


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    quieten_transformers()
    quieten_lightning()
    if options.batches < 1:
        raise ValueError(f"batches is {options.batches}; expected at least 1")
    module, data = load_run(Path(options.checkpoint), options.overrides)
    from lightning_modules import Distillation

    if not isinstance(module, Distillation):
        raise ValueError(
            f"--checkpoint={options.checkpoint}: the run is a {type(module).__name__}; expected a Distillation, whose "
            "objectives on a corpus are compared; give a checkpoint of a run of configs/distill/distilkobert.yaml"
        )
    batches = list(islice(data.val_dataloader(), options.batches))
    found = measure_gradients(module, batches)
    step, count = module.weights_step, len(batches)
    print(f"{options.checkpoint}, step {step}; {count} held-out batches, in brackets half of them")
    print("\n".join(gradient_lines(found)))
    names = list(found.norms)
    return {
        "step": step,
        "batches": count,
        "norms": dict(found.norms),
        "share_quartiles": {name: list(vars(found.share(name)).values()) for name in names},
        "cosines": {f"{one}, {other}": values for (one, other), values in found.cosines.items()},
    }


def gradient_lines(found: Gradients) -> list[str]:
    """The numbers as lines of text."""
    wide = max(len(name) for name in found.norms)
    lines = [f"{'objective':<{wide}}  {'norm':<28}  share of the norms"]
    for name, norms in found.norms.items():
        lines.append(f"{name:<{wide}}  {Spread.of(norms).text('.4g'):<28}  {found.share(name).text('.1%')}")
    for (one, other), cosines in found.cosines.items():
        lines.append(f"cosine between {one} and {other}: {Spread.of(cosines).text('+.3f')}")
    return lines
