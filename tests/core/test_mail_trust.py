import pytest

from portal.core.mail import parse_mail
from portal.core.mail_trust import why_distrusted
from tests.mails import mail_bytes

OURS = "mx.a.example"


@pytest.mark.parametrize(
    ("headers", "doubt"),
    [
        ({}, ""),
        ({"Authentication-Results": f"{OURS}; none"}, ""),
        ({"Authentication-Results": f"{OURS}; dmarc=pass (p=REJECT) header.from=a.example; spf=fail"}, ""),
        ({"Authentication-Results": f"{OURS}; dmarc=bestguesspass; spf=fail smtp.mailfrom=x.example"}, ""),
        ({"Authentication-Results": f"{OURS}; dkim=pass header.d=a.example; dmarc=fail"}, "dmarc=fail"),
        ({"Authentication-Results": f"{OURS}; spf=pass; dkim=none; dmarc=none; compauth=fail reason=601"}, "compauth"),
        ({"Authentication-Results": f"{OURS}; spf=fail smtp.mailfrom=evil.example; dkim=none"}, "spf=fail"),
        ({"Authentication-Results": f"{OURS}; SPF=SoftFail smtp.mailfrom=a.example"}, "spf=softfail"),
        ({"Authentication-Results": f"{OURS}; spf=softfail; dkim=pass header.d=a.example"}, ""),
        ({"Authentication-Results": f"{OURS}; spf=fail; dkim=pass header.i=@mail.a.example"}, "spf=fail"),
        ({"Authentication-Results": f"{OURS}; spf=fail; dkim=pass header.d=example"}, "spf=fail"),
        ({"Authentication-Results": f"{OURS}; spf=fail; dkim=pass header.d=evil.example"}, "spf=fail"),
        (
            {"Authentication-Results": f"{OURS}; spf=fail; dkim=fail header.d=a.example; dkim=pass header.d=a.example"},
            "",
        ),
        ({"Authentication-Results": f"{OURS}; spf=neutral; dkim=temperror"}, ""),
        ({"Received-SPF": "pass (mx: domain of bob@a.example)"}, ""),
        ({"Received-SPF": "Fail (mx: domain of a.example does not designate)"}, "Received-SPF: fail"),
        ({"Received-SPF": "softfail"}, "Received-SPF: softfail"),
        (
            {
                "Received-SPF": "fail",
                "Authentication-Results": "forged.example; spf=pass; dkim=pass header.d=a.example",
            },
            "Received-SPF: fail",
        ),
        ({"Received-SPF": "fail", "Authentication-Results": f"{OURS}; spf=fail; dkim=pass header.d=a.example"}, ""),
    ],
)
def test_a_header_can_only_take_trust_away(headers, doubt):
    found = why_distrusted(parse_mail(mail_bytes(sender="Bob <bob@a.example>", extra=headers)))
    assert (doubt in found) if doubt else found == ""


def test_only_what_the_last_server_wrote_counts():
    raw = b"Authentication-Results: mx; dmarc=fail\r\n" + mail_bytes(
        extra={"Authentication-Results": "forged.example; dmarc=pass"}
    )
    assert why_distrusted(parse_mail(raw))


def test_a_mail_without_a_sender_is_no_special_case():
    assert why_distrusted(parse_mail(mail_bytes(sender="", extra={"Received-SPF": "fail"})))
