"""Models of a root: which there are, which one scores, and who decided that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_batch.config import Settings
from ser_batch.errors import ModelError
from ser_batch.features.fused import is_part_of
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.choose import model_folder, named_folder
from ser_batch.scoring.manifest import FITTED_TO, MANIFEST, read_evaluation, read_manifest
from ser_batch.scoring.registry import BUNDLED, Entry, Registry
from ser_batch.store.paths import Root


@dataclass(frozen=True)
class KnownModel:
    """A model that can be promoted.

    Attributes:
        folder: below models/, or `bundled`
        model_id: name and digest
        status: champion, shadow or challenger
        feature_set: that it reads
        classes: emotions that it predicts
        uar: on speakers that its training held out; not to be compared between models
        n_speakers: that this rests on
        licence: that it carries from its data
    """

    folder: str
    model_id: str
    status: str
    feature_set: str
    classes: tuple[str, ...]
    uar: float | None
    n_speakers: int | None
    licence: str


def known_models(root: Root, settings: Settings) -> list[KnownModel]:
    """The bundled model and those below models/, the champion first."""
    in_use = model_folder(root, settings)
    shadows = set(Registry(root.models).shadows())
    folders = {BUNDLED: named_folder(root, BUNDLED, settings.features.set)}
    folders |= {path.parent.name: path.parent for path in root.models.glob(f"[!.]*/{MANIFEST}")}
    models = []
    for name, folder in sorted(folders.items()):
        status = "shadow" if name in shadows else "challenger"
        models.append(_known(name, folder, "champion" if folder == in_use else status))
    return sorted(models, key=lambda model: model.status != "champion")


def promote(
    root: Root,
    settings: Settings,
    name: str,
    *,
    who: str,
    why: tuple[str, ...],
    figures: dict[str, Any] | None = None,
) -> Entry:
    """Make a model the champion; to be called while the root is held.

    Raises:
        ModelError: if there is no such model, it is not sound, reads another feature set, or is
            the champion already
    """
    bundle = usable(root, settings, name)
    registry = Registry(root.models)
    champion = registry.champion()
    if bundle.model_id == (champion.model_id if champion else _bundled_id(root, settings)):
        raise ModelError(f"{name} is the champion already: there is nothing to promote")
    return registry.add("promoted", bundle.model_id, name, who=who, why=why, figures=figures)


def roll_back(root: Root, settings: Settings, *, who: str, why: tuple[str, ...]) -> Entry:
    """Make the champion before this one score again; to be called while the root is held.

    Raises:
        ModelError: if there is nothing to roll back, or the earlier model cannot be used any more
    """
    registry = Registry(root.models)
    name = registry.before()
    return registry.add(
        "rolled_back", usable(root, settings, name).model_id, name, who=who, why=why
    )


def set_shadow(
    root: Root, settings: Settings, name: str, *, on: bool, who: str, why: tuple[str, ...]
) -> Entry:
    """Let a challenger score every night beside the champion, or stop it; the root is held.

    Raises:
        ModelError: if there is no such model, it is the champion, or reads another feature set
    """
    bundle = usable(root, settings, name)
    if on and bundle.folder == model_folder(root, settings):
        raise ModelError(f"{name} is the champion: it scores anyway")
    registry = Registry(root.models)
    return registry.add(
        "shadow_on" if on else "shadow_off", bundle.model_id, name, who=who, why=why
    )


def usable(root: Root, settings: Settings, name: str) -> Bundle:
    """A model that could score with these settings.

    Raises:
        ModelError: if there is no such model, it is not sound, or reads another feature set
    """
    bundle = Bundle.load(named_folder(root, name, settings.features.set))
    if not is_part_of(bundle.feature_set, settings.features.set):
        raise ModelError(
            f"{name} reads the feature set {bundle.feature_set!r}, the settings name "
            f"{settings.features.set!r}; make features.set the model's first"
        )
    return bundle


def _bundled_id(root: Root, settings: Settings) -> str:
    return read_manifest(named_folder(root, BUNDLED, settings.features.set)).model_id


def _known(name: str, folder: Path, status: str) -> KnownModel:
    manifest = read_manifest(folder)
    evaluation = read_evaluation(folder)
    return KnownModel(
        folder=name,
        model_id=manifest.model_id,
        status=status,
        feature_set=manifest.feature_set,
        classes=manifest.classes,
        uar=None if FITTED_TO in evaluation else evaluation.get("uar"),
        n_speakers=None if FITTED_TO in evaluation else evaluation.get("n_speakers"),
        licence=manifest.licence,
    )
