"""HTML of a mail to the text a reader would see. Layout is not kept, words and line breaks are."""

from __future__ import annotations

import html
import re

_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9:-]{0,30})")
_BLANKS = re.compile(r"[ \t\r\n\f\xa0\u200b\u200c\u2060\ufeff]+")
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_MANY_LINES = re.compile(r"\n[ \n]*\n")
# What stands in the reader's output for the beginning and the end of a quote and the beginning of a signature.
_OPEN, _CLOSE, _SIGNED = "\x0e", "\x0f", "\x10"
_MARKS = str.maketrans("", "", _OPEN + _CLOSE + _SIGNED + "\x00")
_NO_QUOTE = re.compile(r"border(-left)?\s*:\s*(none|0)\b", re.IGNORECASE)
_MARGIN = re.compile(r"\bstyle\s*=[^>]*\bmargin", re.IGNORECASE)
_QUOTING = re.compile(r"\b(cite|class|id|itemtype|border(-left)?)\b", re.IGNORECASE)
_QUOTING_DIV = re.compile(r"""\b(class|id)\s*=\s*["']?[^"'>]*\byahoo_quoted""", re.IGNORECASE)
_SIGNING = re.compile(
    r"""\b(class|id)\s*=\s*["']?[^"'>]*\b(gmail_signature(?!_prefix)|ms-outlook-mobile-signature|AppleMailSignature"""
    r"""|protonmail_signature_block(?!-)|moz-signature|Signature\b)""",
    re.IGNORECASE,
)
_HIDDEN = frozenset({"head", "script", "style", "title", "template", "noscript", "svg", "object"})
_LINE = frozenset({"br", "li", "tr", "dt", "dd", "option", "caption", "div", "hr", "pre", "body", "html"})
_BLOCK = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "section"})
_MOST_DEEP = 20
_CELL = frozenset({"td", "th"})


def html_to_text(source: str) -> str:
    """Visible words of an HTML body; the descriptions of its pictures where it has no other words. Linear in its
    length, whatever is broken or left open in it.

    Quoted lines begin with "> " and a signature with a line "--", as in plain mail, so that both fold alike."""
    return _Reader(source).read() or _Reader(source, with_alt=True).read()


def markup_to_text(source: str) -> str:
    """text/enriched and text/richtext (RFC 1896) without their commands; a single line break is none."""
    joined = re.sub(r"(?<!\n)\n(?!\n)", " ", source.replace("<<", "\x0e"))
    plain = re.sub(r"<param>[^<]{0,1000}</param>|</?[A-Za-z0-9-]{1,60}>", "", joined, flags=re.IGNORECASE)
    return plain.replace("\x0e", "<").strip()


