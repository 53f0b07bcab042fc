"""RAVDESS: `03-01-05-02-01-01-12.wav` is modality, channel, emotion, intensity, text, take, actor.

Source: Livingstone and Russo (2018), "The Ryerson Audio-Visual Database of Emotional Speech and
Song".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label

NAME = re.compile(
    r"^03-01-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<text>0[12])-0[12]-(?P<actor>0[1-9]|1\d|2[0-4])$"
)
EMOTION = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}


def label(match: re.Match[str], _path: Path) -> Label:
    """What a name says; actors of even numbers are women."""
    return Label(
        speaker=match["actor"],
        sex="male" if int(match["actor"]) % 2 else "female",
        emotion=EMOTION[match["emotion"]],
        intensity="strong" if match["intensity"] == "02" else "normal",
        sentence=match["text"],
    )


RAVDESS = Corpus(
    name="ravdess",
    title="RAVDESS speech (Livingstone and Russo 2018)",
    licence="CC-BY-NC-SA-4.0",
    language="en",
    pattern=NAME,
    label=label,
)
