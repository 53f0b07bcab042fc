"""Fit a model of words to a root's labels, and fuse it with the champion.

Words are learnt from callers that models learn from. How far words and voice are trusted comes from
segments drawn by chance of callers that neither learnt from, and is measured on those not tuned on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray, IntArray
from ser_batch.config import Settings
from ser_batch.errors import ModelError
from ser_batch.features.sets import get_feature_set
from ser_batch.labels.gather import UsableLabel, texts_of, usable_labels
from ser_batch.labels.segment_name import segment_name
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.calibration import BinaryCalibration, fit_binary_calibration
from ser_batch.scoring.words import Fusion, WordsModel, log_odds_of, tfidf, write_words
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.training.calibrate import MIN_EACH, check_enough, level_of, usable_rows
from ser_batch.training.challenger import learnt_callers
from ser_batch.training.material import gather
from ser_batch.training.paired import auc
from ser_batch.training.splits import speaker_folds
from ser_batch.transcripts.sentences import sentence_encoder

LEAST_CALLERS = 3
"""Callers who say a term, for it to be known: fewer might be recognised by it."""
MOST_TERMS = 5000
STRENGTH = 4.0
"""Inverse of the L2 penalty."""
N_FOLDS = 5
PULL = 2.0
"""Labels' worth of pull towards the voice alone, so that few labels change little."""
LEAST_SCALE = 0.2
"""Of the voice's log-odds: words move a voice that says nothing so much at most."""
LEVEL = 0.05
"""Of a one-sided error: words must rank held-out segments better than the voice alone does."""


@dataclass(frozen=True)
class WordsFigures:
    """What words are worth on callers that no part was fitted to.

    Attributes:
        n_learnt: segments that the model of words learnt from
        n_terms: that it knows; 0: it reads sentence embeddings
        n_measured, n_callers: segments and callers that the fusion was tuned and measured on
        n_with_words: of these segments, those in which words are known
        auc_voice, auc_words, auc_fused: how each ranks them; of words, those with words
        auc_gain: fused less voice
        auc_gain_low: lower end of its interval, clustered by caller
    """

    n_learnt: int
    n_terms: int
    n_measured: int
    n_callers: int
    n_with_words: int
    auc_voice: float
    auc_words: float
    auc_fused: float
    auc_gain: float
    auc_gain_low: float


@dataclass(frozen=True)
class Measured:
    """Segments drawn by chance of callers that no part learnt from.

    Attributes:
        truth: how dissatisfied annotators find them, 0..1, shape (n,)
        voice: dissatisfaction by the voice, shape (n,)
        texts: what is said, empty where nothing is known
        callers: of each
        recordings: of each
    """

    truth: DoubleArray
    voice: DoubleArray
    texts: list[str]
    callers: list[str]
    recordings: list[str]


def fit_words(root: Root, settings: Settings, champion: Bundle) -> WordsFigures:
    """Fit and write the model of words of the champion, if it ranks held-out segments better.

    The root is held. The same labels and words give the same file.

    Raises:
        ModelError: if no words may be kept, too few labelled ones are, or they do not help
    """
    if not settings.policy.transcripts:
        raise ModelError("no words are kept: policy.transcripts is not set (see docs/privacy.md)")
    lake = Lake(root.lake)
    labels = usable_labels(lake, settings)
    texts = texts_of(lake, labels)
    learn = [label for label in labels if _teaches(label) and label.key in texts]
    model = fit_head(
        [texts[label.key] for label in learn],
        np.array([level_of(label.soft.shares, settings.retrain) for label in learn]),
        [label.caller for label in learn],
        settings.transcripts.sentences,
    )
    said = {segment_name(key): text for key, text in texts.items()}
    measured = _measured(lake, settings, champion, said)
    log_odds = model.log_odds(measured.texts, settings.transcripts.sentences)
    figures = worth(model, measured, log_odds, n_learnt=len(learn))
    if figures.auc_gain_low <= 0:
        raise ModelError(
            "words do not rank the labelled segments of held-out callers better than the voice "
            f"does beyond chance (AUC {figures.auc_voice:.3f}, with words {figures.auc_fused:.3f}, "
            "difference at least "
            f"{figures.auc_gain_low:+.3f}): nothing was changed; more labels may show more"
        )
    has_words = np.isfinite(log_odds)
    fitted = replace(
        model,
        voice_model=champion.model_id,
        calibration=fit_binary_calibration(log_odds[has_words], measured.truth[has_words]),
        fusion=_fit_fusion(measured, log_odds, np.arange(len(log_odds))),
        recordings=tuple(sorted({label.key[0] for label in learn} | set(measured.recordings))),
        figures=asdict(figures),
    )
    write_words(root, fitted)
    return figures


