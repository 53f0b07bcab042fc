"""Columns and notes of the workbook of some days, in people's words."""

from __future__ import annotations

from ser_batch.report.content import Content
from ser_batch.report.data import Rules
from ser_batch.report.workbook import Column

_SHARE = (
    Column("Dissatisfied calls", "dissatisfied_call_share", "percent", is_coloured=True),
    Column("95 % from", "dissatisfied_call_share_low", "percent", 11),
    Column("95 % to", "dissatisfied_call_share_high", "percent", 9),
)
_COUNTS = (
    Column("Calls", "count_calls", "count", 9),
    Column("Scored calls", "count_scored_calls", "count", 9),
    Column("Coverage", "coverage", "percent", 10),
)

DAYS = (Column("Day", "call_date", width=12), *_COUNTS, *_SHARE)
QUEUES = (
    Column("Queue", "queue", width=22),
    Column("Day", "call_date", width=12),
    *_COUNTS,
    *_SHARE,
    Column("Mean dissatisfaction", "dissatisfaction", "index", is_coloured=True),
)
CHANGES = (
    Column("Queue", "queue", width=22),
    Column("Change", "word", width=26),
    Column("Points", "adjusted_change", "points", 9, "within queue and hour of the day"),
    Column("95 % from", "adjusted_change_low", "points", 11),
    Column("95 % to", "adjusted_change_high", "points", 9),
    Column("This week", "dissatisfied_call_share", "percent", 11, is_coloured=True),
    Column("Week before", "dissatisfied_call_share_before", "percent", 13, is_coloured=True),
    Column("Scored calls", "count_scored_calls", "count", 9),
    Column("Scored the week before", "count_scored_calls_before", "count", 12),
)
CALLS = (
    Column("Call", "call_id", width=26, note="leads to the call's page, where it has one"),
    Column("Started", "started_at", width=17),
    Column("Queue", "queue", width=18),
    Column("Length, min:s", "duration_s", "clock", 9),
    Column("Flagged", "is_dissatisfied", "yes", 9, "the call counts as dissatisfied"),
    Column("Dissatisfaction", "dissatisfaction", "index", 14, "0 to 1", is_coloured=True),
    Column("In the last third", "dissatisfaction_end", "index", 10, "0 to 1", is_coloured=True),
    Column("Course", "arc", width=16, note="from the first to the last third"),
    Column("Worst moment, min:s", "worst_start_s", "clock", 13, "start of the worst segment"),
    Column("Dissatisfied speech", "dissatisfied_share", "percent", 12, is_coloured=True),
    Column("Coverage", "coverage", "percent", 10, "of the customer's speech was scored"),
    Column("Longest hold, s", "hold_longest_s", "seconds", 9),
    Column("Overtalk", "overtalk_share", "percent", 9, "both speak at once"),
    Column("Not scored because", "not_scored_meaning", width=14),
    Column("Recording", "path", width=24),
)
NOT_SCORED = (
    Column("Reason", "meaning", width=48),
    Column("Calls", "count_calls", "count", 9),
    Column("Audio, min:s", "duration_s", "clock", 12),
    Column("Remedy", "remedy", width=60),
)


def notes(rules: Rules, content: Content) -> list[tuple[str, str]]:
    """Terms and their meanings: how to read the figures, and what the law makes of them."""
    synthetic = content.headline["count_synthetic"]
    return [
        (
            "Dissatisfaction",
            "0 content, 1 dissatisfied. Of a segment of the customer's speech: the calibrated "
            "probability that listeners perceive anger or frustration. A model predicts it from "
            "the sound, not from the words. Of a call: the mean of its segments by length.",
        ),
        (
            "Flagged, dissatisfied call",
            f"The call's dissatisfaction reaches {rules.call_threshold}, or that of its last "
            f"third {rules.end_threshold}.",
        ),
        (
            "95 % interval",
            "Where the true share lies with 95 % certainty if these calls are a sample of such "
            "calls; clustered by customer, that of the headline also by day. It covers chance "
            "among calls, not the model's own mistakes.",
        ),
        (
            "Empty cell, withheld",
            f"There is no figure, or it rests on fewer than {rules.min_calls} scored calls.",
        ),
        (
            "Eligible",
            "Only speech that may be scored is: the customer's, where the customer did not object "
            "and no metadata states that notice was not given. A speaker whose role is unknown "
            "is not scored. The sheet Not scored counts the calls by reason.",
        ),
        (
            "Coverage",
            "Share of the customers' speech with a score; the rest is uncertain or may not be "
            "scored. Coverage of eligible speech leaves out what may not be scored.",
        ),
        (
            "The law",
            "In the European Union, inferring the emotions of people at work from their voice is "
            "prohibited (AI Act, Article 5(1)(f)). Agents are never scored, and no figure here "
            "ranks them or may be used to. Customers must be informed (Article 50(3)).",
        ),
        (
            "One call, one person",
            "A single segment or call may be wrong, and people differ in how they speak: compare "
            "groups of calls, choose calls to listen to, decide nothing about one person.",
        ),
        (
            "Synthetic",
            f"{synthetic} of the calls, those compared with included, are generated by a speech "
            "synthesiser: they describe no customers."
            if synthetic
            else "None of these calls is marked as synthetic.",
        ),
        (
            "Links",
            "On the sheet Calls a call's id leads to its page in the report, if it has one. The "
            "links work where workbook and report stay in the same places to each other.",
        ),
    ]
