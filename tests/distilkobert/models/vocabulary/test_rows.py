"""New rows for a vocabulary: the right parameters change, and nothing else."""

import pytest
import torch

from distilkobert.models.vocabulary.rows import change_vocabulary, position_offset, vocabulary_parameters
from tests.support.networks.families import FAMILIES, PAD, PIECES, tiny

ORDER = torch.randperm(PIECES, generator=torch.Generator().manual_seed(1))[:50]
IDS = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(0))
MASK = torch.tensor([[1] * 9, [1] * 6 + [0] * 3])


@pytest.mark.parametrize("ending", ["Model", "ForMaskedLM"])
@pytest.mark.parametrize("family", FAMILIES)
def test_chosen_rows_give_the_outputs_of_the_old_ids(family: str, ending: str) -> None:
    model = tiny(family, ending)
    pad = 7
    old_ids = ORDER[IDS]
    # The new [PAD] is no id of the texts, the old one neither.
    ids, old_ids = (
        torch.where((pad == IDS) | (old_ids == PAD), given, kept) for given, kept in ((9, IDS), (ORDER[9], old_ids))
    )
    changed = change_vocabulary(model, lambda table: table[ORDER], 50, {"pad": pad, "cls": 3})
    assert changed.config.vocab_size == 50
    assert changed.config.pad_token_id == pad
    assert model.config.vocab_size == PIECES
    with torch.inference_mode():
        before = model(input_ids=old_ids, attention_mask=MASK)[0]
        after = changed(input_ids=ids, attention_mask=MASK)[0]
    expected = before[..., ORDER] if ending == "ForMaskedLM" else before
    real = MASK.bool()
    assert torch.allclose(after[real], expected[real], atol=1e-6)
    if ending == "ForMaskedLM":
        assert changed.get_output_embeddings().weight is changed.get_input_embeddings().weight
    if family == "ModernBert":
        assert (changed.config.cls_token_id, changed.config.sep_token_id) == (3, None)


def test_positions_of_the_roberta_kind_move_with_the_pad() -> None:
    model = tiny("XLMRoberta", "Model")
    assert position_offset(model.config) == PAD + 1
    for pad in (0, 5):
        changed = change_vocabulary(model, lambda table: table, PIECES, {"pad": pad})
        assert changed.config.max_position_embeddings == 40 + pad - PAD
        old, new = (found.embeddings.position_embeddings.weight for found in (model, changed))
        assert torch.equal(new[pad + 1 :], old[PAD + 1 :])
    assert position_offset(tiny("Bert", "Model").config) == 0


def test_a_size_that_equals_the_vocabulary_by_chance_is_no_vocabulary() -> None:
    model = tiny("Bert", "ForMaskedLM", max_position_embeddings=PIECES, intermediate_size=PIECES)
    assert set(vocabulary_parameters(model)) == {
        "bert.embeddings.word_embeddings.weight", "cls.predictions.bias", "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias",
    }  # fmt: skip


def test_an_output_matrix_of_its_own_stays_its_own() -> None:
    model = tiny("Bert", "ForMaskedLM", tie_word_embeddings=False)
    changed = change_vocabulary(model, lambda table: table[ORDER], 50, {"pad": PAD})
    assert torch.equal(changed.cls.predictions.decoder.weight, model.cls.predictions.decoder.weight[ORDER])
    assert torch.equal(changed.get_input_embeddings().weight, model.get_input_embeddings().weight[ORDER])
    assert changed.cls.predictions.decoder.weight is not changed.get_input_embeddings().weight


def test_a_wrong_number_of_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="50 new rows, expected 49"):
        change_vocabulary(tiny("Bert", "Model"), lambda table: table[ORDER], 49, {"pad": PAD})