def _teaches(label: UsableLabel) -> bool:
    return label.use == "learn" and bool(label.soft.shares)


def fit_head(
    texts: Sequence[str],
    truth: DoubleArray,
    callers: Sequence[str],
    sentences: str | None = None,
) -> WordsModel:
    """Logistic regression on shares of annotators; not fused with anything yet.

    Args:
        texts: of each segment
        truth: how dissatisfied annotators find it, 0..1, shape (n,)
        callers: of each segment
        sentences: folder of sentence embeddings that are read; None: TF-IDF

    Raises:
        ModelError: if there are too few labels with words, or callers who share any
        SentenceModelError: if the folder holds no sentence embeddings
    """
    if min(truth.sum(), len(truth) - truth.sum()) < MIN_EACH:
        raise ModelError(
            f"{len(truth)} labelled segments that models learn from have words, {truth.sum():.0f} "
            f"of them dissatisfied: at least {MIN_EACH} dissatisfied and {MIN_EACH} not are "
            "needed; label more calls that have a transcript"
        )
    if sentences is not None:
        encoder = sentence_encoder(Path(sentences))
        head = _linear(scipy.sparse.csr_array(encoder.embed(texts)), truth)
        return replace(head, sentences=encoder.digest)
    terms = _shared_terms(texts, callers)
    vectoriser = tfidf(vocabulary={term: number for number, term in enumerate(terms)})
    head = _linear(scipy.sparse.csr_array(vectoriser.fit_transform(texts)), truth)
    return replace(head, terms=tuple(terms), idf=tuple(np.round(vectoriser.idf_, 6).tolist()))


