"""Answers and forwards as mail programs really write them in HTML: what is left after folding is what was written."""

# ruff: noqa: E501 - what mail programs write has long lines

import pytest

from portal.core.mail_text import html_to_text
from portal.core.quoting import mark_quotes, own_words

ANSWERS = {
    "gmail": """<div dir="ltr">It works again.</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr"
        class="gmail_attr">On Fri, Nov 21, 2025 at 10:00\u202fAM Help &lt;<a href="mailto:help@shop.example">help@shop.example
        </a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid">
        <div>Did you try<br>turning it off?</div></blockquote></div>""",
    "gmail with signature": """<div dir="ltr">It works again.<br clear="all"><div><br></div><span
        class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature">Dana Reyes<br>Customer Ltd
        </div></div><br><div class="gmail_quote"><div class="gmail_attr">Am Fr., 21. Nov. 2025 um 10:00\xa0Uhr schrieb Help
        &lt;help@shop.example&gt;:<br></div><blockquote class="gmail_quote">old</blockquote></div>""",
    "outlook": """<div class="WordSection1"><p class="MsoNormal">It works again.<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;
        </o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">
        <b><span>Von:</span></b><span> Help &lt;help@shop.example&gt; <br><b>Gesendet:</b> Freitag, 21. November 2025 10:00<br>
        <b>An:</b> Dana<br><b>Betreff:</b> Drucker<o:p></o:p></span></p></div></div><p class="MsoNormal">old</p></div>""",
    "outlook web": """<div style="font-family: Aptos">It works again.</div><div id="appendonsend"></div><hr style="width:98%">
        <div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>From:</b> Help &lt;help@shop.example&gt;<br><b>Sent:</b>
        Friday, November 21, 2025 10:00<br><b>To:</b> Dana<br><b>Subject:</b> Printer</font><div>&nbsp;</div></div>
        <div>old</div>""",
    "outlook phone": """<div dir="auto">It works again.</div><div id="ms-outlook-mobile-signature"><div dir="auto">Obtenez
        <a href="https://aka.ms/o0ukef">Outlook pour iOS</a></div></div><div id="mail-editor-reference-message-container">
        <hr><div id="divRplyFwdMsg"><b>De :</b> Help &lt;help@shop.example&gt;<br><b>Envoyé :</b> vendredi 21 novembre 2025
        <br><b>À :</b> Dana<br><b>Objet :</b> Imprimante<br></div>old</div>""",
    "apple": """<html><body>It works again.<br><div><br><blockquote type="cite"><div>On 21. Nov 2025, at 10:00, Help
        &lt;help@shop.example&gt; wrote:</div><br><div>old</div></blockquote></div></body></html>""",
    "iphone": """<div dir="auto">It works again.<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Von meinem iPhone
        gesendet</div><div dir="ltr"><br><blockquote type="cite">Am 21.11.2025 um 10:00 schrieb Help
        &lt;help@shop.example&gt;:<br><br></blockquote></div><blockquote type="cite"><div>old</div></blockquote></div>""",
    "thunderbird": """<p>It works again.</p><div class="moz-cite-prefix">Le 21/11/2025 à 10:00, Help a écrit\xa0:<br></div>
        <blockquote type="cite" cite="mid:1@x">old</blockquote><div class="moz-signature">-- <br>Dana</div>""",
    "yahoo": """<div class="ydp1"><div dir="ltr">It works again.</div></div><div id="ydp2yahoo_quoted_1" class="yahoo_quoted">
        <div>On Friday, November 21, 2025 at 10:00:00 AM, Help &lt;help@shop.example&gt; wrote:</div><div>old</div></div>""",
    "gmx": """<div>It works again.</div><div name="quote" style="margin:10px;border-left:2px solid #C3D9E5"><div><b>Gesendet:</b>
        Freitag, 21. November 2025 um 10:00 Uhr<br><b>Von:</b> Help &lt;help@shop.example&gt;<br><b>An:</b> dana@x.example<br>
        <b>Betreff:</b> Drucker</div><div>old</div></div>""",
    "proton": """<div>It works again.</div><div class="protonmail_signature_block"><div>Sent with Proton Mail secure email.</div>
        </div><div class="protonmail_quote">On Friday, November 21st, 2025 at 10:00, Help &lt;help@shop.example&gt; wrote:<br>
        <blockquote class="protonmail_quote" type="cite">old</blockquote></div>""",
    "samsung": """<div>It works again.</div><div>Von Samsung Mobile gesendet</div><div>-------- Ursprüngliche Nachricht --------
        </div><div>Von: Help &lt;help@shop.example&gt;</div><div>Datum: 21.11.25 10:00</div><div>An: Dana</div><div>Betreff:
        Drucker</div><div>old</div>""",
}
FORWARDS = {
    "gmail": """<div>please see</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>
        From: <b>Eve</b> &lt;eve@x.example&gt;<br>Date: Fri, Nov 21, 2025<br>Subject: Printer<br>To: Dana<br></div>it burns</div>""",
    "apple": """<div>please see<br><blockquote type="cite"><div>Begin forwarded message:</div><br><div><b>From: </b>Eve
        &lt;eve@x.example&gt;</div><div><b>Subject: </b>Printer</div><div><b>Date: </b>21. November 2025</div><div><b>To: </b>
        Dana</div><br><div>it burns</div></blockquote></div>""",
    "outlook": """<p>please see</p><div style="border-top:solid"><p><b>From:</b> Eve &lt;eve@x.example&gt;<br><b>Sent:</b> Friday
        <br><b>To:</b> Dana<br><b>Subject:</b> Printer</p></div><p>it burns</p>""",
}


