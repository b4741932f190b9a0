"""A tokenizer of as many words as a test needs: `w0`, `w1`, ..."""

from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def save_wide_vocabulary(folder: Path, pieces: int, mask: bool = True) -> Path:
    """Write it; the special tokens come first."""
    vocabulary = {token: number for number, token in enumerate((*SPECIALS, *(f"w{n}" for n in range(pieces))))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = {f"{token[1:-1].lower()}_token": token for token in SPECIALS if mask or token != "[MASK]"}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return folder
