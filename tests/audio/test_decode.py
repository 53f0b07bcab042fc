"""Recordings in: every format is read, every bad file has its reason."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.audio.decode import at_rate, read_audio
from ser_batch.config import AudioSettings
from ser_batch.errors import (
    ChannelCountError,
    EmptyFileError,
    FileError,
    LargeAudioError,
    LongAudioError,
    NonFiniteAudioError,
    NotAudioError,
    SampleRateError,
    ShortAudioError,
    TruncatedAudioError,
    UnreadableFileError,
)
from tests.audio.signals import tone

SETTINGS = AudioSettings()


def write(path: Path, *, rate: int = 8000, n_channels: int = 2, duration_s: float = 1.0) -> Path:
    """Channel 0 a 400 Hz tone at -20 dB, the others 6 dB softer each."""
    return write_as(path, "WAV", "PCM_16", rate=rate, n_channels=n_channels, duration_s=duration_s)


def write_as(
    path: Path,
    container: str,
    codec: str,
    *,
    rate: int = 8000,
    n_channels: int = 2,
    duration_s: float = 1.0,
) -> Path:
    channels = [tone(duration_s, 400, -20 - 6 * number, rate=rate) for number in range(n_channels)]
    samples = np.stack(channels, axis=1)
    with soundfile.SoundFile(path, "w", rate, n_channels, codec, format=container) as file:
        for first in range(0, len(samples), 4000):
            file.write(samples[first : first + 4000])
    return path


FORMATS = [
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAV", "ULAW"),
    ("WAV", "ALAW"),
    ("WAVEX", "PCM_16"),
    ("WAVEX", "ULAW"),
    ("RF64", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("MP3", "MPEG_LAYER_III"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("AIFF", "PCM_16"),
    ("AIFF", "ULAW"),
]


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize(("container", "codec"), FORMATS)
def test_every_format_is_read_at_its_level_and_length(
    tmp_path: Path, container: str, codec: str, rate: int
) -> None:
    path = write_as(tmp_path / "call", container, codec, rate=rate, duration_s=2)
    audio = read_audio(path, SETTINGS)
    assert (audio.sample_rate, audio.container, audio.codec) == (rate, container, codec)
    assert audio.samples.dtype == np.float32
    assert audio.duration_s == pytest.approx(2, abs=0.08)
    middle = audio.samples[:, rate // 2 : rate]
    level_db = 10 * np.log10(np.mean(middle**2, axis=1))
    np.testing.assert_allclose(level_db, [-20, -26], atol=0.7)


@pytest.mark.parametrize(("container", "codec"), FORMATS)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_cut_off_on_the_way_is_truncated(
    tmp_path: Path, container: str, codec: str, share: float
) -> None:
    path = write_as(tmp_path / "call", container, codec, duration_s=5)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(TruncatedAudioError):
        read_audio(path, SETTINGS)


def test_a_long_recording_is_read_over_block_borders(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    samples = np.random.default_rng(1).uniform(-1, 1, (700_001, 2)).astype(np.float32)
    soundfile.write(path, samples, 8000, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(path, SETTINGS).samples, samples.T)


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(EmptyFileError):
        read_audio(path, SETTINGS)


@pytest.mark.parametrize(
    "data",
    [
        b"call,agent\n17,Kim\n" * 50,
        b"RIFF\x24\0\0\0WAVE",
        np.random.default_rng(0).bytes(4096),
        b"RIFF\xff\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 0x0131, 1, 8000, 1000, 10, 0),
    ],
    ids=["text", "header only", "noise", "unknown codec"],
)
def test_what_no_decoder_knows_is_not_audio(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(data)
    with pytest.raises(NotAudioError):
        read_audio(path, SETTINGS)


def test_a_header_that_declares_too_little_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "call.wav", duration_s=5)
    data = bytearray(path.read_bytes())
    size = data.index(b"data") + 4
    data[size : size + 4] = struct.pack("<I", 8000)
    path.write_bytes(data)
    with pytest.raises(TruncatedAudioError, match="declares 2000 samples, file holds 40000"):
        read_audio(path, SETTINGS)


@pytest.mark.parametrize("declared", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_recorder_that_could_not_seek_back_is_read_to_the_end(
    tmp_path: Path, declared: int
) -> None:
    path = write(tmp_path / "streamed.wav", duration_s=3)
    data = bytearray(path.read_bytes())
    size = data.index(b"data") + 4
    data[size : size + 4] = struct.pack("<I", declared)
    path.write_bytes(data)
    assert read_audio(path, SETTINGS).duration_s == pytest.approx(3)


def test_padding_after_the_data_is_no_lie(tmp_path: Path) -> None:
    path = write(tmp_path / "call.wav")
    path.write_bytes(path.read_bytes() + bytes(3000))
    assert read_audio(path, SETTINGS).duration_s == 1


def test_chunks_after_the_data_are_no_lie(tmp_path: Path) -> None:
    path = write(tmp_path / "call.wav")
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 6000) + bytes(6000))
    assert read_audio(path, SETTINGS).duration_s == 1


def test_durations_outside_the_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShortAudioError, match=r"0\.05 s"):
        read_audio(write(tmp_path / "short.wav", duration_s=0.05), SETTINGS)
    with pytest.raises(LongAudioError):
        read_audio(write(tmp_path / "long.wav", duration_s=4), AudioSettings(max_duration_s=3))


def test_three_hours_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(8000 * 10, np.int16), 8000)
    data = bytearray(path.read_bytes())
    n_bytes = 3 * 3600 * 8000 * 2
    size = data.index(b"data") + 4
    data[size : size + 4] = struct.pack("<I", n_bytes)
    with path.open("wb") as file:
        file.write(data)
        file.truncate(size + 4 + n_bytes)  # a sparse file
    with pytest.raises(LongAudioError, match=r"3\.00 h"):
        read_audio(path, SETTINGS)


@pytest.mark.parametrize("n_channels", [3, 6])
def test_more_than_two_channels_are_refused(tmp_path: Path, n_channels: int) -> None:
    with pytest.raises(ChannelCountError):
        read_audio(write(tmp_path / "call.wav", n_channels=n_channels), SETTINGS)


@pytest.mark.parametrize("rate", [4000, 96000])
def test_rates_that_telephony_does_not_use_are_refused(tmp_path: Path, rate: int) -> None:
    with pytest.raises(SampleRateError):
        read_audio(write(tmp_path / "call.wav", rate=rate), SETTINGS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, bad: float) -> None:
    samples = np.zeros((8000, 1), np.float32)
    samples[17] = bad
    path = tmp_path / "call.wav"
    soundfile.write(path, samples, 8000, subtype="FLOAT")
    with pytest.raises(NonFiniteAudioError, match="1 samples"):
        read_audio(path, SETTINGS)


def test_samples_beyond_full_scale_are_cut_to_it(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, np.full(8000, 1e30, np.float32), 8000, subtype="FLOAT")
    assert read_audio(path, SETTINGS).samples.max() == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    path = write(tmp_path / "call.wav")
    path.chmod(0)
    with pytest.raises(UnreadableFileError, match=r"[Pp]ermission"):
        read_audio(path, SETTINGS)


def test_a_folder_or_a_file_that_is_gone_is_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.wav"):
        with pytest.raises(UnreadableFileError):
            read_audio(path, SETTINGS)


def test_names_outside_ascii_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "Kündigung 電話 «é».wav")
    assert read_audio(path, SETTINGS).duration_s == 1


def test_damage_anywhere_in_the_header_never_escapes_the_error_tree(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.wav").read_bytes()
    rng = np.random.default_rng(3)
    path = tmp_path / "damaged.wav"
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(0, 48, 3):
            data[place] = rng.integers(0, 256)
        path.write_bytes(data)
        try:
            read_audio(path, SETTINGS)
        except FileError:
            continue


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 44100, 48000])
def test_resampling_keeps_length_level_and_pitch_and_folds_nothing_back(
    tmp_path: Path, rate: int
) -> None:
    audio = read_audio(write(tmp_path / "call.wav", rate=rate, duration_s=2), SETTINGS)
    low = at_rate(audio, 8000)
    assert low.sample_rate == 8000
    assert low.duration_s == pytest.approx(2, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(low.samples[0, 4000:12000] * np.hanning(8000)))
    assert np.argmax(spectrum) == 400
    if rate > 11025:
        high = tone(2, 4700, -20, rate=rate)[None]
        folded = at_rate(type(audio)(high, rate, "WAV", "PCM_16"), 8000).samples
        assert 10 * np.log10(np.mean(folded[:, 800:-800] ** 2)) < -100


def test_a_recording_at_the_right_rate_is_left_alone(tmp_path: Path) -> None:
    audio = read_audio(write(tmp_path / "call.wav"), SETTINGS)
    assert at_rate(audio, 8000) is audio


@pytest.mark.corpus
def test_all_example_calls_are_read(corpus_dir: Path) -> None:
    found = [read_audio(path, SETTINGS) for path in (corpus_dir / "calls").iterdir()]
    assert {
        (len(audio.samples), audio.sample_rate, audio.codec, round(audio.duration_s))
        for audio in found
    } == {
        (1, 8000, "PCM_U8", 278),
        (2, 44100, "MPEG_LAYER_III", 40),
        (2, 44100, "MPEG_LAYER_III", 44),
        (2, 8000, "ULAW", 245),
        (1, 8000, "PCM_16", 142),
        (1, 8000, "PCM_16", 195),
    }


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF])
def test_a_sparse_file_of_open_length_is_refused_without_reading_it(
    tmp_path: Path, declared: int
) -> None:
    path = write(tmp_path / "sparse.wav")
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(b"data") + 4)
        file.write(struct.pack("<I", declared))
        file.truncate(3 << 30)
    tracemalloc.start()
    with pytest.raises(LongAudioError):
        read_audio(path, SETTINGS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(("container", "codec"), FORMATS)
def test_a_recording_that_takes_too_much_memory_is_refused(
    tmp_path: Path, container: str, codec: str
) -> None:
    path = write_as(tmp_path / "call", container, codec, rate=48000, duration_s=50)
    with pytest.raises(LargeAudioError, match=r"19\.\d MB|19 MB"):
        read_audio(path, AudioSettings(max_decoded_mb=16))


def test_a_chain_of_empty_chunks_ends_soon(tmp_path: Path) -> None:
    path = tmp_path / "chunks.wav"
    path.write_bytes(b"RIFF\xff\xff\xff\x7fWAVE" + b"junk\0\0\0\0" * 500_000)
    with pytest.raises(NotAudioError):
        read_audio(path, SETTINGS)
