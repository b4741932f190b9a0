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

from distilkobert.io.files import atomic_folder
from distilkobert.io.run_files import CONFIG_FILE, no_checkpoint, read_metrics, why_unfinished
from experiments._shared.commandline import call_with_options, run_command
from experiments._shared.quiet import quieten_transformers
from experiments._shared.run_results import how_to_finish
from experiments.export.onnx import require_onnx


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
    if onnx:
        require_onnx()
    source, target = Path(checkpoint), Path(output)
    if target.exists():
        raise ValueError(f"{target} exists; remove it or name another --output")
    run_folder = source.resolve().parent.parent
    if not allow_unfinished and (run_folder / CONFIG_FILE).is_file() and why_unfinished(read_metrics(run_folder)):
        raise ValueError(f"{how_to_finish(run_folder)}, or export it as it is with --allow_unfinished=true")
    if not source.is_file():
        raise no_checkpoint(source)

    from distilkobert import KoBertTokenizer
    from distilkobert.models.checkpoints import ENTRY, model_from_checkpoint, read_checkpoint
    from distilkobert.models.checks import longest_input, takes_segments
    from distilkobert.tasks.kinds import head_named
    from distilkobert.tokenizers.loading import load_tokenizer
    from experiments.export.checking import check_export, check_tokenizer
    from experiments.export.model_card import write_model_card
    from experiments.export.onnx import write_onnx

    quieten_transformers()
    saved = read_checkpoint(source)
    model, task = model_from_checkpoint(saved, source), saved[ENTRY]["task"]
    encoder = load_tokenizer(str(tokenizer or run_folder / "tokenizer"))
    check_tokenizer(encoder, model)
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


def main() -> None:
    """Command line of the export."""
    folder = call_with_options(export, "python -m experiments.export", __doc__)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 2**20
    print(f"exported to {folder} ({size:.1f} MB of weights); its README.md says how to load it")


if __name__ == "__main__":
    sys.exit(run_command(main))
