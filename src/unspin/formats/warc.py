"""WARC: what a crawler was answered; of each page its main text.

In comes an input; out come records, one for each response that is a page, with its address and date. Passed over
are requests, redirects, errors and what is no HTML: they hold no text. Failures: pages without a main text, too large,
damaged or packed in a way that is not known, and where the file breaks off.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unspin.errors import InputError, UnspinError
from unspin.files import decode
from unspin.formats import page
from unspin.formats.model import Failure, Reading, Record, numbered
from unspin.formats.prose import Prose
from unspin.formats.streams import Broken, Input

_OK = 200
_ANY_HEADER = 47  # zlib's word for gzip or zlib, whichever it is
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8}[^\r\n]*\r\n")
_PAGES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class Response:
    """Where a page is from, and when it was fetched."""

    url: str
    date: str
    record_id: str

    def fields(self) -> Mapping[str, Any]:
        return {"url": self.url, "date": self.date, "warc_record_id": self.record_id}


class _Stream:
    """A stream as fastwarc reads it: what comes before a break is still handed on."""

    def __init__(self, stream: Any) -> None:
        self.read = stream.read1
        self.tell = stream.tell


def _responses(stream: Any) -> Iterator[Any]:
    try:
        from fastwarc.warc import ArchiveIterator, WarcRecordType
    except ImportError as error:
        raise UnspinError("WARC needs fastwarc: pip install 'unspin[formats]'") from error
    parted: Any = _Stream(stream)
    return iter(ArchiveIterator(parted, record_types=WarcRecordType.response, parse_http=True, fsspec_args=False))


def records(opened: Input, reading: Reading) -> Iterator[Record | Failure]:
    """The records of an input, each when it is asked for."""
    name, number = opened.source.name, -1
    try:
        with opened.opened() as stream:
            for number, response in enumerate(_responses(stream)):
                if (found := _read(response, name, number, reading)) is not None:
                    yield found
    except Broken as error:
        yield Failure(name, number + 1, f"byte {error.position}", error.reason)
    except OSError as error:
        yield Failure(name, number + 1, f"record {number + 2}", str(error).lower())


def _read(response: Any, name: str, number: int, reading: Reading) -> Record | Failure | None:
    """A response's main text; None if it is no page."""
    headers, place = response.http_headers, f"record {number + 1}"
    if headers is None:
        return Failure(name, number, place, "no HTTP response")
    if headers.status_code != _OK or response.http_content_type not in _PAGES:
        return None
    url = response.headers.get("WARC-Target-URI", "")
    told = f"{place} ({url})"
    if response.content_length > reading.limit:
        return Failure(name, number, told, f"larger than {reading.limit:,} bytes")
    data = response.reader.read()
    if len(data) < response.content_length:
        return Failure(name, number, told, f"breaks off after {len(data):,} of {response.content_length:,} bytes")
    try:
        data = _decoded(data, headers, reading.limit)
        text = page.main_text(_characters(data, reading.encoding, response.http_charset or "", name))
    except (InputError, ValueError, OSError, EOFError, zlib.error) as error:
        return Failure(name, number, told, getattr(error, "problem", "") or f"damaged: {str(error).lower()}")
    if not text:
        return Failure(name, number, told, "no main text in this page")
    record_id = response.headers.get("WARC-Record-ID", "").strip("<>")
    origin = Response(url, response.headers.get("WARC-Date", ""), record_id)
    return Record(f"{url} {record_id}".strip() or numbered(name, number), number, Prose.plain(text), origin)


def _characters(data: bytes, told: str | None, header: str, name: str) -> str:
    """A page in characters, in the encoding that is told, else the one that its header or it itself declares."""
    declared = page.known_encoding(header) or page.declared(data)
    return decode(data, name=name, encoding=told, declared=declared).text


def _decoded(data: bytes, headers: Any, limit: int) -> bytes:
    """A body as it was before it was packed for the way. Raises ValueError and what the unpackers raise."""
    codings = [*_listed(headers, "Content-Encoding"), *_listed(headers, "Transfer-Encoding")]
    for coding in reversed(codings):
        if coding not in _DECODERS:
            raise ValueError(f"packed as {coding}, which is not known")
        data = _DECODERS[coding](data, limit)
        if len(data) > limit:
            raise ValueError(f"unpacks to more than {limit:,} bytes")
    return data


def _listed(headers: Any, name: str) -> list[str]:
    return [part.strip().lower() for part in (headers.get(name) or "").split(",") if part.strip()]


def _inflated(data: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(_ANY_HEADER)
    unpacked = unpacker.decompress(data, limit + 1)
    if not unpacker.eof and len(unpacked) <= limit:
        raise ValueError("the packed body breaks off")
    return unpacked


def _unbrotlied(data: bytes, limit: int) -> bytes:
    from fastwarc.stream_io import BrotliReader

    return BrotliReader(io.BytesIO(data)).read(limit + 1)


def _unchunked(data: bytes, limit: int) -> bytes:
    """Some crawlers take the chunks away and leave the header."""
    from fastwarc.stream_io import ChunkedReader

    if not _CHUNK.match(data):
        return data
    return ChunkedReader(io.BytesIO(data)).read(limit + 1)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "identity": lambda data, limit: data,
    "gzip": _inflated,
    "x-gzip": _inflated,
    "deflate": _inflated,
    "br": _unbrotlied,
    "chunked": _unchunked,
}
