# SPDX-License-Identifier: Apache-2.0
"""The table of ratios as a picture: one line for each kind of work, one mark for each peer, on a logarithmic scale."""

import html
import math

LABELS = 380  # pixels for the names of the work
PLOT = 560
RIGHT = 30
TOP = 76
ROW = 28
BOTTOM = 58
MARK = 5.5
APART = 4  # pixels between two peers of one line, so that none hides another
TICKS = (0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)

# One shape and one colour for each peer, in this order; both themes' colours stand out against their ground.
SHAPES = ("circle", "square", "triangle", "diamond", "cross")
STYLE = """
svg { --ground: #ffffff; --ink: #1f2328; --faint: #d1d9e0; --soft: #59636e;
      --a: #0969da; --b: #bc4c00; --c: #1a7f37; --d: #8250df; --e: #bf3989; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #0d1117; --ink: #f0f6fc; --faint: #3d444d; --soft: #9198a1;
        --a: #58a6ff; --b: #f0883e; --c: #56d364; --d: #bc8cff; --e: #ff7eb6; }
}
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink); }
.soft { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--faint); stroke-width: 1; }
circle, polygon, .mark { stroke: var(--ground); stroke-width: 1; }
.one { stroke: var(--ink); stroke-width: 1.5; }
.p0 { fill: var(--a); } .p1 { fill: var(--b); } .p2 { fill: var(--c); } .p3 { fill: var(--d); } .p4 { fill: var(--e); }
"""


def file_name(part):
    return f"performance{'-' + part if part else ''}.svg"


def mark(number, x, y):
    """The peer's shape around a point."""
    name, r = SHAPES[number % len(SHAPES)], MARK
    kind = f'class="p{number % len(SHAPES)}"'
    if name == "circle":
        return f'<circle {kind} cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'
    if name == "square":
        return f'<rect {kind[:-1]} mark" x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"/>'
    corners = {
        "triangle": [(0, -r), (r, r), (-r, r)],
        "diamond": [(0, -1.3 * r), (1.3 * r, 0), (0, 1.3 * r), (-1.3 * r, 0)],
        "cross": [(-r, -2), (-2, -2), (-2, -r), (2, -r), (2, -2), (r, -2), (r, 2), (2, 2), (2, r), (-2, r), (-2, 2), (-r, 2)],
    }[name]
    return f'<polygon {kind} points="{" ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)}"/>'


class Scale:
    """From the tick below the least ratio to the one above the greatest; 1 is always there."""

    def __init__(self, values):
        low = max((tick for tick in TICKS if tick <= min([*values, 1])), default=TICKS[0])
        high = min((tick for tick in TICKS if tick >= max([*values, 2])), default=TICKS[-1])
        self.ticks = [tick for tick in TICKS if low <= tick <= high]
        self.low, self.span = math.log2(low), math.log2(high) - math.log2(low)

    def x(self, value):
        inside = min(max(math.log2(value), self.low), self.low + self.span)
        return LABELS + PLOT * (inside - self.low) / self.span


def legend(peers):
    parts, x = [f'<text class="soft" x="{LABELS}" y="26">Fairlead compared with … (per second of CPU; memory and latency: how many times less)</text>'], LABELS
    for number, name in enumerate(peers):
        parts += [mark(number, x + MARK, 46), f'<text x="{x + 18}" y="50.5">{html.escape(name)}</text>']
        x += 38 + 7.4 * len(name)
    return parts


def grid(scale, bottom):
    parts = []
    for tick in scale.ticks:
        x = scale.x(tick)
        parts += [f'<line class="{"one" if tick == 1 else "grid"}" x1="{x:.1f}" y1="{TOP - 10}" x2="{x:.1f}" y2="{bottom}"/>',
                  f'<text class="soft" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>']
    one = scale.x(1)
    return [*parts, f'<text class="soft" x="{one + 8:.1f}" y="{bottom + 40}">Fairlead ahead →</text>',
            f'<text class="soft" x="{one - 8:.1f}" y="{bottom + 40}" text-anchor="end">← others ahead</text>']


def line(scale, peers, number, title, ratios):
    y = TOP + ROW * number + ROW / 2
    parts = [f'<line class="grid" x1="{LABELS}" y1="{y}" x2="{LABELS + PLOT}" y2="{y}" stroke-dasharray="1 5"/>',
             f'<text x="{LABELS - 14}" y="{y + 4.5}" text-anchor="end">{html.escape(title)}</text>']
    for place, name in enumerate(peers):
        if ratios.get(name):
            beside = APART * (place - (len(peers) - 1) / 2)
            parts.append(f"<g><title>{html.escape(f'{title}: {ratios[name]:.2f} of {name}')}</title>"
                         f"{mark(place, scale.x(ratios[name]), y + beside)}</g>")
    return parts


def svg(rows, peers):
    """`rows`: [(title, {peer: ratio or None})]; above 1 is better for us."""
    scale = Scale([value for _, ratios in rows for value in ratios.values() if value])
    bottom = TOP + ROW * len(rows)
    width, height = LABELS + PLOT + RIGHT, bottom + BOTTOM
    body = [*legend(peers), *grid(scale, bottom)]
    for number, (title, ratios) in enumerate(rows):
        body += line(scale, peers, number, title, ratios)
    return "\n".join([
        "<!-- SPDX-License-Identifier: Apache-2.0; written by ./dev bench (the option that reports) -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        "<title>Fairlead compared with other servers</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="var(--ground)"/>',
        *body, "</svg>", ""])
