"""The plot of `docs/gossip.md`: how many of the others know of a death, over time. SVG, drawn by hand."""

from __future__ import annotations

from collections.abc import Sequence

from trio_dynomite.testing.gossip_figures import Deaths

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 20, 50
SECONDS = 4.0
COLOURS = ("#1b6ca8", "#2a9d5c", "#d08c1d", "#b03a48")
DASHES = ("", "6 4", "2 3")
SHOWN = (0.0, 0.05, 0.2)
"""The losses that are drawn."""


def plot(found: Sequence[Deaths]) -> str:
    """The plot as SVG: a colour for each size of cluster, a dash for each loss."""
    sizes = list(dict.fromkeys(row.nodes for row in found))
    parts = [_frame()]
    for row in found:
        if row.loss in SHOWN and row.each_s:
            parts.append(_curve(row, COLOURS[sizes.index(row.nodes)], DASHES[SHOWN.index(row.loss)]))
    parts += [_legend(at, f"{size} nodes", COLOURS[at], "") for at, size in enumerate(sizes)]
    parts += [
        _legend(len(sizes) + at, f"{loss:.0%} loss", "#444", DASHES[at]) for at, loss in enumerate(SHOWN)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _x(seconds: float) -> float:
    return round(LEFT + min(seconds, SECONDS) / SECONDS * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _frame() -> str:
    lines = []
    for second in range(int(SECONDS) + 1):
        lines.append(_line(_x(second), _y(0), _x(second), _y(1), "#ddd"))
        lines.append(_text(_x(second), HEIGHT - BOTTOM + 18, f"{second} s", "middle"))
    for quarter in range(5):
        lines.append(_line(_x(0), _y(quarter / 4), _x(SECONDS), _y(quarter / 4), "#ddd"))
        lines.append(_text(LEFT - 8, _y(quarter / 4) + 4, f"{quarter * 25} %", "end"))
    caption = "since the death: how many of the others know of it"
    lines.append(_text((_x(0) + _x(SECONDS)) / 2, HEIGHT - 10, caption, "middle"))
    return "\n".join(lines)


def _curve(row: Deaths, colour: str, dash: str) -> str:
    """Over all runs: the share of those who knew by then, as steps."""
    times = sorted(row.each_s)
    total = row.runs * (row.nodes - 1)
    every = max(1, len(times) // 200)
    points = [(0.0, 0.0)]
    for at, seconds in enumerate(times):
        if at % every == 0 or at == len(times) - 1:
            points += [(seconds, points[-1][1]), (seconds, (at + 1) / total)]
    points.append((SECONDS, points[-1][1]))
    path = " ".join(f"{_x(seconds)},{_y(share)}" for seconds, share in points)
    stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
    return f'<polyline fill="none" {stroke} points="{path}"/>'


def _legend(at: int, text: str, colour: str, dash: str) -> str:
    x, y = WIDTH - RIGHT + 20, TOP + 14 + at * 20
    return _line(x, y - 4, x + 26, y - 4, colour, dash, 2) + _text(x + 32, y, text, "start")


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "", width: int = 1) -> str:
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{width}" '
        f'stroke-dasharray="{dash}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="#222">{text}</text>'
