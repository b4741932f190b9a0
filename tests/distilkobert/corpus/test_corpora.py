"""What corpora have to agree on to be mixed."""

from pathlib import Path

import pytest

from distilkobert.corpus.corpora import Corpora
from tests.datamodules.corpus.test_mixed_corpora import make_corpus, stored


def test_a_line_is_not_held_out_in_one_corpus_and_trained_from_another(
    tmp_path: Path, tiny_tokenizer_dir: Path
) -> None:
    """Corpora of one text: what a smaller share holds out, a larger one does too, and more."""
    shares = {"none": 0.0, "without": 0.0, "few": 0.1, "some": 0.2, "alike": 0.2, "many": 0.4}
    made = {
        name: str(make_corpus(tmp_path / name, tiny_tokenizer_dir, "2", 2, share)) for name, share in shares.items()
    }
    held_out = {name: set(stored(made[name], "validation")) for name in ("few", "some", "alike", "many")}
    assert held_out["few"] < held_out["some"] < held_out["many"]
    assert held_out["some"] & set(stored(made["few"], "train"))
    for names, low, high in (
        (("some", "few"), "few", "some"), (("none", "few"), "none", "few"), (("many", "some", "none"), "some", "many"),
    ):  # fmt: skip
        found = f"^data_dir: {made[low]} holds out {shares[low]} of its lines, {made[high]} {shares[high]}: "
        with pytest.raises(ValueError, match=f"{found}.*again with --validation_fraction {shares[high]}$"):
            Corpora([made[name] for name in names])
    assert not held_out["some"] & set(stored(made["alike"], "train"))
    assert Corpora([made["some"], made["alike"]]).manifest["sequences"]["validation"] == 2 * len(held_out["some"])
    assert Corpora([made["none"], made["without"]]).manifest["sequences"]["validation"] == 0
