"""HTML of other people made safe to show (nh3). Pictures come from the mail itself or not at all."""

from __future__ import annotations

import re

import nh3

# Far deeper than anybody writes. The cleaner's time grows with the square of the depth: a minute for a megabyte of div.
_DEEPEST = 2_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_WHOLE_TAG = re.compile(r"<[^<>]*>")
# They have no end, or end where the next one begins.
_FLAT = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "col", "p", "li", "td", "tr", "th", "dt", "dd"})

_TAGS = nh3.ALLOWED_TAGS - {"map", "area", "style"}
_ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items() if tag != "img"},
    "img": {"src", "alt", "width", "height"},
}


def sanitize_html(html: str) -> str:
    """Without scripts, styles, forms and frames; links open apart and give nothing away; of pictures only `cid:`
    ones (parts of the same mail) keep their source: a remote one would tell the sender that it was read. Of HTML nested
    thousands of times only the words are left."""
    if not html:
        return ""
    return nh3.clean(
        _WHOLE_TAG.sub(" ", html).replace("<", " ") if _is_too_deep(html) else html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_keep,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
    )


def _is_too_deep(html: str) -> bool:
    if html.count("<") < _DEEPEST:
        return False
    depth = 0
    for tag in _TAG.finditer(html):
        if tag.group(2).lower() not in _FLAT:
            depth = max(depth - 1, 0) if tag.group(1) else depth + 1
        if depth > _DEEPEST:
            return True
    return False


def _keep(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src":
        return value if value.lower().startswith("cid:") else None
    if attribute == "href" and value.lower().startswith("cid:"):
        return None
    return value
