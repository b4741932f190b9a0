"""The path under which masking was public before `distilkobert.corpus.masking`; it keeps working."""

from distilkobert.corpus.masking import MaskingSpec, mask_tokens, smoothed_token_weights

__all__ = ["MaskingSpec", "mask_tokens", "smoothed_token_weights"]
