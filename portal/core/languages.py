"""What is known of whole languages: function words, by which the language of a line is told; English word endings."""

from __future__ import annotations

import re
from collections import Counter

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_READ_CHARACTERS = 4000
_FEWEST_WORDS = 3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH = _words(
    """
        the and is are was were be been to of in on for with that this it not have has had i we you they he she
        my our your at by from as or an but if when can could please will would should do does did there which
        what after before no any all cannot can't don't doesn't how its it's their then than only so also get
        gets need needs help thanks thank hello hi new work working works a me us
    """
)

# What makes a new English word of a known one.
PREFIXES = _words("un re non pre sub multi over mis dis auto inter super micro co de")
SUFFIXES = _words("s es ed d ing er ers able ness less ly ish like")

# Only such as are no English words: "die" and "hat" are missing from the German ones.
FOREIGN: dict[str, frozenset[str]] = {
    "German": _words(
        """
            der das und ist nicht ich wir sie mit für ein eine einen einem einer dem den von zu bei nach aus kann
            bitte danke hallo mein meine keine kein werden wird haben habe wurde noch auch oder aber wenn dass im
            zum zur sich als wie nur sehr auf es geht mehr seit heute gestern ihr ihre uns unser unsere sind über
            unter wegen schon immer guten herr frau gruß grüße sehr geehrte funktioniert drucker rechner können
            könnten müssen
        """
    ),
    "French": _words(
        """
            le la les des est une dans avec pour sur pas nous vous ne plus bonjour merci mon ma ce cette qui que je
            il elle et au aux du par ont sont être depuis cordialement
        """
    ),
    "Spanish": _words(
        """
            el los las una con para por que está se del al mi su muy como pero hola gracias desde puedo tengo favor
            es y saludos cuando este esta
        """
    ),
    "Italian": _words(
        """
            il lo gli della che non una con per sono è del nel buongiorno grazie come questo questa mio mia
        """
    ),
    "Dutch": _words(
        """
            het een niet van voor met ik wij zijn dat deze bij naar kan graag bedankt mijn geen wordt heeft maar ook
        """
    ),
    "Polish": _words(
        """
            nie jest na się w z że proszę dziękuję mam od przy
        """
    ),
    "Portuguese": _words(
        """
            não uma com para por os da em é obrigado bom dia está
        """
    ),
    "Swedish": _words(
        """
            och är inte det att som på för med jag vi en ett kan hej tack
        """
    ),
}

_CODES = {
    "German": "de", "French": "fr", "Spanish": "es", "Italian": "it", "Dutch": "nl", "Polish": "pl",
    "Portuguese": "pt", "Swedish": "sv",
}  # fmt: skip
_BY_CODE = {"en": ENGLISH, **{_CODES[name]: words for name, words in FOREIGN.items()}}


def detect_language(text: str) -> str:
    """The language a text is written in, as `en`, `de` ...; "" when too little speaks for one.

    One must have at least three function words and twice as many as the next: a mail in the wrong language is worse
    than one in the site's.
    """
    counts: Counter[str] = Counter()
    for word in _WORD.findall(text[:_READ_CHARACTERS].lower()):
        counts.update(code for code, words in _BY_CODE.items() if word in words)
    (best, most), (_, next_most) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    return best if most >= _FEWEST_WORDS and most >= 2 * next_most else ""
