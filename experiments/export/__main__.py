"""Turn a checkpoint into a folder that transformers loads without this project.

    python -m experiments.export --checkpoint runs/distilkobert/base_seed42/checkpoints/best.ckpt --output DIR

The folder holds the weights (safetensors), a fast tokenizer for `AutoTokenizer`, KoBERT's own two tokenizer files for
`KoBertTokenizer` (exact ids) where the model has that tokenizer, and a model card written from the run. It loads with
`AutoModel...from_pretrained` of its task, `DistilBertModel` or `BertModel`. The export is read back and compared with
the checkpoint before it gets its name.

`--onnx=true` adds `model.onnx`, head included, for batches and lengths of any size; it needs `pip install
'distilkobert[export]'`.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert import KoBertTokenizer
from distilkobert.io.files import atomic_folder
from distilkobert.io.pretrained import load_pretrained
from distilkobert.io.run_files import CONFIG_FILE, read_metrics, why_unfinished
from experiments._shared.commandline import call_with_options, run_command
from experiments._shared.quiet import quieten_transformers
from experiments._shared.run_results import how_to_finish
from experiments.export.model_card import write_model_card

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from distilkobert.tasks.kinds import Task
    from distilkobert.tokenizers.loading import TextEncoder


def export(
    checkpoint: str,
    output: str,
    tokenizer: str | None = None,
    onnx: bool = False,
    allow_unfinished: bool = False,
) -> Path:
    """Export one checkpoint.

    Args:
        checkpoint: a checkpoint written by experiments.train.
        output: folder to write; it must not exist yet.
        tokenizer: folder of the model's tokenizer, KoBERT's *.model and vocab.txt or a tokenizer.json; by default the
            one kept in the checkpoint's run folder.
        onnx: write model.onnx too.
        allow_unfinished: export from a run whose training has not come to its end.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: checkpoint or tokenizer is not there.
        ValueError: the output exists, the run is not finished, the tokenizer does not fit, or the export does not
            reproduce the checkpoint.
    """
    from distilkobert.models.checkpoints import ENTRY, model_from_checkpoint, read_checkpoint
    from distilkobert.models.checks import longest_input, takes_segments
    from distilkobert.tasks.kinds import head_named
    from distilkobert.tokenizers.loading import load_tokenizer
    from experiments.export.onnx import require_onnx, write_onnx

    quieten_transformers()
    if onnx:
        require_onnx()
    source, target = Path(checkpoint), Path(output)
    if target.exists():
        raise ValueError(f"{target} exists; remove it or name another --output")
    run_folder = source.resolve().parent.parent
    if not allow_unfinished and (run_folder / CONFIG_FILE).is_file() and why_unfinished(read_metrics(run_folder)):
        raise ValueError(f"{how_to_finish(run_folder)}, or export it as it is with --allow_unfinished=true")
    saved = read_checkpoint(source)
    model, task = model_from_checkpoint(saved, source), saved[ENTRY]["task"]
    encoder = load_tokenizer(str(tokenizer or run_folder / "tokenizer"))
    _check_tokenizer(encoder, model)
    with atomic_folder(target) as folder:
        model.save_pretrained(folder)
        fast = encoder.to_transformers(
            model_max_length=longest_input(model.config), segment_ids=takes_segments(model.config)
        )
        fast.save_pretrained(folder)
        if isinstance(encoder, KoBertTokenizer):
            encoder.save_pretrained(folder)
        if onnx:
            write_onnx(folder / "model.onnx", model)
        card = folder / "README.md"
        write_model_card(
            card, name=target.name, model=model, head=head_named(task), checkpoint=source, run_folder=run_folder
        )
        check_export(folder, model, task)
    if remark := how_to_finish(run_folder):
        print(f"note: {remark}; then export again, so that the model card shows it", file=sys.stderr)
    return target


def _check_tokenizer(encoder: "TextEncoder", model: "PreTrainedModel") -> None:
    from distilkobert.models.vocabulary_fit import holds_pieces

    config = model.config
    if not holds_pieces(config.vocab_size, encoder.vocab_size) or encoder.pad_token_id != config.pad_token_id:
        raise ValueError(
            f"the tokenizer has {encoder.vocab_size} pieces and [PAD]={encoder.pad_token_id}, the model "
            f"{config.vocab_size} and {config.pad_token_id}; name the tokenizer it was trained with"
        )


def check_export(folder: Path, model: "PreTrainedModel", task: "Task") -> None:
    """Load the exported model, head included, and tokenizer as a user would, and compare.

    Raises:
        ValueError: hidden states, the head's outputs or its labels differ from those of `model`, or the tokenizer does
            not fit the model.
    """
    import torch
    from transformers import AutoTokenizer

    from distilkobert.models.checkpoints import load_model
    from distilkobert.models.checks import class_names, longest_input
    from distilkobert.models.vocabulary_fit import holds_pieces

    loaded, missing = load_model(folder, task)
    if type(loaded) is not type(model) or missing or class_names(loaded) != class_names(model):
        raise ValueError(
            f"the exported model is a {type(loaded).__name__} with the labels {', '.join(class_names(loaded))} that "
            f"lacks {', '.join(missing) or 'nothing'}, the checkpoint a {type(model).__name__} with "
            f"{', '.join(class_names(model))}; the export was not kept"
        )
    length = min(16, longest_input(model.config))
    ids = torch.randint(0, model.config.vocab_size, (2, length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, length // 2 :] = 0
    ours, theirs = (outputs(network, ids, mask) for network in (model, loaded))
    for name, value in ours.items():
        if not torch.equal(value, theirs[name]):
            difference = (value - theirs[name]).abs().max().item()
            raise ValueError(
                f"the exported model differs from the checkpoint by {difference:.3g} in {name}; the export was not kept"
            )
    tokenizer = load_pretrained(AutoTokenizer, folder)
    if not holds_pieces(model.config.vocab_size, len(tokenizer)) or tokenizer.pad_token_id != model.config.pad_token_id:
        raise ValueError(
            f"the exported tokenizer has {len(tokenizer)} pieces and [PAD]={tokenizer.pad_token_id}, the model "
            f"{model.config.vocab_size} and {model.config.pad_token_id}; the export was not kept"
        )
    with torch.inference_mode():
        loaded(**tokenizer("한국어", "모델", return_tensors="pt"))


def outputs(network: "PreTrainedModel", ids: "Tensor", mask: "Tensor") -> "dict[str, Tensor]":
    """The last hidden states of a network, and its head's outputs, by name."""
    import torch

    with torch.inference_mode():
        found = network(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    heads = {name: value for name, value in found.items() if name.endswith("logits")}
    return {"hidden states": found.hidden_states[-1], **heads}


def main() -> None:
    """Command line of the export."""
    folder = call_with_options(export, "python -m experiments.export", __doc__)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 2**20
    print(f"exported to {folder} ({size:.1f} MB of weights); its README.md says how to load it")


if __name__ == "__main__":
    sys.exit(run_command(main))
