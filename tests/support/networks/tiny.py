"""Tiny models with random weights, for tests."""

import torch
from transformers import BertForMaskedLM

from distilkobert.models.teachers import EncoderSpec, build_encoder


def tiny_teacher(vocab_size: int = 50, layers: int = 12, seed: int = 0, pad_token_id: int = 1) -> BertForMaskedLM:
    """A BERT of width 16 without dropout; every weight random, biases and LayerNorms included."""
    torch.manual_seed(seed)
    spec = EncoderSpec(layers=layers, hidden_size=16, heads=2, intermediate_size=24, max_positions=32, dropout=0.0)
    model = build_encoder(spec, vocab_size=vocab_size, pad_token_id=pad_token_id)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()
