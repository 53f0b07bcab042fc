"""Models, feature sets, weights and labels that cannot be used: the run stops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ser_batch.errors.base import StopError
from ser_batch.errors.run import DependencyError


class ModelError(StopError):
    """A model bundle cannot be used."""

    code = "model"


class CorpusError(StopError):
    """A corpus folder does not look like the corpus it is said to be."""

    code = "corpus"


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


class EncoderSourceError(StopError):
    """A speech encoder that cannot be fine-tuned, or not be fetched."""

    code = "encoder_source"
    remedy = (
        "Name a folder with config.json and model.safetensors as the hub keeps them, or weights "
        "that `ser-batch weights list` names."
    )


class SentenceModelError(StopError):
    """The sentence embeddings that a model of words reads are not there, or not as they were."""

    code = "sentence_model"
    remedy = (
        "Set transcripts.sentences to the folder that the model of words was fitted with, or fit "
        "it again with `ser-batch models fit-words`."
    )


class UnfitPartsError(StopError):
    """These feature sets cannot stand side by side."""

    code = "feature_set"


class UnknownFeatureSetError(StopError):
    """No feature set has this name."""

    code = "feature_set"

    def __init__(self, name: str, hint: str) -> None:
        super().__init__(f"there is no feature set {name!r}{hint}")


class DistillError(StopError):
    """An encoder cannot be made of what was given."""

    code = "distill"


class NothingQueuedError(StopError):
    """There is nothing to label."""

    code = "nothing_queued"
    remedy = "Run `ser-batch labels queue` first."
    message = "no segment is queued for labelling"


class LabelFileError(StopError):
    """A file with labels cannot be read at all."""

    code = "label_file"
    remedy = "Give an export of Label Studio (JSON or CSV), or a CSV as `labels queue` writes it."


class TooFewLabelsError(StopError):
    """There is not enough to learn from."""

    code = "too_few_labels"
    remedy = (
        "Label more (`ser-batch labels queue`), or train on a corpus that holds the emotions "
        "(`retrain.corpora`)."
    )

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))


class BundleError(ModelError):
    """A bundle's files are missing, changed or do not fit together."""

    code = "bundle"
    remedy = "Take an unchanged copy of the bundle, or train it again."


class LeakError(ModelError):
    """The same speaker, clip or copy stands on both sides of a split."""

    code = "leak"


class BothSidesError(LeakError):
    """Corpora or tables that are trained on and tested share a speaker, a recording or a text."""

    remedy = (
        "Leave it out on one side; `--protocol NAME-loso` tests one corpus or table of labels on "
        "its own speakers, each held out in turn."
    )


class MissingWeightsError(DependencyError):
    """A feature set was chosen whose weights were not fetched yet."""

    code = "weights_missing"
    remedy = (
        'Or do without them: a night with features.set = "descriptors_v1", a training with '
        "`--model cnn-lstm`."
    )

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(
            f"the weights {name!r} are not at {path}: "
            f"`ser-batch weights get {name}` fetches them once"
        )
