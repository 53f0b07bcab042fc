"""A model of words: dissatisfaction from what is said, fused with that from how it is said.

The file is JSON: terms with their weights, and numbers. A term stands there only if several
callers said it. Where sentence embeddings are read instead, no term stands there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.config import ModelSettings, digest
from ser_batch.errors import SentenceModelError, StateFileError
from ser_batch.scoring.calibration import BinaryCalibration
from ser_batch.scoring.decide import Scores
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_text
from ser_batch.store.paths import Root
from ser_batch.transcripts.sentences import SentenceEncoder, sentence_encoder

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

LEAST_TERMS = 2
"""Known terms of a segment, below which its words say nothing; of embeddings any words."""
TERM = r"\[\w+\]|\w[\w']+"
"""A word, or the mark of a redacted one."""
_TERM = re.compile(TERM)
_EDGE = 1e-6


@dataclass(frozen=True)
class Fusion:
    """How much words move the log-odds of the voice, which keeps its level and its scale.

    So segments with words and segments without are ranked on one scale.

    Attributes:
        words: weight of their log-odds, 0 or more
        offset: added where there are words
    """

    words: float
    offset: float

    def probabilities(self, voice: DoubleArray, words: DoubleArray) -> DoubleArray:
        """Dissatisfaction of segments that have both.

        Args:
            voice: probability by the voice, shape (n,)
            words: log-odds of the model of words, shape (n,)
        """
        return np.asarray(
            scipy.special.expit(log_odds_of(voice) + self.words * words + self.offset)
        )


@dataclass(frozen=True)
class WordsModel:
    """Logistic regression over words, and how it is fused with one model of the voice.

    Attributes:
        voice_model: id of the model that it is fused with
        terms: words and pairs of words; none where sentence embeddings are read
        idf: inverse document frequency of each
        weights: of each, or of each dimension of the embeddings, in the log-odds
        bias: of the log-odds
        calibration: of the log-odds, where there are words alone
        fusion: where there are both
        recordings: that it learnt from, and that the fusion was tuned on
        figures: of its evaluation on callers that neither was fitted to
        sentences: digest of the sentence embeddings that are read; empty: TF-IDF of terms
    """

    voice_model: str
    terms: tuple[str, ...]
    idf: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    calibration: BinaryCalibration
    fusion: Fusion
    recordings: tuple[str, ...]
    figures: dict[str, Any]
    sentences: str = ""

    @cached_property
    def digest(self) -> str:
        """Of everything that its answers depend on."""
        return digest(asdict(self))

    @cached_property
    def _vectoriser(self) -> TfidfVectorizer:
        vectoriser = tfidf(vocabulary={term: i for i, term in enumerate(self.terms)})
        vectoriser.idf_ = np.array(self.idf)
        return vectoriser

    def log_odds(self, texts: Sequence[str], sentences: str | None = None) -> DoubleArray:
        """Log-odds of dissatisfaction, NaN where too few terms are known, shape (n,).

        Args:
            texts: of each segment
            sentences: folder of sentence embeddings, for a model that reads them

        Raises:
            SentenceModelError: if they are not those that the model was fitted to
        """
        if self.sentences:
            return self._of_vectors(texts, self._encoder(sentences))
        if not len(texts):
            return np.zeros(0)
        counts = self._vectoriser.transform(texts)
        said = np.asarray(counts @ np.array(self.weights) + self.bias, np.float64)
        said[np.diff(counts.indptr) < LEAST_TERMS] = np.nan
        return said

    def _encoder(self, folder: str | None) -> SentenceEncoder:
        """What the model reads.

        Raises:
            SentenceModelError: if the folder holds something else
        """
        if folder is None:
            raise SentenceModelError(
                f"the model of words of {self.voice_model} reads sentence embeddings, and "
                "transcripts.sentences is not set"
            )
        encoder = sentence_encoder(Path(folder))
        if encoder.digest != self.sentences:
            raise SentenceModelError(
                f"{folder} is not what the model of words of {self.voice_model} was fitted with"
            )
        return encoder

    def _of_vectors(self, texts: Sequence[str], encoder: SentenceEncoder) -> DoubleArray:
        said = np.full(len(texts), np.nan)
        rows = [row for row, text in enumerate(texts) if len(_TERM.findall(text)) >= LEAST_TERMS]
        if rows:
            vectors = encoder.embed([texts[row] for row in rows])
            said[rows] = vectors @ np.array(self.weights) + self.bias
        return said


@dataclass(frozen=True)
class Fused:
    """What both parts say of some segments.

    Attributes:
        dissatisfaction: of both; of the part that there is; shape (n,)
        words: by words alone, NaN where they say nothing, shape (n,)
        is_uncertain: neither part says anything, or neither side is probable enough, shape (n,)
    """

    dissatisfaction: DoubleArray
    words: DoubleArray
    is_uncertain: BoolArray


def fuse(
    model: WordsModel, log_odds: DoubleArray, scores: Scores, settings: ModelSettings
) -> Fused:
    """Voice and words of some segments together; each part abstains by itself.

    The voice abstains where it is out of distribution, the words where few terms are known.

    Args:
        model: of words, tuned with the model that made the scores
        log_odds: of the model of words, NaN where it abstains, shape (n,)
        scores: by the voice
        settings: when a probability is too close to one half
    """
    words = model.calibration.probabilities(log_odds)
    has_voice, has_words = scores.ood_score <= 1, np.isfinite(log_odds)
    both = model.fusion.probabilities(scores.dissatisfaction, log_odds)
    alone = np.where(has_words & ~has_voice, words, scores.dissatisfaction)
    fused = np.where(has_voice & has_words, both, alone)
    sure = np.maximum(fused, 1 - fused)
    nothing = ~(has_voice | has_words)
    return Fused(fused, words, nothing | (sure < settings.min_confidence))


def log_odds_of(probabilities: DoubleArray) -> DoubleArray:
    """Log-odds, finite for 0 and 1 too; shape as given."""
    return np.asarray(scipy.special.logit(np.clip(probabilities, _EDGE, 1 - _EDGE)))


def tfidf(**options: Any) -> TfidfVectorizer:
    """How texts are counted, in training and after it; pairs keep a "not" with its verb."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415  slow to import

    return TfidfVectorizer(token_pattern=TERM, ngram_range=(1, 2), sublinear_tf=True, **options)


def words_file(root: Root, voice_model: str) -> Path:
    """Where the model of words lies that is fused with a model of the voice."""
    return root.words / f"{voice_model}.json"


def write_words(root: Root, model: WordsModel) -> Path:
    """Write a model of words; an older one of the same voice is replaced."""
    path = words_file(root, model.voice_model)
    write_text_atomic(path, json.dumps(asdict(model), indent=1) + "\n")
    return path


def read_words(path: Path) -> WordsModel | None:
    """A model of words, None if there is none.

    Raises:
        StateFileError: if it cannot be read
    """
    try:
        stored = json.loads(read_text(path))
        return WordsModel(
            **{
                **stored,
                **{name: tuple(stored[name]) for name in ("terms", "idf", "weights", "recordings")},
                "calibration": BinaryCalibration(**stored["calibration"]),
                "fusion": Fusion(**stored["fusion"]),
            }
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise StateFileError(
            path, f"is no model of words ({error}); fit it again by `ser-batch models fit-words`"
        ) from error
