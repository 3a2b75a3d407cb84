"""Mails in the shapes that programs give them: which words are shown, and which files there are."""

# ruff: noqa: E501 - parts of mails have long lines

import base64

import pytest

from portal.core.mail import parse_mail
from tests.mails import mail_bytes

N = b"\r\n"


def b64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", N)


def head(kind: bytes = b"", *more: bytes) -> bytes:
    return N.join([mail_bytes("").strip(), *([b"Content-Type: " + kind] if kind else []), *more]) + N + N


def part(kind: bytes, body: bytes, *more: bytes) -> bytes:
    return N.join([*([b"Content-Type: " + kind] if kind else []), *more]) + N + N + body


def joined(parts: list[bytes], b: bytes = b"XX", end: bool = True, pre: bytes = b"") -> bytes:
    return pre + b"".join(b"--" + b + N + one + N for one in parts) + (b"--" + b + b"--" + N if end else b"")


def mail(
    kind: bytes, parts: list[bytes], b: bytes = b"XX", *, end=True, params: bytes = b"", pre: bytes = b""
) -> bytes:
    return head(b"multipart/" + kind + b'; boundary="' + b + b'"' + params) + joined(parts, b, end, pre)


def nested(kind: bytes, parts: list[bytes], b: bytes = b"YY") -> bytes:
    return part(b"multipart/" + kind + b'; boundary="' + b + b'"', joined(parts, b))


def named(disposition: bytes, kind: bytes = b"application/pdf") -> bytes:
    return mail(b"mixed", [WORDS, part(kind, b"x", b"Content-Disposition: " + disposition)])


BASE64 = b"Content-Transfer-Encoding: base64"
DATA = b64(b"\x89PNG\r\n\x1a\nxx")
WORDS = part(b"text/plain; charset=utf-8", b"plain words here")
HTML = part(b"text/html; charset=utf-8", b"<p>plain words here</p>")
PICTURE = part(b'image/png; name="a.png"', DATA, BASE64, b"Content-ID: <a@x>")
PDF = part(b'application/pdf; name="b.pdf"', DATA, BASE64, b'Content-Disposition: attachment; filename="b.pdf"')
OLD = mail_bytes("inner words", subject="Old mail")
UU = b"begin 644 a.log\r\n%:&5L;&\\\r\n`\r\nend\r\n"
ICS = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Meet\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

