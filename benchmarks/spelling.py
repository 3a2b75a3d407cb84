"""How well the corrector mends and how little it harms: `python -m benchmarks.spelling [CORPORA]`.

Reads the development sets beside the project. Pairs: precision, recall and F0.5 of single words changed; harm: words
changed per 1,000 words of text that needs no change.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path

from portal.core.spelling import EnglishCorrector, SpellingCorrector
from portal.core.wordlists import load_english

CORPORA = Path(os.environ.get("NIGHTDESK_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))
WORD = re.compile(r"[^\W\d_]+")


def read(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def score_pairs(corrector: SpellingCorrector, pairs: list[dict], *, verbose: bool) -> dict[str, float]:
    made = right = wanted = nonword = nonword_right = 0
    for pair in pairs:
        expected = {tuple(edit) for edit in pair["edits"]}
        got = {(change.wrong, change.right) for change in corrector.correct(pair["wrong"]).changes}
        made, right, wanted = made + len(got), right + len(got & expected), wanted + len(expected)
        if pair["stratum"] == "nonword":
            nonword, nonword_right = nonword + len(expected), nonword_right + len(got & expected)
        if verbose and got != expected:
            print("   wrong", got - expected, "missed", expected - got, "|", pair["wrong"][:100])
    precision, recall = right / max(made, 1), right / wanted
    return {
        "precision": precision,
        "recall": recall,
        "F0.5": 1.25 * precision * recall / (0.25 * precision + recall),
        "recall of non-words": nonword_right / nonword,
    }


def score_harm(corrector: SpellingCorrector, lines: list[dict], *, verbose: bool) -> dict[str, float]:
    changed: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for line in lines:
        changes = corrector.correct(line["text"]).changes
        for kind in ("all", line["kind"]):
            words[kind] += len(WORD.findall(line["text"]))
            changed[kind] += len(changes)
        if verbose and changes:
            print("   harm", [(change.wrong, change.right) for change in changes], "|", line["text"][:100])
    return {f"harm per 1,000 words, {kind}": 1000 * changed[kind] / words[kind] for kind in words}


def main() -> None:
    folder = CORPORA / "spelling"
    if not folder.is_dir():
        sys.exit(f"The development sets are not at {folder}; set NIGHTDESK_CORPORA.")
    verbose = "-v" in sys.argv
    started = time.perf_counter()
    corrector = EnglishCorrector(load_english())
    loaded = time.perf_counter()
    pairs, harmless = read(folder / "pairs-dev.jsonl.gz"), read(folder / "harmless-dev.jsonl.gz")
    figures = score_pairs(corrector, pairs, verbose=verbose) | score_harm(corrector, harmless, verbose=verbose)
    spent = time.perf_counter() - loaded
    words = sum(len(WORD.findall(line)) for line in [*(p["wrong"] for p in pairs), *(h["text"] for h in harmless)])
    for name, value in figures.items():
        print(f"{name:40} {value:.3f}")
    print(f"{'load, seconds':40} {loaded - started:.2f}\n{'words a second':40} {words / spent:,.0f}")


if __name__ == "__main__":
    main()