def _linear(features: scipy.sparse.csr_array, truth: DoubleArray) -> WordsModel:
    """The weights of a model of words, which lacks what its features are."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  slow to import

    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    model.fit(
        scipy.sparse.vstack([features, features]),
        np.repeat([1, 0], len(truth)),
        sample_weight=np.concatenate([truth, 1 - truth]),
    )
    return WordsModel(
        voice_model="",
        terms=(),
        idf=(),
        weights=tuple(np.round(model.coef_[0], 6).tolist()),
        bias=round(float(model.intercept_[0]), 6),
        calibration=BinaryCalibration(1.0, 0.0),
        fusion=Fusion(0.0, 0.0),
        recordings=(),
        figures={},
    )


def _shared_terms(texts: Sequence[str], callers: Sequence[str]) -> list[str]:
    """Terms that enough callers say, in order of the alphabet.

    Raises:
        ModelError: if there is none
    """
    vectoriser = tfidf(max_features=MOST_TERMS)
    try:
        said = scipy.sparse.csr_array(vectoriser.fit_transform(texts)).astype(bool)
    except ValueError as error:
        raise ModelError(f"the labelled segments hold no words ({error})") from error
    names, index = np.unique(np.array(callers), return_inverse=True)
    shape = (len(names), len(texts))
    of_caller = scipy.sparse.csr_array((np.ones(len(texts)), (index, np.arange(len(texts)))), shape)
    n_callers = np.asarray(((of_caller @ said) > 0).sum(axis=0)).ravel()
    terms = vectoriser.get_feature_names_out()[n_callers >= LEAST_CALLERS]
    if not len(terms):
        raise ModelError(f"no word is said by {LEAST_CALLERS} callers or more: label more calls")
    return [str(term) for term in terms]


def _measured(lake: Lake, settings: Settings, champion: Bundle, said: dict[str, str]) -> Measured:
    """What the fusion is tuned and measured on.

    Raises:
        ModelError: if there are too few
    """
    material = gather(lake, settings)
    rows = usable_rows(champion, material, learnt_callers(lake, champion), settings)
    held_out = material.measured_by.take(rows)
    truth = np.array([level_of(shares, settings.retrain) for shares in held_out.shares])
    check_enough(truth, held_out.callers, settings.retrain)
    names = get_feature_set(settings.features.set).names
    return Measured(
        truth=truth,
        voice=champion.predictor.dissatisfaction(material.features[rows], names),
        texts=[said.get(name, "") for name in held_out.names],
        callers=list(held_out.callers),
        recordings=[material.measured_recordings[row] for row in rows],
    )


def worth(
    model: WordsModel, measured: Measured, log_odds: DoubleArray, *, n_learnt: int
) -> WordsFigures:
    """What fusing is worth where it is tuned on other callers.

    Args:
        model: of words
        measured: segments of callers that neither part learnt from
        log_odds: of the model on their texts, NaN where it abstains, shape (n,)
        n_learnt: segments that the model learnt from

    Raises:
        ModelError: if the labels are all alike
    """
    has_words = np.isfinite(log_odds)
    names = [str(number) for number in range(len(log_odds))]
    fused = measured.voice.copy()
    for fold in speaker_folds(measured.callers, names, n_folds=N_FOLDS):
        fusion = _fit_fusion(measured, log_odds, fold.train)
        rows = fold.test[has_words[fold.test]]
        fused[rows] = fusion.probabilities(measured.voice[rows], log_odds[rows])
    voice_auc, fused_auc = auc(measured.voice, measured.truth), auc(fused, measured.truth)
    words_auc = auc(log_odds[has_words], measured.truth[has_words])
    if voice_auc is None or fused_auc is None or words_auc is None:
        raise ModelError("the labelled segments of held-out callers with words are all alike")
    gain = fused_auc.minus(voice_auc)
    return WordsFigures(
        n_learnt=n_learnt,
        n_terms=len(model.terms),
        n_measured=len(log_odds),
        n_callers=len(set(measured.callers)),
        n_with_words=int(has_words.sum()),
        auc_voice=voice_auc.value,
        auc_words=words_auc.value,
        auc_fused=fused_auc.value,
        auc_gain=gain.value,
        auc_gain_low=gain.end(measured.callers, LEVEL),
    )


def _fit_fusion(measured: Measured, log_odds: DoubleArray, rows: IntArray) -> Fusion:
    """How much words move the voice, so that the labels of some segments are likeliest.

    Scale and level of the voice are fitted beside, so that a voice whose level is wrong here does
    not shift segments with words against those without.
    """
    has_words = np.isfinite(log_odds[rows])
    words = np.where(has_words, log_odds[rows], 0.0)
    voice = log_odds_of(measured.voice[rows])
    parts = np.column_stack([voice, np.ones(len(rows)), words, has_words])
    truth, start = measured.truth[rows], np.array([1.0, 0.0, 0.0, 0.0])

    def loss(values: DoubleArray) -> float:
        scaled = parts @ values
        pull = PULL * float(np.square(values - start)[[0, 2, 3]].sum())
        return float(np.sum(np.logaddexp(0, scaled) - truth * scaled)) + pull

    bounds = [(LEAST_SCALE, None), (None, None), (0, None), (None, None)]
    scale, _, weight, offset = scipy.optimize.minimize(
        loss, start, method="L-BFGS-B", bounds=bounds
    ).x
    return Fusion(words=round(float(weight / scale), 6), offset=round(float(offset / scale), 6))
