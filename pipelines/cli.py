"""The command `ser-batch`: parses, calls a flow or a stage, prints."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import ser_batch
from pipelines.commands import (
    bench,
    bench_calls,
    bench_cluster,
    bench_encoders,
    bench_encryption,
    bench_faults,
    bench_growth,
    bench_models,
    bench_report,
    bench_serve,
    bench_statistics,
    compare,
    corpus,
    demo,
    digest,
    distill,
    docs,
    encryption,
    erase,
    evaluate,
    export,
    inspect,
    labels,
    models,
    models_fit,
    monitoring,
    night,
    quarantine,
    query,
    retrain,
    score,
    serve,
    setup,
    train,
    verify,
    weights,
)
from pipelines.logs import log_error
from pipelines.options import (
    MISUSE,
    UNEXPECTED,
    Exit,
    Failure,
    failure,
    print_json,
    release_frames,
    say_error,
)
from ser_batch.environment import ONE_THREAD, set_unless_given

app = typer.Typer(
    name="ser-batch",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Where and when customers are dissatisfied, from the sound of their recorded calls.

    First steps: `ser-batch doctor`, then `ser-batch score CALL.wav`, then
    `ser-batch nightly --audio FOLDER`.
    """
    if version:
        typer.echo(f"ser-batch {ser_batch.__version__}")
        raise typer.Exit


NIGHT, LOOK, MODEL, SETUP = "Every night", "Look at results", "Models", "Set up"

app.command(rich_help_panel=NIGHT)(night.nightly)
app.command(rich_help_panel=NIGHT)(night.runs)
app.command(rich_help_panel=NIGHT)(monitoring.health)
app.add_typer(monitoring.app, name="alerts", rich_help_panel=NIGHT)
app.add_typer(quarantine.app, name="quarantine", rich_help_panel=NIGHT)
app.command(rich_help_panel=NIGHT)(query.publish)
app.command(rich_help_panel=NIGHT)(erase.erase)
app.command(rich_help_panel=NIGHT)(verify.verify)
app.command(rich_help_panel=LOOK)(query.query)
app.command(rich_help_panel=LOOK)(docs.docs)
app.command(rich_help_panel=LOOK)(query.report)
app.command(rich_help_panel=LOOK)(compare.compare)
app.command(rich_help_panel=LOOK)(serve.serve)
app.command(rich_help_panel=LOOK)(digest.digest)
app.command(rich_help_panel=LOOK)(export.export)
app.command(rich_help_panel=LOOK)(score.score)
app.command(rich_help_panel=LOOK)(inspect.inspect)
app.add_typer(labels.app, name="labels", rich_help_panel=MODEL)
app.command(rich_help_panel=MODEL)(retrain.retrain)
app.command(rich_help_panel=MODEL)(retrain.rescore)
app.command(rich_help_panel=MODEL)(retrain.drift)
app.command(rich_help_panel=MODEL)(train.train)
app.command(rich_help_panel=MODEL)(distill.distill)
app.command(rich_help_panel=MODEL)(evaluate.evaluate)
models.models_app.command("align")(models_fit.align)
models.models_app.command("calibrate")(models_fit.calibrate)
models.models_app.command("fit-words")(models_fit.fit_words)
app.add_typer(models.models_app, name="models", rich_help_panel=MODEL)
app.add_typer(corpus.app, name="corpus", rich_help_panel=MODEL)
app.add_typer(weights.app, name="weights", rich_help_panel=MODEL)
bench.app.command("retraining")(retrain.bench_retraining)
bench.app.command("embeddings")(bench_encoders.embeddings)
bench.app.command("encoder")(bench_encoders.encoder)
bench.app.command("adapt")(bench_encoders.adapt)
bench.app.command("few-labels")(bench_encoders.few_labels)
bench.app.command("calls")(bench_calls.bench_calls)
bench.app.command("features")(bench_models.bench_features)
bench.app.command("models")(bench_models.bench_models)
bench.app.command("ablation")(bench_models.bench_ablation)
bench.app.command("ood")(bench_models.bench_ood)
bench.app.command("statistics")(bench_statistics.statistics)
bench.app.command("gate")(bench_statistics.gate)
bench.app.command("words")(bench_statistics.words)
bench.app.command("faults")(bench_faults.faults)
bench.app.command("cluster")(bench_cluster.cluster)
bench.app.command("growth")(bench_growth.growth)
bench.app.command("encryption")(bench_encryption.encryption)
bench.app.command("report")(bench_report.bench_report)
bench.app.command("serve")(bench_serve.bench_serve)
app.add_typer(bench.app, name="bench", rich_help_panel=MODEL)
app.command(rich_help_panel=SETUP)(setup.init)
app.command(rich_help_panel=SETUP)(setup.doctor)
app.command(rich_help_panel=SETUP)(encryption.encrypt)
app.command(rich_help_panel=LOOK)(encryption.decrypt)
app.command(rich_help_panel=SETUP)(demo.demo)


def main() -> None:
    """Run a command; an expected error is one line and an exit code, with `--json` an object too.

    `SER_DEBUG=1` shows the traceback instead.
    """
    as_json = "--json" in sys.argv
    set_unless_given(ONE_THREAD)
    found: Failure | None = None
    try:
        app()
    except BrokenPipeError:  # the reader of our output, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SystemExit as stop:  # what was misused is on standard error already
        if as_json and stop.code == Exit.USAGE:
            print_json(MISUSE.as_json())
        raise
    except Exception as error:
        found = None if os.environ.get("SER_DEBUG") else failure(error)
        if as_json:
            print_json((found or UNEXPECTED).as_json())
        if found is None:
            raise
        release_frames(error)
    if found is not None:
        if not log_error(found.one_line(), code=found.code, remedy=found.remedy):
            say_error(found.one_line())
        sys.exit(found.exit)


if __name__ == "__main__":
    main()
