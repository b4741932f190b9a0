"""What a model card says of the use of a model: a piece of code for its task, its labels, and what is unusual of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distilkobert.models.checks import class_names, longest_input
from distilkobert.tasks.input_settings import InputSettings, settings_of
from distilkobert.tasks.kinds import (
    MASKED_LM,
    QUESTION_ANSWERING,
    SEQUENCE_CLASSIFICATION,
    TOKEN_CLASSIFICATION,
    Head,
    TaskKind,
)
from distilkobert.tasks.tags.labels import has_suffix_tags
from experiments.export.card_code import card_code, has_pooler, mask_code

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def usage(model: "PreTrainedModel", head: Head, *, mask_token: str | None, exact: bool, onnx: Sequence[str]) -> str:
    """The section that shows how to use the model.

    Args:
        model: the exported network.
        head: its head.
        mask_token: as its tokenizer spells it; None where it has none.
        exact: whether KoBERT's own tokenizer files are in the folder.
        onnx: names of the ONNX files in the folder.
    """
    settings = _settings(model)
    parts = [f"## Use\n\n```python\n{card_code(model.config, head, settings)}\n```"]
    if head is MASKED_LM and mask_token is not None:
        parts.append(
            f"With its head, for the most likely pieces at {mask_token}:\n\n```python\n{mask_code(mask_token)}\n```"
        )
    if head is QUESTION_ANSWERING:
        parts.append(
            "transformers 5 has no question-answering pipeline, so this code selects the span: the best start and end "
            "in the context, at most 30 pieces long. It truncates contexts longer than an input; "
            "`python -m experiments.predict` of the project reads them in overlapping windows."
        )
        if settings.unanswerable:
            parts.append(
                "A question may have no answer: none is given where [CLS] scores more than `threshold` better than the "
                "best span. The scores below were measured this way. Of several windows `experiments.predict` takes "
                "the lowest score of a [CLS]."
            )
    if exact:
        parts.append(
            "The fast tokenizer gives the original KoBERT ids on all but a few texts in a thousand (ties between "
            "equally likely cuts, such as four dots in a row). For exact ids use the `*.model` and `vocab.txt` next to "
            "it with `KoBertTokenizer`."
        )
    if onnx:
        listed = " and ".join(f"`{name}`" for name in onnx)
        parts.append(
            f"For ONNX Runtime, {listed}: the same network with its head; the inputs are those of the tokenizer."
        )
    return "\n\n".join(parts)


def labels(model: "PreTrainedModel", head: Head) -> str:
    """The section that names the classes; empty for heads without named ones."""
    if not (isinstance(head, TaskKind) and head.has_labels):
        return ""
    listed = ", ".join(f"{number} `{name}`" for number, name in enumerate(class_names(model)))
    return f"## Labels\n\n{listed}"


def differences(model: "PreTrainedModel", head: Head) -> str:
    """The section on what users of BERT might not expect."""
    config = model.config
    points = []
    if config.model_type == "distilbert":
        points.append("No segment ids: the tokenizer gives no `token_type_ids`; [SEP] alone separates two texts.")
        points.append("No pooler: the sentence vector at [CLS] is `last_hidden_state[:, 0]`.")
    elif head is not SEQUENCE_CLASSIFICATION and has_pooler(config):
        points.append(
            "There is no trained pooler: if you load only the encoder, pass `add_pooling_layer=False` and use "
            "`last_hidden_state[:, 0]`."
        )
    if config.pad_token_id != 0:
        points.append(f"[PAD] is id {config.pad_token_id}, not 0.")
    if head is TOKEN_CLASSIFICATION and has_suffix_tags(class_names(model)):
        points.append("Tags are written PER-B, not B-PER; pipelines join pieces by prefix tags (B-PER) only.")
    settings = _settings(model)
    if head is TOKEN_CLASSIFICATION and settings.units == "words":
        points.append(
            "Words, which end at white space, were tagged at their first piece; what the model says of other "
            "pieces means nothing. Pipelines cut words otherwise, at punctuation for example, so use the code above, "
            "or `python -m experiments.predict` of the project, which prints whole entities."
        )
    if settings.particles == "split":
        points.append(
            "Words were split before trailing particles and then encoded. A tokenizer alone does not do that; "
            "`python -m experiments.predict` of the project does, and the scores below were measured this way."
        )
    if settings.reference_decoding:
        points.append(
            "Answers were trained and scored as in the original KorQuAD pipeline, whose words end at white space. "
            "Offsets of a tokenizer alone give other answers; `python -m experiments.predict` of the project gives "
            "the scored ones."
        )
    heading = "What differs from BERT" if config.model_type == "distilbert" else "Good to know"
    return f"## {heading}\n\n" + "\n".join(f"- {point}" for point in points) if points else ""


def _settings(model: "PreTrainedModel") -> InputSettings:
    return settings_of(model.config.to_dict(), class_names(model), longest_input(model.config), "the model")
