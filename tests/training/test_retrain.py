from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ser_batch.config import RetrainSettings, Settings
from ser_batch.errors import ContractError, LeakError, ModelError, SettingsError, TooFewLabelsError
from ser_batch.features.sets import get_feature_set
from ser_batch.ingest.late_rows import append
from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.labels.callers import is_held_out
from ser_batch.labels.gather import usable_labels
from ser_batch.labels.history import CANNOT_TELL, label_row
from ser_batch.labels.selection import RANDOM
from ser_batch.monitoring.reference import read_reference
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.bundle_writer import BUILDING, move_bundle
from ser_batch.scoring.choose import load_model, model_id
from ser_batch.scoring.histograms import LINE_MEASURES
from ser_batch.scoring.registry import Registry
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, LABEL_QUEUE, LABELS, SEGMENTS, features_contract
from ser_batch.testing.callers import FEATURE_SET, N_SEGMENTS, Key, put_callers
from ser_batch.testing.lakes import MODEL_ID
from ser_batch.testing.rows import MIDDAY
from ser_batch.training.challenger import learnt_callers, make_challenger
from ser_batch.training.enough import corpora_clips, gather_enough
from ser_batch.training.material import Material, gather, prove_apart, shared_out
from ser_batch.training.retrain import compare, compare_with_champion, register_and_promote
from tests.bundles import put_bundle
from tests.corpora.made import made_corpus

SETTINGS = Settings(
    retrain={"label_weight": 2, "min_measured": 20, "min_measured_callers": 4, "min_slice": 400}
)
N_CALLERS = 36

pytestmark = pytest.mark.xdist_group("retrain")  # one worker trains for all


def put_labels(
    root: Root, said: dict[Key, str], *, annotator: str = "ann", by_chance: bool = True
) -> None:
    """Label segments; those of callers that measure count as drawn by chance."""
    lake = Lake(root.lake)
    spans = {
        (row["recording_id"], row["channel"], row["segment_no"]): (row["start_s"], row["end_s"])
        for row in lake.read(SEGMENTS).to_pylist()
    }
    rows = [
        label_row(
            key,
            spans[key],
            annotator=annotator,
            emotion=emotion,
            made_at=MIDDAY,
            source="csv",
            imported_at=MIDDAY,
        )
        for key, emotion in said.items()
    ]
    append(lake, LABELS, f"{annotator}-labels", rows)
    queue = [
        {
            **{name: row[name] for name in ("recording_id", "channel", "segment_no")},
            **{"start_s": row["start_s"], "end_s": row["end_s"], "batch_id": "b", "rank": rank},
            **{"reason": RANDOM if by_chance else "uncertain", "model_id": MODEL_ID},
            **{"suggested": None, "queued_at": MIDDAY},
        }
        for rank, row in enumerate(rows)
    ]
    lake.write(LABEL_QUEUE, Part(None, "b"), LABEL_QUEUE.from_rows(queue))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """A root whose callers' segments are all labelled."""
    root = Root(tmp_path_factory.mktemp("labelled"))
    put_labels(root, put_callers(root, n_callers=N_CALLERS))
    return root


@pytest.fixture(scope="module")
def material(labelled: Root) -> Material:
    return gather(Lake(labelled.lake), SETTINGS)


@pytest.fixture(scope="module")
def challenger(labelled: Root, material: Material) -> Bundle:
    return make_challenger(labelled, SETTINGS, material, [], recipe=QUICK)


def test_who_teaches_never_measures(material: Material):
    teaching = set(material.learnt_from.speakers)
    measuring = set(material.measured_by.callers)
    assert teaching
    assert measuring
    assert not teaching & measuring
    assert all(is_held_out(caller, 0.3) for caller in measuring)
    n_used = len(material.segments.emotions) + len(material.measured_by.shares)
    assert n_used == N_CALLERS * N_SEGMENTS


def test_a_segment_counts_as_often_as_the_settings_say(material: Material):
    assert len(material.learnt_from.emotions) == 2 * len(material.segments.emotions)
    assert set(material.learnt_from.copies.tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("shares", "count", "expected"),
    [
        ({"anger": 1.0}, 3, ["anger"] * 3),
        ({"anger": 2 / 3, "calm": 1 / 3}, 3, ["anger", "anger", "calm"]),
        ({"anger": 0.5, "calm": 0.5}, 1, ["anger"]),
        ({"anger": 0.25, "calm": 0.75}, 4, ["calm", "calm", "calm", "anger"]),
    ],
)
def test_annotators_votes_are_shared_out(shares, count, expected):
    assert shared_out(shares, count) == expected


