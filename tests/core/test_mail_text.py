import pytest

from portal.core.mail_text import html_to_text, markup_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>Hello</p><p>world</p>", "Hello\n\nworld"),
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\n\nc"),
        ("a &amp; b&nbsp;&lt;c&gt; &#8211; &bogus;", "a & b <c> – &bogus;"),
        ("<head><title>no</title><style>p{}</style></head><body>yes</body>", "yes"),
        ("<script>alert('<p>no</p>')</script>yes", "yes"),
        ("<script>never closed", ""),
        ("<title>open words", "open words"),
        ("before<!-- <p>no</p> -->after", "beforeafter"),
        ("before<!-- never closed", "before"),
        ("<!DOCTYPE html><?xml?>text", "text"),
        ("3 < 4 and 5 > 2", "3 < 4 and 5 > 2"),
        ('<a title="a > b" href="x">link</a>', "link"),
        ("<a href='x'", ""),
        ("words<img alt='a picture' src=x>", "words"),
        ("<img alt='a picture &amp; more' src=x><img>", "a picture & more"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<noscript/>kept<o:p></o:p>", "kept"),
        ("un<b>broken</b>", "unbroken"),
        ("", ""),
    ],
)
def test_visible_words_are_kept_and_markup_is_not(source, text):
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("new<blockquote>old<br>older</blockquote>newer", "new\n\n> old\n> older\n\nnewer"),
        ("<blockquote type=cite>a<blockquote>b</blockquote>c</blockquote>", "> a\n>\n>> b\n>\n> c"),
        ('a<blockquote style="margin:0 0 0 40px;border:none;padding:0px">indented</blockquote>b', "a\n\nindented\n\nb"),
        ('a<div class="yahoo_quoted">old', "a\n\n> old"),
        ('a<div dir="ltr" class="gmail_signature">Dana</div>', "a\n--\nDana"),
        ('a<div><span class="gmail_signature_prefix">-- </span><br><div class="gmail_signature">Dana', "a\n--\n\nDana"),
        ('a<blockquote>x<div class="gmail_signature">Dana</div></blockquote>', "a\n\n> x\n> Dana"),
        ("a</blockquote>b", "a\n\nb"),
        ("a\x0eb<blockquote>\x0fc\x10", "ab\n\n> c"),
        ("&#14;a<blockquote>b", "a\n\n> b"),
    ],
)
def test_quotes_and_signatures_are_marked_as_in_plain_mail(source, text):
    assert html_to_text(source) == text


def test_enriched_text_loses_its_commands():
    assert (
        markup_to_text("<bold>On</bold> fire\nnow\n\n<color><param>red</param>3</color> << 4") == "On fire now\n\n3 < 4"
    )


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    [
        "<blockquote>",
        "</blockquote>",
        '<div class="gmail_signature">',
        "<head>",
        "<script><title>",
        '<a "',
        "<!--",
        "<",
        "&",
        "<title>",
        "<p>x",
    ],
)
def test_a_megabyte_of_broken_markup_is_read_in_linear_time(piece):
    assert isinstance(html_to_text(piece * (1_000_000 // len(piece))), str)
