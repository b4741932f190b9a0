"""Names of what a run measures and records: in `metrics.json`, in TensorBoard, and as monitors.

`metrics.json` is flat. A measured value is called `<stage>/<name>`; facts of the run have a name of their own.
"""

from collections.abc import Iterable
from typing import Final

TRAIN: Final = "train/"
VAL: Final = "val/"
"""Of the last validation of `fit`, or of the `validate` command."""
TEST: Final = "test/"
PROBE: Final = "probe/"
BEST: Final = "best/"
"""Before the whole name of the value by which the best checkpoint was chosen: `best/val/loss`."""
LIMITED_VAL: Final = "limited/val"
LIMITED_TEST: Final = "limited/test"
"""There where only a part of the batches was read: how many of how many."""

TORCH: Final = "torch"
ONNX: Final = "onnx"
INT8: Final = "int8"
"""Before the whole name of a score of a form of the exported model: `int8/test/accuracy`."""
FORM_SCORES: Final = (f"{TORCH}/", f"{ONNX}/", f"{INT8}/", f"{INT8}_")
"""How the names of such scores begin."""
FORMS_STEP: Final = f"{TORCH}/step"
"""Optimizer step of the weights that they are of."""

LOSS: Final = f"{VAL}loss"
OBJECTIVES_TOTAL: Final = f"{VAL}objective/total"
"""The weighted sum of the objectives of a distillation."""
HELD_OUT_LOSSES: Final = (LOSS, OBJECTIVES_TOTAL)
"""What may say that weights give NaN; a student without head has the second alone."""
TEACHER_LOSS: Final = f"{VAL}teacher_loss"
AGREEMENT: Final = f"{VAL}agreement"
VAL_STEP: Final = f"{VAL}step"
"""Optimizer step of the weights that were validated last."""
TESTED_STEP: Final = "tested_step"
"""The same of the test."""
TYPE_F1: Final = f"{TEST}f1_"
"""Before an entity type."""
OTHER_F1: Final = (f"{TYPE_F1}kept", f"{TYPE_F1}strict")
"""Begin in the same way and are no types."""
PROBE_ACCURACY: Final = f"{PROBE}nsmc_accuracy"
PROBE_TEACHER: Final = f"{PROBE}teacher_nsmc_accuracy"
PROBE_RETENTION: Final = f"{PROBE}nsmc_retention"

STATUS: Final = "status"
STOPPED_BY: Final = "stopped_by"
STEPS: Final = "steps"
EPOCHS: Final = "epochs"
SKIPPED_STEPS: Final = "skipped_steps"
"""Optimizer steps, counted from 0, that were left out because a loss or gradient was not finite; there if any was."""
TOKENS_SEEN: Final = "tokens_seen"
WALL_TIME: Final = "wall_time_s"
PARAMETERS: Final = "parameters"
RECIPE: Final = "recipe"
ARM: Final = "arm"
SEED: Final = "seed"
FILE_CONTENT: Final = "data/{}_sha256"
"""SHA-256 of the file that a part (`train`, `dev`, `test`) comes from."""
EXAMPLES: Final = "data/{}_examples"
"""How many examples a part has."""
SPLIT: Final = "data/split"
"""How the parts were made of the files, in words."""
ALSO_IN_TEST: Final = "data/train_file_also_in_test"
"""How many examples of the training file `deduplicate` has left out."""
UNANSWERABLE_LEFT_OUT: Final = "data/{}_unanswerable_left_out"
"""How many questions without an answer a part would have had."""
PRECISION: Final = "precision"
"""`trainer.precision` of the training."""
CORPUS_CONTENT: Final = "data/corpus_fingerprint"
TOKENIZER_CONTENT: Final = "data/tokenizer_fingerprint"
TEACHER_CONTENT: Final = "teacher_sha256"
"""SHA-256 of the weights of the teacher that a run has learnt from."""

TRAIN_TOKENS: Final = f"{TRAIN}{TOKENS_SEEN}"
LOSS_TERM: Final = f"{TRAIN}loss/"
"""Before the name of an objective."""
TRAIN_LOSS: Final = f"{LOSS_TERM}total"


def has_any(names: Iterable[str], prefix: str) -> bool:
    """Whether one of the names begins with the prefix of a stage."""
    return any(name.startswith(prefix) for name in names)
