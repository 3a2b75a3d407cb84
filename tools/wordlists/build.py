"""Builds the word lists in portal/core/data from unpacked packages. Maintainers only; how to run it: README.md there.

    python tools/wordlists/build.py SOURCES TICKETS_CSV_GZ

SOURCES holds the unpacked @cspell/dict-* packages, en_US.txt and en_GB.txt (from dump-trie.mjs) and the `typos-dict`
folder of the typos source distribution.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

DATA = Path(__file__).parents[2] / "portal" / "core" / "data"
LETTERS = re.compile(r"[^\W\d_]+")
ENTRY = re.compile(r'InsensitiveStr::Ascii\("([^"]+)"\),\s*&\[((?:"[^"]*",?\s*)*)\]')
WIN32_LONGEST = 12  # longer ones are run-together identifiers, which the masks leave alone anyway
TICKET_WORD_SEEN = 15


def read_lines(path: Path) -> list[str]:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8").splitlines()


def plain_words(lines: Iterable[str]) -> Iterator[str]:
    """Lower-case words of a cspell list: no comments, no identifiers with inner capitals, no parts of words."""
    for line in lines:
        entry = line.split("#", 1)[0].strip().lstrip("~!+*")
        for word in re.split(r"[\W\d_]+", entry):
            if len(word) > 1 and not re.search(r"[a-z][A-Z]", word) and f"{word}'" not in entry:
                yield word.lower()


def english(sources: Path) -> set[str]:
    lines = [*read_lines(sources / "en_US.txt"), *read_lines(sources / "en_GB.txt")]
    words = {line.lstrip("~!+*") for line in lines}
    return {word.lower() for word in words if LETTERS.fullmatch(word)}


def technical(sources: Path) -> tuple[set[str], set[str]]:
    """(terms worth suggesting, everything else that is merely known: names, companies, short Windows words)."""
    terms: set[str] = set()
    others: set[str] = set()
    for path in sorted(sources.glob("cspell-dict-*/package/**/*.txt*")):
        package = path.relative_to(sources).parts[0]
        if "en_us" in package or "en-gb" in package:
            continue
        words = set(plain_words(read_lines(path)))
        if "win32" in package:
            others |= {word for word in words if 2 < len(word) <= WIN32_LONGEST}
        elif "software-terms" in package or "fullstack" in package or "powershell" in package:
            terms |= words
        else:
            others |= words
    return terms, others


def frequencies() -> set[str]:
    text = (resources.files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text("utf-8-sig")
    return {line.split()[0] for line in text.splitlines()}


def misspellings(sources: Path, known: set[str], certain: set[str]) -> dict[str, list[str]]:
    text = (sources / "typos-dict" / "src" / "word_codegen.rs").read_text("utf-8")
    pairs = {wrong: re.findall(r'"([^"]*)"', rights) for wrong, rights in ENTRY.findall(text)}
    return {
        wrong: rights
        for wrong, rights in pairs.items()
        if LETTERS.fullmatch(wrong)
        and wrong not in certain
        and all(part in known for right in rights for part in LETTERS.findall(right.lower()))
    }


def ticket_counts(path: Path) -> dict[str, int]:
    counts: Counter[str] = Counter()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            counts.update(set(row["text"].split()))
    return {word: seen for word, seen in counts.items() if seen >= TICKET_WORD_SEEN and len(word) > 2}


def write(name: str, lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in sorted(set(lines), key=str.encode))
    target = DATA / f"{name}.txt.gz"
    target.write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))
    print(f"{target.name}: {text.count(chr(10))} lines, {target.stat().st_size} bytes")


def main(sources: Path, tickets: Path) -> None:
    common = {word for word in frequencies() if LETTERS.fullmatch(word)}
    words = english(sources)
    terms, others = technical(sources)
    known = words | common | terms
    names = set(plain_words(read_lines(next(sources.glob("cspell-dict-people-names-*/package/dict/people-names.txt")))))
    wrong = misspellings(sources, known, words | common | names)
    write("misspellings", (f"{bad} {','.join(rights)}" for bad, rights in wrong.items()))
    write("words", (known | others) - set(wrong))
    write("terms", terms - set(wrong) - common)
    write("ticketwords", (f"{word} {n}" for word, n in ticket_counts(tickets).items() if word in known))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
