"""What a data module reports about its task, for a module that trains any task."""

from dataclasses import dataclass

from distilkobert.tasks.kinds import TaskName


@dataclass(frozen=True)
class TaskFacts:
    """A task, as its data knows it.

    Args:
        kind: name of the task kind.
        labels: names of the head's classes; none for question answering.
        suffix_tags: tags are written PER-B and not B-PER.
        class_weights: weights of the classes in the loss; None for none.
        tokenizer_fingerprint: of the data's tokenizer.
        rouge_w: answers are also scored as KLUE-MRC does.
    """

    kind: TaskName
    labels: tuple[str, ...] = ()
    suffix_tags: bool = False
    class_weights: tuple[float, ...] | None = None
    tokenizer_fingerprint: str = ""
    rouge_w: bool = False
