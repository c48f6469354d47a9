#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The picture of `make bench-scale`: microseconds of a core a record, by how many records and by how many principals.

    tests/bench/scale_plot.py ROWS SVG

ROWS has a line for each point: series, records, principals, microseconds of nowcast, of Redis, bytes. Both axes begin at 0 upwards and
are logarithmic to the right.
"""
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, PANEL, GAP = 720, 300, 50, 40, 290, 60
BOTTOM = HEIGHT - 60
PARTS = (("nowcast", "#1f6f8b", 3), ("Redis", "#c8553d", 4))


def text(x, y, words, anchor="middle", colour="#333"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def panel(rows, column, left, most, title):
    first, last = math.log(rows[0][column]), math.log(rows[-1][column])

    def at(row, cost):
        x = left + PANEL * (math.log(row[column]) - first) / ((last - first) or 1)
        return x, BOTTOM - (BOTTOM - TOP) * cost / most

    out = [text(left + PANEL / 2, HEIGHT - 15, title),
           f'<path d="M{left} {TOP}V{BOTTOM}H{left + PANEL}" fill="none" stroke="#999"/>']
    out += [text(left - 6, BOTTOM - (BOTTOM - TOP) * us / most + 4, us, "end") for us in range(0, most + 1, 2)]
    out += [text(at(row, 0)[0], BOTTOM + 18, f"{row[column]:,}") for row in rows]
    for _, colour, part in PARTS:
        points = [at(row, row[part]) for row in rows]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return out


def main(source, target):
    with open(source, encoding="ascii") as lines:
        fields = [line.split() for line in lines]
    rows = [(f[0], int(f[1]), int(f[2]), float(f[3]), float(f[4])) for f in fields]
    most = 2 * math.ceil(max(max(row[3:]) for row in rows) / 2)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           text(LEFT - 30, 20, "microseconds of a core a record", "start")]
    out += [text(WIDTH - 20 - 80 * i, 20, name, "end", colour) for i, (name, colour, _) in enumerate(PARTS)]
    out += panel([r for r in rows if r[0] == "records"], 1, LEFT, most, "records in six hours")
    out += panel([r for r in rows if r[0] == "principals"], 2, LEFT + PANEL + GAP, most, "principals")
    with open(target, "w", encoding="ascii") as svg:
        svg.write("\n".join(out + ["</svg>"]) + "\n")


main(*sys.argv[1:])
