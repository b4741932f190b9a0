"""One rule that makes seeds: random choices are functions of what they are for, never of what ran before."""

import hashlib


def derived_seed(*parts: int | str) -> int:
    """A seed of 63 bits for each list of parts, for example run seed, epoch and batch number; neighbours share nothing.

    Two uses of the same numbers name themselves in a part of their own, so that their draws are unrelated.
    """
    digest = hashlib.blake2b(" ".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
