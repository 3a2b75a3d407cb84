import pytest

from portal.core.mail_text import html_to_text


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


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["<head>", "<script><title>", '<a "', "<!--", "<", "&", "<title>", "<p>x"])
def test_a_megabyte_of_broken_markup_is_read_in_linear_time(piece):
    assert isinstance(html_to_text(piece * (1_000_000 // len(piece))), str)
