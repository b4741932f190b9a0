"""The path under which the loss functions were public before `distilkobert.objectives`; it keeps working."""

from distilkobert.objectives.functions import cosine_hidden_loss, masked_lm_loss, soft_target_loss

__all__ = ["cosine_hidden_loss", "masked_lm_loss", "soft_target_loss"]
