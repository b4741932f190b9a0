"""Small study files for tests."""

from pathlib import Path

from experiments.study.plan.declaration import Declared
from experiments.study.plan.parsing import parse_study

SMALL = """# Does the start matter?
base: [configs/distill/distilkobert.yaml]
teacher: {configs: [configs/pretrain/mlm.yaml]}
arms:
  copied: {}
  random: {configs: [configs/ablation/init_random.yaml]}
then:
  nsmc: {configs: [configs/finetune/nsmc.yaml]}
metric: nsmc/test/accuracy
controls: []
"""
"""Six runs on one seed: teacher, two distillations, two fine-tunings, latency."""

FULL = (
    SMALL.replace("controls: []", "controls: [teacher, undistilled]")
    + "corpus: {input: [text.txt], tokenizer: pieces}\n"
)
"""Ten runs: those, the corpus, and two controls."""

TAUGHT = SMALL.replace("yaml]}\nmetric", "yaml], distil: {configs: [configs/finetune/distil.yaml]}}\nmetric").replace(
    "controls: []", "controls: [teacher]"
)
"""Nine runs: those of SMALL, the teacher fine-tuned, and two students that learn from it."""


def declare(folder: Path, text: str = SMALL, *options: str, name: str = "s") -> Declared:
    """Write a study file into `folder` and parse it; its runs go to `folder`/runs."""
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return parse_study(["--config", str(file), "--root", str(folder / "runs"), *options])
