"""Try what every encoder family can do, on tiny models with two training steps, and write the table of it.

    python -m tests.encoder_table [FAMILY ...]      writes docs/encoders.md; of some families, prints their rows

It takes some minutes, and is run after a change to `distilkobert/models/families.py` or a new version of transformers.
"""

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import AutoTokenizer

from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.models.capture import Capture
from distilkobert.models.families import FAMILIES
from distilkobert.models.heads import encode, masked_lm_logits
from distilkobert.models.teachers import load_teacher
from distilkobert.synthetic.generation import generate_sentences
from experiments.export.__main__ import export
from experiments.predict.__main__ import predict
from experiments.train import main as train
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.support.networks.encoders import FAMILY_NAMES, tiny_encoder
from tests.support.tokenizers.kinds import save_kind
from tests.world import World

OUTPUT = Path(__file__).parent.parent / "docs" / "encoders.md"
LINES = {
    "nsmc": "정말 재미있다",
    "klue_ner": "김민수는 어제 부산에 갔다",
    "korquad": "누가 그렸나?\t이 그림은 김홍도가 그렸다.",
}
"""One line to ask of each kind of task."""
TASKS = {"nsmc": "classification", "klue_ner": "tagging", "korquad": "questions"}
TOKENIZERS = {"electra": "bert", "distilbert": "bert", "xlm-roberta": "xlm_roberta", "deberta-v2": "deberta"}
"""Kinds of `tests/support/tokenizers/kinds.py` where they are not called as the family."""
COLUMNS = (
    "family", "prepare", "teacher", "teacher without head", "student `same`", "student `distilbert`", "fine-tune",
    "export", "ONNX", "predict",
)  # fmt: skip


class Trial:
    """One family in a folder of its own; each step that fails leaves a note instead of `yes`."""

    def __init__(self, family: str, root: Path, tasks: Path, notes: list[str]) -> None:
        self.family, self.root, self.notes = family, root, notes
        kind = TOKENIZERS.get(family, family.replace("-", "_"))
        tokenizer = AutoTokenizer.from_pretrained(save_kind(kind, root / "teacher"), trust_remote_code=False)
        shape = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "positions": 70}
        tiny_encoder(family, **shape).save_pretrained(root / "teacher")
        tiny_encoder(family, head=False, **shape).save_pretrained(root / "headless")
        tokenizer.save_pretrained(root / "headless")
        self.world = World(root, root / "teacher", root / "corpus", root / "corpus", root / "teacher")
        self.tasks = TaskWorld(self.world, tasks)

    def row(self) -> list[str]:
        """The cells, in the order of `COLUMNS`."""
        return [
            self.family,
            self.tried(self.prepare),
            self.tried(self.teach),
            self.tried(lambda: self.distil("headless", "headless", "--model.objectives.masked_lm.weight=0")),
            self.tried(lambda: self.distil("teacher", "same")),
            self.tried(lambda: self.distil("teacher", "distilbert")),
            ", ".join(filter(None, (self.tried(lambda task=task: self.finetune(task)) for task in TASKS))),
            self.tried(lambda: self.export("same")),
            self.tried(lambda: self.export("same", onnx=True)),
            ", ".join(filter(None, (self.tried(lambda task=task: self.ask(task)) for task in TASKS))),
        ]

    def tried(self, action: Callable[[], str | None]) -> str:
        """What the action gives, `yes` if nothing; `no` with the number of a note where it fails."""
        try:
            return action() or "yes"
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever fails is what the table is to say
            text = str(error).replace(str(self.root), "").strip().splitlines() or [type(error).__name__]
            if text[0] not in self.notes:
                self.notes.append(text[0])
            return f"no ({self.notes.index(text[0]) + 1})"

    def prepare(self) -> None:
        (self.root / "text.txt").write_text("\n".join(generate_sentences(300, seed=5)), encoding="utf-8")
        settings = CorpusSettings(min_tokens=5, max_tokens=64, validation_fraction=0.1)
        prepare_corpus(
            [str(self.root / "text.txt")], str(self.root / "teacher"), self.root / "corpus", settings, unknown_limit=1
        )

    def teach(self) -> str:
        """Which outputs the teacher gives."""
        teacher = load_teacher(self.root / "teacher")
        ids = torch.full((1, 5), 7)
        given = ["logits", "hidden states"]
        capture = Capture(teacher, hidden=[0], projections=[0] if FAMILIES[self.family].attention else [])
        with capture as kept:
            masked_lm_logits(teacher, encode(teacher, ids, torch.ones_like(ids)))
        assert kept.hidden
        return ", ".join([*given, *(["attention"] if kept.projections else [])])

    def distil(self, teacher: str, arm: str, *options: str) -> None:
        """Two steps; the teacher without head teaches hidden states."""
        architecture = "distilbert" if arm == "distilbert" else "same"
        logits = ("--model.objectives.soft_target.weight=0",) if teacher == "headless" else ()
        self.train(
            self.world.distil(
                self.root / "runs", f"--model.teacher={self.root / teacher}", f"--run.arm={arm}", *logits, *options,
                f"--model.student.architecture={architecture}", "--model.student.layers=[0,2]",
                "--model.student.freeze_positions=false", "--trainer.max_steps=2", "--trainer.val_check_interval=2",
            )
        )  # fmt: skip

    def finetune(self, task: str) -> str:
        """Four steps from the student of the same class."""
        # The original's decoding of answers needs KoBERT's tokenizer.
        overlay = ("-c", "configs/finetune/korquad_plus.yaml") if task == "korquad" else ()
        student = f"--model.init_from={self.checkpoint('distilkobert', 'same')}"
        self.train(self.tasks.options(task, self.root / "runs", *overlay, student, "--data.unknown_limit=1"))
        return TASKS[task]

    def export(self, arm: str, onnx: bool = False) -> None:
        """The export reads itself back and compares."""
        export(str(self.checkpoint("distilkobert", arm)), str(self.root / f"{arm}_{onnx}"), onnx=onnx)

    def ask(self, task: str) -> str:
        """One answer for one line, from the exported folder alone."""
        folder = export(str(self.checkpoint(task, "base")), str(self.root / f"exported_{task}"))
        answers, stdin = io.StringIO(), sys.stdin
        sys.stdin = io.TextIOWrapper(io.BytesIO(f"{LINES[task]}\n".encode()), encoding="utf-8")
        try:
            with redirect_stdout(answers):
                predict(str(folder))
        finally:
            sys.stdin = stdin
        assert len(answers.getvalue().splitlines()) == 1, answers.getvalue()
        return TASKS[task]

    def checkpoint(self, recipe: str, arm: str) -> Path:
        return self.root / "runs" / recipe / f"{arm}_seed42" / "checkpoints" / "last.ckpt"

    @staticmethod
    def train(arguments: list[str]) -> Any:
        sys.argv = ["train"]
        return train(["fit", *arguments])


