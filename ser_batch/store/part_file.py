"""One part as bytes: Parquet with page checksums, and a digest of the whole file in its footer.

The digest covers every byte but its own: a flipped bit anywhere, footer and statistics included,
is noticed when the part is read. Any Parquet reader opens the file; those that check pages can.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ser_batch.errors import BrokenSealError, DamagedPartError
from ser_batch.store.content import open_content, read_bytes

_TAGS = b"ser_batch.tags"
_VERSION = b"ser_batch.version"
_REPLACES = b"ser_batch.replaces"
_DIGEST = "ser_batch.digest"
_METHOD = "blake2b-128:"
_BLANK = "0" * 32
# key and value as Thrift's compact protocol writes them: a string is its length and its bytes
_MARK = b"\x18%c%s\x18%c%s" % (
    len(_DIGEST),
    _DIGEST.encode(),
    len(_METHOD) + len(_BLANK),
    _METHOD.encode(),
)
_UNREADABLE = (OSError, pa.ArrowException, ValueError, MemoryError)


def encode(table: pa.Table, *, version: int, tags: Mapping[str, str]) -> bytes:
    """A part file's bytes.

    Args:
        table: its rows
        version: of the table's contract
        tags: what the rows were made from
    """
    footer = {
        _TAGS: json.dumps(dict(tags), sort_keys=True).encode(),
        _VERSION: str(version).encode(),
    }
    return _bytes(table.replace_schema_metadata({**(table.schema.metadata or {}), **footer}))


def encode_again(table: pa.Table, *, tags: Mapping[str, str], replaces: str) -> bytes:
    """The bytes of a part file of which some rows were dropped.

    Args:
        table: the rows that stay, its metadata those of the file before
        tags: what the rows were made from
        replaces: digest of the file before
    """
    footer = {
        **(table.schema.metadata or {}),
        _TAGS: json.dumps(dict(tags), sort_keys=True).encode(),
        _REPLACES: replaces.encode(),
    }
    return _bytes(table.replace_schema_metadata(footer))


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    packed = [field.name for field in table.schema if pa.types.is_fixed_size_binary(field.type)]
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        write_page_checksum=True,
        use_dictionary=[name for name in table.column_names if name not in packed],  # type: ignore[arg-type]
        column_encoding=dict.fromkeys(packed, "BYTE_STREAM_SPLIT"),
    ) as out:
        out.write_table(table)
        out.add_key_value_metadata({_DIGEST: _METHOD + _BLANK})
    data = bytearray(sink.getvalue())
    begin = data.rindex(_MARK) + len(_MARK)
    data[begin : begin + len(_BLANK)] = hashlib.blake2b(data, digest_size=16).hexdigest().encode()
    return bytes(data)


def decode(data: bytes, path: Path) -> pa.Table:
    """The rows of a part file, of any version, its footer as their metadata.

    Raises:
        DamagedPartError: if a byte is not as it was written
    """
    _check_digest(data, path)
    try:
        # one file, not a data set: the folder's name must not become a column
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        table = file.read()
        table.validate(full=True)
    except _UNREADABLE as error:
        raise DamagedPartError(path, str(error)) from error
    return table


def read(path: Path) -> bytes:
    """The bytes of a part file, decrypted where it is encrypted.

    Raises:
        FileNotFoundError: if it is not there
        DamagedPartError: if it is not as it was encrypted
    """
    try:
        return read_bytes(path)
    except BrokenSealError as error:
        raise DamagedPartError(path, "it is not as it was encrypted") from error


def check(data: bytes, path: Path) -> None:
    """Make sure that a part file is as it was written; one that states no digest is read.

    Raises:
        DamagedPartError: if it is not
    """
    if not _check_digest(data, path):
        decode(data, path)


def stated_digest(path: Path) -> str:
    """The digest that a part file states, from its end alone; empty where it states none.

    Raises:
        DamagedPartError: if its end cannot be read
    """
    with _opened(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 8))
        end = file.read()
        if len(end) < 8 or end[4:] != b"PAR1":
            raise DamagedPartError(path, "its end is missing")
        file.seek(max(0, size - 8 - int.from_bytes(end[:4], "little")))
        return _stated(file.read())[0] or ""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A part file, open; a damaged one is a `DamagedPartError` wherever that is noticed."""
    try:
        with open_content(path) as file:
            yield file
    except BrokenSealError as error:
        raise DamagedPartError(path, "it is not as it was encrypted") from error


def read_schema(path: Path) -> pa.Schema:
    """The columns and the footer of a part file.

    Raises:
        DamagedPartError: if they cannot be read
    """
    try:
        with _opened(path) as file:
            return pq.read_schema(file)
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        raise DamagedPartError(path, str(error)) from error


def version_of(schema: pa.Schema) -> int:
    """Version of the contract that a part was written under."""
    return int((schema.metadata or {}).get(_VERSION, b"1"))


def tags_of(schema: pa.Schema, path: Path) -> dict[str, str]:
    """What a part was made from.

    Raises:
        DamagedPartError: if that cannot be read
    """
    try:
        tags: dict[str, str] = json.loads((schema.metadata or {}).get(_TAGS, b"{}"))
    except ValueError as error:
        raise DamagedPartError(path, f"its tags: {error}") from error
    return tags


def replaced_digest(path: Path) -> str:
    """Digest of the file that a part replaced when rows were dropped from it; else empty."""
    return (read_schema(path).metadata or {}).get(_REPLACES, b"").decode()


def n_rows(path: Path) -> int:
    """How many rows a part file says that it has.

    Raises:
        DamagedPartError: if that cannot be read
    """
    try:
        with _opened(path) as file:
            return int(pq.read_metadata(file).num_rows)
    except _UNREADABLE as error:
        raise DamagedPartError(path, str(error)) from error


def _check_digest(data: bytes, path: Path) -> bool:
    """Whether a part file states a digest; it is that of the file then."""
    stated, begin = _stated(data)
    if stated is None:
        return False
    content = hashlib.blake2b(memoryview(data)[:begin], digest_size=16)
    content.update(_BLANK.encode())
    content.update(memoryview(data)[begin + len(_BLANK) :])
    if content.hexdigest() != stated:
        raise DamagedPartError(path, "its digest is not that of what was written")
    return True


def _stated(data: bytes) -> tuple[str | None, int]:
    """The digest that a file states, and where; None if it states none."""
    begin = data.rfind(_MARK)
    if begin < 0:
        return None, 0
    begin += len(_MARK)
    return data[begin : begin + len(_BLANK)].decode("ascii", "replace"), begin
