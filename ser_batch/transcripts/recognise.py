"""Run the user's own speech recogniser on a customer's speech."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from ser_batch.arrays import FloatArray
from ser_batch.errors import RecognitionError
from ser_batch.transcripts.read import ENDINGS, read_transcript
from ser_batch.transcripts.sides import Segment
from ser_batch.transcripts.utterance import Utterance


def only_speech(samples: FloatArray, segments: Sequence[Segment], sample_rate: int) -> FloatArray:
    """A signal with nothing left outside some segments, at the same times.

    Args:
        samples: of one channel, shape (n_samples,)
        segments: of the customer's speech
        sample_rate: Hz

    Returns:
        shape (n_samples,), zero where no segment is
    """
    kept = np.zeros_like(samples)
    for segment in segments:
        begin, end = (round(at_s * sample_rate) for at_s in (segment.start_s, segment.end_s))
        kept[begin:end] = samples[begin:end]
    return kept


def recognise(
    samples: FloatArray,
    sample_rate: int,
    command: Sequence[str],
    *,
    limit_s: float,
    most_mb: float,
) -> list[Utterance]:
    """What a recogniser says of a signal.

    The program, with all that it started, is ended after `limit_s`. The signal lies in a temporary
    folder of this user only, and is deleted with it.

    Args:
        samples: shape (n_samples,), in [-1, 1]
        sample_rate: Hz
        command: program and arguments, `{audio}` and `{folder}` in them replaced
        limit_s: seconds that it may take
        most_mb: of its transcript

    Raises:
        RecognitionError: if it fails, takes too long or writes no transcript
        TranscriptError: if what it writes cannot be read
    """
    with tempfile.TemporaryDirectory(prefix="ser-batch-") as name:
        audio, folder = Path(name, "audio.wav"), Path(name, "out")
        folder.mkdir()
        soundfile.write(audio, samples, sample_rate, subtype="PCM_16")
        filled = [
            argument.replace("{audio}", str(audio)).replace("{folder}", str(folder))
            for argument in command
        ]
        printed = Path(name, "printed")
        with printed.open("wb") as out:
            _run(filled, out.fileno(), limit_s)
        written = sorted(path for path in folder.iterdir() if path.name.endswith(ENDINGS))
        if not written and not printed.stat().st_size:
            raise RecognitionError("transcripts.command printed and wrote no transcript")
        return read_transcript(written[0] if written else printed, most_mb=most_mb)


def _run(command: Sequence[str], out: int, limit_s: float) -> None:
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,  # it may name what was said
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise RecognitionError(f"transcripts.command cannot be run: {error}") from error
    try:
        code = process.wait(timeout=limit_s)
    except subprocess.TimeoutExpired as error:
        raise RecognitionError(f"transcripts.command took more than {limit_s:g} s") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code:
        raise RecognitionError(f"transcripts.command ended with code {code}")