def test_somebody_on_both_sides_is_refused(material: Material):
    with pytest.raises(LeakError, match=material.learnt_from.speakers[0]):
        prove_apart(material.learnt_from, [material.learnt_from.speakers[0]])


@pytest.mark.slow
def test_the_same_labels_give_the_same_model(labelled: Root, material: Material, challenger):
    again = make_challenger(
        labelled, SETTINGS, gather(Lake(labelled.lake), SETTINGS), [], recipe=QUICK
    )
    assert again.model_id == challenger.model_id
    assert again.manifest.hashes == challenger.manifest.hashes
    other = dataclasses.replace(
        material, learnt_from=material.learnt_from.take(np.arange(100, dtype=np.int64))
    )
    assert (
        make_challenger(labelled, SETTINGS, other, [], recipe=QUICK).model_id != challenger.model_id
    )


def test_the_bundle_says_what_it_learnt_from_and_nothing_is_left_half_written(
    labelled: Root, challenger: Bundle, material: Material
):
    (entry,) = challenger.manifest.training
    assert entry["n_clips"] == len(material.segments.emotions)
    assert challenger.manifest.licence == "own"
    assert challenger.folder == labelled.models / challenger.model_id
    assert not list(labelled.models.glob(".building*"))
    assert learnt_callers(Lake(labelled.lake), challenger) == set(material.learnt_from.speakers)


def test_a_retraining_replaces_a_damaged_bundle_of_the_same_model(tmp_path: Path):
    building = tmp_path / BUILDING
    sound = put_bundle(tmp_path / "elsewhere")
    (shutil.copytree(sound.folder, tmp_path / sound.model_id) / "trees.txt").write_text("torn")
    assert put_bundle(building).model_id == sound.model_id
    assert move_bundle(building, sound).folder == tmp_path / sound.model_id
    assert not building.exists()


def test_a_better_challenger_takes_over_with_its_figures_in_the_log(
    labelled: Root, material: Material, challenger: Bundle
):
    champion = load_model(labelled, SETTINGS)
    result = compare(labelled, SETTINGS, material, champion, challenger)
    assert result.difference > 0.1
    settings = SETTINGS.model_copy(
        update={"retrain": SETTINGS.retrain.model_copy(update={"max_brier_rise": 1.0})}
    )
    result = compare(labelled, settings, material, champion, challenger)
    promoted, _ = register_and_promote(
        labelled, settings, champion, challenger, result, may_promote=True
    )
    assert promoted
    assert model_id(labelled, settings) == challenger.model_id
    events = [entry.event for entry in Registry(labelled.models).entries()]
    assert events == ["registered", "promoted"]
    assert Registry(labelled.models).champion().figures["low"] == result.low
    again = register_and_promote(
        labelled, settings, challenger, challenger, result, may_promote=True
    )
    assert not again[0]
    assert "is the champion" in again[1][0]
    # the champion before does not beat the one of now
    back = compare(labelled, settings, material, challenger, champion)
    assert not back.is_better


def test_callers_that_a_model_learnt_from_never_measure_it(
    labelled: Root, material: Material, challenger: Bundle
):
    """As when `labels.held_out_share` was raised since."""
    leaky = dataclasses.replace(
        material,
        measured_by=dataclasses.replace(
            material.measured_by,
            callers=[material.learnt_from.speakers[0], *material.measured_by.callers[1:]],
        ),
    )
    champion = load_model(labelled, SETTINGS.model_copy(update={}))
    result = compare(labelled, SETTINGS, leaky, champion, challenger)
    assert result.n_segments == len(material.measured_by.shares) - 1


def test_too_few_labels_or_callers_are_refused_with_the_numbers(tmp_path: Path):
    root = Root(tmp_path)
    truth = put_callers(root, n_callers=6)
    put_labels(root, {key: truth[key] for key in list(truth)[:9]})
    material = gather(Lake(root.lake), SETTINGS)
    with pytest.raises(TooFewLabelsError) as error:
        gather_enough(Lake(root.lake), SETTINGS)
    counts = {
        name: list(material.segments.emotions).count(name) for name in material.learnt_from.classes
    }
    for name, count in counts.items():
        assert f"{name} has {count} labels" in str(error.value)
    assert "8 are needed" in str(error.value)
    assert "labels queue" in error.value.one_line()


