"""Write static/icons.svg from an unpacked `lucide-static` package: `python tools/icons.py FOLDER_WITH_SVG_FILES`."""

import re
import sys
from pathlib import Path

NAMES = """
activity arrow-down arrow-right arrow-up bell bell-off bell-ring bot calendar-clock calendar-days camera check
check-check chevron-down chevron-left chevron-right chevrons-left chevrons-right circle circle-alert circle-check circle-dot
circle-pause clock copy database download ellipsis external-link eye file-text flag gauge history hourglass inbox info key-round
lamp-desk link list-checks lock log-out mail mail-check mail-warning message-square monitor moon octagon-alert paperclip
pencil phone phone-call phone-missed play plus power refresh-cw reply route search send settings shield siren
smartphone sparkles sticky-note sun tag ticket trash-2 triangle-alert undo-2 upload user user-check user-plus users x
""".split()


def symbol(name: str, svg: str) -> str:
    """The drawing of one icon as a `<symbol>`: stroke and size come from the style sheet."""
    body = re.sub(r"\s+", " ", svg.split(">", 2)[2].removesuffix("</svg>").rsplit("</svg>", 1)[0]).strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>'


def main(folder: Path) -> None:
    symbols = "\n".join(symbol(name, (folder / f"{name}.svg").read_text()) for name in NAMES)
    target = Path(__file__).parents[1] / "static" / "icons.svg"
    target.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]))
