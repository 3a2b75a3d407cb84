"""Write static/icons.svg again: `python tools/icons.py FOLDER [NAME ...]`.

FOLDER holds the SVG files of an unpacked `lucide-static` package. Icons already in the sprite stay; NAMEs are added.
"""

import re
import sys
from pathlib import Path

SPRITE = Path(__file__).parents[1] / "static" / "icons.svg"


def symbol(name: str, svg: str) -> str:
    """The drawing of one icon as a `<symbol>`: stroke and size come from the style sheet."""
    body = " ".join(re.findall(r"<(?!svg|/svg|!--)[^>]+>", svg))
    return f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>'


def main(folder: Path, *names: str) -> None:
    present = re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text())
    symbols = "\n".join(symbol(name, (folder / f"{name}.svg").read_text()) for name in sorted({*present, *names}))
    SPRITE.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