class _Reader:
    """One pass over the source."""

    def __init__(self, source: str, *, with_alt: bool = False) -> None:
        self._source = source
        self._with_alt = with_alt
        self._pieces: list[str] = []
        self._never_closed: set[str] = set()
        self._quotes: list[bool] = []

    def read(self) -> str:
        """All words, tidied."""
        source, position = self._source, 0
        while position < len(source):
            opened = source.find("<", position)
            opened = len(source) if opened < 0 else opened
            if opened > position:
                self._pieces.append(_words(source[position:opened]))
            position = self._after_markup(opened) if opened < len(source) else opened
        return _tidy("".join(self._pieces))

    def _after_markup(self, opened: int) -> int:
        """Handles what begins with "<" at `opened`; gives the place where reading goes on."""
        source = self._source
        if source.startswith("<!--", opened):
            return _past(source, "-->", opened + 4)
        match = _NAME.match(source, opened + 1)
        if match is None:
            if source.startswith(("<!", "<?"), opened):
                return _past(source, ">", opened)
            self._pieces.append("<")
            return opened + 1
        closed = _end_of_tag(source, match.end())
        name, is_end = match.group(1).lower(), source[opened + 1] == "/"
        if name in _HIDDEN and not is_end and source[closed - 2 : closed] != "/>":
            return self._past_element(name, closed)
        if name == "blockquote":
            self._pieces.append(self._quote_mark(source[opened:closed], is_end=is_end))
        elif name in ("div", "table", "span", "pre") and not is_end and closed - opened > 12:
            self._pieces.append(self._class_mark(source[opened : min(closed, opened + 500)], name))
        elif name == "img":
            found = _ALT.search(source, opened, closed) if self._with_alt else None
            self._pieces.append(f" {html.unescape(found.group(1) or found.group(2) or '')} " if found else "")
        else:
            self._pieces.append(_break_for(name, is_end=is_end))
        return closed

    def _quote_mark(self, tag: str, *, is_end: bool) -> str:
        """A blockquote with "border: none", or with nothing but a margin, is how programs indent."""
        if is_end:
            return f"\n{_CLOSE if self._quotes and self._quotes.pop() else ''}\n"
        is_quote = not _NO_QUOTE.search(tag) and (not _MARGIN.search(tag) or bool(_QUOTING.search(tag)))
        self._quotes.append(is_quote)
        return f"\n\n{_OPEN}" if is_quote else "\n\n"

    def _class_mark(self, tag: str, name: str) -> str:
        broken = _break_for(name, is_end=False)
        if "class" not in tag.lower() and "id" not in tag.lower():
            return broken
        if _QUOTING_DIV.search(tag):
            return f"\n\n{_OPEN}"
        return f"\n{_SIGNED}" if _SIGNING.search(tag) else broken

    def _past_element(self, name: str, position: int) -> int:
        end = None if name in self._never_closed else _closing(name).search(self._source, position)
        if end:
            return end.end()
        self._never_closed.add(name)
        # An unclosed <head> or <title> must not swallow the words of the mail; an unclosed script is no words.
        return position if name in ("head", "title", "noscript", "object") else len(self._source)


def _break_for(name: str, *, is_end: bool) -> str:
    if name in _BLOCK:
        return "\n\n"
    if name in _LINE:
        return "" if is_end and name in ("li", "body", "html", "pre") else "\n"
    return " " if name in _CELL else ""


def _end_of_tag(source: str, position: int) -> int:
    """After the ">" that closes the tag; one inside a quoted value does not count, but quotes may be unbalanced."""
    closed = source.find(">", position)
    if closed < 0:
        return len(source)
    inside = source[position:closed]
    if inside.count('"') % 2 and (quote := source.find('">', closed, closed + 2000)) >= 0:
        return quote + 2
    return closed + 1


def _closing(name: str) -> re.Pattern[str]:
    return re.compile(rf"</{name}\s*>", re.IGNORECASE)


def _past(source: str, mark: str, position: int) -> int:
    found = source.find(mark, position)
    return len(source) if found < 0 else found + len(mark)


def _words(text: str) -> str:
    return _BLANKS.sub(" ", html.unescape(text) if "&" in text else text).translate(_MARKS)


def _tidy(text: str) -> str:
    if not any(mark in text for mark in (_OPEN, _CLOSE, _SIGNED)):
        lines = [_BLANKS.sub(" ", line).strip() for line in text.split("\n")]
        return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()
    return "\n".join(_marked(text)).strip("\n")


def _marked(text: str) -> list[str]:
    """The lines with "> " before what is quoted; never two empty ones in a row."""
    lines: list[str] = []
    depth = 0
    for raw in text.split("\n"):
        before, depth = depth, max(0, depth + raw.count(_OPEN) - raw.count(_CLOSE))
        line = _BLANKS.sub(" ", raw.translate(_MARKS)).strip()
        if depth < before and lines and not lines[-1].strip("> "):
            lines.pop()
        if _SIGNED in raw and depth == 0 and "--" not in lines[-2:]:
            lines.append("--")
        marks = ">" * min(depth, _MOST_DEEP)
        line = f"{marks} {line}" if marks and line else marks or line
        if line.strip("> ") or (lines and lines[-1].strip("> ")):
            lines.append(line)
    while lines and not lines[-1].strip("> "):
        lines.pop()
    return lines
