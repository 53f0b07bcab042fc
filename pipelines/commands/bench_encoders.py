"""Commands `bench embeddings|encoder|adapt|few-labels`: what encoders are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.bench import print_figures
from pipelines.inputs import CorporaOption, check_inputs, given_corpora
from pipelines.options import JsonOption, print_json, say_progress


def embeddings(as_json: JsonOption = False) -> None:
    """Speech representations beside wav2vec2-base and beside padding to 30 s.

    Example:

      ser-batch bench embeddings --json
    """
    from ser_batch.lab.bench.embeddings import COMPARED, run

    check_inputs(None, feature_sets=COMPARED)
    print_figures(run(), as_json=as_json)


def encoder(
    corpora: Annotated[
        Path | None,
        typer.Option(
            help="Folder of corpora, one subfolder each; without it, speed only.",
            envvar="SER_CORPUS_DIR",
        ),
    ] = None,
    features: Annotated[
        list[str] | None, typer.Option(help="Feature set; may be repeated. Without it, six.")
    ] = None,
    calls: Annotated[
        int, typer.Option(help="Simulated calls to rank with models of EmoDB; 0: none.", min=0)
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Our encoder beside descriptors, its teacher and wav2vec2-base: speed, size, accuracy.

    Examples:

      ser-batch bench encoder --corpora DIR

      ser-batch bench encoder --corpora DIR --calls 100 --features encoder_v2 --json
    """
    from platformdirs import user_cache_path

    from ser_batch.config import Settings
    from ser_batch.lab.bench import encoder as bench

    names = features or bench.SETS
    for name in names:
        bench.named_set(name).require()
    if corpora is not None:
        given_corpora(corpora, [bench.TRAINED_ON] if calls else [])
    result = bench.run(
        corpora,
        Settings(),
        names=names,
        n_calls=calls,
        cache_folder=user_cache_path("ser-batch") / "bench-encoder",
        on_progress=_say_tenths,
    )
    print_json(result) if as_json else _show_encoders(result)


def adapt(
    corpora: CorporaOption = None,
    corpus: Annotated[
        str, typer.Option(help="Corpus whose speakers are split in halves.")
    ] = "ravdess",
    init: Annotated[str, typer.Option(help="Encoder to adapt.")] = "encoder_v2",
    itself: Annotated[
        bool,
        typer.Option("--self-distill", help="Without a large teacher: the encoder is its own."),
    ] = False,
    steps: Annotated[int, typer.Option(help="Steps of training.", min=1)] = 200,
    as_json: JsonOption = False,
) -> None:
    """Whether half of the speakers, used without labels, help to classify the others' emotions.

    Example:

      ser-batch bench adapt --corpora DIR --corpus nemo --json
    """
    from pipelines.commands.distill import chosen_teacher, require_torch

    require_torch()
    from ser_batch.config import Settings, nearest
    from ser_batch.errors import CorpusError
    from ser_batch.features.encoders.local import find_encoder
    from ser_batch.lab.bench.adaptation import run
    from ser_batch.lab.bench.encoder import FOLDS_OF, TRAINED_ON
    from ser_batch.lab.distill.run import Task

    if corpus not in FOLDS_OF:
        raise CorpusError(f"{corpus!r} is not adapted to{nearest(corpus, FOLDS_OF)}")
    folder = given_corpora(corpora, [corpus, TRAINED_ON])
    begun = find_encoder(init)
    task = Task([], chosen_teacher("self" if itself else None, begun), n_steps=steps)
    result = run(folder, corpus, begun, task, settings=Settings(), on_progress=_say_tenths)
    print_json(result) if as_json else _show_adaptation(result)


def few_labels(
    corpora: CorporaOption = None,
    corpus: Annotated[
        list[str] | None, typer.Option(help="Corpus to pool; may be repeated. Without it, all.")
    ] = None,
    features: Annotated[
        str, typer.Option(help="Feature set beside the default one.")
    ] = "whisper_base_l2_l3_int8",
    draws: Annotated[int, typer.Option(help="Number of random draws of labels.", min=1)] = 3,
    picture: Annotated[Path | None, typer.Option(help="SVG or PNG file of the curves.")] = None,
    as_json: JsonOption = False,
) -> None:
    """UAR on unseen speakers from 10, 25, 50, 100 and 200 labels an emotion.

    Example:

      ser-batch bench few-labels --corpora DIR --picture few-labels.svg
    """
    from ser_batch.lab.bench import few_labels as bench

    names = corpus or ["emodb", "nemo", "ravdess", "tess"]
    check_inputs(corpora, feature_sets=[features, bench.PEER])
    result = bench.run(
        given_corpora(corpora, names), names, features, draws=draws, on_progress=_say_tenths
    )
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
    cross_corpus = {name: None for row in rows for name in row.get("cross_corpus", {})}
    called = [judged["setting"] for row in rows for judged in row.get("calls", [])]
    table = Table(
        "set",
        "× real time",
        "MB",
        *within,
        *(f"emodb → {name}" for name in cross_corpus),
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
            *(
                _two(row.get("cross_corpus", {}).get(name), "uar", "auc_anger")
                for name in cross_corpus
            ),
            *(
                _two(_values(judged.get(setting)), "spearman", "segment_auc")
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


def _values(measured: dict[str, Any] | None) -> dict[str, float] | None:
    """The figures of `bench calls` without their intervals."""
    return measured and {name: one["value"] for name, one in measured["figures"].items()}


def _two(figures: dict[str, float] | None, first: str, second: str) -> str:
    return f"{figures[first]:.3f}, {figures[second]:.3f}" if figures else "-"


def _show_adaptation(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    title = (
        f"{len(result['adapted_on'])} speakers of {result['corpus']} used without labels, "
        f"{len(result['judged'])} others judged; teacher {result['teacher']}"
    )
    table = Table("", "before", "after", title=title)
    for name, before in result["before"].items():
        table.add_row(name.replace("_", " "), f"{before:.3f}", f"{result['after'][name]:.3f}")
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
