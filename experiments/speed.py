"""How fast a model reads sentences."""

import time
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel


def sentences_per_second(
    model: PreTrainedModel, sentences: Sequence[Tensor], *, pad_token_id: int, batch_size: int = 32, repeats: int = 3
) -> float:
    """Sentences per second through the encoder, best of `repeats` passes after one warm-up batch.

    Args:
        model: network whose encoder (`base_model`) is timed, on its own device and in its own number format.
        sentences: ids of each sentence, (T,) int64; they are batched in order of length.
        pad_token_id: id of [PAD].
        batch_size: sentences in a batch.
        repeats: timed passes; the best one counts, since other programs can only slow a pass down.
    """
    ordered = sorted(sentences, key=len)
    batches = []
    for start in range(0, len(ordered), batch_size):
        rows = ordered[start : start + batch_size]
        ids = pad_sequence(list(rows), batch_first=True, padding_value=pad_token_id)
        lengths = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        batches.append((ids.to(model.device), mask.to(model.device)))

    def one_pass(part: Sequence[tuple[Tensor, Tensor]]) -> float:
        started = time.perf_counter()
        with torch.inference_mode():
            for ids, mask in part:
                model.base_model(input_ids=ids, attention_mask=mask)
        if model.device.type == "cuda":
            torch.cuda.synchronize(model.device)
        return time.perf_counter() - started

    one_pass(batches[:1])
    return len(ordered) / min(one_pass(batches) for _ in range(repeats))
