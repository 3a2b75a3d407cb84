"""HTML of other people made safe to show (nh3). Pictures come from the mail itself or not at all."""

from __future__ import annotations

import re
from collections import Counter

import nh3

# Far deeper than anybody writes. The cleaner's time grows with the square of the depth: a minute for a megabyte of div;
# and with the square of the attributes of one tag.
_DEEPEST = 2_000
_MANY_ATTRIBUTES = re.compile(r"<[a-zA-Z](?:[^<>\s]*+\s++){2000}")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_WHOLE_TAG = re.compile(r"<[^<>]*>")
# They have no end, or end where the next one begins.
_FLAT = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "col", "p", "li", "td", "tr", "th", "dt", "dd"})

_PICTURE_DATA = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;")
_LINKS = ("http:", "https:", "mailto:", "tel:")
_SCHEMES = {"http", "https", "mailto", "tel", "cid", "data"}
_TAGS = nh3.ALLOWED_TAGS - {"map", "area", "style"}
_ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items() if tag != "img"},
    "img": {"src", "alt", "width", "height"},
}
_LAYOUT = {"style", "align", "valign", "width", "height", "bgcolor", "border", "cellpadding", "cellspacing", "dir"}
_STYLED = {
    tag: _ATTRIBUTES.get(tag, set()) | _LAYOUT | ({"color", "face", "size"} if tag == "font" else set())
    for tag in _TAGS | {"font"}
}
# CSS that changes how words look and never where they stand over others.
_PROPERTIES = {
    "color", "background-color", "background", "font", "font-family", "font-size", "font-style", "font-weight",
    "line-height", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align", "white-space",
    "width", "max-width", "min-width", "height", "display", "margin", "margin-top", "margin-right", "margin-bottom",
    "margin-left", "padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "border", "border-top",
    "border-right", "border-bottom", "border-left", "border-color", "border-style", "border-width", "border-collapse",
    "border-spacing", "border-radius", "list-style", "list-style-type",
}  # fmt: skip
_REL = "noopener noreferrer nofollow"


def sanitize_html(html: str) -> str:
    """Without scripts, styles, forms and frames; links open apart and give nothing away; of pictures only `cid:`
    ones (parts of the same mail) keep their source: a remote one would tell the sender that it was read. Of HTML nested
    thousands of times only the words are left."""
    if not html:
        return ""
    return nh3.clean(
        _cheap(html),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_keep,
        url_schemes=_SCHEMES,
        link_rel=_REL,
    )


def sanitize_as_sent(html: str, *, with_remote: bool) -> str:
    """As `sanitize_html`, but with colours, fonts and sizes, and with pictures from elsewhere where `with_remote`. Only
    for a page of its own whose content security policy lets nothing run and fetches nothing else."""
    return nh3.clean(
        _cheap(html),
        tags=_TAGS | {"font"},
        attributes=_STYLED,
        attribute_filter=_keep_remote if with_remote else _keep,
        filter_style_properties=_PROPERTIES,
        url_schemes=_SCHEMES,
        link_rel=_REL,
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def _cheap(html: str) -> str:
    """HTML that can be cleaned in time; only the words of what cannot."""
    if _MANY_ATTRIBUTES.search(html) or _is_too_deep(html):
        return _WHOLE_TAG.sub(" ", html).replace("<", " ")
    return html


def _is_too_deep(html: str) -> bool:
    if html.count("<") < _DEEPEST:
        return False
    stack: list[str] = []
    still_open: Counter[str] = Counter()
    for tag in _TAG.finditer(html):
        name = tag.group(2).lower()
        if name in _FLAT:
            continue
        if not tag.group(1):
            stack.append(name)
            still_open[name] += 1
        while tag.group(1) and still_open[name]:  # an end closes all that was opened in between, and nothing else
            closed = stack.pop()
            still_open[closed] -= 1
            if closed == name:
                break
        if len(stack) > _DEEPEST:
            return True
    return False


def _keep(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src":
        return value if value.strip().lower().startswith(("cid:", *_PICTURE_DATA)) else None
    return _keep_remote(tag, attribute, value)


def _keep_remote(tag: str, attribute: str, value: str) -> str | None:
    start = value.strip().lower()[:30]
    if tag == "img" and attribute == "src":
        return value if start.startswith(("cid:", "http:", "https:", *_PICTURE_DATA)) else None
    if attribute in ("href", "cite"):
        return value if start.startswith(_LINKS) else None
    return value
