"""The colours of the style sheet are readable by day and at night (WCAG 2.1 AA)."""

import re
from itertools import product
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static" / "css"
PAIR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
TOKENS = {name: (light, dark) for name, light, dark in PAIR.findall((CSS / "tokens.css").read_text())}
GROUNDS = ("page", "surface", "sunken", "hover")
TEXTS = [
    *product(("text", "muted", "link", "good", "warn", "bad", "info", "lamp-text"), GROUNDS),
    *(("text", f"{tone}-soft") for tone in ("lamp", "good", "warn", "bad", "info", "quiet")),
    *((tone, f"{tone}-soft") for tone in ("good", "warn", "bad", "info")),
    *(("muted", f"{tone}-soft") for tone in ("info", "quiet", "lamp")),
    ("lamp-text", "lamp-soft"),
    ("link", "info-soft"),
    ("on-ink", "ink"),
    ("on-ink", "ink-hover"),
    *product(("frame-text", "frame-strong", "frame-lamp"), ("frame", "frame-hover")),
    *(("text", f"tint-{number}") for number in range(1, 7)),
]
SHAPES = [*product(("edge", "ring"), ("page", "surface")), ("ink", "surface"), ("good", "surface"), ("bad", "surface")]


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_is_the_greatest_contrast():
    assert round(contrast("#000000", "#ffffff"), 2) == 21


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), TEXTS)
def test_words_stand_out_from_their_ground(front: str, ground: str, theme: int):
    ratio = contrast(TOKENS[front][theme], TOKENS[ground][theme])
    assert ratio >= 4.5, f"{front} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), SHAPES)
def test_edges_of_controls_can_be_seen(front: str, ground: str, theme: int):
    ratio = contrast(TOKENS[front][theme], TOKENS[ground][theme])
    assert ratio >= 3, f"{front} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("ground", ["bad-strong", "lamp"])
def test_strong_buttons_are_readable(ground: str):
    word = "#ffffff" if ground == "bad-strong" else "#1d1505"
    assert all(contrast(word, colour) >= 4.5 for colour in TOKENS[ground])


def test_the_style_sheets_stay_small():
    assert sum(path.stat().st_size for path in CSS.glob("*.css")) < 72_000
