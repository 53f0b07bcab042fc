"""A transcript cannot be used: the call is scored by the voice alone, and the night goes on."""

from __future__ import annotations

from ser_batch.errors.base import FileError


class TranscriptError(FileError):
    """The file holds no transcript of a shape that is read."""

    code = "bad_transcript"
    remedy = (
        "Export it again, as JSON of AWS Transcribe, Google Speech-to-Text, WhisperX or Deepgram, "
        "as WebVTT or as SubRip."
    )


class LargeTranscriptError(TranscriptError):
    """The file is larger than the settings allow."""

    code = "large_transcript"
    remedy = "Export the words without alternatives, or raise transcripts.max_mb."

    def __init__(self, *, size_mb: float, most_mb: float) -> None:
        super().__init__(f"the transcript has {size_mb:.1f} MB, {most_mb:g} MB are read")


class UnmatchedSpeakersError(TranscriptError):
    """Nothing says reliably which words are the customer's."""

    code = "unmatched_speakers"
    remedy = (
        "Transcribe each channel by itself, or say in transcripts.speakers who the labels are; no "
        "word is kept unless it is the customer's."
    )


class RecognitionError(TranscriptError):
    """The program that transcribes failed."""

    code = "recognition_failed"
    remedy = (
        "Run transcripts.command by hand on one recording; the next night tries the call again."
    )
