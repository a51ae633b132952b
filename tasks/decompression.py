"""Decodes a body's content coding in bounded pieces, however far it unpacks.

A gzip body of 0.8 MB can hold 800 MB, and one packed twice a thousand times that; the SDK's
transport unpacks whatever arrives in one go. Here no step yields more than PIECE_BYTES.
"""

import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Protocol

PIECE_BYTES = 65536
_MEMBER = b"\x1f\x8b"  # what a gzip member begins with; a body may hold several (RFC 1952 2.2)


class Unreadable(ValueError):
    """The bytes are not in the coding that the headers name, or that coding is unknown."""


class UnknownCoding(Unreadable):
    """A coding that was not requested and cannot be decoded."""


class _Coding(Protocol):
    def pieces(self, data: bytes) -> Iterator[bytes]: ...


class _Zlib:
    """gzip and deflate; deflate with or without zlib's frame, as servers differ."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16 if gzip else zlib.MAX_WBITS)
        self._framed = gzip  # whether the frame is known, as gzip's is
        self._start = b""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if not self._framed:
            self._start += data
            if len(self._start) < 2:
                return  # zlib's frame begins with two bytes
            data, self._framed = self._start, True
            if (data[0] & 15, (data[0] * 256 + data[1]) % 31) != (8, 0):
                self._decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        while data:
            piece = self._decompressor.decompress(data, PIECE_BYTES)
            if piece:
                yield piece
            data = self._decompressor.unconsumed_tail
            if self._decompressor.eof:
                data = self._decompressor.unused_data
                if not (self._gzip and data.startswith(_MEMBER)):
                    return  # padding, or what nobody asked for
                self._decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)


class _Brotli:
    """br, if the library is installed and can be bounded (brotli 1.2)."""

    def __init__(self) -> None:
        brotli: Any = import_module("brotli")  # the SDK offers it where it is installed
        self._decompressor = brotli.Decompressor()
        self._error: type[Exception] = brotli.error
        if not hasattr(self._decompressor, "can_accept_more_data"):
            raise ImportError("brotli is older than 1.2")

    def pieces(self, data: bytes) -> Iterator[bytes]:
        try:
            while True:
                piece = self._decompressor.process(data, output_buffer_limit=PIECE_BYTES)
                data = b""
                if piece:
                    yield piece
                if self._decompressor.can_accept_more_data():
                    return
        except self._error as error:
            raise Unreadable(str(error) or "not brotli") from None


class _Zstd:
    """zstd, if the SDK's HTTP client has a library for it and so requests it (Python 3.14)."""

    def __init__(self) -> None:
        try:
            zstd: Any = import_module("compression.zstd")
        except ImportError:
            zstd = import_module("backports.zstd")
        self._new, self._error = zstd.ZstdDecompressor, zstd.ZstdError
        self._decompressor = self._new()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        try:
            while True:
                if self._decompressor.eof:  # a body may hold several frames (RFC 8878 3)
                    data = self._decompressor.unused_data + data
                    if not data:
                        return
                    self._decompressor = self._new()
                piece = self._decompressor.decompress(data, PIECE_BYTES)
                data = b""
                if piece:
                    yield piece
                if self._decompressor.needs_input:
                    return
        except self._error as error:
            raise Unreadable(str(error) or "not zstd") from None


def _coding(name: str) -> Any:
    if name in ("gzip", "x-gzip"):
        return _Zlib(gzip=True)
    if name == "deflate":
        return _Zlib(gzip=False)
    if name in ("br", "zstd"):
        try:
            return _Brotli() if name == "br" else _Zstd()
        except ImportError:
            pass
    raise UnknownCoding(f"the body comes in a coding that was not asked for: {name[:40]!r}")


def unpacked(pieces: Iterator[bytes], codings: str) -> Iterator[bytes]:
    """The decoded pieces of a body with this Content-Encoding. Raises Unreadable."""
    names = [name.strip().lower() for name in codings.split(",")]
    for name in reversed([name for name in names if name not in ("", "identity")]):
        pieces = _through(_coding(name), pieces)
    return pieces


def _through(coding: _Coding, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        try:
            yield from coding.pieces(piece)
        except zlib.error as error:
            raise Unreadable(str(error)) from None