@pytest.mark.parametrize("client", ANSWERS)
def test_of_an_answer_only_the_new_words_are_left(client):
    text = html_to_text(ANSWERS[client])
    assert own_words(text, subject="Re: Printer") == "It works again.", text
    assert "".join(part.text for part in mark_quotes(text) if part.kind == "quote").strip("> \n")


INLINE = {
    "gmail": """<div dir="ltr"><div class="gmail_attr">On Fri, Nov 21, 2025 at 10:00 Help &lt;help@shop.example&gt; wrote:<br></div>
        <blockquote class="gmail_quote"><div>one?</div></blockquote><div>STAY yes</div><blockquote class="gmail_quote">two?
        </blockquote><div>STAY no</div></div>""",
    "apple": """<body><blockquote type="cite"><div>On 21. Nov 2025, at 10:00, Help &lt;help@shop.example&gt; wrote:</div><div>one?
        </div></blockquote><div>STAY yes</div><br><blockquote type="cite"><div>two?</div></blockquote>STAY no</body>""",
    "outlook in red": """<p>My answers are below in red.</p><div style="border-top:solid"><p><b>From:</b> Help &lt;help@shop.example&gt;<br>
        <b>Sent:</b> Friday, November 21, 2025<br><b>To:</b> Dana<br><b>Subject:</b> Printer</p></div><p>one?</p><p style="color:red">
        STAY yes</p>""",
    "outlook below, nothing above": """<p>&nbsp;</p><div style="border-top:solid"><p><b>Von:</b> Help &lt;help@shop.example&gt;<br>
        <b>Gesendet:</b> Freitag<br><b>An:</b> Dana<br><b>Betreff:</b> Drucker</p></div><p>one?</p><p>STAY yes</p>""",
    "indented by gmail": """<p>The error:</p><blockquote style="margin:0 0 0 40px;border:none;padding:0px">STAY 0x80</blockquote>""",
    "indented by outlook": """<p>The error:</p><blockquote style="margin-left:40px; margin-top:0">STAY 0x80</blockquote>""",
}


@pytest.mark.parametrize("client", INLINE)
def test_answers_within_the_older_mail_stay_in_sight(client):
    text = html_to_text(INLINE[client])
    folded = [part.text for part in mark_quotes(text, subject="RE: Printer", for_page=True) if part.kind != "text"]
    assert "STAY" in text and not any("STAY" in part for part in folded), text


@pytest.mark.parametrize("client", FORWARDS)
def test_what_was_forwarded_stays_in_sight(client):
    words = own_words(html_to_text(FORWARDS[client]), subject="FW: Printer")
    assert words.startswith("please see") and "it burns" in words
