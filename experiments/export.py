"""Turn a checkpoint into a folder that transformers loads without this project.

    python -m experiments.export --checkpoint runs/distilkobert/base_seed42/checkpoints/best.ckpt --output DIR

The folder holds the weights (safetensors), a fast tokenizer for `AutoTokenizer`, KoBERT's own two tokenizer files for
`KoBertTokenizer` (exact ids), and a model card written from the run. It loads with `DistilBertModel.from_pretrained`
(`BertModel` for a teacher). The export is read back and compared with the checkpoint before it gets its name.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert import KoBertTokenizer
from distilkobert.files import atomic_folder
from experiments.commandline import call_with_options, run_command
from experiments.model_card import write_model_card
from experiments.quiet import quieten_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def export(checkpoint: str, output: str, tokenizer: str | None = None) -> Path:
    """Export one checkpoint.

    Args:
        checkpoint: a checkpoint written by experiments.train.
        output: folder to write; it must not exist yet.
        tokenizer: folder with KoBERT's *.model and vocab.txt; by default the one kept in the checkpoint's run folder.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: checkpoint or tokenizer is not there.
        ValueError: the output exists, the tokenizer does not fit, or the export does not reproduce the checkpoint.
    """
    from distilkobert.checkpoints import model_from_checkpoint, read_checkpoint

    quieten_transformers()
    source, target = Path(checkpoint), Path(output)
    if target.exists():
        raise ValueError(f"{target} exists; remove it or name another --output")
    model = model_from_checkpoint(read_checkpoint(source), source)
    run_folder = source.resolve().parent.parent
    pieces = KoBertTokenizer.from_pretrained(str(tokenizer or run_folder / "tokenizer"))
    if pieces.vocab_size != model.config.vocab_size or pieces.pad_token_id != model.config.pad_token_id:
        raise ValueError(
            f"the tokenizer has {pieces.vocab_size} pieces and [PAD]={pieces.pad_token_id}, the model "
            f"{model.config.vocab_size} and {model.config.pad_token_id}; name the tokenizer it was trained with"
        )
    with atomic_folder(target) as folder:
        model.save_pretrained(folder)
        fast = pieces.to_transformers(
            model_max_length=model.config.max_position_embeddings, segment_ids=model.config.model_type != "distilbert"
        )
        fast.save_pretrained(folder)
        pieces.save_pretrained(folder)
        write_model_card(folder / "README.md", name=target.name, model=model, checkpoint=source, run_folder=run_folder)
        check_export(folder, model)
    return target


def check_export(folder: Path, model: "PreTrainedModel") -> None:
    """Load the exported encoder and tokenizer as a user would and compare.

    Raises:
        ValueError: hidden states differ from those of `model`, or the tokenizer does not load with its special ids.
    """
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    generator = torch.Generator().manual_seed(0)
    length = min(16, model.config.max_position_embeddings)
    ids = torch.randint(0, model.config.vocab_size, (2, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, length // 2 :] = 0
    loaded = AutoModel.from_pretrained(folder, config=AutoConfig.from_pretrained(folder)).eval()
    with torch.no_grad():
        ours = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
        theirs = loaded(input_ids=ids, attention_mask=mask).last_hidden_state
    if not torch.equal(ours, theirs):
        difference = (ours - theirs).abs().max().item()
        raise ValueError(f"the exported model differs from the checkpoint by {difference:.3g}; the export was not kept")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if len(tokenizer) != model.config.vocab_size or tokenizer.pad_token_id != model.config.pad_token_id:
        raise ValueError(
            f"the exported tokenizer has {len(tokenizer)} pieces and [PAD]={tokenizer.pad_token_id}, the model "
            f"{model.config.vocab_size} and {model.config.pad_token_id}; the export was not kept"
        )


def main() -> None:
    """Command line of the export."""
    folder = call_with_options(export, "python -m experiments.export", __doc__)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 2**20
    print(f"exported to {folder} ({size:.1f} MB of weights); its README.md says how to load it")


if __name__ == "__main__":
    sys.exit(run_command(main))
