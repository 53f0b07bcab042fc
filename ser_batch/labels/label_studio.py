"""Label Studio's files: its labelling configuration, tasks to import, annotations exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from ser_batch.labels.history import CANNOT_TELL
from ser_batch.labels.raw_label import RawLabel

QUESTION = "emotion"
SOUND = "audio"
LOCAL_FILES = "/data/local-files/?d="
"""Where Label Studio serves the folder named by LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT."""


def labelling_config(emotions: Sequence[str]) -> str:
    """The labelling configuration: a player, and a choice a key."""
    keys = [*map(str, range(1, len(emotions) + 1)), "0"]
    choices = "\n".join(
        f"    <Choice value={quoteattr(name)} hotkey={quoteattr(key)}/>"
        for name, key in zip([*emotions, CANNOT_TELL], keys, strict=True)
    )
    return f"""<View>
  <Header value="How does the caller sound? The voice, not the words."/>
  <Audio name="{SOUND}" value="$audio"/>
  <Choices name="{QUESTION}" toName="{SOUND}" choice="single" showInLine="true" required="true">
{choices}
  </Choices>
</View>
"""


def task(
    segment: str, *, audio_url: str, shown: Mapping[str, str], suggested: str | None, model_id: str
) -> dict[str, Any]:
    """A task as Label Studio imports it.

    Args:
        segment: the segment's name; it comes back with the annotation
        audio_url: where the browser finds the snippet
        shown: what else stands in the task's data
        suggested: pre-annotation, None for none
        model_id: whose suggestion it is
    """
    answers = [{"model_version": model_id, "result": [_choice(suggested)]}] if suggested else []
    return {
        "data": {"audio": audio_url, "segment": segment, **shown},
        "predictions": answers,
    }


def read_export(content: Sequence[Mapping[str, Any]]) -> Iterator[RawLabel]:
    """Annotations of an export, full (`JSON`) or short (`JSON_MIN`).

    Raises:
        TypeError, AttributeError: if it is none
    """
    if not isinstance(content, list):
        raise TypeError("no list of tasks")
    for number, entry in enumerate(content, start=1):
        if "annotations" in entry:
            yield from _annotations(number, entry)
        else:
            yield RawLabel(
                row=number,
                segment=str(entry.get("segment") or ""),
                emotions=chosen(entry.get(QUESTION)),
                annotator=_person(entry.get("annotator")),
                made_at=_when(entry),
            )


def chosen(value: object) -> tuple[str, ...]:
    """Choices as exports write them: a text, a list, or an object with a list."""
    if isinstance(value, dict):
        value = value.get("choices")
    if isinstance(value, list):
        return tuple(str(choice) for choice in value)
    return (str(value),) if value else ()


def _annotations(number: int, entry: Mapping[str, Any]) -> Iterator[RawLabel]:
    segment = (entry.get("data") or {}).get("segment")
    for annotation in entry["annotations"] or []:
        if annotation.get("was_cancelled"):
            continue
        answers = [
            result.get("value")
            for result in annotation.get("result") or []
            if result.get("from_name") == QUESTION
        ]
        yield RawLabel(
            row=number,
            segment=str(segment or ""),
            emotions=tuple(choice for answer in answers for choice in chosen(answer)),
            annotator=_person(annotation.get("completed_by")),
            made_at=_when(annotation),
        )


def _when(entry: Mapping[str, Any]) -> str:
    return str(entry.get("updated_at") or entry.get("created_at") or "")


def _person(value: object) -> str:
    """An annotator, by address where the export names one, else by number."""
    if isinstance(value, dict):
        value = value.get("email") or value.get("username") or value.get("id")
    return "" if value is None else str(value)


def _choice(emotion: str) -> dict[str, Any]:
    return {
        "from_name": QUESTION,
        "to_name": SOUND,
        "type": "choices",
        "value": {"choices": [emotion]},
    }
