"""Commands `bench …`: every claim of speed or quality, measured beside a named peer."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.inputs import CorporaOption, check_inputs, given_corpora
from pipelines.options import Exit, JsonOption, print_json, say_error, say_progress
from pipelines.terminal import show_lines, show_table

app = typer.Typer(
    no_args_is_help=True, help="Figures of speed and quality, beside other libraries."
)


@app.command("night")
def night(
    hours: Annotated[float, typer.Option(help="Hours of calls.", min=0.01, max=1000)] = 2.0,
    calls: Annotated[
        Path | None,
        typer.Option(
            help="Folder of two-channel WAV calls to repeat; without it, calls/ of the corpora."
        ),
    ] = None,
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated",
            help="Decode each of these calls once, and repeat what was detected in them: "
            "what a long night costs beside the analysis.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """A night on repeated real and demo calls: × real time per core, start, memory.

    Examples:

      ser-batch bench night --hours 2

      ser-batch bench night --hours 0.5 --calls /calls --json

      ser-batch bench night --hours 1000 --simulated
    """
    from ser_batch.config import Settings
    from ser_batch.lab.bench import simulated_night
    from ser_batch.lab.bench.night import run

    sources = two_channel_recordings(calls)
    if simulated:
        found = simulated_night.run(sources, hours, Settings(), say_progress)
        print_figures(found, as_json=as_json)
        return
    command = [sys.executable, "-m", "pipelines.cli", "nightly"]
    print_figures(run(sources, hours, command), as_json=as_json)


@app.command("vad")
def vad(
    calls: Annotated[
        Path | None, typer.Option(help="Folder of calls; without it, calls/ of the corpora.")
    ] = None,
    found_in: Annotated[
        Path | None,
        typer.Option(
            help="Folder of corpora of emotions: also the share of the speech of simulated calls "
            "that is detected, by emotion."
        ),
    ] = None,
    simulated: Annotated[int, typer.Option(min=1, help="Simulated calls of each corpus.")] = 60,
    as_json: JsonOption = False,
) -> None:
    """Voice activity beside Silero run step by step: speed on one core, and agreement.

    Examples:

      ser-batch bench vad --calls /calls --json

      ser-batch bench vad --found-in DIR
    """
    from ser_batch.config import Settings
    from ser_batch.lab.bench import found_speech
    from ser_batch.lab.bench.vad import run

    sources = _calls(calls) or demo_recordings()
    results = {}
    for rate in (8000, 16000):
        settings = Settings()
        audio = settings.audio.model_copy(update={"analysis_rate_hz": rate})
        results[rate] = run(sources, settings.model_copy(update={"audio": audio}))
    result = {**results[8000], "at_16_khz": results[16000]}
    if found_in is not None:
        folder = given_corpora(found_in)
        result["found"] = found_speech.run(
            folder, Settings(), n_calls=simulated, on_step=say_progress
        )
    print_figures(result, as_json=as_json)


@app.command("denoise")
def denoise(
    corpora: CorporaOption = None,
    every: Annotated[int, typer.Option(help="Take only every Nth clip.", min=1)] = 1,
    as_json: JsonOption = False,
) -> None:
    """What noise reduction does to emotion: UAR by noise, SNR and method, unseen speakers.

    Example:

      ser-batch bench denoise --corpora DIR --every 4
    """
    from ser_batch.config import Settings
    from ser_batch.lab.bench.denoise import CORPORA, run

    settings = Settings()
    check_inputs(None, feature_sets=[settings.features.set])
    folder = given_corpora(corpora, CORPORA)
    result = run(folder, settings, every=every, on_step=say_progress)
    print_figures(result, as_json=as_json)


@app.command("diarization")
def diarization(
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Diarization of one channel: error rates on demo calls, and on real ones if given.

    Examples:

      ser-batch bench diarization

      ser-batch bench diarization --corpora DIR --json
    """
    from ser_batch.config import Settings
    from ser_batch.lab.bench.diarization import run

    folder = given_corpora(corpora) if corpora is not None else None
    print_figures(run(folder, Settings(), on_step=say_progress), as_json=as_json)


def _calls(folder: Path | None) -> list[Path]:
    """Recorded calls of a folder, else of the corpora, else none."""
    if folder is None and (corpora := os.environ.get("SER_CORPUS_DIR")):
        folder = Path(corpora) / "calls"
    if folder is None:
        return []
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in (".wav", ".flac", ".mp3")]
    if not found:
        say_error(f"no recording lies in {folder}.")
        raise typer.Exit(Exit.FAILED)
    return found


def two_channel_recordings(folder: Path | None) -> list[Path]:
    """Simulated calls, and the two-channel WAV calls of a folder, else of the corpora."""
    return demo_recordings() + [path for path in _calls(folder) if _is_two_channel_wav(path)]


def given_counts(text: str) -> list[int]:
    """Counts that the user gave, separated by commas.

    Raises:
        typer.BadParameter: if they are none
    """
    try:
        counts = [int(each) for each in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise typer.BadParameter(f"{text!r} is no list of counts above 0, as 1,10 is")
    return counts


def _is_two_channel_wav(path: Path) -> bool:
    import soundfile

    return path.suffix == ".wav" and soundfile.info(path).channels == 2


def demo_recordings() -> list[Path]:
    """Simulated calls, made once."""
    from platformdirs import user_cache_path

    from ser_batch.lab.synthetic.demo import make_demo_calls

    made = make_demo_calls(user_cache_path("ser-batch") / "bench-calls", n_calls=24, seed=1)
    return sorted(made.audio_dir.rglob("*.wav"))


def print_figures(result: dict[str, Any], *, as_json: bool) -> None:
    """Ours and peers with their ratios, then tables of rows, then what else was measured."""
    if as_json:
        print_json(result)
        return
    rows = [(_words(name), _figure(value), "") for name, value in result.get("ours", {}).items()]
    rows += [
        (f"peer: {_words(name)}", _figure(value), _figure(result["ratios"][name]))
        for name, value in result.get("peers", {}).items()
    ]
    if rows:
        show_table(("", result.get("unit", "figure"), "ours over it"), rows)
    for name, value in result.items():
        if name in ("ours", "peers", "ratios", "unit"):
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            table_rows = ([_figure(cell) for cell in row.values()] for row in value)
            show_table(map(_words, value[0]), table_rows)
        else:
            show_lines(f"{_words(name)}: {_figure(value)}", highlight=False)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _figure(value: object) -> str:
    """Three digits that matter."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, dict):
        return ", ".join(f"{_words(str(key))} {_figure(item)}" for key, item in value.items())
    return "–" if value is None else str(value)
