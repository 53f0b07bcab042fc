"""Words are fused with the voice only where they help callers that neither was fitted to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_batch.config import ModelSettings, Settings
from ser_batch.erasure.erase import learnt_from
from ser_batch.errors import ModelError, SentenceModelError, StateFileError
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.calibration import BinaryCalibration
from ser_batch.scoring.choose import load_model
from ser_batch.scoring.decide import Scores
from ser_batch.scoring.models import promote
from ser_batch.scoring.words import Fusion, WordsModel, fuse, read_words, words_file
from ser_batch.stages.retention import keep_retention
from ser_batch.stages.score import score, unscored_shards
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, TRANSCRIPTS, predictions_contract
from ser_batch.testing.callers import Key, put_callers
from ser_batch.testing.rows import MIDDAY
from ser_batch.training.words import LEAST_CALLERS, WordsFigures, fit_words
from tests.bundles import put_bundle
from tests.training.test_retrain import put_labels
from tests.transcripts.encoders import put_sentence_encoder

VOICE_ALONE = Settings(labels={"held_out_share": 0.5})
SETTINGS = VOICE_ALONE.model_copy(update={"policy": Settings(policy={"transcripts": True}).policy})
SAID = {
    "anger": ("this is a disgrace", "I am fed up waiting", "nobody called me back", "cancel it"),
    "neutral": ("thank you very much", "that is fine", "the meter reading", "yes please do"),
}
SECRET = "zanzibar"


def put_words(root: Root, truth: dict[Key, str], *, right: float, seed: int = 1) -> None:
    """Words of every segment but one in eight; so often they fit what it truly shows."""
    rng, lake = np.random.default_rng(seed), Lake(root.lake)
    for part in lake.parts(CALLS):
        ids = set(lake.read(CALLS, [part])["recording_id"].to_pylist())
        rows = []
        for key in sorted(key for key in truth if key[0] in ids):
            mood = "anger" if truth[key] == "anger" else "neutral"
            fits = rng.random() < right
            lines = SAID[mood if fits else "anger" if mood == "neutral" else "neutral"]
            text = " ".join(rng.choice(lines, 2)) if rng.random() < 7 / 8 else ""
            if key == ("r0000", 1, 0):
                text += f" {SECRET}"
            of_row = {"text": text, "analysis_id": "a", "source": "s", "redaction": "r"}
            rows.append({**dict(zip(TRANSCRIPTS.key, key, strict=True)), **of_row})
        lake.write(TRANSCRIPTS, part, TRANSCRIPTS.from_rows(rows))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, dict[Key, str]]:
    """A root of callers with labels, whose champion was trained on others."""
    root = Root(tmp_path_factory.mktemp("words") / "root")
    truth = put_callers(root, n_callers=80)
    put_bundle(root.models / "first")
    promote(root, SETTINGS, "first", who="ann", why=("to test",))
    put_labels(
        root, {key: "anger" if mood == "anger" else "neutral" for key, mood in truth.items()}
    )
    return root, truth


@pytest.fixture(scope="module")
def fitted(made: tuple[Root, dict[Key, str]]) -> tuple[Root, Bundle, WordsFigures]:
    root, truth = made
    put_words(root, truth, right=0.8)
    champion = load_model(root, SETTINGS)
    return root, champion, fit_words(root, SETTINGS, champion)


def test_words_that_carry_the_label_rank_held_out_callers_better(
    fitted: tuple[Root, Bundle, WordsFigures],
) -> None:
    root, champion, figures = fitted
    assert figures.auc_words == pytest.approx(0.8, abs=0.08)
    assert figures.auc_fused > figures.auc_voice + 0.05
    assert 0 < figures.auc_gain_low < figures.auc_gain
    assert 0 < figures.n_with_words < figures.n_measured
    model = read_words(words_file(root, champion.model_id))
    assert model is not None
    assert model.fusion.words > 0
    before = words_file(root, champion.model_id).read_bytes()
    assert fit_words(root, SETTINGS, champion) == figures
    assert words_file(root, champion.model_id).read_bytes() == before, "same labels, same file"


def test_a_word_that_few_callers_say_is_in_no_model(
    fitted: tuple[Root, Bundle, WordsFigures],
) -> None:
    root, champion, _ = fitted
    text = words_file(root, champion.model_id).read_text()
    assert LEAST_CALLERS > 1
    assert "disgrace" in text
    assert SECRET not in text


def test_the_recordings_of_a_words_model_are_named_when_they_are_erased(
    fitted: tuple[Root, Bundle, WordsFigures],
) -> None:
    root, champion, _ = fitted
    assert learnt_from(root, {"r0000"}) == (f"words/{champion.model_id}.json",)
    assert learnt_from(root, {"unknown"}) == ()


def test_a_night_scores_with_both_and_by_the_voice_alone_once_words_may_not_be_kept(
    fitted: tuple[Root, Bundle, WordsFigures],
) -> None:
    root, champion, _ = fitted
    lake, contract = Lake(root.lake), predictions_contract(champion.model_id)

    def scored(settings: Settings) -> list[dict]:
        for shard in unscored_shards(lake, champion.model_id, settings):
            score(lake, shard, champion, settings)
        return lake.read(contract).to_pylist()

    both = scored(SETTINGS)
    assert unscored_shards(lake, champion.model_id, SETTINGS) == []
    with_words = [row for row in both if row["dissatisfaction_words"] is not None]
    assert 0.7 * len(both) < len(with_words) < len(both)
    for row in both:
        if row["dissatisfaction_words"] is None:
            assert row["dissatisfaction"] == row["dissatisfaction_voice"]
    changed = [r for r in with_words if r["dissatisfaction"] != r["dissatisfaction_voice"]]
    assert len(changed) > 0.9 * len(with_words)

    voice = scored(VOICE_ALONE)
    assert [row["dissatisfaction"] for row in voice] == [
        row["dissatisfaction_voice"] for row in both
    ]
    assert all(row["dissatisfaction_words"] is None for row in voice)


@pytest.mark.slow
def test_a_night_scores_with_sentence_embeddings_and_stops_once_they_changed(
    made: tuple[Root, dict[Key, str]], tmp_path: Path
) -> None:
    root, truth = made
    lines = [line for some in SAID.values() for line in some]
    folder = put_sentence_encoder(tmp_path, lines)
    settings = SETTINGS.model_copy(
        update={"transcripts": Settings(transcripts={"sentences": str(folder)}).transcripts}
    )
    champion = load_model(root, settings)
    file = words_file(root, champion.model_id)
    kept = file.read_bytes() if file.exists() else None
    try:
        put_words(root, truth, right=0.8)
        figures = fit_words(root, settings, champion)
        assert figures.n_terms == 0
        assert figures.auc_gain_low > 0
        assert "disgrace" not in file.read_text()
        lake = Lake(root.lake)
        shard, *_ = lake.parts(CALLS)
        score(lake, shard, champion, settings)
        rows = lake.read(predictions_contract(champion.model_id), [shard]).to_pylist()
        assert any(row["dissatisfaction_words"] is not None for row in rows)
        (folder / "tokenizer.json").write_text("{}")
        with pytest.raises(SentenceModelError, match="is not what the model of words"):
            score(lake, shard, champion, settings)
    finally:
        file.unlink(missing_ok=True)
        if kept is not None:
            file.write_bytes(kept)


def test_words_that_say_nothing_of_the_label_change_nothing(
    made: tuple[Root, dict[Key, str]], tmp_path: Path
) -> None:
    root, truth = made
    champion = load_model(root, SETTINGS)
    file = words_file(root, champion.model_id)
    kept = file.read_bytes() if file.exists() else None
    put_words(root, truth, right=0.5)
    with pytest.raises(ModelError, match="nothing was changed"):
        fit_words(root, SETTINGS, champion)
    assert (file.read_bytes() if file.exists() else None) == kept
    with pytest.raises(ModelError, match=r"policy\.transcripts is not set"):
        fit_words(root, VOICE_ALONE, champion)


def test_without_the_policy_the_models_of_words_are_deleted_too(tmp_path: Path) -> None:
    root = Root(tmp_path)
    words_file(root, "m").parent.mkdir(parents=True)
    words_file(root, "m").write_text("{}")
    keep_retention(root, SETTINGS, "m", MIDDAY)
    assert words_file(root, "m").exists()
    keep_retention(root, Settings(), "m", MIDDAY)
    assert not root.words.exists()


MODEL = WordsModel(
    voice_model="m",
    terms=("bad", "good", "really"),
    idf=(1.0, 1.0, 1.0),
    weights=(4.0, -4.0, 0.0),
    bias=0.0,
    calibration=BinaryCalibration(1.0, 0.0),
    fusion=Fusion(words=0.5, offset=0.0),
    recordings=(),
    figures={},
)


def test_each_part_abstains_by_itself() -> None:
    scores = Scores(
        classes=("anger", "neutral"),
        probabilities=np.full((5, 2), 0.5),
        dissatisfaction=np.array([0.2, 0.2, 0.2, 0.2, 0.5]),
        ood_score=np.array([0.1, 0.1, 2.0, 2.0, 0.1]),
    )
    texts = ["really bad", "unknown words", "really bad", "", "really good"]
    found = fuse(MODEL, MODEL.log_odds(texts), scores, ModelSettings())
    assert np.isfinite(found.words).tolist() == [True, False, True, False, True]
    assert 0.2 < found.dissatisfaction[0] < found.words[0]
    assert found.dissatisfaction[1] == 0.2, "no words: the voice alone"
    assert found.dissatisfaction[2] == found.words[2], "an unknown voice: the words alone"
    # in the first the parts contradict each other; in the fourth neither says anything
    assert found.is_uncertain.tolist() == [True, False, False, True, False]
    assert found.dissatisfaction[4] < 0.5, "a voice that is undecided leaves it to the words"


def test_a_damaged_model_of_words_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    assert read_words(path) is None
    for content in ("{", "[]", json.dumps({"terms": 1})):
        path.write_text(content)
        with pytest.raises(StateFileError, match=r"is no model of words .*models fit-words"):
            read_words(path)
    assert replace(MODEL, bias=1.0).digest != MODEL.digest