def test_an_emotion_with_too_few_labels_is_left_out_with_its_numbers(tmp_path: Path):
    root = Root(tmp_path)
    truth = put_callers(root, n_callers=16)
    rare = [key for key, emotion in truth.items() if emotion == "sadness"][3:]
    put_labels(root, {key: emotion for key, emotion in truth.items() if key not in rare})
    found = gather_enough(Lake(root.lake), SETTINGS)
    assert set(found.too_few) == {"sadness"}
    assert "10 of 2 are needed" in found.too_few["sadness"]
    assert found.material.learnt_from.classes == ("anger", "neutral")
    assert not any("sadness" in each for each in found.material.measured_by.shares)
    assert found.settings.retrain.leave_out == ("sadness",)


@pytest.mark.slow
def test_a_comparison_leaves_out_what_the_settings_or_the_challenger_leave_out(
    labelled: Root, tmp_path: Path
):
    lake, champion = Lake(labelled.lake), load_model(labelled, Settings(model={"name": "bundled"}))
    without = Settings(retrain={**SETTINGS.retrain.model_dump(), "leave_out": ("sadness",)})
    other = make_challenger(Root(tmp_path), without, gather(lake, without), [], recipe=QUICK)
    n_sad = sum("sadness" in each for each in gather(lake, SETTINGS).measured_by.shares)
    n_every = len(gather(lake, SETTINGS).measured_by.shares)
    for settings in (SETTINGS, without):
        result, left_out = compare_with_champion(labelled, settings, champion, other)
        assert left_out == ("sadness",)
        assert result.n_segments == n_every - n_sad


def test_a_model_is_not_compared_with_itself(labelled: Root, challenger: Bundle):
    with pytest.raises(ModelError, match="is the champion"):
        compare_with_champion(labelled, SETTINGS, challenger, challenger)


def test_a_segment_that_annotators_are_divided_about_counts_for_each_of_them(tmp_path: Path):
    root = Root(tmp_path)
    truth = put_callers(root, n_callers=12)
    put_labels(root, dict.fromkeys(truth, "anger"), annotator="ann")
    put_labels(root, dict.fromkeys(truth, "neutral"), annotator="ben")
    found = gather(Lake(root.lake), SETTINGS)
    half = len(found.segments.emotions) / 2
    assert found.counts == {"anger": half, "neutral": half}
    assert found.measured_by.shares, "they measure as what they are"
    assert all(each == {"anger": 0.5, "neutral": 0.5} for each in found.measured_by.shares)


def test_segments_of_which_nobody_can_tell_measure_but_never_teach(tmp_path: Path):
    root = Root(tmp_path)
    put_labels(root, dict.fromkeys(put_callers(root, n_callers=12), CANNOT_TELL))
    found = gather(Lake(root.lake), SETTINGS)
    assert not found.segments.emotions
    assert found.measured_by.shares
    assert not any(found.measured_by.shares)


def test_labels_that_decided_before_count_for_less_with_another_model(
    labelled: Root, material: Material, challenger: Bundle, tmp_path: Path
):
    champion = load_model(labelled, Settings(model={"name": "bundled"}))
    root = Root(tmp_path)
    shutil.copytree(labelled.lake, root.lake)
    first = compare(root, SETTINGS, material, champion, challenger)
    Registry(root.models).add(
        "refused", "another-model", "a", who="t", why=(), figures=first.as_dict()
    )
    second = compare(root, SETTINGS, material, champion, challenger)
    assert (first.n_uses, second.n_uses) == (0, 1)
    assert second.level == first.level / 2
    assert second.low < first.low


def test_emotions_can_be_left_out(labelled: Root):
    settings = Settings(retrain={"leave_out": ("sadness",)})
    found = gather(Lake(labelled.lake), settings)
    assert found.learnt_from.classes == ("anger", "neutral")
    assert not any("sadness" in each for each in found.measured_by.shares)
    assert found.not_used["their emotion is left out"] == N_CALLERS * N_SEGMENTS // 3


def test_who_objects_later_is_not_learnt_from(tmp_path: Path):
    root = Root(tmp_path)
    put_labels(root, put_callers(root, n_callers=12))
    lake = Lake(root.lake)
    n_before = len(usable_labels(lake, SETTINGS))
    part = lake.parts(CALLS)[0]
    rows = lake.read(CALLS, [part]).to_pylist()
    lake.write(CALLS, part, CALLS.from_rows([{**row, "objected": True} for row in rows]))
    assert len(usable_labels(lake, SETTINGS)) == n_before - len(rows) * N_SEGMENTS


