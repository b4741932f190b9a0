"""What a model card says of the use of a model: a piece of code for its task, its labels, and what is unusual of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distilkobert.models.checks import class_names, longest_input
from distilkobert.models.families import FAMILIES
from distilkobert.tasks.input_settings import settings_of
from distilkobert.tasks.kinds import (
    MASKED_LM,
    QUESTION_ANSWERING,
    SEQUENCE_CLASSIFICATION,
    TOKEN_CLASSIFICATION,
    Head,
    TaskKind,
)
from distilkobert.tasks.tags.labels import has_suffix_tags

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ENCODER = """from transformers import AutoTokenizer, {loader}

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = {loader}.from_pretrained("FOLDER"{extra})
inputs = tokenizer("한국어 모델을 공유합니다.", return_tensors="pt")
cls = model(**inputs).last_hidden_state[:, 0]"""

_MASKED_LM = """from transformers import pipeline

fill = pipeline("fill-mask", model="FOLDER")
for found in fill("[MASK] 모델을 공유합니다."):
    print(found["token_str"], round(found["score"], 3))"""

_PIPELINE = """from transformers import pipeline

ask = pipeline("{name}", model="FOLDER"{extra})
print(ask("{text}"))"""

_ANSWER = """import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = AutoModelForQuestionAnswering.from_pretrained("FOLDER")
question, context = "{question}", "{context}"
inputs = tokenizer(
    question, context, truncation="only_second", return_offsets_mapping=True, return_tensors="pt"
)
offsets = inputs.pop("offset_mapping")[0].tolist()
with torch.inference_mode():
    output = model(**inputs)
inside = torch.tensor([part == 1 for part in inputs.sequence_ids(0)])
scores = output.start_logits[0][:, None] + output.end_logits[0]
allowed = torch.ones_like(scores).triu().tril(29).bool() & inside & inside[:, None]
first, last = divmod(int(scores.where(allowed, -torch.inf).argmax()), len(inside))
print(context[offsets[first][0] : offsets[last][1]])"""


def usage(model: "PreTrainedModel", head: Head, *, exact: bool, onnx: Sequence[str]) -> str:
    """The section that shows how to use the model.

    Args:
        model: the exported network.
        head: its head.
        exact: whether KoBERT's own tokenizer files are in the folder.
        onnx: names of the ONNX files in the folder.
    """
    parts = [f"## Use\n\n```python\n{_code(model, head)}\n```"]
    if head is MASKED_LM:
        parts.append(f"With its head, for the most likely pieces at [MASK]:\n\n```python\n{_MASKED_LM}\n```")
    if head is QUESTION_ANSWERING:
        parts.append(
            "transformers 5 has no question-answering pipeline, so this code selects the span: the best start and end "
            "in the context, at most 30 pieces long. It truncates contexts longer than an input; "
            "`python -m experiments.predict` of the project reads them in overlapping windows."
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


def _code(model: "PreTrainedModel", head: Head) -> str:
    if head is QUESTION_ANSWERING:
        question, context = QUESTION_ANSWERING.sample.split("\t")
        return _ANSWER.format(question=question, context=context)
    if isinstance(head, TaskKind):
        # Pipelines join pieces by prefix tags only.
        joins = head is TOKEN_CLASSIFICATION and not has_suffix_tags(class_names(model))
        extra = ', aggregation_strategy="simple"' if joins else ""
        return _PIPELINE.format(name=head.pipeline, extra=extra, text=head.sample)
    loader = {"distilbert": "DistilBertModel", "bert": "BertModel"}.get(model.config.model_type, "AutoModel")
    return _ENCODER.format(loader=loader, extra=", add_pooling_layer=False" if _has_pooler(model) else "")


def _has_pooler(model: "PreTrainedModel") -> bool:
    family = FAMILIES.get(model.config.model_type)
    return family is not None and family.pooler


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
    elif head is not SEQUENCE_CLASSIFICATION and _has_pooler(model):
        points.append(
            "There is no trained pooler: if you load only the encoder, pass `add_pooling_layer=False` and use "
            "`last_hidden_state[:, 0]`."
        )
    if config.pad_token_id != 0:
        points.append(f"[PAD] is id {config.pad_token_id}, not 0.")
    if head is TOKEN_CLASSIFICATION and has_suffix_tags(class_names(model)):
        points.append(
            "Tags are written PER-B, not B-PER, and the tag of a word is on its first piece; pipelines join pieces "
            "by prefix tags only, so use their output per piece, or `python -m experiments.predict`."
        )
    settings = settings_of(config.to_dict(), class_names(model), longest_input(config), "the model")
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
