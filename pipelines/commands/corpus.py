"""Commands `corpus import|show|explore`: labels of file names, and what is in corpora."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.inputs import BandName, BandOption, CorporaOption, LabelsOption
from pipelines.options import JsonOption, print_json

if TYPE_CHECKING:
    from ser_batch.corpora.base import Clip
    from ser_batch.features.dataset import Dataset
    from ser_batch.progress import Progress
    from ser_batch.training.describe import Band

app = typer.Typer(no_args_is_help=True, help="Labelled corpora.")

NamesOption = Annotated[
    list[str] | None,
    typer.Option("--corpus", help="Corpus to read; may be repeated. Without it, emodb."),
]
PictureOption = Annotated[Path | None, typer.Option(help="PNG or SVG file to draw it to.")]
EachOption = Annotated[
    int,
    typer.Option("--clips", min=5, help="Clips of each emotion of a corpus that are described."),
]


class Within(StrEnum):
    """Whose differences do not count."""

    speaker = "speaker"
    corpus = "corpus"
    nothing = "nothing"


_BAR = 24
"""Characters of the longest bar."""


@app.command("import")
def import_corpus(
    kind: Annotated[
        str, typer.Argument(help="cremad, emodb, iemocap, nemo, ravdess, savee, tess or urdu.")
    ],
    folder: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    out: Annotated[Path | None, typer.Option(help="CSV file; without it, the terminal.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List a corpus's clips with speaker and emotion, read from its own file names.

    Examples:

      ser-batch corpus import ravdess DIR/ravdess --out ravdess.csv

      ser-batch train --labels ravdess.csv --out MODEL
    """
    from ser_batch.corpora import get_corpus
    from ser_batch.corpora.labels import labels_csv, summary

    clips = get_corpus(kind).read(folder)
    text = labels_csv(clips, folder)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        print_json(summary(clips))
    elif out is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{len(clips)} clips → {out}")