def test_a_label_holds_for_the_segment_that_covers_the_labelled_time(tmp_path: Path):
    root = Root(tmp_path)
    put_labels(root, put_callers(root, n_callers=12))
    lake = Lake(root.lake)
    n_before = len(gather(lake, SETTINGS).segments.emotions)
    for part in lake.parts(SEGMENTS):
        rows = lake.read(SEGMENTS, [part]).to_pylist()
        moved = [
            {**row, "start_s": row["start_s"] + (2 if row["segment_no"] == 0 else 0.1)}
            for row in rows
        ]
        lake.write(SEGMENTS, part, SEGMENTS.from_rows(moved))
    found = gather(lake, SETTINGS)
    assert len(found.segments.emotions) == n_before * (N_SEGMENTS - 1) // N_SEGMENTS
    assert sum(found.not_used.values()) == 12


def test_features_of_another_definition_are_not_learnt_from(tmp_path: Path):
    root = Root(tmp_path)
    put_labels(root, put_callers(root, n_callers=12))
    lake, feature_set = Lake(root.lake), get_feature_set(FEATURE_SET)
    contract = features_contract(feature_set.name, feature_set.names)
    for part in lake.parts(contract):
        lake.write(contract, part, lake.read(contract, [part]), {"feature_set": "older"})
    assert len(gather(lake, SETTINGS).segments.emotions) == 0


def test_features_of_another_rate_are_refused(labelled: Root):
    with pytest.raises(ContractError, match="16000 Hz"):
        gather(Lake(labelled.lake), Settings(features={"set": "descriptors_v1_wide"}))


def test_the_newest_label_of_an_annotator_is_learnt(tmp_path: Path):
    root = Root(tmp_path)
    truth = put_callers(root, n_callers=12)
    put_labels(root, truth)
    lake = Lake(root.lake)
    key = next(label.key for label in usable_labels(lake, SETTINGS) if label.use == "learn")
    later = label_row(
        key,
        (key[2] * 3.0, key[2] * 3.0 + 2.5),
        annotator="ann",
        emotion="fear",
        made_at=MIDDAY + dt.timedelta(days=1),
        source="page",
        imported_at=MIDDAY,
    )
    append(lake, LABELS, "page-1", [later])
    assert gather(lake, SETTINGS).segments.emotions.count("fear") == 1


def test_labels_without_chance_measure_nothing(tmp_path: Path):
    root = Root(tmp_path)
    put_labels(root, put_callers(root, n_callers=12), by_chance=False)
    found = gather(Lake(root.lake), SETTINGS)
    assert not found.measured_by.shares
    assert found.not_used["of callers that measure, but not drawn by chance"] > 0


def test_corpora_without_a_folder_are_said():
    with pytest.raises(SettingsError, match="corpora_folder"):
        corpora_clips(Settings(retrain={"corpora": ("emodb",)}).retrain)


@pytest.mark.slow
def test_a_corpus_counts_as_much_as_its_weight(labelled: Root, material: Material, tmp_path: Path):
    made_corpus(tmp_path / "emodb", n_speakers=2)

    def trained(**weights: float) -> Bundle:
        retrain = {
            **SETTINGS.retrain.model_dump(),
            **{"corpora": ["emodb"], "corpora_folder": str(tmp_path), "copies": 0},
            "corpus_weights": weights,
        }
        settings = SETTINGS.model_copy(update={"retrain": RetrainSettings(**retrain)})
        clips = corpora_clips(settings.retrain)
        assert len(clips) == (0 if weights.get("emodb") == 0 else 16)
        return make_challenger(labelled, settings, material, clips, recipe=QUICK)

    once, thrice, never = trained(), trained(emodb=3), trained(emodb=0)
    assert len({once.model_id, thrice.model_id, never.model_id}) == 3
    assert [entry.get("weight") for entry in thrice.manifest.training] == [3, 2]
    assert "16, each 3 times" in (thrice.folder / "CARD.md").read_text(encoding="utf-8")
    assert [entry["corpus"] for entry in never.manifest.training] == ["calls"]


def test_a_weight_of_no_chosen_corpus_names_the_nearest():
    with pytest.raises(ValidationError, match=r"'emodbb' is not among .*did you mean 'emodb'"):
        RetrainSettings(corpora=("emodb", "tess"), corpus_weights={"emodbb": 2})
    with pytest.raises(ValidationError, match="less than or equal to 20"):
        RetrainSettings(corpora=("emodb",), corpus_weights={"emodb": 21})


def test_the_line_of_labelled_calls_is_the_reference_where_no_clip_is_silent_about_it(
    challenger: Bundle, material: Material
):
    reference = read_reference(challenger.folder)
    assert reference.line is not None
    assert set(reference.line) == set(LINE_MEASURES)
    n = len(material.learnt_from.emotions)
    assert reference.line["snr_db"].tolist() == [*[0] * 7, n, 0, 0, 0]  # all 35 dB
    clips = len(material.segments.emotions)
    assert reference.held_out.probabilities.shape == (clips, len(challenger.classes))
