"""Lineage of the warehouse as a drawing: which table is built from which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from html import escape

Graph = Mapping[str, frozenset[str]]

NODE_WIDTH, NODE_HEIGHT = 212, 26
GAP_X, GAP_Y = 40, 12
SWEEPS = 8
"""Passes that put each node near the middle of those it is joined to."""


def lineage_svg(reads: Graph) -> str:
    """An SVG, from left to right; each table of `reads` links to the part of the page of its name.

    Args:
        reads: tables that each table is built from; those that are no key are sources
    """
    columns = _columns(reads)
    width = len(columns) * (NODE_WIDTH + GAP_X) - GAP_X
    height = max(map(len, columns)) * (NODE_HEIGHT + GAP_Y)
    place = {
        name: (x * (NODE_WIDTH + GAP_X), round((y + 0.5) * height / len(column) - NODE_HEIGHT / 2))
        for x, column in enumerate(columns)
        for y, name in enumerate(column)
    }
    parts = [_edge(place[source], place[name]) for name in reads for source in sorted(reads[name])]
    parts += [_node(name, *place[name], is_table=name in reads) for name in place]
    return (
        f'<svg class="lineage" viewBox="-2 -2 {width + 4} {height + 4}" width="{width + 4}" '
        f'height="{height + 4}" role="group" aria-label="Lineage">{"".join(parts)}</svg>'
    )


def _columns(reads: Graph) -> list[list[str]]:
    """Names by their distance from the sources, in an order with few crossings."""
    level: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in level:
            level[name] = 1 + max(map(depth, reads.get(name, ())), default=-1)
        return level[name]

    joined: dict[str, set[str]] = defaultdict(set)
    columns: dict[int, list[str]] = defaultdict(list)
    for name in sorted({*reads, *(source for own in reads.values() for source in own)}):
        columns[depth(name)].append(name)
        for source in reads.get(name, ()):
            joined[name].add(source)
            joined[source].add(name)
    ordered = [columns[number] for number in sorted(columns)]
    for _ in range(SWEEPS):
        rank = {
            name: (y + 0.5) / len(column) for column in ordered for y, name in enumerate(column)
        }
        for column in ordered:
            column.sort(key=lambda name: (_mean([rank[other] for other in joined[name]]), name))
    return ordered


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + NODE_WIDTH, start[1] + NODE_HEIGHT / 2
    x2, y2 = end[0], end[1] + NODE_HEIGHT / 2
    bend = GAP_X * 0.7
    return f'<path d="M{x1},{y1:g}C{x1 + bend:g},{y1:g} {x2 - bend:g},{y2:g} {x2},{y2:g}"/>'


def _node(name: str, x: int, y: int, *, is_table: bool) -> str:
    kind = ("staging" if name.startswith("stg_") else "mart") if is_table else "source"
    text = escape(name)
    drawn = (
        f'<rect x="{x}" y="{y}" width="{NODE_WIDTH}" height="{NODE_HEIGHT}" rx="5"/>'
        f'<text x="{x + 9}" y="{y + 17}">{text}</text>'
    )
    if not is_table:
        return f'<g class="{kind}">{drawn}</g>'
    return f'<a class="{kind}" href="#{text}">{drawn}</a>'
