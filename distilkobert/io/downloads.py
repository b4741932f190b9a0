"""Downloads that continue where they were cut off, are checked, and get their name only when complete.

While a file comes in, its bytes are in `<name>.part` next to the target, and `<name>.part.tag` names the version that
the server sent (its ETag or date). The next attempt asks for the missing bytes of that very version; a server that has
another one, or cannot send parts, sends all of it again.
"""

import http.client
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from distilkobert.io.files import sha256_of_file, write_text
from distilkobert.io.locks import only_process

OnProgress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes that are there, and the size of the whole file where the server sends it."""

ATTEMPTS: Final = 4
MAX_BYTES: Final = 1 << 34
"""Largest file that is downloaded: 16 GiB, far more than any data set here has."""
MAX_SECONDS: Final = 6 * 3600.0
"""Longest time that one connection may take; a server that sends a byte now and then would never end."""
_TIMEOUT_SECONDS: Final = 30.0
_BLOCK_BYTES: Final = 1 << 16
# Errors of the connection; those of the disk are no reason to try again.
_BROKEN: Final = (
    http.client.HTTPException,
    urllib.error.URLError,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def download(
    url: str, target: Path, sha256: str | None = None, on_progress: OnProgress | None = None, attempts: int = ATTEMPTS
) -> bool:
    """Bring a file to `target`, whose folder must exist.

    Args:
        url: address, http or https.
        target: file to make.
        sha256: what its bytes must hash to; None where that is not known.
        on_progress: called with the bytes received so far.
        attempts: connections that may break off before this gives up; what came in stays for the next call.

    Returns:
        False where the file was there already.

    Raises:
        FileNotFoundError: the folder does not exist, or the server has no such file.
        ConnectionError: the server cannot be reached, refuses, or breaks off too often.
        InUseError: another process downloads it.
        ValueError: the bytes, or those of a file that is there already, hash to something else; the file is larger than
            `MAX_BYTES`; or neither its length nor its hash is known, so that a partial file could not be recognised.
    """
    if not target.parent.is_dir():
        raise FileNotFoundError(f"the folder {target.parent} does not exist; make it before downloading {target.name}")
    with only_process(target.with_name(f".{target.name}.lock"), f"the download {target}"):
        return _download(url, target, sha256, on_progress, attempts)


def _download(url: str, target: Path, sha256: str | None, on_progress: OnProgress | None, attempts: int) -> bool:
    if target.exists():
        if sha256 is not None and (found := sha256_of_file(target)) != sha256:
            raise ValueError(
                f"{target} exists with the SHA-256 {found}, but {url} has {sha256}; remove the file to download it, "
                "or keep it and skip this step"
            )
        return False
    partial, tag = _partial(target), _tag(target)
    for attempt in range(1, attempts + 1):
        try:
            if _fetch(url, partial, tag, on_progress, sha256 is not None):
                break
        except urllib.error.HTTPError as error:
            if error.code in (404, 410):
                raise FileNotFoundError(f"{url}: the server has no such file (HTTP {error.code})") from None
            if attempt == attempts or error.code < 500:
                raise ConnectionError(f"{url}: the server answers HTTP {error.code} ({error.reason})") from None
        except ValueError:
            _forget(target)
            raise
        except _BROKEN as error:
            if attempt == attempts:
                reason = error.reason if isinstance(error, urllib.error.URLError) else error
                raise ConnectionError(f"{url}: no connection ({reason})") from None
        if attempt == attempts:
            kept = partial.stat().st_size if partial.exists() else 0
            raise ConnectionError(
                f"{url}: the connection broke {attempts} times; {kept:,} bytes are kept, so run the command again "
                "to continue"
            )
    found = sha256_of_file(partial)
    if sha256 is not None and found != sha256:
        _forget(target)
        raise ValueError(
            f"{url}: the download has the SHA-256 {found}, expected {sha256}, and was removed. Try again; if this "
            "repeats, the file at that address has changed, or the server truncates it"
        )
    partial.replace(target)
    _forget(target)
    return True


def _fetch(url: str, partial: Path, tag: Path, on_progress: OnProgress | None, is_checked: bool) -> bool:
    """Bring the missing bytes over one connection; True once all are there."""
    have = partial.stat().st_size if partial.exists() else 0
    version = tag.read_text("utf-8") if tag.exists() else ""
    request = urllib.request.Request(url)
    if have and version:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", version)
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if error.headers.get("Content-Range", "").rpartition("/")[2] == str(have):
                return True
            partial.unlink()
            return False
        raise
    with response:
        place = _RANGE.match(response.headers.get("Content-Range", "")) if response.status == 206 else None
        goes_on = place is not None and int(place[1]) == have
        if response.status == 206 and not goes_on:
            partial.unlink()
            raise http.client.HTTPException(f"the server sent {response.headers.get('Content-Range')!r} of the file")
        start = have if goes_on else 0
        total = _total(url, response, start)
        if total is None and not is_checked and response.headers.get("Transfer-Encoding", "").lower() != "chunked":
            raise ValueError(
                f"{url}: the server sends no Content-Length and no SHA-256 is known, so a truncated file would not "
                "be detected; get the file by other means"
            )
        entity = response.headers.get("ETag", "")
        # A weak ETag allows bytes to differ, so only a date would distinguish versions.
        version = entity if entity and not entity.startswith("W/") else response.headers.get("Last-Modified", "")
        with partial.open("ab" if goes_on else "wb") as stream:
            write_text(tag, version)
            there, began = start, time.monotonic()
            while block := response.read(_BLOCK_BYTES):
                stream.write(block)
                there += len(block)
                if there > MAX_BYTES:
                    raise _too_large(url, f"more than {MAX_BYTES:,}")
                if time.monotonic() - began > MAX_SECONDS:
                    raise TimeoutError(f"not ended after {MAX_SECONDS:,.0f} s")
                if on_progress is not None:
                    on_progress(there, total)
            stream.flush()
            os.fsync(stream.fileno())
    return total is None or there == total


def _total(url: str, response: http.client.HTTPResponse, start: int) -> int | None:
    """Bytes of the whole file; None where the server does not say it."""
    length = response.headers.get("Content-Length")
    if length is None:
        return None
    if not length.strip().isdecimal():
        raise http.client.HTTPException(
            f"the server sent the Content-Length {length!r}, which is not a number of bytes"
        )
    total = start + int(length)
    if total > MAX_BYTES:
        raise _too_large(url, f"{total:,}")
    return total


def _too_large(url: str, size: str) -> ValueError:
    return ValueError(f"{url}: the file has {size} bytes; this command downloads at most {MAX_BYTES:,}")


def _partial(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _tag(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.tag")


def _forget(target: Path) -> None:
    _partial(target).unlink(missing_ok=True)
    _tag(target).unlink(missing_ok=True)
