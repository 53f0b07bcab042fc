"""Synthetic rows and lakes, without audio: for tests of what is built on the lake, and for benches.

`rows` makes one row of each table, `lakes` writes calls, weeks of calls, and callers whose
emotions follow from their features. The values are chosen, so the truth is known.
"""
