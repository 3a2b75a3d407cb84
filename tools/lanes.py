"""Write static/css/lanes.css: the classes that place a bar in a week of 168 hours (pages hold no inline style)."""

from pathlib import Path

HOURS = 24 * 7


def main() -> None:
    lines = ["/* Written by tools/lanes.py: where a bar begins and ends in a week of 168 hours. */"]
    for first in range(0, HOURS + 1, 8):
        hours = range(first, min(first + 8, HOURS + 1))
        lines.append(" ".join(f".from-{hour}{{grid-column-start:{hour + 1}}}" for hour in hours))
        lines.append(" ".join(f".to-{hour}{{grid-column-end:{hour + 1}}}" for hour in hours))
    (Path(__file__).parents[1] / "static" / "css" / "lanes.css").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
