"""Loading teachers: the folder shapes of published checkpoints, and every check against the tokenizer."""

import json
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    BertModel,
    ElectraForPreTraining,
    MPNetConfig,
    MPNetForMaskedLM,
)

from distilkobert.models.families import FAMILIES, describe_encoder
from distilkobert.models.heads import encode, masked_lm_logits
from distilkobert.models.teachers import EncoderSpec, load_teacher, place_teacher
from tests.support.networks.encoders import FAMILY_NAMES, tiny_batch, tiny_encoder
from tests.support.networks.tiny import tiny_teacher

KOBERT_CONFIG_FIELDS = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "type_vocab_size": 2,
    "pad_token_id": 1,
}


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """A folder as old Korean checkpoints are published: config.json, pytorch_model.bin, LayerNorm.gamma and .beta."""
    model = tiny_teacher()
    weights = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in model.state_dict().items()
    }
    weights["bert.embeddings.position_ids"] = torch.arange(32)[None]
    weights["bert.pooler.dense.weight"] = torch.randn(16, 16)
    weights["bert.pooler.dense.bias"] = torch.randn(16)
    torch.save(weights, tmp_path / "pytorch_model.bin")
    config = {
        **KOBERT_CONFIG_FIELDS,
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "hidden_size": 16,
        "intermediate_size": 24,
        "max_position_embeddings": 32,
        "num_attention_heads": 2,
        "num_hidden_layers": 12,
        "vocab_size": 50,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def assert_same_weights(loaded: torch.nn.Module) -> None:
    expected = tiny_teacher().state_dict()
    found = loaded.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_an_old_bin_folder_without_tokenizer_loads_whole(old_folder: Path) -> None:
    teacher = load_teacher(old_folder, vocab_size=50, pad_token_id=1, max_length=32)
    assert_same_weights(teacher)
    assert not teacher.training
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_a_safetensors_folder_loads_whole(tmp_path: Path) -> None:
    tiny_teacher().save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    assert_same_weights(load_teacher(tmp_path))


@pytest.mark.parametrize("old", [True, False])
def test_a_checkpoint_without_a_trained_head_is_refused(old: bool, old_folder: Path, tmp_path: Path) -> None:
    if old:
        weights = torch.load(old_folder / "pytorch_model.bin")
        headless = {name: value for name, value in weights.items() if not name.startswith("cls.")}
        torch.save(headless, old_folder / "pytorch_model.bin")
        folder = old_folder
    else:
        folder = tmp_path / "encoder"
        BertModel(tiny_teacher().config).save_pretrained(folder)
    with pytest.raises(ValueError, match="no trained masked-LM head"):
        load_teacher(folder)


def test_a_missing_encoder_weight_is_refused(old_folder: Path) -> None:
    weights = torch.load(old_folder / "pytorch_model.bin")
    del weights["bert.encoder.layer.3.output.dense.weight"]
    torch.save(weights, old_folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"missing: bert\.encoder\.layer\.3\.output\.dense\.weight"):
        load_teacher(old_folder)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"vocab_size": 51}, "vocabulary has 50 pieces, the data's tokenizer 51"),
        ({"pad_token_id": 0}, r"its \[PAD\] is id 1, the data's tokenizer has 0"),
        (
            {"max_length": 33},
            "at most 32 tokens, but inputs have up to 33; prepare the corpus with --max_tokens 32",
        ),
    ],
)
def test_a_teacher_that_does_not_fit_the_tokenizer_is_refused(
    check: dict[str, int], message: str, old_folder: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        load_teacher(old_folder, **check)


def test_other_families_are_refused(tmp_path: Path) -> None:
    config = MPNetConfig(vocab_size=20, hidden_size=8, intermediate_size=8, num_attention_heads=1, num_hidden_layers=1)
    MPNetForMaskedLM(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"teacher .*model type 'mpnet' is unsupported; expected one of bert, roberta"):
        load_teacher(tmp_path)


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_every_family_teaches_with_its_head(family: str, tmp_path: Path) -> None:
    model = tiny_encoder(family)
    model.save_pretrained(tmp_path)
    teacher = load_teacher(tmp_path, vocab_size=60, pad_token_id=1, max_length=38)
    ids, mask = tiny_batch()
    hidden = encode(teacher, ids, mask)
    assert torch.equal(masked_lm_logits(teacher, hidden), model(input_ids=ids, attention_mask=mask).logits)
    assert describe_encoder(teacher) == f"{family}, 4 layers of width 16, masked-LM head, vocabulary of 60 pieces"


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_every_family_teaches_without_a_head_where_no_logits_are_needed(family: str, tmp_path: Path) -> None:
    pooler = {"add_pooling_layer": True} if FAMILIES[family].pooler else {}
    AutoModel.from_config(tiny_encoder(family).config, **pooler).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"no trained masked-LM head; missing: .*objectives that need no logits"):
        load_teacher(tmp_path)
    teacher = load_teacher(tmp_path, logits=False)
    assert describe_encoder(teacher).startswith(f"{family}, 4 layers of width 16, no masked-LM head")
    assert not any("pooler" in name or "head" in name for name, _ in teacher.named_parameters())
    ids, mask = tiny_batch()
    expected = AutoModel.from_pretrained(tmp_path).eval()(input_ids=ids, attention_mask=mask).last_hidden_state
    assert torch.equal(encode(teacher, ids, mask), expected)
    with pytest.raises(ValueError, match="has no masked-LM head"):
        masked_lm_logits(teacher, expected)


