"""The run stops: an object store cannot be used, or another run took a root over."""

from __future__ import annotations

from ser_batch.errors.base import StopError


class StoreError(StopError):
    """An object store cannot be used."""

    code = "store"


class StoreAddressError(StoreError):
    """An address is none of a bucket."""

    code = "store_address"
    remedy = "Addresses are s3://BUCKET/PREFIX and file:///FOLDER."

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is no address of an object store")


class StoreMissingError(StoreError):
    """There is no such bucket or folder."""

    code = "store_missing"
    remedy = "Create it, or correct the address."

    def __init__(self, address: str) -> None:
        super().__init__(f"there is no bucket for {address}")


class StoreAccessError(StoreError):
    """The object store refuses."""

    code = "store_access"
    remedy = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the policy of the bucket."

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(f"{address} refuses access: {cause}")


class StoreNameError(StoreError):
    """An object has a name that no path can have."""

    code = "store_name"
    remedy = (
        "Rename or delete it: parts of a name are not empty, not `.` or `..`, and without control "
        "characters."
    )

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(f"an object of {address} has a name that cannot be used: {cause}")


class StoreRequestError(StoreError):
    """The object store answered with an error of its own."""

    code = "store_request"
    remedy = "See the store's log; docs/scale.md says what a store must be able to do."

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(f"{address} could not do what was asked: {cause}")


class StoreUnreachableError(StoreError):
    """The object store did not answer, though it was asked again."""

    code = "store_unreachable"
    remedy = "Check the network and AWS_ENDPOINT_URL, and run it again: what was done is kept."

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(f"{address} does not answer: {cause}")


class NoRemoteRootError(StoreError):
    """A command that only reads was given an address where nobody made a root."""

    code = "root"
    remedy = "Correct --root or SER_ROOT; `ser-batch nightly --audio FOLDER` creates a root."

    def __init__(self, address: str) -> None:
        super().__init__(f"there is no root at {address}")


class TakenOverError(StoreError):
    """Another run holds the root that this run held: it was silent for too long."""

    code = "taken_over"
    remedy = "Nothing of this run was published since then; the other run does the work."

    def __init__(self, address: str, holder: str) -> None:
        super().__init__(f"{address} was taken over by another run{holder}")


class ChangedMeanwhileError(StoreError):
    """Two programs changed the same file of a root."""

    code = "changed_meanwhile"
    remedy = "Do it again: the other program's change is kept, this one is not."

    def __init__(self, address: str, path: str) -> None:
        super().__init__(f"{path} of {address} was changed by another program at the same time")
