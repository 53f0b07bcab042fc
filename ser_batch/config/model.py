"""Sections on the model: features, scoring, labels, retraining, what counts as dissatisfied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from ser_batch.config.section import OptionalText, Seconds, Section, Share, check_emotions, nearest
from ser_batch.emotions import DISSATISFACTION_TARGET


class FeatureSettings(Section):
    """Which description of a segment the model reads."""

    set: str = Field(
        "descriptors_v1+encoder_v2",
        description="name of the feature set; A+B are A and B side by side",
    )


class ModelSettings(Section):
    """Which model scores."""

    name: str = Field(
        "champion",
        description=(
            "champion: the model that was promoted last, or the bundled one until one is; "
            "bundled; or a folder under models/"
        ),
    )
    min_confidence: Annotated[float, Field(ge=0.5, lt=1)] = Field(
        0.55,
        description=(
            "probability, of dissatisfied or of not, below which a segment is uncertain and "
            "counts for neither"
        ),
    )
    min_emotion_confidence: Share = Field(
        0.35, description="probability of the likeliest emotion below which it is `uncertain`"
    )


class LabelSettings(Section):
    """What annotators are asked, and about which segments."""

    emotions: Annotated[tuple[str, ...], Field(min_length=2, max_length=9)] = Field(
        (
            "anger",
            "frustration",
            "disgust",
            "sadness",
            "fear",
            "boredom",
            "neutral",
            "calm",
            "happiness",
        ),
        description="emotions to choose from, in the order of the keys 1 to 9",
    )
    taxonomy: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "emotion that a label of your own counts as when labels are imported: {satisfied = "
            '"happiness", dissatisfied = "frustration"}; retrain.dissatisfied gives the steps of a '
            "scale"
        ),
    )
    random_share: Share = Field(
        0.3, description="share of a queue drawn by chance, by which models are measured"
    )
    held_out_share: Share = Field(
        0.3,
        description=(
            "share of callers that models are measured by and never learn from; fixed by the "
            "caller's name, so a change moves callers from one side to the other"
        ),
    )
    days: int = Field(28, ge=1, description="days of calls, up to the newest, that are asked about")
    annotators: int = Field(
        1, ge=1, le=20, description="annotators wanted for each segment by `labels serve`"
    )
    min_segment_s: Seconds = Field(
        1, description="s; shorter segments are asked about only where they are drawn by chance"
    )

    @field_validator("emotions")
    @classmethod
    def _in_the_vocabulary(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_emotions(value)
        if len(set(value)) < len(value):
            raise ValueError("an emotion stands there twice")
        return value

    @field_validator("taxonomy")
    @classmethod
    def _into_the_vocabulary(cls, value: dict[str, str]) -> dict[str, str]:
        check_emotions(value.values())
        return {label.lower(): name for label, name in value.items()}


class RetrainSettings(Section):
    """What a model is trained on, and what it must show before it takes over."""

    name: str = Field(
        "calls",
        pattern=r"^[A-Za-z0-9_-]+$",
        description="what retrained models are called, before their digest",
    )
    corpora: tuple[str, ...] = Field((), description="corpora that are trained on with the labels")
    corpora_folder: OptionalText = Field(None, description="folder below which each has its own")
    corpus_weights: dict[str, Annotated[float, Field(ge=0, le=20)]] = Field(
        default_factory=dict,
        description=(
            "times that a clip of a corpus counts, where it is not once: {emodb = 2}; 0 leaves the "
            "corpus out"
        ),
    )
    copies: int = Field(
        4, ge=0, le=20, description="copies of each corpus clip over other telephone lines"
    )
    label_weight: int = Field(
        4,
        ge=1,
        le=20,
        description="times that a labelled segment counts, a corpus clip once or by its weight",
    )
    dissatisfied: dict[str, Share] = Field(
        default_factory=lambda: dict(DISSATISFACTION_TARGET),
        description=(
            "how dissatisfied an annotator is who names an emotion, 0 content to 1 dissatisfied; "
            "those not named are 0. Labels on a scale have steps in between"
        ),
    )
    leave_out: tuple[str, ...] = Field(
        (), description="emotions that are not learnt, say because few labels name them"
    )
    min_labels: int = Field(
        10, ge=2, description="labelled segments an emotion that no corpus holds"
    )
    min_callers: int = Field(8, ge=2, description="callers that the labels come from")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.95,
        description=(
            "with which a challenger must rank dissatisfied segments better, over all comparisons "
            "on the same labels"
        ),
    )
    min_measured: int = Field(60, ge=1, description="segments by chance that it is measured by")
    min_measured_callers: int = Field(10, ge=2, description="callers that they come from")
    max_slice_fall: Share = Field(
        0.05,
        description=(
            "fall of the AUC in any queue, sex, codec, language or SNR that is let pass; a larger "
            "one counts where it is beyond chance, 0..1"
        ),
    )
    min_slice: int = Field(20, ge=1, description="segments from which such a part is looked at")
    max_brier_rise: Share = Field(
        0.02, description="rise of the Brier score that must be ruled out, 0..1"
    )
    max_coverage_fall: Share = Field(
        0.05,
        description=(
            "fall of the share of segments with a score that is let pass; a larger one counts "
            "where it is beyond chance, 0..1"
        ),
    )

    @field_validator("leave_out", "dissatisfied")
    @classmethod
    def _in_the_vocabulary(cls, value: Iterable[str]) -> Iterable[str]:
        check_emotions(value)
        return value

    @field_validator("corpus_weights")
    @classmethod
    def _of_chosen_corpora(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        chosen = info.data.get("corpora", ())
        for name in value:
            if name not in chosen:
                raise ValueError(f"{name!r} is not among retrain.corpora{nearest(name, chosen)}")
        return value


class DissatisfactionSettings(Section):
    """What counts as dissatisfied."""

    threshold: Share = Field(
        0.5, description="dissatisfaction from which a segment is dissatisfied"
    )
    call_threshold: Share = Field(
        0.26,
        description=(
            "dissatisfaction of a call from which it is flagged as dissatisfied; chosen, as "
            "end_threshold, by `ser-batch bench calls --tune-flag`"
        ),
    )
    end_threshold: Share = Field(
        0.38,
        description=(
            "dissatisfaction of the last third of a call's scored speech from which it is flagged "
            "too: a call that is calm and ends furious"
        ),
    )
    min_scored_s: Seconds = Field(
        5, description="s; a call with less scored speech has no dissatisfaction and no flag"
    )
    arc_change: Annotated[float, Field(gt=0, le=9)] = Field(
        1.5,
        description=(
            "change of log-odds from the first to the last third of a call from which it is "
            "called improving or worsening"
        ),
    )

    @property
    def flag(self) -> dict[str, float]:
        """The numbers of the flag's rule, as `is_call_dissatisfied` takes them."""
        return {
            "call_threshold": self.call_threshold,
            "end_threshold": self.end_threshold,
            "min_scored_s": self.min_scored_s,
        }