def test_an_electra_discriminator_teaches_hidden_states(tmp_path: Path) -> None:
    ElectraForPreTraining(tiny_encoder("electra").config).save_pretrained(tmp_path)
    assert describe_encoder(load_teacher(tmp_path, logits=False)).startswith("electra, 4 layers of width 16, no masked")


def test_debertas_newer_head_gives_its_logits() -> None:
    model = tiny_encoder("deberta-v2", legacy=False)
    ids, mask = tiny_batch()
    found = masked_lm_logits(model, encode(model, ids, mask))
    assert torch.equal(found, model(input_ids=ids, attention_mask=mask).logits)


def test_positions_counted_from_behind_pad_are_not_there_for_tokens(tmp_path: Path) -> None:
    tiny_encoder("camembert").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="accepts at most 38 tokens, but inputs have up to 39"):
        load_teacher(tmp_path, max_length=39)


def test_sources_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no config\.json"):
        load_teacher(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nobody/no-such-model.*could not be fetched"):
        load_teacher("nobody/no-such-model")
    with pytest.raises(FileNotFoundError, match="no such checkpoint file"):
        load_teacher(tmp_path / "missing.ckpt")
    for place in (str(tmp_path / "missing"), "../missing", "exported/of/mine"):
        with pytest.raises(FileNotFoundError, match=r"(missing|mine): no such model folder or checkpoint, and hub ids"):
            load_teacher(place)


def test_encoder_and_head_one_after_the_other_give_the_models_outputs() -> None:
    model = tiny_teacher()
    ids = torch.tensor([[2, 7, 8, 3, 1]])
    mask = (ids != 1).long()
    hidden = encode(model, ids, mask)
    expected = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    torch.testing.assert_close(hidden, expected.hidden_states[-1])
    torch.testing.assert_close(masked_lm_logits(model, hidden), expected.logits)
    place_teacher(model, "bfloat16", torch.device("cpu"))
    assert encode(model, ids, mask).dtype == torch.bfloat16


def test_rotary_frequencies_stay_float32_in_a_bfloat16_teacher(tmp_path: Path) -> None:
    """As transformers' own `from_pretrained` leaves them: rounded, they turn far positions by wrong angles."""
    tiny_encoder("modernbert", positions=600, local_attention=4).save_pretrained(tmp_path)
    expected = AutoModelForMaskedLM.from_pretrained(tmp_path, dtype=torch.bfloat16).eval()
    teacher = load_teacher(tmp_path)
    place_teacher(teacher, "bfloat16", torch.device("cpu"))
    for name, buffer in expected.named_buffers():
        found = teacher.get_buffer(name)
        assert found.dtype == buffer.dtype, name
        assert torch.equal(found, buffer), name
    ids = torch.randint(5, 60, (1, 500), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        hidden = expected.model(input_ids=ids).last_hidden_state
    assert torch.equal(encode(teacher, ids, torch.ones_like(ids)), hidden)
    assert {weight.dtype for weight in teacher.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"layers": 0}, "encoder.layers=0"), ({"heads": 5}, "encoder.heads=5"), ({"dropout": 1.0}, "encoder.dropout=1.0")],
)
def test_encoder_settings_out_of_range_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderSpec(**settings)
