"""Files of more than 8 bits, written by hand if Pillow can't write them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def saved(pixels, kind="TIFF", **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def png(pixels, significant=None, transparent=None):
    """Return a 16-bit PNG of pixels (height, width[, channels])."""

    def chunk(kind, data):
        summed = kind + data
        return struct.pack(">I", len(data)) + summed + struct.pack(">I", zlib.crc32(summed))

    height, width = pixels.shape[:2]
    n_channels = pixels.size // (height * width)
    header = struct.pack(
        ">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[n_channels], 0, 0, 0
    )
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = [chunk(b"IHDR", header)]
    if significant is not None:
        chunks.append(chunk(b"sBIT", bytes([significant] * n_channels)))
    if transparent is not None:
        chunks.append(chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)))
    chunks += [chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tiff(data, shape, bits, *, order="<", compress=False, **tags):
    """Return a TIFF of one strip; `bits` of each channel, `tags` by number as ``t339=(3,)``."""
    height, width, n_channels = (*shape, 1)[:3]
    data = zlib.compress(data) if compress else data
    entries = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [bits] * n_channels),
        259: ("H", [8 if compress else 1]),
        262: ("H", [2 if n_channels == 3 else 1]),
        273: ("I", [0]),  # place of the pixels, filled in below
        277: ("H", [n_channels]),
        278: ("I", [height]),
        279: ("I", [len(data)]),
    }
    entries |= {int(name[1:]): ("H", list(values)) for name, values in tags.items()}
    table_end = 8 + 2 + 12 * len(entries) + 4
    extra = b""
    packed = []
    for tag, (form, values) in sorted(entries.items()):
        content = struct.pack(f"{order}{len(values)}{form}", *values)
        if tag == 273:
            packed.append([tag, 4, 1, None])
            continue
        if len(content) > 4:
            place, extra = table_end + len(extra), extra + content
            content = struct.pack(f"{order}I", place)
        packed.append([tag, {"H": 3, "I": 4}[form], len(values), content.ljust(4, b"\0")])
    pixels_at = struct.pack(f"{order}I", table_end + len(extra))
    table = b"".join(
        struct.pack(f"{order}HHI", *entry[:3]) + (entry[3] or pixels_at) for entry in packed
    )
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(entries))
    return head + table + bytes(4) + extra + data


def packed12(values):
    """Pack numbers of 12 bits, two in three bytes."""
    pairs = values.reshape(-1, 2).astype(np.uint32)
    both = pairs[:, 0] << 12 | pairs[:, 1]
    return b"".join(int(each).to_bytes(3, "big") for each in both)
