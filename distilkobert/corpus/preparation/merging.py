"""Merging the shares of a job array into the corpus that one run would have made."""

import time
from collections.abc import Sequence
from pathlib import Path

from distilkobert.corpus.manifest import MANIFEST_FORMAT, Manifest
from distilkobert.corpus.preparation.joining import existing_corpus, join_shards
from distilkobert.corpus.preparation.prepare import PreparedCorpus
from distilkobert.corpus.preparation.shards import Shard, ShardFolder
from distilkobert.corpus.preparation.shares import Share, ShareRecord, read_share, share_damage, share_differences
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.tokenizers.loading import load_tokenizer
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT, require_limit

Shares = dict[int, tuple[Path, ShareRecord]]
"""Folder and record of each share, by its number."""


def merge_shares(
    folders: Sequence[Path],
    tokenizer: str,
    output: Path,
    overwrite: bool = False,
    unknown_limit: float = UNKNOWN_LIMIT,
) -> PreparedCorpus:
    """Make the corpus folder `output` of all shares that `prepare_share` has made, or find that it is there already.

    The folder is byte for byte that of `prepare_corpus` over the same inputs. The shares stay.

    Args:
        folders: The shares, in any order.
        tokenizer: Folder or hub name of the tokenizer that encoded them.
        output: The folder to make.
        overwrite: Replace a corpus in `output` that was made from something else, or is damaged.
        unknown_limit: Share of unknown pieces from which the texts are refused; 1 accepts any.

    Raises:
        FileNotFoundError: One of the folders holds no share, or a share is missing.
        FileExistsError: `output` holds something else than this corpus.
        ValueError: A share occurs twice, is damaged, or was made from other inputs, with other settings or another
            tokenizer; or as `prepare_corpus`.
    """
    require_limit(unknown_limit)
    shares = _checked(folders)
    _, first = shares[1]
    loaded = load_tokenizer(tokenizer)
    encoded_with = first["origin"]["tokenizer"]["fingerprint"]
    if loaded.fingerprint != encoded_with:
        raise ValueError(
            f"the shards were encoded with the tokenizer of fingerprint {encoded_with}, but {tokenizer} has "
            f"fingerprint {loaded.fingerprint}; give the shards' tokenizer"
        )
    groups = sorted(
        ((group, folder) for folder, record in shares.values() for group in record["groups"]),
        key=lambda pair: pair[0]["number"],
    )
    inputs = [entry for group, _ in groups for entry in group["inputs"]]
    found = [{"name": entry["name"], "bytes": entry["bytes"]} for entry in inputs]
    if [group["number"] for group, _ in groups] != list(range(len(groups))) or found != first["all_inputs"]:
        raise ValueError(
            "the shards do not cover the input files: different versions of this project divided them; prepare all "
            "shards again, with --overwrite"
        )
    origin: Manifest = {"format": MANIFEST_FORMAT, "tokenizer": first["origin"]["tokenizer"], "inputs": inputs}
    origin["settings"] = first["origin"]["settings"]
    existing = existing_corpus(output, origin, overwrite)
    if existing is not None:
        return PreparedCorpus(existing, reused=True, seconds=0.0)
    start = time.perf_counter()
    for folder, record in shares.values():
        if wrong := share_damage(folder, record):
            raise ValueError(f"{wrong}. Prepare shard {Share(**record['share'])} again, with --overwrite")
    pieces = [(ShardFolder(folder, loaded.id_dtype), Shard((), group["name"])) for group, folder in groups]
    own = set(CorpusSettings.__dataclass_fields__)
    settings = CorpusSettings(**{name: value for name, value in origin["settings"].items() if name in own})
    manifest = join_shards(pieces, output, origin, loaded, settings, unknown_limit, overwrite)
    return PreparedCorpus(manifest, reused=False, seconds=time.perf_counter() - start)


def _checked(folders: Sequence[Path]) -> Shares:
    """All shares of one corpus, each once, in the order of their numbers."""
    if not folders:
        raise ValueError("no shards given; name the folders of all shards")
    shares: Shares = {}
    first = folders[0], read_share(folders[0])
    for folder in folders:
        record = read_share(folder)
        if differing := share_differences(record, first[1]):
            raise ValueError(
                f"{folder} and {first[0]} are not shards of one corpus ({'; '.join(differing)}); give the shards of "
                "one corpus"
            )
        number = record["share"]["number"]
        if number in shares:
            raise ValueError(
                f"{shares[number][0]} and {folder} are both shard {Share(**record['share'])}; give every shard once"
            )
        shares[number] = folder, record
    of = first[1]["share"]["of"]
    missing = [str(Share(number, of)) for number in range(1, of + 1) if number not in shares]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {of} shards are missing: {', '.join(missing)}; give their folders, or prepare them "
            "with corpus --shard"
        )
    return dict(sorted(shares.items()))
