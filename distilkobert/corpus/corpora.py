"""One or more prepared corpora that a run is trained on, with their weights; what of their manifests has to agree."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from distilkobert.corpus.integrity import content_fingerprint
from distilkobert.corpus.manifest import Manifest, read_manifest
from distilkobert.corpus.mixing import MixedSequences, sequences_of_epoch
from distilkobert.corpus.sequences import PARTS, Part
from distilkobert.corpus.store import StoredSequences, check_stored, read_token_counts

Folders: TypeAlias = str | Sequence[str] | Mapping[str, float]
"""A folder; several of weight 1; or several, each with its weight."""


@dataclass(frozen=True)
class Corpus:
    """A prepared corpus in a mixture.

    Args:
        folder: Where it is.
        name: Names it among the others.
        weight: Times that each training sequence comes in an epoch, on average.
        manifest: What it holds.
    """

    folder: Path
    name: str
    weight: float
    manifest: Manifest


class Corpora:
    """The corpora of a run.

    Args:
        folders: See `Folders`.

    Raises:
        FileNotFoundError: There is no prepared corpus in one of the folders.
        ValueError: There is no folder, or one twice; a weight is not above 0 or leaves no sequence; a manifest is
            damaged, two corpora were prepared with different tokenizers, or one trains from lines that another has held
            out, because its `validation_fraction` is lower.
    """

    def __init__(self, folders: Folders) -> None:
        weights = {folders: 1.0} if isinstance(folders, str) else folders
        if not isinstance(weights, Mapping):
            weights = dict.fromkeys(folders, 1.0)
            if len(weights) < len(folders):
                raise ValueError(f"data_dir names a folder twice ({', '.join(folders)}); give it a weight of 2")
        if not weights:
            raise ValueError("data_dir names no folder; give one prepared corpus or more")
        for name, weight in weights.items():
            if not (weight > 0 and math.isfinite(weight)):
                raise ValueError(f"data_dir: the weight of {name} is {weight}; expected more than 0, or leave it out")
        names = _names([Path(name) for name in weights])
        self.all = tuple(
            Corpus(Path(folder), name, float(weight), read_manifest(Path(folder)))
            for (folder, weight), name in zip(weights.items(), names, strict=True)
        )
        for corpus in self.all:
            count = corpus.manifest["sequences"]["train"]
            if not sequences_of_epoch(count, corpus.weight):
                raise ValueError(
                    f"data_dir: weight {corpus.weight:g} of {corpus.folder} selects none of its {count} sequences in "
                    "an epoch; raise it, or leave the folder out"
                )
        first = self.all[0]
        for other in self.all[1:]:
            ours, theirs = (corpus.manifest["tokenizer"]["fingerprint"] for corpus in (first, other))
            if ours != theirs:
                raise ValueError(
                    f"{first.folder} was prepared with the tokenizer of fingerprint {ours}, {other.folder} with that "
                    f"of {theirs}; prepare one of them again with the other's"
                )
        self._check_held_out()
        self.is_plain = len(self.all) == 1 and first.weight == 1.0
        """One corpus, each of whose sequences is in every epoch once."""

    def _check_held_out(self) -> None:
        """Check that a line which one corpus holds out is trained from in none; see `sequences.part_of`."""
        shares = [corpus.manifest["settings"]["validation_fraction"] for corpus in self.all]
        largest = max(shares)
        most = self.all[shares.index(largest)]
        for corpus, share in zip(self.all, shares, strict=True):
            if share < largest:
                raise ValueError(
                    f"data_dir: {corpus.folder} holds out {share} of its lines, {most.folder} {largest}: a line of "
                    "both could be trained from one and validated from the other; prepare "
                    f"{corpus.folder} again with --validation_fraction {largest}"
                )

    def check(self) -> None:
        """Check the files of every corpus.

        Raises:
            ValueError: one is damaged.
        """
        for corpus in self.all:
            check_stored(corpus.folder, corpus.manifest)

    @property
    def fingerprint(self) -> str:
        """Names sequences and weights; 16 hexadecimal digits."""
        if self.is_plain:
            return content_fingerprint(self.all[0].manifest)
        content = [(content_fingerprint(corpus.manifest), corpus.weight) for corpus in self.all]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    @property
    def manifest(self) -> Manifest:
        """The manifest of the one corpus; of several what is in all of them, and each below its name in `corpora`.

        Sums count every sequence once, whatever its weight; `unknown_rate` is that of all tokens.
        """
        if self.is_plain:
            return self.all[0].manifest
        manifests = [corpus.manifest for corpus in self.all]
        sizes = [sum(manifest["tokens"].values()) for manifest in manifests]
        unknown = sum(size * manifest["unknown_rate"] for size, manifest in zip(sizes, manifests, strict=True))
        return {
            "tokenizer": manifests[0]["tokenizer"],
            "sequences": {part: sum(manifest["sequences"][part] for manifest in manifests) for part in PARTS},
            "longest": {part: max(manifest["longest"][part] for manifest in manifests) for part in PARTS},
            "tokens": {part: sum(manifest["tokens"][part] for manifest in manifests) for part in PARTS},
            "unknown_rate": unknown / sum(sizes),
            "corpora": {corpus.name: {"weight": corpus.weight, **corpus.manifest} for corpus in self.all},
        }

    def token_counts(self) -> npt.NDArray[np.int64]:
        """Occurrences of every token id in an epoch of training, (V,); of weights that are not whole, the mean."""
        counts = [corpus.weight * read_token_counts(corpus.folder) for corpus in self.all]
        mixed: npt.NDArray[np.int64] = np.rint(np.sum(counts, axis=0)).astype(np.int64)
        return mixed

    def sequences(self, part: Part, seed: int) -> tuple[MixedSequences, tuple[str, ...]]:
        """The sequences of a part, and the names of the corpora that have some.

        Args:
            part: held out, every sequence counts once, whatever the weights.
            seed: of what is drawn where weights are not whole.

        Raises:
            ValueError: a file is damaged.
        """
        chosen = [corpus for corpus in self.all if corpus.manifest["sequences"][part]]
        weights = [corpus.weight if part == "train" else 1.0 for corpus in chosen]
        stored = [StoredSequences(corpus.folder, part, corpus.manifest) for corpus in chosen]
        return MixedSequences(stored, weights, seed), tuple(corpus.name for corpus in chosen)


def _names(folders: Sequence[Path]) -> list[str]:
    """The last part of each folder's path; its number goes before each where two have the same.

    Raises:
        ValueError: two are one folder.
    """
    places = Counter(folder.resolve() for folder in folders)
    place, times = places.most_common(1)[0]
    if times > 1:
        raise ValueError(f"data_dir names the folder {place} twice; give it a weight of 2")
    names = [folder.resolve().name for folder in folders]
    numbered = [f"{place}_{name}" for place, name in enumerate(names, start=1)]
    own = [number if names.count(name) > 1 else name for number, name in zip(numbered, names, strict=True)]
    return own if len(set(own)) == len(own) else numbered
