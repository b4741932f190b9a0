"""Turn a checkpoint into a folder that transformers loads without this project.

    python -m experiments.export --checkpoint runs/distilkobert/base_seed42/checkpoints/best.ckpt --output DIR

The folder contains the weights (safetensors), a fast tokenizer for `AutoTokenizer`, KoBERT's own two tokenizer files
for `KoBertTokenizer` (exact ids) if the model has that tokenizer, and a model card written from the run. Load it with
`AutoModel.from_pretrained`, or with the `AutoModelFor...` class of its task. The export is read back and compared with
the checkpoint before it is kept.

`--onnx=true` adds `model.onnx`, including the head, for batches and lengths of any size; `--int8=true` also adds
`model_int8.onnx`, a quarter of the size. Both need `pip install 'distilkobert[export]'`. `--evaluate=test` scores every
format of a fine-tuned model on the data of its run, `--latency=true` measures their latency here. Results are written
to the folder's `metrics.json` and model card, scores also to the run's `metrics.json`, which reports read.

`--push=OWNER/NAME` uploads the folder to the Hugging Face hub.
"""

import sys
from pathlib import Path

from distilkobert.io.files import atomic_folder
from distilkobert.io.run_files import CONFIG_FILE, no_checkpoint, read_metrics, run_of, why_unfinished
from experiments._shared.commandline import call_with_options, run_command
from experiments._shared.exported.forms import note_scores, weights_mb
from experiments._shared.quiet import quieten_transformers
from experiments._shared.run.results import how_to_finish
from experiments.export.onnx import require_onnx
from experiments.export.push import check_push, push_folder
from experiments.export.scores import Part


def export(
    checkpoint: str,
    output: str,
    tokenizer: str | None = None,
    onnx: bool = False,
    int8: bool = False,
    reduce_range: bool | None = None,
    evaluate: Part | None = None,
    overrides: list[str] | None = None,
    latency: bool = False,
    license: str | None = None,
    language: str | None = None,
    push: str | None = None,
    private: bool = True,
    allow_unfinished: bool = False,
) -> Path:
    """Export one checkpoint.

    Args:
        checkpoint: a checkpoint written by experiments.train.
        output: folder to write; it must not exist.
        tokenizer: folder of the model's tokenizer, KoBERT's *.model and vocab.txt or a tokenizer.json; by default the
            tokenizer in the checkpoint's run folder.
        onnx: also write model.onnx.
        int8: also write model_int8.onnx; both settings of reduce_range are measured.
        reduce_range: use 7 bits for weights instead of 8, for processors without VNNI instructions; by default the
            setting whose outputs are closer to float32 on this processor.
        evaluate: split of the run's data on which every format of the model is scored.
        overrides: options of experiments.train for `evaluate`, such as --data.data_dir=DIR if the data has moved.
        latency: measure every format on this processor, with one thread.
        license: the hub's identifier of a licence, such as mit, for the model card; required for `push`.
        language: language code for the model card; by default ko if the tokenizer's pieces are Korean.
        push: OWNER/NAME of a repository on the hub; created if missing.
        private: make a created repository private.
        allow_unfinished: export from a run whose training is not finished.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: checkpoint or tokenizer is not there.
        ValueError: an option would have no effect, the output exists, the run is not finished, the tokenizer does not
            fit, the export does not reproduce the checkpoint, or there is nothing to score it on.
        OSError: the hub did not take the folder, which stays where it is.
    """
    _refuse_ignored(int8, reduce_range, evaluate, overrides, push, private)
    if onnx or int8:
        require_onnx()
    if push is not None:
        check_push(push, license)
    source, target = Path(checkpoint), Path(output)
    if (source / "config.json").is_file():
        raise ValueError(f"--checkpoint={source}: is an exported folder already; expected a checkpoint file *.ckpt")
    if target.exists():
        raise ValueError(f"{target} exists; remove it or choose another --output")
    run_folder = run_of(source)
    if not allow_unfinished and (run_folder / CONFIG_FILE).is_file() and why_unfinished(read_metrics(run_folder)):
        raise ValueError(f"{how_to_finish(run_folder)}, or export it anyway with --allow_unfinished=true")
    if not source.is_file():
        raise no_checkpoint(source)

    from experiments.export.writing import Wanted, write_export

    quieten_transformers()
    with atomic_folder(target) as folder:
        wanted = Wanted(
            name=push.rpartition("/")[2] if push else target.name,
            checkpoint=source,
            run_folder=run_folder,
            tokenizer=Path(tokenizer) if tokenizer else run_folder / "tokenizer",
            onnx=onnx or int8,
            int8=int8,
            reduce_range=reduce_range,
            evaluate=evaluate,
            overrides=tuple(overrides or ()),
            latency=latency,
            license=license,
            language=language,
        )
        scores, step = write_export(folder, wanted)
    if scores:
        note_scores(run_folder, scores, step)
    if remark := how_to_finish(run_folder):
        print(f"note: {remark}; then export again, so that the model card shows it", file=sys.stderr)
    if push is not None:
        print(f"pushed to {push_folder(target, push, private)}")
    return target


def _refuse_ignored(
    int8: bool,
    reduce_range: bool | None,
    evaluate: Part | None,
    overrides: list[str] | None,
    push: str | None,
    private: bool,
) -> None:
    for option, needed, ignored in (
        (f"--reduce_range={str(reduce_range).lower()}", "--int8=true", reduce_range is not None and not int8),
        (f"--overrides={overrides}", "--evaluate=test", bool(overrides) and evaluate is None),
        ("--private=false", "--push=OWNER/NAME", not private and push is None),
    ):
        if ignored:
            name = option.partition("=")[0]
            raise ValueError(
                f"{option} has no effect without {needed.partition('=')[0]}; add {needed}, or leave {name} out"
            )


def main() -> None:
    """Command line of the export."""
    folder = call_with_options(export, "python -m experiments.export", __doc__)
    size = weights_mb(folder)
    assert size is not None  # the export has been read back
    print(f"exported to {folder} ({size:.1f} MB of weights); its README.md says how to load it")


if __name__ == "__main__":
    sys.exit(run_command(main))
