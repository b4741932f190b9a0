"""The manifest of a prepared corpus: where it comes from and what is in it."""

import json
from pathlib import Path
from typing import Any

from distilkobert.corpus.sequences import PARTS
from distilkobert.io.reading.inputs import content_of

MANIFEST_NAME = "manifest.json"
MANIFEST_FORMAT = 2
"""Number of the manifest's layout; grows with any change of the folder's content."""

Manifest = dict[str, Any]
"""A JSON object: `format`, `tokenizer`, `inputs` and `settings` say what the corpus was made from; `lines`,
`sequences`, `longest`, `tokens`, `unknown_rate`, `files` (hashes) and `versions` what came of it."""

ORIGIN = ("format", "tokenizer", "inputs", "settings")
"""What the corpus was made from."""

_PARTS = dict.fromkeys(PARTS, int)
_SCHEMA: dict[str, Any] = {
    "tokenizer": {"fingerprint": str, "vocab_size": int},
    "inputs": list,
    "settings": {"validation_fraction": float},
    "lines": dict,
    "sequences": _PARTS,
    "longest": _PARTS,
    "tokens": _PARTS,
    "unknown_rate": float,
    "files": dict,
}
"""Keys that are read, with the types of their values."""


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a prepared corpus.

    Raises:
        FileNotFoundError: There is no prepared corpus in `folder`.
        NotADirectoryError: `folder` is a file.
        ValueError: It was written by another version of this project, or by something else, or a key of it is missing
            or of another type.
    """
    path = folder / MANIFEST_NAME
    if folder.is_file():
        raise NotADirectoryError(
            f"{folder} is a file; expected the folder of a prepared corpus. Of a file of text make one with the "
            f"command prepare corpus --input {folder} --tokenizer FOLDER --output FOLDER"
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} contains no prepared corpus ({MANIFEST_NAME} is missing); make one with the command "
            f"prepare corpus --input FILES --tokenizer FOLDER --output {folder}"
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is not the manifest of a prepared corpus ({error}); remove the folder and prepare it again"
        ) from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != MANIFEST_FORMAT:
        raise ValueError(
            f"{path} has format {found!r}, expected {MANIFEST_FORMAT}; remove the folder and prepare it again"
        )
    wrong = _wrong(manifest, _SCHEMA)
    if wrong:
        raise ValueError(f"{path} is damaged: {wrong}. Prepare the corpus again, with the same command and --overwrite")
    return dict(manifest)


def _wrong(found: dict[str, Any], schema: dict[str, Any], above: str = "") -> str:
    """The first key that is missing or has a value of another type; empty if there is none."""
    for name, kind in schema.items():
        if name not in found:
            return f"{above}{name} is missing"
        value, wanted = found[name], dict if isinstance(kind, dict) else kind
        if isinstance(value, bool) or not isinstance(value, (int, float) if wanted is float else wanted):
            return f"{above}{name} is {value!r}, expected {wanted.__name__}"
        if isinstance(kind, dict) and isinstance(value, dict) and (inner := _wrong(value, kind, f"{above}{name}.")):
            return inner
    return ""


def differences(found: Manifest, wanted: Manifest) -> list[str]:
    """What a corpus was made from, against what it should be made from; one line for each thing that differs.

    Input files are compared by content, so a file may have moved.
    """
    lines: list[str] = []
    for name in [name for name in ORIGIN if name in wanted]:
        if name == "inputs":
            lines += _input_differences(found[name], wanted[name])
        elif isinstance(wanted[name], dict):
            for option in wanted[name] | found[name]:
                there, asked = found[name].get(option), wanted[name].get(option)
                if there != asked:
                    lines.append(f"{name} {option}: found {there!r}, requested {asked!r}")
        elif found[name] != wanted[name]:
            lines.append(f"{name}: found {found[name]!r}, requested {wanted[name]!r}")
    return lines


def _input_differences(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> list[str]:
    lines = []
    if len(found) != len(wanted):
        lines.append(f"number of input files: found {len(found)}, requested {len(wanted)}")
    for number, (there, asked) in enumerate(zip(found, wanted, strict=False), start=1):
        if content_of(there) != content_of(asked):
            lines.append(f"input file {number}: found {_content(there)}, requested {_content(asked)}")
    return lines


def _content(entry: dict[str, Any]) -> str:
    kind = "sha256" if "sha256" in entry else "etag"
    return f"{entry['name']} with {kind} {entry[kind][:12]}..."
