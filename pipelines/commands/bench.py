"""Commands `bench …`: every claim of speed or quality, measured beside a named peer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.options import Exit, JsonOption, print_json, say_error, say_progress

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(no_args_is_help=True, help="Figures of speed and quality, beside named peers.")

CorporaOption = Annotated[
    Path | None,
    typer.Option(help="Folder below which each corpus has its own.", envvar="SER_CORPUS_DIR"),
]


@app.command("night")
def night(
    hours: Annotated[float, typer.Option(help="Hours of calls.", min=0.01, max=1000)] = 2.0,
    calls: Annotated[
        Path | None,
        typer.Option(help="Folder of two-channel WAV calls to repeat; else calls/ of the corpora."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """A night on repeated real and demo calls: × real time per core, orchestration, memory.

    Examples:

      ser-batch bench night --hours 2

      ser-batch bench night --hours 0.5 --calls /calls --json
    """
    from ser_batch.bench.night import run

    sources = _demo_calls() + [path for path in _calls(calls) if _is_two_channel_wav(path)]
    _print(run(sources, hours, _run_night), as_json=as_json)


@app.command("vad")
def vad(
    calls: Annotated[
        Path | None, typer.Option(help="Folder of calls; else calls/ of the corpora.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Voice activity beside Silero run step by step: speed on one core, and agreement.

    Example:

      ser-batch bench vad --calls /calls --json
    """
    from ser_batch.bench.vad import run
    from ser_batch.config import Settings

    sources = _calls(calls) or _demo_calls()
    results = {}
    for rate in (8000, 16000):
        settings = Settings()
        audio = settings.audio.model_copy(update={"analysis_rate_hz": rate})
        results[rate] = run(sources, settings.model_copy(update={"audio": audio}))
    _print({**results[8000], "at_16_khz": results[16000]}, as_json=as_json)


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
    from ser_batch.bench.denoise import run
    from ser_batch.config import Settings

    result = run(_corpora(corpora), Settings(), every=every, on_step=say_progress)
    _print(result, as_json=as_json)


