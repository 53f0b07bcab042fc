"""Which model scores: the champion, the bundled one, or the one that the settings name."""

from __future__ import annotations

from pathlib import Path

from ser_batch.config import Settings
from ser_batch.errors import ModelError
from ser_batch.features.fused import is_part_of
from ser_batch.features.sets import get_feature_set
from ser_batch.resources import bundled_models
from ser_batch.scoring.bundle import Bundle, default_bundle_path
from ser_batch.scoring.manifest import MANIFEST, read_manifest
from ser_batch.scoring.registry import BUNDLED, Registry
from ser_batch.store.paths import Root

CHAMPION = "champion"
"""Names whichever model was promoted last, and the bundled one until one is."""


def model_folder(root: Root, settings: Settings) -> Path:
    """Where the bundle that the settings name lies.

    Raises:
        ModelError: if there is none
    """
    name = settings.model.name
    if name == CHAMPION:
        champion = Registry(root.models).champion()
        name = champion.folder if champion else BUNDLED
    return named_folder(root, name, settings.features.set)


def named_folder(root: Root, name: str, feature_set: str) -> Path:
    """Where a model lies: `bundled`, or a folder under models/.

    Raises:
        ModelError: if there is none
    """
    if name == BUNDLED:
        return bundled_model(feature_set)
    folder = root.models / name
    if folder.resolve().parent != root.models.resolve() or not folder.is_dir():
        raise ModelError(f"there is no model {name!r} in {root.models}")
    return folder


def find_bundle(root: Root, name: str) -> Path:
    """Where a bundle lies that somebody names by its folder, or as reports and `models list` do.

    Args:
        root: whose models
        name: a folder, `bundled`, a folder below models/, or the id of any of these models

    Raises:
        ModelError: if there is none
    """
    if Path(name).is_dir():
        return Path(name)
    if name == BUNDLED:
        return default_bundle_path()
    places = [*root.models.glob(f"[!.]*/{MANIFEST}"), *bundled_models().glob(f"*/{MANIFEST}")]
    for folder in sorted(place.parent for place in places):
        if folder.name == name or read_manifest(folder).model_id == name:
            return folder
    raise ModelError(
        f"there is no folder {name}, and no model {name!r} in {root.models}; "
        "`ser-batch models list` names them"
    )


def bundled_model(feature_set: str) -> Path:
    """The model that comes along for a feature set, or for parts of it; else the default one."""
    default = default_bundle_path()
    others = sorted(folder for folder in bundled_models().iterdir() if (folder / MANIFEST).exists())
    reading = (
        f for f in (default, *others) if is_part_of(read_manifest(f).feature_set, feature_set)
    )
    return next(reading, default)


def model_id(root: Root, settings: Settings) -> str:
    """Id of the model that the settings name; its files are not read yet.

    Raises:
        UnknownFeatureSetError: if the settings name a feature set that there is not
        DependencyError: if the feature set needs weights that were not fetched
        ModelError: if there is no such model, or it reads another feature set than the settings'
    """
    get_feature_set(settings.features.set).require()
    manifest = read_manifest(model_folder(root, settings))
    if not is_part_of(manifest.feature_set, settings.features.set):
        raise ModelError(
            f"model {manifest.model_id} reads the feature set {manifest.feature_set!r}, "
            f"the settings name {settings.features.set!r}; make features.set the model's"
        )
    champion = Registry(root.models).champion() if settings.model.name == CHAMPION else None
    if champion and champion.folder != BUNDLED and champion.model_id != manifest.model_id:
        raise ModelError(
            f"{champion.folder} is not the model any more that was promoted "
            f"({manifest.model_id}, promoted was {champion.model_id}); promote one again"
        )
    return manifest.model_id


def load_model(root: Root, settings: Settings) -> Bundle:
    """The model that the settings name.

    Raises:
        ModelError: if there is none, or its files do not fit
    """
    model_id(root, settings)
    return Bundle.load(model_folder(root, settings))