@app.command()
def show(
    corpora: CorporaOption = None,
    corpus: NamesOption = None,
    labels: LabelsOption = None,
    band: BandOption = BandName.telephone,
    clips: EachOption = 20,
    picture: PictureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show classes and speakers of corpora, alone and mixed, and what is in them twice.

    The picture also shows waveform and spectrogram of a clip of each emotion, and how
    descriptors are distributed over the emotions.

    Examples:

      ser-batch corpus show --corpora DIR --corpus emodb --corpus ravdess

      ser-batch corpus show --labels own.csv --picture own.png
    """
    from pipelines.terminal import progress_bar
    from ser_batch.lab.explore.balance import balance, duplicates, read_sounds
    from ser_batch.progress import counted

    clips_of = _clips_of(corpora, corpus, labels, picture)
    with progress_bar() as on_progress:
        sounds_of = {
            name: read_sounds(each, counted(f"reading {name}", len(each), on_progress))
            for name, each in clips_of.items()
        }
        counts, twice = balance(clips_of, sounds_of), duplicates(clips_of, sounds_of)
        if picture is not None:
            _draw_corpora(clips_of, counts, clips, band.value, picture, on_progress)
    if as_json:
        print_json({"corpora": counts, "duplicates": twice})
    else:
        _show_counts(counts, twice)


@app.command()
def explore(
    corpora: CorporaOption = None,
    corpus: NamesOption = None,
    labels: LabelsOption = None,
    band: BandOption = BandName.telephone,
    clips: EachOption = 60,
    within: Annotated[
        Within, typer.Option(help="Compare the clips of each speaker, of each corpus, or all.")
    ] = Within.corpus,
    most: Annotated[int, typer.Option(min=1, help="How many descriptors to list.")] = 15,
    picture: PictureOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the descriptors that separate emotions most, and draw a map of the clips.

    Also: how often the nearest clips are of the same emotion, speaker or corpus.

    Examples:

      ser-batch corpus explore --corpora DIR --corpus emodb --picture map.png

      ser-batch corpus explore --corpora DIR --corpus emodb --corpus ravdess --within nothing
    """
    from pipelines.terminal import progress_bar
    from ser_batch.lab.explore.pictures import map_chart, save
    from ser_batch.lab.explore.sample import few_of_each
    from ser_batch.lab.explore.separation import explore as explored

    chosen = few_of_each(_clips_of(corpora, corpus, labels, picture), clips)
    with progress_bar() as on_progress:
        dataset = _described(chosen, band.value, on_progress)
    result = explored(dataset, within=within.value, n_most=most)
    if picture is not None:
        title = f"{result['n_clips']} clips by t-SNE of their descriptors, within {within.value}"
        save(map_chart(result["points"]), title, picture)
    print_json(result) if as_json else _show_separation(result)


def _clips_of(
    corpora: Path | None,
    names: Sequence[str] | None,
    tables: Sequence[Path] | None,
    picture: Path | None,
) -> dict[str, list[Clip]]:
    """The clips by corpus; what cannot be drawn is refused before they are read."""
    from pipelines.inputs import DEFAULT_CORPUS
    from ser_batch.corpora.sources import read_clips
    from ser_batch.errors import ChoiceError

    if picture is not None and picture.suffix not in (".png", ".svg"):
        raise ChoiceError(f"{picture}: the file's ending says what is drawn: .png or .svg")
    return read_clips(corpora, names or ([] if tables else [DEFAULT_CORPUS]), tables or ())


def _described(clips: Sequence[Clip], band: Band, on_progress: Progress) -> Dataset:
    """By the descriptors of a band: an encoder's states have no names."""
    from ser_batch.training.setup import TrainingSetup

    features = "descriptors_v1" if band == "telephone" else "descriptors_v1_wide"
    setup = TrainingSetup.choose(band, features, copies=0)
    return setup.describe(clips, copies=False, on_progress=on_progress)


def _draw_corpora(
    clips_of: Mapping[str, Sequence[Clip]],
    counts: Mapping[str, Mapping[str, Any]],
    n_each: int,
    band: Band,
    path: Path,
    on_progress: Progress,
) -> None:
    import altair as alt

    from ser_batch.lab.explore import pictures
    from ser_batch.lab.explore.sample import few_of_each, one_of_each

    chosen = few_of_each(clips_of, n_each)
    dataset = _described(chosen, band, on_progress)
    chart = alt.vconcat(
        pictures.balance_chart(counts),
        pictures.examples_chart(one_of_each(chosen)),
        pictures.distributions_chart(dataset),
        spacing=30,
    ).resolve_scale(color="independent")
    pictures.save(chart, f"{', '.join(clips_of)}: clips, examples, descriptors by emotion", path)


def _show_counts(
    counts: Mapping[str, Mapping[str, Any]], twice: Sequence[Mapping[str, Any]]
) -> None:
    """A table of the corpora, one of the classes, and the duplicates."""
    from rich.markup import escape

    from pipelines.terminal import show_lines, show_table

    show_table(
        ("corpus", "clips", "minutes", "speakers", "women", "men", "most of one speaker"),
        [
            (
                name,
                str(found["n_clips"]),
                f"{found['minutes']:.0f}",
                str(found["n_speakers"]),
                str(found["women"]),
                str(found["men"]),
                f"{found['most_of_one_speaker']:.0%}",
            )
            for name, found in counts.items()
        ],
    )
    rows: list[tuple[str, ...]] = []
    for name, found in counts.items():
        most = max(found["emotions"].values())
        rows += [
            (
                name,
                emotion,
                str(count),
                f"{count / found['n_clips']:.0%}",
                str(found["speakers_of"][emotion]),
                "█" * max(1, round(_BAR * count / most)),
            )
            for emotion, count in found["emotions"].items()
        ]
        rows.append(())
    show_table(("corpus", "emotion", "clips", "share", "speakers", ""), rows)
    if not twice:
        show_lines("No recording is in them twice.")
    for row in twice:
        contradiction = " and ".join(
            what for what in ("emotion", "speaker") if not row[f"same_{what}"]
        )
        says = f", [bold]labelled with another {contradiction}[/]" if contradiction else ""
        show_lines(f"The same recording{says}: {escape(', '.join(row['paths']))}", soft_wrap=True)


def _show_separation(result: Mapping[str, Any]) -> None:
    from pipelines.terminal import show_lines, show_table

    show_table(
        ("descriptor", "group", "ω²", "furthest", "Cohen's d"),
        [
            (
                each["name"],
                each["group"],
                f"{each['omega_squared']:.2f}",
                each["emotion"],
                f"{each['cohens_d']:+.2f}",
            )
            for each in result["descriptors"]
        ],
        title=f"{result['n_clips']} clips, compared within {result['within']}",
    )
    for name, near in result["neighbours"].items():
        show_lines(
            f"{near['share']:.0%} of the nearest clips are of the same {name}; "
            f"{near['chance']:.0%} would be by chance."
        )
