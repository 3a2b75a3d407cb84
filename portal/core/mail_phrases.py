"""Phrases of our mails in each language, for what a template cannot know: greetings, days, statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Phrases:
    """One language. `{}` is where a name, a day or a time goes; `weekdays` begin with Monday, `months` with January.

    `by_mail` and `rate` are what works by a reply (`core/mail_commands.py` reads the words in capitals).
    """

    hello: str
    hello_name: str
    by_mail: str
    rate: str
    told: str
    open_now: str
    closed: str
    today: str
    tomorrow: str
    on_day: str
    from_time: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    statuses: Mapping[str, str]
    new_ticket: str
    reply: str

    def greet(self, name: str) -> str:
        """The first line of a letter."""
        return self.hello_name.format(name) if name else self.hello

    def format_day(self, day: date) -> str:
        """`on Monday, 23 November`, as the language says it."""
        return self.on_day.format(self.weekdays[day.weekday()], day.day, self.months[day.month - 1])


def _statuses(*words: str) -> Mapping[str, str]:
    names = (
        "new", "open", "in progress", "waiting for requester", "waiting for third party", "on hold", "resolved",
        "closed",
    )  # fmt: skip
    return dict(zip(names, words, strict=True))


PHRASES: Mapping[str, Phrases] = {
    "en": Phrases(
        hello="Hello,",
        hello_name="Hello {},",
        by_mail="Does it work again? Then reply with the one word CLOSE.",
        rate="How did we do? Reply with RATE 5 for very good, down to RATE 1 for bad.",
        told="The person on call has been told and will look at it.",
        open_now="We are open and will look at it soon.",
        closed="We are closed now and will look at it {}.",
        today="today",
        tomorrow="tomorrow",
        on_day="on {}, {} {}",
        from_time="{} from {}",
        weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        months=(
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ),
        statuses=_statuses(
            "new", "open", "in progress", "waiting for your answer", "waiting for somebody else", "on hold", "solved",
            "closed",
        ),
        new_ticket="New ticket",
        reply="Reply",
    ),
    "de": Phrases(
        hello="Guten Tag,",
        hello_name="Guten Tag {},",
        by_mail="Geht es wieder? Dann antworten Sie bitte mit dem einen Wort CLOSE.",
        rate="Wie zufrieden sind Sie? Antworten Sie mit RATE 5 für sehr gut bis RATE 1 für schlecht.",
        told="Der Bereitschaftsdienst ist verständigt und kümmert sich darum.",
        open_now="Wir sind da und sehen es uns bald an.",
        closed="Wir haben gerade geschlossen und sehen es uns {} an.",
        today="heute",
        tomorrow="morgen",
        on_day="am {}, dem {}. {}",
        from_time="{} ab {} Uhr",
        weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
        months=(
            "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
            "November", "Dezember",
        ),
        statuses=_statuses(
            "neu", "offen", "in Arbeit", "wartet auf Ihre Antwort", "wartet auf Dritte", "zurückgestellt", "gelöst",
            "geschlossen",
        ),
        new_ticket="Neues Ticket",
        reply="Antwort",
    ),
    "fr": Phrases(
        hello="Bonjour,",
        hello_name="Bonjour {},",
        by_mail="Tout fonctionne à nouveau ? Répondez avec le seul mot CLOSE.",
        rate="Êtes-vous satisfait ? Répondez RATE 5 pour très bien, jusqu’à RATE 1 pour mauvais.",
        told="La personne d’astreinte a été prévenue et va s’en occuper.",
        open_now="Nous sommes là et allons regarder cela bientôt.",
        closed="Nous sommes fermés pour le moment et regarderons cela {}.",
        today="aujourd’hui",
        tomorrow="demain",
        on_day="le {} {} {}",
        from_time="{} à partir de {}",
        weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        months=(
            "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
            "novembre", "décembre",
        ),
        statuses=_statuses(
            "nouvelle", "ouverte", "en cours", "en attente de votre réponse", "en attente d’un tiers", "suspendue",
            "résolue", "fermée",
        ),
        new_ticket="Nouvelle demande",
        reply="Réponse",
    ),
    "es": Phrases(
        hello="Hola:",
        hello_name="Hola, {}:",
        by_mail="¿Ya funciona? Responda con la única palabra CLOSE.",
        rate="¿Qué tal lo hicimos? Responda RATE 5 si muy bien, hasta RATE 1 si mal.",
        told="La persona de guardia está avisada y se ocupará de ello.",
        open_now="Estamos aquí y lo veremos pronto.",
        closed="Ahora está cerrado; lo veremos {}.",
        today="hoy",
        tomorrow="mañana",
        on_day="el {} {} de {}",
        from_time="{} a partir de las {}",
        weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
        months=(
            "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
            "noviembre", "diciembre",
        ),
        statuses=_statuses(
            "nueva", "abierta", "en curso", "a la espera de su respuesta", "a la espera de un tercero", "aplazada",
            "resuelta", "cerrada",
        ),
        new_ticket="Nueva solicitud",
        reply="Respuesta",
    ),
    "nl": Phrases(
        hello="Hallo,",
        hello_name="Hallo {},",
        by_mail="Werkt het weer? Antwoord dan met het ene woord CLOSE.",
        rate="Hoe hebben we het gedaan? Antwoord met RATE 5 voor heel goed tot RATE 1 voor slecht.",
        told="De dienstdoende collega is gewaarschuwd en kijkt ernaar.",
        open_now="We zijn er en kijken er snel naar.",
        closed="We zijn nu gesloten en kijken er {} naar.",
        today="vandaag",
        tomorrow="morgen",
        on_day="op {} {} {}",
        from_time="{} vanaf {} uur",
        weekdays=("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
        months=(
            "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
            "november", "december",
        ),
        statuses=_statuses(
            "nieuw", "open", "in behandeling", "in afwachting van uw antwoord", "in afwachting van derden",
            "uitgesteld", "opgelost", "gesloten",
        ),
        new_ticket="Nieuw ticket",
        reply="Antwoord",
    ),
}  # fmt: skip


def phrases_of(language: str) -> Phrases:
    """The phrases of a language; English for one that we have none of."""
    return PHRASES.get(language, PHRASES["en"])