SHAPES = {
    "alt": (mail(b"alternative", [WORDS, HTML]), "plain words here", []),
    "alt empty text": (mail(b"alternative", [part(b"text/plain", b""), HTML]), "plain words here", []),
    "alt ws text": (
        mail(b"alternative", [part(b"text/plain; charset=utf-8", "\xa0\u200b\r\n ".encode()), HTML]),
        "plain words here",
        [],
    ),
    "alt view in html": (
        mail(
            b"alternative",
            [
                part(b"text/plain", b"This message is in HTML format. Please use a client that can show HTML."),
                part(b"text/html", b"<p>The printer burns and nobody is there to help us at all</p>"),
            ],
        ),
        "The printer burns and nobody is there to help us at all",
        [],
    ),
    "alt html empty": (mail(b"alternative", [WORDS, part(b"text/html", b"")]), "plain words here", []),
    "alt html empty tags": (
        mail(b"alternative", [WORDS, part(b"text/html", b"<html><body></body></html>")]),
        "plain words here",
        [],
    ),
    "alt other order": (mail(b"alternative", [HTML, WORDS]), "plain words here", []),
    "related in mixed": (
        mail(b"mixed", [nested(b"related", [HTML, PICTURE]), PDF]),
        "plain words here",
        ["a.png", "b.pdf"],
    ),
    "mixed>related>alt": (
        mail(b"mixed", [nested(b"related", [nested(b"alternative", [WORDS, HTML], b"ZZ"), PICTURE]), PDF]),
        "plain words here",
        ["a.png", "b.pdf"],
    ),
    "alt>mixed": (mail(b"alternative", [WORDS, nested(b"mixed", [HTML, PDF])]), "plain words here", ["b.pdf"]),
    "alt>mixed apple (html,pdf,html)": (
        mail(
            b"alternative",
            [
                part(b"text/plain", b"before\r\n\r\nafter words"),
                nested(
                    b"mixed", [part(b"text/html", b"<p>before</p>"), PDF, part(b"text/html", b"<p>after words</p>")]
                ),
            ],
        ),
        "before after words",
        ["b.pdf"],
    ),
    "mixed text pdf text": (
        mail(b"mixed", [WORDS, PDF, part(b"text/plain", b"later")]),
        "plain words here later",
        ["b.pdf"],
    ),
    "html base": (
        head(b"text/html")
        + b"<html><head><base href='http://x/'><title>T</title><style>p{color:red}</style></head><body><!--[if mso]><p>OUTLOOK ONLY</p><![endif]--><p>hello</p><![if !mso]><p>others</p><![endif]></body></html>",
        "hello others",
        [],
    ),
    "html base64": (head(b"text/html; charset=utf-8", BASE64) + b64("<p>Größe</p>".encode()), "Größe", []),
    "html no charset meta": (
        head(b"text/html")
        + '<html><head><meta charset="windows-1251"></head><body>Не работает</body></html>'.encode("cp1251"),
        "Не работает",
        [],
    ),
    "html meta http-equiv": (
        head(b"text/html")
        + '<html><head><meta http-equiv="Content-Type" content="text/html; charset=koi8-r"></head><body>Ура</body></html>'.encode(
            "koi8-r"
        ),
        "Ура",
        [],
    ),
    "html latin1 label utf8 meta": (head(b"text/html; charset=iso-8859-1") + "<p>Größe</p>".encode(), "Größe", []),
    "html utf8 label latin1": (head(b"text/html; charset=utf-8") + "<p>Größe</p>".encode("latin1"), "Größe", []),
    "utf16 html base64": (
        head(b"text/html; charset=utf-16", BASE64) + b64("<p>Größe</p>".encode("utf-16")),
        "Größe",
        [],
    ),
    "utf16le no bom": (head(b"text/plain; charset=utf-16le", BASE64) + b64("Größe".encode("utf-16le")), "Größe", []),
    "x-user-defined": (head(b"text/plain; charset=x-user-defined") + "Größe".encode("latin1"), "Größe", []),
    "x-user-defined utf8": (head(b"text/plain; charset=x-user-defined") + "Größe".encode(), "Größe", []),
    "unknown-8bit": (head(b"text/plain; charset=unknown-8bit") + "Größe".encode("latin1"), "Größe", []),
    "charset=none": (head(b"text/plain; charset=") + "Größe".encode("latin1"), "Größe", []),
    "charset utf8 upper": (head(b'text/plain; charset="UTF8"') + "Größe".encode(), "Größe", []),
    "charset _iso-2022-jp$ESC": (
        head(b"text/plain; charset=_iso-2022-jp$ESC") + "日本語".encode("iso2022_jp"),
        "日本語",
        [],
    ),
    "charset iso-2022-jp-3": (head(b"text/plain; charset=iso-2022-jp-3") + "日本語".encode("iso2022_jp"), "日本語", []),
    "charset x-mac-cyrillic": (
        head(b"text/plain; charset=x-mac-cyrillic") + "Привет".encode("mac_cyrillic"),
        "Привет",
        [],
    ),
    "charset cp-850": (head(b"text/plain; charset=cp-850") + "Größe".encode("cp850"), "Größe", []),
    "charset ibm850": (head(b"text/plain; charset=ibm850") + "Größe".encode("cp850"), "Größe", []),
    "charset iso-8859-8-i": (head(b"text/plain; charset=iso-8859-8-i") + "שלום".encode("iso8859-8"), "שלום", []),
    "charset utf-8 with junk": (head(b"text/plain; charset=utf-8;format=flowed") + "Größe".encode(), "Größe", []),
    "charset 'charset=utf-8'": (head(b'text/plain; charset="charset=utf-8"') + "Größe".encode(), "Größe", []),
    "charset iso8859_15": (head(b"text/plain; charset=ISO8859_15") + "5 €".encode("iso8859-15"), "5 €", []),
    "charset windows1252": (head(b"text/plain; charset=windows1252") + "5 €".encode("cp1252"), "5 €", []),
    "charset cp1252utf": (head(b"text/plain; charset=utf-8") + "“q” 5 €".encode("cp1252"), "“q” 5 €", []),
    "tis-620": (head(b"text/plain; charset=tis-620") + "สวัสดี".encode("cp874"), "สวัสดี", []),
    "viscii?": (head(b"text/plain; charset=viscii") + b"abc", "abc", []),
    "utf-7": (head(b"text/plain; charset=utf-7") + "Größe".encode("utf-7"), "Größe", []),
    "hz-gb-2312": (head(b"text/plain; charset=hz-gb-2312") + "中文".encode("hz"), "中文", []),
    "iso-2022-kr": (head(b"text/plain; charset=iso-2022-kr") + "한국".encode("iso2022_kr"), "한국", []),
    "iso-2022-cn unknown": (head(b"text/plain; charset=iso-2022-cn") + b"abc", "abc", []),
    "text/enriched": (
        head(b"text/enriched") + b"<bold>Hello</bold> <color><param>red</param>world</color>",
        "Hello world",
        [],
    ),
    "final boundary missing": (mail(b"mixed", [WORDS, PDF], end=False), "plain words here", ["b.pdf"]),
    "boundary trailing space": (
        head(b'multipart/mixed; boundary="XX "') + joined([WORDS, PDF], b"XX"),
        "plain words here",
        ["b.pdf"],
    ),
    "boundary line trailing space": (
        mail(b"mixed", [WORDS, PDF]).replace(b"--XX\r\n", b"--XX  \r\n"),
        "plain words here",
        ["b.pdf"],
    ),
    "boundary unquoted with special": (
        head(b"multipart/mixed; boundary=----=_Part_1=2") + joined([WORDS, PDF], b"----=_Part_1=2"),
        "plain words here",
        ["b.pdf"],
    ),
    "boundary single quotes": (
        head(b"multipart/mixed; boundary='XX'") + joined([WORDS, PDF], b"XX"),
        "plain words here",
        ["b.pdf"],
    ),
    "boundary prefix": (
        mail(b"mixed", [part(b'multipart/alternative; boundary="XXY"', joined([WORDS, HTML], b"XXY")), PDF], b"XX"),
        "plain words here",
        ["b.pdf"],
    ),
    "boundary none": (head(b"multipart/mixed") + joined([WORDS, PDF]), "plain words here", ["b.pdf"]),
    "boundary case": (head(b'Multipart/Mixed; BOUNDARY="XX"') + joined([WORDS, PDF]), "plain words here", ["b.pdf"]),
    "preamble": (
        mail(b"mixed", [WORDS], pre=b"This is a multi-part message in MIME format.\r\n\r\n"),
        "plain words here",
        [],
    ),
    "epilogue": (mail(b"mixed", [WORDS]) + b"\r\nepilogue words\r\n", "plain words here", []),
    "LF only": (mail(b"mixed", [WORDS, PDF]).replace(b"\r\n", b"\n"), "plain words here", ["b.pdf"]),
    "CRCRLF": (mail(b"mixed", [WORDS, PDF]).replace(b"\r\n", b"\r\r\n"), "plain words here", ["b.pdf"]),
    "wrong cte base64 plain": (
        head(b"text/plain", BASE64) + b"The printer is broken, please help.",
        "The printer is broken, please help.",
        [],
    ),
    "wrong cte qp plain": (
        head(b"text/plain", b"Content-Transfer-Encoding: quoted-printable") + b"see http://x/?a=b and x = y",
        "see http://x/?a=b and x = y",
        [],
    ),
    "cte 8-bit": (
        head(b"text/plain; charset=utf-8", b"Content-Transfer-Encoding: 8-bit") + "Größe".encode(),
        "Größe",
        [],
    ),
    "cte qp typo": (
        head(b"text/plain; charset=utf-8", b"Content-Transfer-Encoding: quoted/printable") + b"Gr=C3=B6=C3=9Fe",
        "Größe",
        [],
    ),
    "cte missing but qp": (head(b"text/plain; charset=utf-8") + b"Gr=C3=B6=C3=9Fe", "Gr=C3=B6=C3=9Fe", []),
    "cte 7bit body utf8": (
        head(b"text/plain; charset=utf-8", b"Content-Transfer-Encoding: 7bit") + "Größe".encode(),
        "Größe",
        [],
    ),
    "cte comment": (
        head(b"text/plain; charset=utf-8", b"Content-Transfer-Encoding: quoted-printable (x)") + b"Gr=C3=B6=C3=9Fe",
        "Größe",
        [],
    ),
    "qp lower hex + soft": (
        head(b"text/plain; charset=utf-8", b"Content-Transfer-Encoding: quoted-printable")
        + b"Gr=c3=b6=\r\n=c3=9fe =  \r\nx",
        "Größe x",
        [],
    ),
    "rfc822": (mail(b"mixed", [WORDS, part(b"message/rfc822", OLD)]), "plain words here", ["Old mail.eml"]),
    "rfc822 base64": (
        mail(b"mixed", [WORDS, part(b"message/rfc822", b64(OLD), BASE64)]),
        "plain words here",
        ["Old mail.eml"],
    ),
    "rfc822 named": (
        mail(b"mixed", [WORDS, part(b'message/rfc822; name="fwd.eml"', OLD)]),
        "plain words here",
        ["fwd.eml"],
    ),
    "rfc822 with attachments counts one": (
        mail(
            b"mixed",
            [
                WORDS,
                part(b"message/rfc822", mail(b"mixed", [WORDS, PDF], b"QQ")),
            ],
        ),
        "plain words here",
        ["Printer on fire.eml"],
    ),
    "rfc822 root": (head(b"message/rfc822") + OLD, "inner words" if 0 else "", ["Old mail.eml"]),
    "digest": (mail(b"digest", [b"\r\n" + OLD, part(b"message/rfc822", OLD)]), "", ["Old mail.eml", "Old mail.eml"]),
    "uu middle": (head() + b"before\r\n\r\n" + UU + b"\r\nafter\r\n", "before after", ["a.log"]),
    "uu twice": (head() + b"before\r\n" + UU + UU + b"after\r\n", "before after", ["a.log", "a.log"]),
    "pgp inline": (
        head() + b"-----BEGIN PGP MESSAGE-----\r\nVersion: 1\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n",
        "-----BEGIN PGP MESSAGE----- Version: 1 abc -----END PGP MESSAGE-----",
        [],
    ),
    "pgp mime enc": (
        mail(
            b"encrypted",
            [
                part(b"application/pgp-encrypted", b"Version: 1"),
                part(b'application/octet-stream; name="encrypted.asc"', b"x"),
            ],
            params=b'; protocol="application/pgp-encrypted"',
        ),
        "",
        ["file.pgp", "encrypted.asc"],
    ),
    "pgp mime signed": (
        mail(b"signed", [WORDS, part(b'application/pgp-signature; name="signature.asc"', b"x")]),
        "plain words here",
        ["signature.asc"],
    ),
    "smime clear": (
        mail(b"signed", [WORDS, part(b'application/pkcs7-signature; name="smime.p7s"', b64(b"x"), BASE64)]),
        "plain words here",
        ["smime.p7s"],
    ),
    "smime opaque broken": (
        head(b'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', BASE64) + b64(b"x"),
        "",
        ["smime.p7m"],
    ),
    "calendar alt": (
        mail(b"alternative", [WORDS, HTML, part(b"text/calendar; method=REQUEST; charset=utf-8", ICS)]),
        "plain words here",
        ["invitation.ics"],
    ),
    "calendar only": (head(b"text/calendar; method=CANCEL") + ICS, "", ["invitation.ics"]),
    "noname": (mail(b"mixed", [WORDS, part(b"image/jpeg", DATA, BASE64)]), "plain words here", ["file.jpg"]),
    "noname octet": (
        mail(b"mixed", [WORDS, part(b"application/octet-stream", DATA, BASE64)]),
        "plain words here",
        ["file.bin"],
    ),
    "zero byte": (
        mail(
            b"mixed",
            [
                WORDS,
                part(b'text/plain; name="empty.txt"', b"", b'Content-Disposition: attachment; filename="empty.txt"'),
            ],
        ),
        "plain words here",
        ["empty.txt"],
    ),
    "dup names": (mail(b"mixed", [WORDS, PDF, PDF]), "plain words here", ["b.pdf", "b.pdf"]),
    "inline text with name": (
        mail(
            b"mixed",
            [WORDS, part(b'text/plain; name="log.txt"', b"log", b'Content-Disposition: inline; filename="log.txt"')],
        ),
        "plain words here",
        ["log.txt"],
    ),
    "inline no name second text": (
        mail(b"mixed", [WORDS, part(b"text/plain", b"footer", b"Content-Disposition: inline")]),
        "plain words here footer",
        [],
    ),
    "html attachment": (
        mail(
            b"mixed",
            [
                WORDS,
                part(b'text/html; name="r.html"', b"<p>x</p>", b'Content-Disposition: attachment; filename="r.html"'),
            ],
        ),
        "plain words here",
        ["r.html"],
    ),
    "2231": (named(b"attachment; filename*=UTF-8''%e2%82%ac%20rates.pdf"), "plain words here", ["€ rates.pdf"]),
    "2231 cont": (named(b"attachment; filename*0*=UTF-8''%e2%82; filename*1*=%ac.pdf"), "plain words here", ["€.pdf"]),
    "2231 mixed": (
        named(b"attachment; filename*0*=UTF-8''a%20; filename*1=\"b c\"; filename*2=.pdf"),
        "plain words here",
        ["a b c.pdf"],
    ),
    "2231 no quotes": (named(b"attachment; filename*=%C3%BC.pdf"), "plain words here", ["ü.pdf"]),
    "2231 quoted": (named(b"attachment; filename*=\"UTF-8''%C3%BC.pdf\""), "plain words here", ["ü.pdf"]),
    "2231 no star but charset": (named(b"attachment; filename=UTF-8''%C3%BC.pdf"), "plain words here", ["ü.pdf"]),
    "2231 both": (named(b"attachment; filename=\"u.pdf\"; filename*=UTF-8''%C3%BC.pdf"), "plain words here", ["ü.pdf"]),
    "2231 wrong order": (named(b'attachment; filename*1="b.pdf"; filename*0="a"'), "plain words here", ["ab.pdf"]),
    "2231 1-based": (named(b'attachment; filename*1="a"; filename*2="b.pdf"'), "plain words here", ["ab.pdf"]),
    "2231 latin1": (named(b"attachment; filename*=iso-8859-1'de'%FC.pdf"), "plain words here", ["ü.pdf"]),
    "2231 bad charset": (named(b"attachment; filename*=foo''%FC.pdf"), "plain words here", ["ü.pdf"]),
    "2231 gb2312": (named(b"attachment; filename*=gb2312''%D6%D0%CE%C4.pdf"), "plain words here", ["中文.pdf"]),
    "2231 2047 inside": (
        named(b'attachment; filename*0="=?UTF-8?Q?=C3=BC_und"; filename*1="_a.pdf?="'),
        "plain words here",
        ["ü und a.pdf"],
    ),
    "2047 unquoted": (named(b"attachment; filename==?UTF-8?Q?=C3=BC.pdf?="), "plain words here", ["ü.pdf"]),
    "2047 two words": (
        named(b'attachment;\r\n filename="=?UTF-8?Q?=C3=BC?=\r\n =?UTF-8?Q?.pdf?="'),
        "plain words here",
        ["ü.pdf"],
    ),
    "unquoted with spaces": (named(b"attachment; filename=my report 1.pdf"), "plain words here", ["my report 1.pdf"]),
    "raw latin1": (named(b'attachment; filename="\xfc.pdf"'), "plain words here", ["ü.pdf"]),
    "raw utf8": (named('attachment; filename="ü.pdf"'.encode()), "plain words here", ["ü.pdf"]),
    "missing closing quote": (named(b'attachment; filename="a b.pdf'), "plain words here", ["a b.pdf"]),
    "semicolon in quotes": (named(b'attachment; filename="a;b.pdf"; size=3'), "plain words here", ["a;b.pdf"]),
    "semicolon encoded": (named(b'attachment; filename="=?utf-8?Q?a;b=C3=BC.pdf?="'), "plain words here", ["a;bü.pdf"]),
    "path": (named(b'attachment; filename="C:\\Users\\x\\a.pdf"'), "plain words here", ["a.pdf"]),
    "path2": (named(b'attachment; filename="..\\..\\a.pdf"'), "plain words here", ["a.pdf"]),
    "name empty": (named(b'attachment; filename=""'), "plain words here", ["file.pdf"]),
    "name only in ct": (
        mail(b"mixed", [WORDS, part(b'application/pdf; name="c.pdf"', b"x")]),
        "plain words here",
        ["c.pdf"],
    ),
    "dsn": (
        mail(
            b"report",
            [
                part(b"text/plain", b"failed"),
                part(b"message/delivery-status", b"Reporting-MTA: x\r\n\r\nAction: failed\r\n"),
                part(b"message/rfc822", OLD),
            ],
            params=b"; report-type=delivery-status",
        ),
        "failed",
        ["delivery-status.txt", "Old mail.eml"],
    ),
    "rfc822-headers": (
        mail(b"report", [part(b"text/plain", b"failed"), part(b"text/rfc822-headers", OLD)]),
        "failed",
        ["Old mail.eml"],
    ),
    "part without headers": (mail(b"mixed", [b"\r\nno headers here"]), "no headers here", []),
    "part without empty line": (mail(b"mixed", [b"no headers here at all"]), "no headers here at all", []),
    "ct garbage": (head(b"garbage") + b"words", "words", []),
    "ct text": (head(b"text") + b"words", "words", []),
    "ct text/html; with comma": (head(b"text/html, charset=utf-8") + b"<p>words</p>", "words", []),
    "image root": (head(b"image/png; name=x.png", BASE64) + DATA, "", ["x.png"]),
    "text/x-amp-html alt": (
        mail(b"alternative", [WORDS, part(b"text/x-amp-html", b"<html amp4email>x</html>"), HTML]),
        "plain words here",
        [],
    ),
    "text/watch-html alt": (
        mail(b"alternative", [WORDS, part(b"text/watch-html", b"<b>x</b>"), HTML]),
        "plain words here",
        [],
    ),
    "text/csv no name": (mail(b"mixed", [WORDS, part(b"text/csv", b"a,b")]), "plain words here", ["file.csv"]),
    "vcard": (
        mail(b"mixed", [WORDS, part(b"text/x-vcard; name=d.vcf", b"BEGIN:VCARD")]),
        "plain words here",
        ["d.vcf"],
    ),
    "appledouble": (
        mail(
            b"mixed",
            [
                WORDS,
                nested(
                    b"appledouble",
                    [part(b'application/applefile; name="r.pdf"', b"x"), part(b'application/pdf; name="r.pdf"', b"y")],
                ),
            ],
        ),
        "plain words here",
        ["._r.pdf", "r.pdf"],
    ),
    "headers no blank line": (b"From: d@x.example\r\nSubject: s\r\nhello there\r\nmore", "hello there more", []),
    "empty mail": (b"", "", []),
    "only headers": (b"From: d@x.example\r\nSubject: s", "", []),
    "mbox from": (b"From d@x Fri Nov 21 10:00:00 2025\r\n" + head() + b"w", "w", []),
    "gt from": (b">From d@x Fri Nov 21 10:00:00 2025\r\n" + head() + b"w", "w", []),
    "nul in body": (head() + b"a\x00b", "ab", []),
    "yenc": (head() + b"t\r\n=ybegin line=128 size=3 name=a.bin\r\nabc\r\n=yend size=3\r\nx", "t x", ["a.bin"]),
    "html entities": (
        head(b"text/html") + b"<p>a&nbsp;&amp;&lt;b&gt; &#8364; &euro; &bogus;</p>",
        "a &<b> € € &bogus;",
        [],
    ),
    "html pre": (head(b"text/html") + b"<pre>a\nb</pre>", "a b", []),
    "html table": (
        head(b"text/html") + b"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
        "a b c",
        [],
    ),
    "html br in words": (head(b"text/html") + b"a<br>b<br/>c<span>d</span>", "a b cd", []),
    "html link": (head(b"text/html") + b'<a href="http://x.example/">link</a>', "link", []),
    "html only img alt": (head(b"text/html") + b'<img alt="Buy now" src=x>', "Buy now", []),
    "html hidden preheader": (
        head(b"text/html") + b'<div style="display:none">pre header</div><p>hello</p>',
        "pre header hello",
        [],
    ),
    "related w/o cid": (
        mail(b"related", [HTML, part(b"image/gif", DATA, BASE64, b"Content-Location: http://x/y/pic.gif")]),
        "plain words here",
        ["pic.gif"],
    ),
    "text plain containing html": (head(b"text/plain") + b"<p>hello</p>", "<p>hello</p>", []),
    "multiple content-type": (head(b"text/plain; charset=utf-8", b"Content-Type: text/html") + b"x", "x", []),
    "flowed": (head(b"text/plain; format=flowed; delsp=no") + b"a \r\nb\r\n-- \r\nsig\r\n", "a b -- sig", []),
    "the whole mail in another text": (head(b"text/markdown") + b"words", "words", []),
    "a name given only in the description": (
        mail(b"mixed", [WORDS, part(b"application/pdf", b"x", b"Content-Description: d.pdf")]),
        "plain words here",
        ["d.pdf"],
    ),
    "a name that reads backwards": (
        named('attachment; filename="a\u202egpj.exe"'.encode()),
        "plain words here",
        ["agpj.exe"],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_words_and_files_are_found_in_every_shape(name):
    raw, words, files = SHAPES[name]
    found = parse_mail(raw)
    assert (" ".join(found.text.split()), [one.filename for one in found.attachments]) == (words, files)