@app.command("diarization")
def diarization(
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two voices of one channel told apart: error rates on demo calls, and on real ones if given.

    Examples:

      ser-batch bench diarization

      ser-batch bench diarization --corpora DIR --json
    """
    from ser_batch.bench.diarization import run
    from ser_batch.config import Settings

    folder = _corpora(corpora) if corpora is not None else None
    _print(run(folder, Settings(), on_step=say_progress), as_json=as_json)


@app.command("embeddings")
def embeddings(as_json: JsonOption = False) -> None:
    """Speech representations beside wav2vec2-base and beside padding to 30 s.

    Example:

      ser-batch bench embeddings --json
    """
    from ser_batch.bench.embeddings import run

    _print(run(), as_json=as_json)


@app.command("encoder")
def encoder(
    corpora: Annotated[
        Path | None,
        typer.Option(
            help="Folder below which each corpus has its own; without it, speed only.",
            envvar="SER_CORPUS_DIR",
        ),
    ] = None,
    features: Annotated[
        list[str] | None, typer.Option(help="Feature set; may be repeated. Without it, six.")
    ] = None,
    calls: Annotated[
        int, typer.Option(help="Calls a setting that models of EmoDB rank; 0: none.", min=0)
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Our encoder beside descriptors, its teacher and wav2vec2-base: speed, size, accuracy.

    Examples:

      ser-batch bench encoder --corpora DIR

      ser-batch bench encoder --corpora DIR --calls 100 --features encoder_v1 --json
    """
    from platformdirs import user_cache_path

    from ser_batch.bench import encoder as bench
    from ser_batch.config import Settings

    result = bench.run(
        corpora,
        Settings(),
        names=features or bench.SETS,
        n_calls=calls,
        cache_folder=user_cache_path("ser-batch") / "bench-encoder",
        on_progress=_say_tenths,
    )
    print_json(result) if as_json else _show_encoders(result)


@app.command("adapt")
def adapt(  # noqa: PLR0917
    corpora: CorporaOption = None,
    corpus: Annotated[str, typer.Option(help="Whose speakers are parted.")] = "ravdess",
    init: Annotated[str, typer.Option(help="Encoder to begin with.")] = "encoder_v1",
    itself: Annotated[
        bool, typer.Option("--self", help="Without the large teacher: the encoder teaches itself.")
    ] = False,
    steps: Annotated[int, typer.Option(help="Of training.", min=1)] = 200,
    as_json: JsonOption = False,
) -> None:
    """Whether half of the speakers, heard without labels, help to tell the others' emotions.

    Example:

      ser-batch bench adapt --corpora DIR --corpus nemo --json
    """
    from pipelines.commands.distill import chosen_teacher, require_torch

    require_torch()
    from ser_batch.bench.adaptation import run
    from ser_batch.config import Settings
    from ser_batch.embeddings.own import find_encoder

    begun = find_encoder(init)
    result = run(
        _corpora(corpora),
        corpus,
        begun,
        chosen_teacher("self" if itself else None, begun),
        n_steps=steps,
        settings=Settings(),
        on_progress=_say_tenths,
    )
    print_json(result) if as_json else _show_adaptation(result)


@app.command("few-labels")
def few_labels(  # noqa: PLR0917
    corpora: CorporaOption = None,
    corpus: Annotated[
        list[str] | None, typer.Option(help="Corpus to pool; may be repeated. Without it, all.")
    ] = None,
    features: Annotated[
        str, typer.Option(help="Feature set beside the default one.")
    ] = "whisper_base_l2_l3_int8",
    draws: Annotated[int, typer.Option(help="How often labels are drawn.", min=1)] = 3,
    picture: Annotated[Path | None, typer.Option(help="SVG or PNG file of the curves.")] = None,
    as_json: JsonOption = False,
) -> None:
    """How far the first 10, 25, 50, 100 and 200 labels an emotion go, on unseen speakers.

    Example:

      ser-batch bench few-labels --corpora DIR --picture few-labels.svg
    """
    from ser_batch.bench import few_labels as bench

    names = corpus or ["emodb", "nemo", "ravdess", "tess"]
    result = bench.run(_corpora(corpora), names, features, draws=draws, on_progress=_say_tenths)
    if picture is not None:
        bench.picture(result, picture)
    print_json(result) if as_json else _show_curves(result)


def _say_tenths(what: str, done: int, total: int) -> None:
    """A line after each tenth of the steps."""
    if done % max(total // 10, 1) == 0 or done == total:
        say_progress(f"{what}: {done} of {total}")


def _show_encoders(result: dict[str, Any]) -> None:
    """A line a set; figures in brackets are normalised by speaker."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    rows = result["rows"]
    within = {name: None for row in rows for name in row.get("within", {})}
    across = {name: None for row in rows for name in row.get("across", {})}
    called = [judged["setting"] for row in rows for judged in row.get("calls", [])]
    table = Table(
        "set",
        "× real time",
        "MB",
        *within,
        *(f"emodb → {name}" for name in across),
        *(f"calls, {setting}" for setting in dict.fromkeys(called)),
        title="UAR (normalised by speaker); from EmoDB UAR, AUC of anger; calls: Spearman, AUC",
    )
    for row in rows:
        judged = {one["setting"]: one for one in row.get("calls", [])}
        table.add_row(
            row["set"],
            f"{row['speed']:,.0f}",
            f"{row['n_bytes'] / 1e6:.2f}" if row.get("n_bytes") else "-",
            *(_pair(row.get("within"), row.get("normalised"), name) for name in within),
            *(_two(row.get("across", {}).get(name), "uar", "auc_anger") for name in across),
            *(
                _two(judged.get(setting), "spearman", "segment_auc_anger")
                for setting in dict.fromkeys(called)
            ),
        )
    console.print(table)
    for name, why in result["missing"].items():
        console.print(f"[dim]{name}: {why}[/]")


def _pair(one: dict[str, float] | None, other: dict[str, float] | None, name: str) -> str:
    if not one or not other or name not in one:
        return "-"
    return f"{one[name]:.3f} ({other[name]:.3f})"


def _two(figures: dict[str, float] | None, first: str, second: str) -> str:
    return f"{figures[first]:.3f}, {figures[second]:.3f}" if figures else "-"


def _show_adaptation(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    title = (
        f"{len(result['heard'])} speakers of {result['corpus']} heard without labels, "
        f"{len(result['judged'])} others judged; teacher {result['teacher']}"
    )
    table = Table("", "before", "after", title=title)
    for name, before in result["before"].items():
        table.add_row(_words(name), f"{before:.3f}", f"{result['after'][name]:.3f}")
    Console().print(table)


def _show_curves(result: dict[str, Any]) -> None:
    """UAR by number of labels an emotion, a line a feature set."""
    from rich.console import Console
    from rich.table import Table

    curves = {**result["ours"], **result["peers"]}
    table = Table("labels an emotion", *curves, title=f"UAR, {', '.join(result['emotions'])}")
    for n_labels in result["ratios"]:
        table.add_row(str(n_labels), *(f"{curve[n_labels]:.3f}" for curve in curves.values()))
    Console().print(table)


def _corpora(folder: Path | None) -> Path:
    """The folder of corpora, if it is there."""
    if folder is None or not folder.is_dir():
        say_error("this needs labelled corpora. Give --corpora DIR, or set SER_CORPUS_DIR.")
        raise typer.Exit(Exit.FAILED)
    return folder


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


def _is_two_channel_wav(path: Path) -> bool:
    import soundfile

    return path.suffix == ".wav" and soundfile.info(path).channels == 2


def _demo_calls() -> list[Path]:
    from platformdirs import user_cache_path

    from ser_batch.synthetic.demo import make_demo_calls

    made = make_demo_calls(user_cache_path("ser-batch") / "bench-calls", n_calls=24, seed=1)
    return sorted(made.audio_dir.rglob("*.wav"))


def _run_night(audio: Path, root: Path) -> dict[str, Any]:
    from pipelines.commands.night import run_nightly

    os.environ["SER_INGEST__MIN_AGE_S"] = "0"
    return run_nightly(audio, [], root, None, quiet=False)


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    """Ours and peers with their ratios, then tables of rows, then what else was measured."""
    if as_json:
        print_json(result)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("", result.get("unit", "figure"), "ours over it")
    for name, value in result.get("ours", {}).items():
        table.add_row(_words(name), _figure(value))
    for name, value in result.get("peers", {}).items():
        table.add_row(f"peer: {_words(name)}", _figure(value), _figure(result["ratios"][name]))
    if table.row_count:
        console.print(table)
    for name, value in result.items():
        if name in ("ours", "peers", "ratios", "unit"):
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            console.print(_rows(value))
        else:
            console.print(f"{_words(name)}: {_figure(value)}", highlight=False)


def _rows(rows: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table(*(_words(name) for name in rows[0]))
    for row in rows:
        table.add_row(*(_figure(value) for value in row.values()))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")


def _figure(value: object) -> str:
    """Three digits that matter."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, dict):
        return ", ".join(f"{_words(str(key))} {_figure(item)}" for key, item in value.items())
    return "–" if value is None else str(value)
