"""What can go wrong between a user and the weights of a speech model."""

from __future__ import annotations

from pathlib import Path

from ser_batch.errors import DependencyError, StopError


class MissingWeightsError(DependencyError):
    """A feature set was chosen whose weights were not fetched yet."""

    code = "weights_missing"
    remedy = 'Or do without them: features.set = "descriptors_v1".'

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(
            f"the weights {name!r} are not at {path}: "
            f"`ser-batch weights get {name}` fetches them once"
        )


class WeightsError(StopError):
    """Weights that are not the published ones, or a file of them that cannot be read."""

    code = "weights"
    remedy = "Get them again with `ser-batch weights get`."


class UnknownWeightsError(StopError):
    """No weights have this name."""

    code = "weights"
    remedy = "`ser-batch weights list` names them."


class DownloadError(StopError):
    """The weights could not be fetched."""

    code = "weights_download"
    remedy = (
        "Try again, or fetch a CTranslate2, safetensors or ONNX copy elsewhere and name its "
        "folder with `ser-batch weights get --from FOLDER`."
    )


class EncoderError(StopError):
    """An encoder of our own that is not there, or not as it was written."""

    code = "encoder"
    remedy = "Put the folder back as it came, or make it again with `ser-batch distill`."
