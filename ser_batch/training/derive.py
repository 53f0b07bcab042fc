"""A model made from the champion without training: written beside it and registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.bundle_writer import BUILDING, BundleFacts, move_bundle, write_bundle
from ser_batch.scoring.manifest import FITTED_TO, read_card
from ser_batch.scoring.registry import Registry
from ser_batch.store.disk import disk
from ser_batch.store.paths import Root


def derive(
    root: Root,
    changed: Bundle,
    *,
    suffix: str,
    basis: str,
    recordings: Set[str],
    write_reference: Callable[[Path], None],
    who: str,
    figures: Mapping[str, Any] | None = None,
) -> Bundle:
    """Write the changed champion below models/ and register it; the root is held.

    Args:
        root: whose champion
        changed: the champion as it was read, with another predictor
        suffix: of its name, such as `-aligned`
        basis: what it rests on and which command made it, for the card and the log
        recordings: that it was fitted to
        write_reference: puts its reference into its folder
        who: for the log
        figures: for the log, JSON-able
    """
    manifest = changed.manifest
    name = manifest.name.removesuffix(suffix) + suffix
    fitted_to = {*changed.evaluation.get(FITTED_TO, ()), *recordings}
    building = root.models / BUILDING
    disk().remove_folder(building)
    card = read_card(changed.folder)
    facts = BundleFacts(
        name=name,
        feature_set=manifest.feature_set,
        band=manifest.band,
        training=manifest.training,
        licence=manifest.licence,
        made_with=manifest.made_with,
        evaluation={**changed.evaluation, FITTED_TO: sorted(fitted_to)},
    )
    bundle = write_bundle(
        building,
        changed.predictor,
        facts,
        card=f"# {name}\n\nThis model is the one below, {basis}. The figures are of the model "
        f"that it was made from.\n\n{card}",
    )
    write_reference(building)
    bundle = move_bundle(building, bundle)
    _register(root, bundle, [f"{changed.model_id} {basis}"], who, figures)
    return bundle


def _register(
    root: Root, bundle: Bundle, why: Sequence[str], who: str, figures: Mapping[str, Any] | None
) -> None:
    """Write it into the log, unless it stands there."""
    registry = Registry(root.models)
    if all(entry.model_id != bundle.model_id for entry in registry.entries()):
        registry.add(
            "registered", bundle.model_id, bundle.folder.name, who=who, why=why, figures=figures
        )
