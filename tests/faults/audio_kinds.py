"""Bad and odd recordings of every kind, each built from a sound one."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

Build = Callable[[Path], None]

RATE = 8000
SOUND = (0.1 * np.sin(np.arange(2 * RATE) * 2 * np.pi * 400 / RATE)).astype(np.float32)

FORMATS = {
    "WAV, 8 bit": ("WAV", "PCM_U8"),
    "WAV, 16 bit": ("WAV", "PCM_16"),
    "WAV, 24 bit": ("WAV", "PCM_24"),
    "WAV, 32 bit": ("WAV", "PCM_32"),
    "WAV, float": ("WAV", "FLOAT"),
    "WAV, double": ("WAV", "DOUBLE"),
    "WAV, mu-law": ("WAV", "ULAW"),
    "WAV, A-law": ("WAV", "ALAW"),
    "WAVEX": ("WAVEX", "PCM_16"),
    "RF64": ("RF64", "PCM_16"),
    "FLAC": ("FLAC", "PCM_16"),
    "MP3": ("MP3", "MPEG_LAYER_III"),
    "Vorbis": ("OGG", "VORBIS"),
    "Opus": ("OGG", "OPUS"),
    "AIFF": ("AIFF", "PCM_16"),
}


def encoded(
    name: str, *, n_channels: int = 1, rate: int = RATE, n_samples: int = 2 * RATE
) -> bytes:
    container, codec = FORMATS[name]
    sink = io.BytesIO()
    samples = np.repeat(np.resize(SOUND, n_samples)[:, None], n_channels, axis=1)
    with soundfile.SoundFile(sink, "w", rate, n_channels, codec, format=container) as file:
        for first in range(0, n_samples, 4000):
            file.write(samples[first : first + 4000])
    return sink.getvalue()


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(data) if size is None else size) + data


def fmt(tag: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16, block: int = 2) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits))


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


PCM = (SOUND * 32767).astype("<i2").tobytes()
DATA = chunk(b"data", PCM)
WAV = riff(fmt(), DATA)


def patched(data: bytes, place: bytes, offset: int, new: bytes) -> bytes:
    at = data.index(place) + offset
    return data[:at] + new + data[at + len(new) :]


def sparse(header: bytes, size: int) -> Build:
    def build(path: Path) -> None:
        with path.open("wb") as file:
            file.write(header)
            file.truncate(size)

    return build


def link(target: str) -> Build:
    return lambda path: path.symlink_to(path.parent / target)


def floats(bad: float, name: str) -> bytes:
    sink = io.BytesIO()
    soundfile.write(sink, np.where(np.arange(RATE) == 99, bad, 0), RATE, name, format="WAV")
    return sink.getvalue()


def outside(path: Path) -> None:
    path.symlink_to("/dev/zero")


def flac_samples(n_samples: int) -> bytes:
    data = bytearray(encoded("FLAC"))
    data[21] = data[21] & 0xF0 | n_samples >> 32
    data[22:26] = struct.pack(">I", n_samples & 0xFFFFFFFF)
    return bytes(data)


FOREIGN = {
    "text": b"call,agent\n17,Kim\n" * 50,
    "UTF-16 text": "a recording, supposedly".encode("utf-16") * 40,
    "HTML, an error page of a server": b"<!DOCTYPE html><html><body>403</body></html>" * 20,
    "JSON": b'{"error": "no such recording"}' * 20,
    "XML": b'<?xml version="1.0"?><calls></calls>' * 20,
    "ZIP": b"PK\3\4\x14\0\0\0\x08\0" + bytes(range(256)) * 8,
    "GZIP": b"\x1f\x8b\x08\0" + bytes(range(256)) * 8,
    "PDF": b"%PDF-1.7\n" + bytes(range(256)) * 8,
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    "SQLite": b"SQLite format 3\0" + bytes(4096),
    "an ELF program": b"\x7fELF\2\1\1" + bytes(range(256)) * 8,
    "Parquet": b"PAR1" + bytes(range(256)) * 8 + b"PAR1",
    "random bytes": np.random.default_rng(0).bytes(4096),
    "zeros": bytes(65536),
    "one byte": b"R",
    "four bytes": b"RIFF",
    "twelve bytes": b"RIFF\4\0\0\0WAVE",
    "M4A": b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom" + bytes(range(256)) * 8,
    "WebM": b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 8,
    "WMA": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(range(256)) * 8,
    "AMR": b"#!AMR\n" + bytes(range(256)) * 8,
    "AAC": b"\xff\xf1\x50\x80\x01\x3f\xfc" + bytes(400),
    "MIDI": b"MThd\0\0\0\6\0\1\0\1\0\x60" + bytes(200),
    "AVI": b"RIFF\0\4\0\0AVI LIST" + bytes(1024),
    "OGG page of no codec": b"OggS\0\2" + bytes(20) + b"\1\x10" + b"notacodec1234567",
    "FLAC mark alone": b"fLaC",
    "ID3 tag alone": b"ID3\4\0\0\0\0\0\x0a" + bytes(10),
    "AIFF mark alone": b"FORM\0\0\0\4AIFF",
}

HEADERS = {
    "WAV without fmt": riff(DATA),
    "WAV without data": riff(fmt()),
    "WAV, data before fmt": riff(DATA, fmt()),
    "WAV, fmt too short": riff(chunk(b"fmt ", b"\1\0\1\0"), DATA),
    "WAV, fmt cut off": riff(fmt())[:30],
    "WAV, codec GSM": riff(fmt(0x31, block=65, bits=0), DATA),
    "WAV, codec G.723": riff(fmt(0x14), DATA),
    "WAV, codec G.729": riff(fmt(0x83, bits=0), DATA),
    "WAV, codec MP3": riff(fmt(0x55, bits=0), DATA),
    "WAV, codec AAC": riff(fmt(0xFF), DATA),
    "WAV, codec unknown": riff(fmt(0x7777), DATA),
    "WAV, 0 channels": riff(fmt(channels=0), DATA),
    "WAV, 3 channels": riff(fmt(channels=3, block=6), DATA),
    "WAV, 65535 channels": riff(fmt(channels=65535), DATA),
    "WAV, 0 Hz": riff(fmt(rate=0), DATA),
    "WAV, 1 Hz": riff(fmt(rate=1), DATA),
    "WAV, 4 kHz": riff(fmt(rate=4000), DATA),
    "WAV, 96 kHz": riff(fmt(rate=96000), DATA),
    "WAV, 2 GHz": riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 2**31 - 1, 9, 2, 16)), DATA),
    "WAV, 0 bits": riff(fmt(bits=0), DATA),
    "WAV, 7 bits": riff(fmt(bits=7, block=1), DATA),
    "WAV, 64 bits": riff(fmt(bits=64, block=8), DATA),
    "WAV, block of 0 bytes": riff(fmt(block=0), DATA),
    "WAV, byte rate 0": patched(WAV, b"fmt ", 16, bytes(4)),
    "WAV, byte rate too high": patched(WAV, b"fmt ", 16, b"\xff" * 4),
    "WAV, declares too little": patched(WAV, b"data", 4, struct.pack("<I", 8000)),
    "WAV, declares too much": patched(WAV, b"data", 4, struct.pack("<I", 2 * len(PCM))),
    "WAV, open length 0": patched(WAV, b"data", 4, bytes(4)),
    "WAV, open length of all ones": patched(WAV, b"data", 4, b"\xff" * 4),
    "WAV, open length, no sample": riff(fmt(), chunk(b"data", b"", 0xFFFFFFFF)),
    "WAV, no sample": riff(fmt(), chunk(b"data", b"")),
    "WAV, half a sample too much": riff(fmt(), chunk(b"data", PCM + b"\1")),
    "WAV, two data chunks": riff(fmt(), DATA, DATA),
    "WAV, big-endian": b"RIFX" + WAV[4:],
    "WAV, padding after the data": WAV + bytes(3000),
    "WAV, a list after the data": WAV + chunk(b"LIST", bytes(600)),
    "WAV, RIFF length 0": patched(WAV, b"RIFF", 4, bytes(4)),
    "WAV, 20,000 empty chunks first": riff(fmt(), chunk(b"junk", b"") * 20_000, DATA),
    "RF64, lying ds64": patched(encoded("RF64"), b"ds64", 16, b"\xff" * 7),
    "FLAC, declares too little": flac_samples(100),
    "FLAC, declares too much": flac_samples(3 * RATE),
    "FLAC, declares 270 days": flac_samples(2**36 - 1),
    "FLAC, damaged frames": encoded("FLAC")[:1000] + bytes(3000),
    "MP3, damaged middle": encoded("MP3")[:3000] + bytes(1000) + encoded("MP3")[4000:],
    "MP3, ID3 tag first": b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + encoded("MP3"),
    "Vorbis, damaged middle": encoded("Vorbis")[:4500] + bytes(300) + encoded("Vorbis")[4800:],
    "Opus, damaged middle": encoded("Opus")[:2500] + bytes(300) + encoded("Opus")[2800:],
    "AIFF, declares too much": patched(encoded("AIFF"), b"COMM", 10, struct.pack(">I", 2**31)),
    "NaN": floats(np.nan, "FLOAT"),
    "infinite": floats(np.inf, "FLOAT"),
    "negative infinite": floats(-np.inf, "DOUBLE"),
    "beyond full scale": floats(1e30, "DOUBLE"),
    "silence": riff(fmt(), chunk(b"data", bytes(len(PCM)))),
}

PLACES: dict[str, Build] = {
    "empty file": lambda path: path.touch(),
    "FIFO": os.mkfifo,
    "folder with the name of a recording": lambda path: path.mkdir(),
    "link to nothing": link("gone.wav"),
    "link to itself": link("call.wav"),
    "link out of the folder, to a device": outside,
    "3 GiB, open length": sparse(riff(fmt(), chunk(b"data", b"", 0xFFFFFFFF)), 3 << 30),
    "3 GiB, length 0": sparse(riff(fmt(), chunk(b"data", b"", 0)), 3 << 30),
    "3 GiB, declared": sparse(riff(fmt(), chunk(b"data", b"", (3 << 30) - 44)), 3 << 30),
    "2.7 GB of 48 kHz in doubles": sparse(
        riff(fmt(3, 2, 48000, 64, 16), chunk(b"data", b"", 4_200_000_000)), 4_200_000_046
    ),
}


def _built() -> dict[str, Build]:
    files = {**FOREIGN, **HEADERS}
    files |= {f"{name}, half of it": encoded(name)[: len(encoded(name)) // 2] for name in FORMATS}
    files |= {f"{name}, 0.1 s": encoded(name, n_samples=800) for name in FORMATS}
    files |= {
        f"{name}, 3 channels": encoded(name, n_channels=3)
        for name in ("FLAC", "Vorbis", "Opus", "AIFF")
    }
    return {name: partial(Path.write_bytes, data=data) for name, data in files.items()} | PLACES


AUDIO_KINDS = _built()
