"""A picture and a PDF document that contain a nonce, made without any library. Pure."""

import base64
import struct
import zlib

_SCALE, _MARGIN = 8, 4
_ROWS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "11110 00001 00001 01110 00001 00001 11110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00010 01100",
}


def png(digits: str) -> bytes:
    """A greyscale PNG that shows the digits in large black type and has them as its Description."""
    lines = ["0".join(_ROWS[digit].split()[row] for digit in digits) for row in range(7)]
    blank = "0" * (len(lines[0]) + 2 * _MARGIN)
    side = "0" * _MARGIN
    dots = [blank] * _MARGIN + [f"{side}{line}{side}" for line in lines] + [blank] * _MARGIN
    rows = [
        b"\0" + bytes(0 if dot == "1" else 255 for dot in line for _ in range(_SCALE))
        for line in dots
    ]
    pixels = b"".join(row * _SCALE for row in rows)
    size = struct.pack(">IIBBBBB", len(blank) * _SCALE, len(dots) * _SCALE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join((
        _chunk(b"IHDR", size), _chunk(b"tEXt", b"Description\0" + digits.encode()),
        _chunk(b"IDAT", zlib.compress(pixels, 9)), _chunk(b"IEND", b""),
    ))  # fmt: skip


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pdf(text: str) -> bytes:
    """A PDF of one page that contains the text (ASCII without brackets) as text."""
    page = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode()
    parts = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%b\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    document, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(document))
        document += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        document
        + b"xref\n0 6\n0000000000 65535 f \n%btrailer\n<</Size 6/Root 1 0 R>>\n" % table
        + (b"startxref\n%d\n%%%%EOF\n" % len(document))
    )


def data_url(kind: str, raw: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(raw).decode()}"
