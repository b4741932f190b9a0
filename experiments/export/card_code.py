"""The piece of code in a model card that shows how to use the model: one for each kind of task."""

from typing import TYPE_CHECKING, Final

from distilkobert.models.families import FAMILIES
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import (
    MULTI_LABEL_CLASSIFICATION,
    QUESTION_ANSWERING,
    TOKEN_CLASSIFICATION,
    Head,
    TaskKind,
)

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

_PAIR: Final = '{"text": "비행기가 이륙하고 있다.", "text_pair": "비행기가 하늘로 날아오른다."}'
"""Input for models of pairs, whatever is asked of the two texts."""

_ENCODER = """from transformers import AutoTokenizer, {loader}

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = {loader}.from_pretrained("FOLDER"{extra})
inputs = tokenizer("한국어 모델을 공유합니다.", return_tensors="pt")
cls = model(**inputs).last_hidden_state[:, 0]"""

_MASKED_LM = """from transformers import pipeline

fill = pipeline("fill-mask", model="FOLDER")
for found in fill("{mask} 모델을 공유합니다."):
    print(found["token_str"], round(found["score"], 3))"""

_PIPELINE = """from transformers import pipeline

ask = pipeline("{name}", model="FOLDER"{extra})
print(ask({text}))"""

_SEVERAL = """from transformers import pipeline

ask = pipeline("{name}", model="FOLDER")
print([found for found in ask({text}, top_k=None) if found["score"] > 0.5])"""

_WORDS = """import re

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = AutoModelForTokenClassification.from_pretrained("FOLDER")
text = {text}
inputs = tokenizer(text, truncation=True, return_offsets_mapping=True, return_tensors="pt")
offsets = inputs.pop("offset_mapping")[0].tolist()
with torch.inference_mode():
    tags = model(**inputs).logits[0].argmax(-1).tolist()
for word in re.finditer(r"\\S+", text):
    # A piece may begin with the space before its word, or be that space alone; [CLS] and [SEP] end at 0.
    low, high = max(word.start(), 1), word.end()
    first = next((place for place, (start, end) in enumerate(offsets) if start < high and end >= low), None)
    print(word[0], "O" if first is None else model.config.id2label[tags[first]])"""

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
answer = context[offsets[first][0] : offsets[last][1]]"""

_GIVEN = "print(answer)"

_GIVEN_OR_NOT = """threshold = {threshold!r}  # chosen on the dev part
print("no answer" if scores[0, 0] - scores[first, last] > threshold else answer)"""


def card_code(config: "PreTrainedConfig", head: Head, settings: InputSettings) -> str:
    """The code, which prints what `experiments.predict` says of a short example; `FOLDER` stands for the model.

    Args:
        config: of the exported network.
        head: its head.
        settings: what its inputs are.
    """
    if head is QUESTION_ANSWERING:
        question, context = QUESTION_ANSWERING.sample.split("\t")
        given = _GIVEN_OR_NOT.format(threshold=settings.no_answer_threshold) if settings.unanswerable else _GIVEN
        return f"{_ANSWER.format(question=question, context=context)}\n{given}"
    if isinstance(head, TaskKind):
        text = _PAIR if settings.pair else f'"{head.sample}"'
        if head is MULTI_LABEL_CLASSIFICATION:
            return _SEVERAL.format(name=head.pipeline, text=text)
        if head is TOKEN_CLASSIFICATION and settings.units == "words":
            return _WORDS.format(text=text)
        extra = ', aggregation_strategy="simple"' if head is TOKEN_CLASSIFICATION else ""
        return _PIPELINE.format(name=head.pipeline, extra=extra, text=text)
    loader = {"distilbert": "DistilBertModel", "bert": "BertModel"}.get(config.model_type, "AutoModel")
    return _ENCODER.format(loader=loader, extra=", add_pooling_layer=False" if has_pooler(config) else "")


def mask_code(mask_token: str) -> str:
    """The code that shows the most likely pieces at a mask."""
    return _MASKED_LM.format(mask=mask_token)


def has_pooler(config: "PreTrainedConfig") -> bool:
    """Whether the bare encoder of this architecture has a pooler by default."""
    family = FAMILIES.get(config.model_type)
    return family is not None and family.pooler