def main(families: Sequence[str]) -> None:
    """Try the families, and write the page if they are all."""
    notes: list[str] = []
    with TemporaryDirectory() as folder:
        root = Path(folder)
        make_task_world(World(root, root, root, root, root), root / "tasks")
        rows = []
        for family in families or FAMILY_NAMES:
            (root / family).mkdir()
            rows.append(Trial(family, root / family, root / "tasks", notes).row())
            sys.stdout.write(f"{' | '.join(rows[-1])}\n")
            sys.stdout.flush()
    numbered = "\n".join(f"{number}. {note}" for number, note in enumerate(notes, start=1))
    sys.stdout.write(f"{numbered}\n")
    page = [
        "# Encoder families",
        "What works with each encoder family, as teacher, student or task model. `python -m tests.encoder_table` tries "
        "every cell on a tiny model with random weights and the family's kind of tokenizer (two steps of "
        "distillation, four of each fine-tuning) and writes this page. "
        f"transformers {version('transformers')}, torch {version('torch')}.",
        "\n".join(f"| {' | '.join(cells)} |" for cells in (COLUMNS, ["---"] * len(COLUMNS), *rows)),
        "- **Teacher without head** (E5, BGE, ELECTRA's discriminator): it teaches hidden states. Its student has no "
        "head either, or a new one if an objective needs the student's logits.\n"
        "- **ALBERT**: layers share their weights, so a student with fewer layers is faster but not smaller.\n"
        "- **DeBERTa-v2** has its own attention code, so queries, keys and values cannot be captured.\n"
        "- **ModernBERT**: most layers attend to a window (`local_attention`) and not to all tokens; "
        "`AttentionTransfer` compares the pairs of tokens inside it.\n"
        "- The tokenizers are trained on few sentences, so the limit on unknown pieces is off here.",
        numbered,
    ]
    if not families:
        OUTPUT.write_text("\n\n".join(part for part in page if part) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
