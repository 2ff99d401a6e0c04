"""Thousands of mutated image files: each can be decoded, or is refused as unreadable.

A child process reads them, so that a crash or a hang of a decoder doesn't stop the run: the
parent limits the time per file and the child's memory. The tests use 2,000 files; ``make fuzz``
uses any number::

    python -m tests.images.fuzz --files 20000 --seed 1

File n of a seed is always the same file. One that fails is kept in ``fuzz-failures``, named by
seed and number, and is read again by ``python -m tests.images.fuzz --replay FILE``.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import os
import resource
import select
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from skvision.exceptions import ImageDecodeError
from skvision.images import ImageReader, as_image_batch, decode, decode_resized

from .deep_files import packed12, png, tiff

ROOT = Path(__file__).parent.parent.parent

#: the largest decoded image needs 0.5 GiB, and as much for each conversion to RGB
MEMORY = 4 * 2**30
SECONDS = 30.0
START_SECONDS = 120.0
READY = "ready"
TARGET = (32, 24)

# sources


def sources():
    """Return the content of valid files by name; the ending is that of the format."""
    rng = np.random.default_rng(0)
    # smooth, so that files are small; large enough that JPEGs are decoded at reduced size
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    colour = coarse.resize((160, 120), Image.Resampling.BICUBIC)
    grey, small = colour.convert("L"), colour.resize((40, 30))
    alpha = small.copy()
    alpha.putalpha(small.convert("L"))
    sixteen = Image.fromarray(np.asarray(small.convert("L"), np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6  # sideways
    frames = {"save_all": True, "append_images": [small.rotate(90), small.rotate(180)]}
    saved = {
        "plain.jpg": (colour, {"quality": 70, "exif": exif}),
        "progressive.jpg": (colour, {"progressive": True}),
        "grey.jpg": (grey, {}),
        "cmyk.jpg": (small.convert("CMYK"), {}),
        "plain.png": (small, {}),
        "palette.png": (small.quantize(16), {"transparency": 3}),
        "alpha.png": (alpha, {}),
        "sixteen.png": (sixteen, {}),
        "one_bit.png": (small.convert("1"), {}),
        "animated.png": (small, frames),
        "plain.gif": (small.quantize(32), {}),
        "animated.gif": (small.quantize(16), {**frames, "transparency": 0}),
        "lossy.webp": (small, {"exif": exif}),
        "lossless.webp": (alpha, {"lossless": True}),
        "animated.webp": (small, frames),
        "plain.bmp": (small, {}),
        "palette.bmp": (small.quantize(16), {}),
        "one_bit.bmp": (small.convert("1"), {}),
        "plain.tiff": (small, {}),
        "lzw.tiff": (small, {"compression": "tiff_lzw"}),
        "deflate.tiff": (alpha, {"compression": "tiff_adobe_deflate"}),
        "packbits.tiff": (small.quantize(16), {"compression": "packbits"}),
        "jpeg.tiff": (small, {"compression": "jpeg"}),
        "fax.tiff": (small.convert("1"), {"compression": "group4"}),
        "sixteen.tiff": (sixteen, {}),
        "pages.tiff": (small, frames),
    }
    deep = np.asarray(small, np.uint16) * 257
    grey_deep = deep[..., 0] >> 4
    return {
        **{name: _encoded(name, image, options) for name, (image, options) in saved.items()},
        # formats that Pillow doesn't write
        "sixteen_colour.png": png(deep, significant=12),
        "sixteen_alpha.png": png(np.dstack([deep, deep[..., :1]])),
        "twelve.tiff": tiff(packed12(grey_deep), grey_deep.shape, 12, t281=(4095,)),
        "sixteen_colour.tiff": tiff(deep.tobytes(), deep.shape, 16, compress=True),
    }


def _encoded(name, image, options):
    buffer = io.BytesIO()
    image.save(buffer, Path(name).suffix[1:].replace("jpg", "jpeg"), **options)
    return buffer.getvalue()


# mutations: (content, generator) -> content


def flip_bits(data, rng):
    changed = bytearray(data)
    for place in rng.integers(0, len(data), rng.integers(1, 17)):
        changed[place] ^= 1 << rng.integers(8)
    return bytes(changed)


def truncate(data, rng):
    return data[: rng.integers(0, len(data))]


def edit_header(data, rng):
    """Replace a number near the beginning or the end by a critical one."""
    number = int(rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
    size = int(rng.choice([1, 2, 4]))
    written = struct.pack(rng.choice(["<I", ">I"]), number)
    written = written[:size] if rng.integers(2) else written[-size:]
    place = int(rng.integers(0, max(1, min(len(data) - size, 128))))
    if rng.integers(4) == 0:  # a TIFF's directory is at its end
        place = max(0, len(data) - 8 - place)
    return data[:place] + written + data[place + size :]


def move_a_part(data, rng):
    """Remove a part, or insert it elsewhere, or both."""
    start, end = sorted(rng.integers(0, len(data) + 1, 2))
    end = min(end, start + 64)
    part, rest = data[start:end], data[:start] + data[end:]
    if rng.integers(3) == 0:
        return rest
    kept = data if rng.integers(2) else rest
    place = rng.integers(0, len(kept) + 1)
    return kept[:place] + part + kept[place:]


def make_noise(data, rng):
    start = int(rng.integers(0, len(data)))
    noise = rng.bytes(int(rng.integers(1, 33)))
    return data[:start] + noise + data[start + len(noise) :]


MUTATIONS = (flip_bits, truncate, edit_header, edit_header, move_a_part, make_noise)


def with_checksums(data):
    """Return a PNG with correct checksums, since wrong ones would hide most other changes."""
    sound, place = data[:8], 8
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        chunk = data[place + 4 : place + 8 + length]
        sound += data[place : place + 4] + chunk + struct.pack(">I", zlib.crc32(chunk))
        place += 12 + length
    return sound + data[place:]


def mutated(files, seed, number):
    """Return (name, content) of the file of a seed and a number."""
    rng = np.random.default_rng([seed, number])
    name = list(files)[rng.integers(len(files))]
    data = files[name]
    for _ in range(rng.integers(1, 4)):
        if data:
            data = MUTATIONS[rng.integers(len(MUTATIONS))](data, rng)
    if name.endswith(".png") and rng.integers(2):
        data = with_checksums(data)
    return name, data


# outcomes of a file


def outcome(data, path):
    """Read a file in every way; return "decoded" or "refused", or raise any other error."""
    path.write_bytes(data)
    whole = [_read(decode, source) for source in (data, path)]
    assert (whole[0] is None) == (whole[1] is None), "bytes and path don't agree"
    if whole[0] is not None:
        assert whole[0].dtype == np.uint8, whole[0].dtype
        assert whole[0].ndim == 3, whole[0].shape
        assert whole[0].shape[2] == 3, whole[0].shape
        assert np.array_equal(*whole), "bytes and path don't agree"
    small = [_read(_in_training, source) for source in (data, path)]
    small.append(_read(lambda source: decode_resized(source, TARGET, "stretch"), data))
    assert len({each is None for each in small}) == 1, "the ways of reading don't agree"
    if small[0] is not None:
        assert small[0].shape == (*TARGET, 3), small[0].shape
        assert all(np.array_equal(small[0], each) for each in small[1:]), "ways don't agree"
    return "refused" if whole[0] is None and small[0] is None else "decoded"


def _read(read, source):
    try:
        return read(source)
    except ImageDecodeError as error:
        refused = error
    assert refused.reason.strip(), "no reason is given"
    assert "\n" not in str(refused), "the reason is longer than a line"
    return None


def _in_training(source):
    images = as_image_batch([source])
    with ImageReader(images, TARGET, "stretch") as reader:
        return reader.read(np.arange(1))[0]


# the child


def read_files(seed, first, last):
    """Read the files of these numbers; print a line of JSON about each."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    files = sources()
    print(json.dumps(READY), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            name, data = mutated(files, seed, number)
            report = judged(data, Path(folder, name))
            print(json.dumps({"number": number, "name": name, **report}), flush=True)


def judged(data, path):
    try:
        report = {"outcome": outcome(data, path)}
    except BaseException as error:
        report = {"outcome": type(error).__name__, "reason": traceback.format_exc()}
    return {**report, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


# the parent


@dataclass
class Report:
    """The outcomes of the files."""

    outcomes: Counter = field(default_factory=Counter)
    formats: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)
    #: seconds, and the file's number
    slowest: tuple = (0.0, None)
    peak: int = 0

    def __str__(self):
        return (
            f"{sum(self.outcomes.values()):,} files: {self.outcomes['decoded']:,} decoded, "
            f"{self.outcomes['refused']:,} refused, {len(self.failures)} failed. Slowest "
            f"{self.slowest[0]:.2f} s (file {self.slowest[1]}), most memory "
            f"{self.peak / 2**20:,.0f} MiB."
        )


def fuzz(n_files, seed, *, first=0, keep="fuzz-failures", seconds=SECONDS):
    """Let a child read files, and start another one after the file that kills it."""
    report = Report()
    number, last = first, first + n_files
    while number < last:
        with tempfile.TemporaryFile() as errors:
            number = _watch_a_child(report, seed, number, last, Path(keep), seconds, errors)
    return report


def _watch_a_child(report, seed, number, last, keep, seconds, errors):
    """Follow a child until it ends; return the number of the next file."""
    command = [sys.executable, "-m", "tests.images.fuzz", "--child", f"{seed},{number},{last}"]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors)
    limit, buffer = START_SECONDS, b""
    started = time.monotonic()
    try:
        while number < last:
            ready, _, _ = select.select([child.stdout], [], [], limit)
            data = os.read(child.stdout.fileno(), 2**16) if ready else b""
            if not data:
                errors.seek(0)
                said = errors.read().decode(errors="replace")
                kind = f"crash, exit status {child.wait()}" if ready else "hang"
                _failed(report, keep, seed, number, kind, f"{kind}\n{said}")
                return number + 1
            buffer += data
            *lines, buffer = buffer.split(b"\n")
            now = time.monotonic()
            limit, waited, started = seconds, now - started, now
            for line in lines:
                told = json.loads(line)
                if told == READY:
                    continue
                report.slowest = max(report.slowest, (waited / len(lines), number))
                report.formats[Path(told["name"]).suffix, told["outcome"]] += 1
                report.peak = max(report.peak, told["peak"])
                if "reason" in told:
                    _failed(report, keep, seed, number, told["outcome"], told["reason"])
                else:
                    report.outcomes[told["outcome"]] += 1
                number += 1
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    return number


def _failed(report, keep, seed, number, kind, reason):
    name, data = mutated(sources(), seed, number)
    keep.mkdir(parents=True, exist_ok=True)
    path = keep / f"seed-{seed}-file-{number:06d}-{name}"
    path.write_bytes(data)
    path.with_name(f"{path.name}.txt").write_text(reason)
    report.outcomes[kind] += 1
    report.failures.append(f"{path}: {kind}\n{reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--replay", type=Path, help="read one file that was kept")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        read_files(*map(int, asked.child.split(",")))
        return 0
    if asked.replay:
        with tempfile.TemporaryDirectory() as folder:
            print(outcome(asked.replay.read_bytes(), Path(folder, asked.replay.name)))
        return 0
    report = fuzz(asked.files, asked.seed, first=asked.first)
    for failure in report.failures:
        print(failure)
    for (suffix, result), count in sorted(report.formats.items()):
        print(f"{suffix} {result}: {count:,}")
    print(report)
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
