"""Objects in a bucket of an S3 object store, by obstore.

Credentials, region and endpoint come from the usual variables, `AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_REGION` and `AWS_ENDPOINT_URL`.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ser_batch.errors import (
    DependencyError,
    StoreAccessError,
    StoreMissingError,
    StoreNameError,
    StoreRequestError,
    StoreUnreachableError,
)
from ser_batch.files.objects import StoredObject

TRY_FOR = dt.timedelta(seconds=90)
"""Until a store that does not answer counts as unreachable."""
MOST_TRIES = 100
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""Without them a machine's own role may give access."""
_FIRST_WAIT, _LONGEST_WAIT = dt.timedelta(seconds=0.1), dt.timedelta(seconds=5)
_DELETE_AT_ONCE = 500

Given = ParamSpec("Given")
Result = TypeVar("Result")


def _translated(method: Callable[Given, Result]) -> Callable[Given, Result]:
    """A method of `BucketStore` whose errors say in one line what to do."""

    @wraps(method)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        from obstore.exceptions import BaseError  # noqa: PLC0415  an extra

        try:
            return method(*args, **kwargs)
        except (BaseError, OSError) as error:
            raise _explained(str(args[0].address), error) from None  # type: ignore[attr-defined]

    return call


def open_bucket(bucket: str, prefix: str) -> BucketStore:
    """The objects of a bucket, below a prefix without slashes at its ends.

    Raises:
        DependencyError: if obstore is not installed
    """
    if importlib.util.find_spec("obstore") is None:
        raise DependencyError("s3:// needs obstore: pip install 'ser-batch[cluster]'")
    from obstore.store import S3Store  # noqa: PLC0415  an extra

    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    objects = S3Store(
        bucket,
        prefix=prefix or None,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "timeout": "120s",
            "connect_timeout": "5s",
        },
        retry_config={
            "max_retries": MOST_TRIES,
            "retry_timeout": TRY_FOR,
            "backoff": {"init_backoff": _FIRST_WAIT, "max_backoff": _LONGEST_WAIT, "base": 2},
        },
    )
    return BucketStore(f"s3://{bucket}/{prefix}".rstrip("/"), objects)


class BucketStore:
    """Objects that obstore reaches.

    Args:
        address: as the user named it
        objects: a store of obstore
    """

    def __init__(self, address: str, objects: Any) -> None:
        self.address = address
        self._objects = objects

    @_translated
    def list(self, prefix: str) -> Iterator[StoredObject]:
        """As `Store.list`."""
        import obstore  # noqa: PLC0415  an extra

        found = [
            _object(each) for some in obstore.list(self._objects, prefix or None) for each in some
        ]
        return iter(found)

    @_translated
    def list_folder(self, prefix: str) -> tuple[Sequence[StoredObject], Sequence[str]]:
        """As `Store.list_folder`."""
        import obstore  # noqa: PLC0415  an extra

        found = obstore.list_with_delimiter(self._objects, prefix or None)
        return [_object(each) for each in found["objects"]], list(found["common_prefixes"])

    @_translated
    def head(self, key: str) -> StoredObject:
        """As `Store.head`."""
        return _object(self._objects.head(key))

    @_translated
    def read(self, found: StoredObject, start: int, stop: int) -> bytes:
        """As `Store.read`."""
        answer = self._objects.get(found.key, options={"range": (start, min(stop, found.size))})
        if not found.is_same(_object(answer.meta)):
            raise FileNotFoundError(found.key)
        return bytes(answer.bytes())

    @_translated
    def get(self, key: str) -> bytes:
        """As `Store.get`."""
        return bytes(self._objects.get(key).bytes())

    @_translated
    def download(self, key: str, target: Path) -> None:
        """As `Store.download`."""
        with target.open("wb") as file:
            for block in self._objects.get(key).stream(min_chunk_size=8 << 20):
                file.write(block)

    @_translated
    def put(self, key: str, content: bytes | Path) -> None:
        """As `Store.put`."""
        self._objects.put(key, content)

    @_translated
    def create(self, key: str, content: bytes) -> bool:
        """As `Store.create`."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415

        try:
            self._objects.put(key, content, mode="create", use_multipart=False)
        except (AlreadyExistsError, PreconditionError):
            return False
        return True

    @_translated
    def delete(self, keys: Iterable[str]) -> None:
        """As `Store.delete`."""
        wanted = [*keys]
        for start in range(0, len(wanted), _DELETE_AT_ONCE):
            some = wanted[start : start + _DELETE_AT_ONCE]
            try:
                self._objects.delete(some)
            except FileNotFoundError:  # S3 does not say so, other stores do
                for key in some:
                    with suppress(FileNotFoundError):
                        self._objects.delete(key)


def _object(meta: Mapping[str, Any]) -> StoredObject:
    """An object as obstore describes it."""
    etag = str(meta["e_tag"]).strip('"')
    return StoredObject(meta["path"], meta["size"], etag, meta["last_modified"].timestamp())


def _explained(address: str, error: Exception) -> Exception:
    """What an error of obstore says to a user."""
    from obstore.exceptions import NotFoundError, UnauthenticatedError  # noqa: PLC0415

    text = " ".join(str(error).split())
    if isinstance(error, NotFoundError | FileNotFoundError):
        if "NoSuchBucket" in text:
            return StoreMissingError(address)
        return FileNotFoundError(text)
    if invalid := re.search(r"invalid path: (.*)", text):
        return StoreNameError(address, invalid[1])
    code = re.search(r"<Code>(\w+)</Code>", text)
    status = re.search(r"status code: (4\d\d \w+)", text)
    found = code or status
    causes = re.findall(r'(?:message|error): "([^"]+)"', text)  # the last is the innermost
    why = found[1] if found else (causes or [text.partition(" Debug source")[0]])[-1]
    is_refused = "403" in text or "401" in text or "credential" in text.lower()
    if isinstance(error, UnauthenticatedError | PermissionError) or is_refused:
        unset = " and ".join(name for name in KEYS if not os.environ.get(name))
        return StoreAccessError(address, f"{why}; {unset} not set here" if unset else why)
    if "NoSuchBucket" in text:
        return StoreMissingError(address)
    return StoreRequestError(address, why) if code else StoreUnreachableError(address, why)
