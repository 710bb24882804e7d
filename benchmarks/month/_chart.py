"""
The experiment's dashboard: creates per 24 hours, and the duplicates among them.

    chart()    shapes, in pixels
    to_svg()   the same shapes as text
    to_png()   the same shapes as pixels
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 960, 420
LEFT, RIGHT, TOP, BOTTOM = 72, 16, 56, 48
STRIP, GAP = 96, 28  # the height of the duplicates above the creates, and what is between them
BLUE, RED, INK, GREY, PAPER = "#4c78a8", "#c92a2a", "#222222", "#d9d9d9", "#ffffff"
SHARP = 2  # pixels of the PNG for one of the chart
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Bar:
    """What came in 24 hours."""

    start: int
    day: int
    creates: int
    duplicates: int

    @property
    def date(self) -> time.struct_time:
        return time.gmtime(self.start + self.day * DAY)


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; a line is a thin one."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `anchor` says what of it stands at x: start, middle or end."""

    x: float
    y: float
    text: str
    size: int = 12
    anchor: str = "start"
    fill: str = INK


Shape = Box | Text


def chart(bars: Sequence[Bar]) -> list[Shape]:
    """Draw the days."""
    lower = TOP + STRIP + GAP
    floor = HEIGHT - BOTTOM
    step = (WIDTH - LEFT - RIGHT) / len(bars)
    most = _ceiling(max(bar.creates for bar in bars))
    worst = max(1, *(bar.duplicates for bar in bars))
    shapes: list[Shape] = [
        Box(0, 0, WIDTH, HEIGHT, PAPER),
        Text(LEFT, 24, "Creates per 24 hours, and how many came again", 17),
        Text(LEFT, TOP - 8, "delivered again", fill=RED),
        Text(LEFT, lower - 8, "creates", fill=BLUE),
    ]
    for part in range(5):
        y = floor - (floor - lower) * part / 4
        shapes.append(Box(LEFT, y, WIDTH - LEFT - RIGHT, 1, GREY))
        shapes.append(Text(LEFT - 8, y + 4, f"{most * part / 4:,.0f}", anchor="end"))
    shapes.append(Box(LEFT, TOP + STRIP, WIDTH - LEFT - RIGHT, 1, GREY))
    for n, bar in enumerate(bars):
        shapes += _day(bar, LEFT + n * step, step, most, worst)
    first, last = (time.strftime("%d %B %Y", bars[n].date) for n in (0, -1))
    virtual = f"virtual time, {first} to {last}" if len(bars) > 1 else f"virtual time, {first}"
    shapes.append(Text(WIDTH - RIGHT, HEIGHT - 10, virtual, anchor="end"))
    return shapes


def _day(bar: Bar, x: float, step: float, most: int, worst: int) -> list[Shape]:
    floor, lower = HEIGHT - BOTTOM, TOP + STRIP + GAP
    inner, middle = min(step * 0.72, 80.0), x + step / 2
    said = f"{time.strftime('%d %B', bar.date)}: {bar.creates:,} creates, {bar.duplicates} again"
    high = (floor - lower) * bar.creates / most
    shapes: list[Shape] = [Box(middle - inner / 2, floor - high, inner, high, BLUE, said)]
    if bar.duplicates:
        high = (STRIP - 18) * bar.duplicates / worst
        shapes.append(Box(middle - inner / 2, TOP + STRIP - high, inner, high, RED, said))
        top = TOP + STRIP - high - 4
        shapes.append(Text(middle, top, f"{bar.duplicates:,}", 11, "middle", RED))
    shapes.append(Text(middle, floor + 16, str(bar.date.tm_mday), 11, "middle"))
    return shapes


def _ceiling(most: int) -> int:
    """Return the next number that four lines divide well."""
    unit = 4
    while unit * 5 < most:
        unit *= 10
    return -(-most // unit) * unit


def to_svg(shapes: Sequence[Shape]) -> str:
    """Return the chart as one SVG element."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' width="{WIDTH}" height="{HEIGHT}" font-family="system-ui, sans-serif">'
    )
    lines = [
        head,
        "<title>Creates per 24 hours, duplicates marked</title>",
    ]
    for shape in shapes:
        match shape:
            case Box(x, y, width, height, fill, title):
                said = f"<title>{escape(title)}</title>" if title else ""
                lines.append(
                    f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
                    f' fill="{fill}">{said}</rect>'
                )
            case Text(x, y, text, size, anchor, fill):
                lines.append(
                    f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
                    f' fill="{fill}">{escape(text)}</text>'
                )
    return "\n".join([*lines, "</svg>"]) + "\n"


def to_png(shapes: Sequence[Shape], path: Path) -> None:
    """Write the chart as pixels."""
    from PIL import Image, ImageDraw, ImageFont  # of no use to the workers

    image = Image.new("RGB", (WIDTH * SHARP, HEIGHT * SHARP), PAPER)
    draw = ImageDraw.Draw(image)
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for shape in shapes:
        match shape:
            case Box(x, y, width, height, fill, _):
                corners = (x, y, x + width, y + height)
                left, top, right, bottom = (round(corner * SHARP) for corner in corners)
                if right > left and bottom > top:
                    draw.rectangle((left, top, right - 1, bottom - 1), fill)
            case Text(x, y, text, size, anchor, fill):
                font = ImageFont.load_default(size * SHARP)
                place = (round(x * SHARP), round(y * SHARP))
                draw.text(place, text, fill, font, anchors[anchor])
    image.save(path, optimize=True)
