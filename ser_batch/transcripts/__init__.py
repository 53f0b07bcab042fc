"""Transcripts that others made: read, matched to the customer's segments, redacted.

Nothing here transcribes. Of all that a transcript says, only the words of a customer who may be
scored leave this package, and only after redaction.
"""
