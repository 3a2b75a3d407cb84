"""Domains whose users have nothing in common but their provider."""

from __future__ import annotations

_NAMES = """
    gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de live.com live.de live.nl
    msn.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.es ymail.com aol.com icloud.com me.com mac.com proton.me
    protonmail.com pm.me gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de arcor.de mail.de
    posteo.de mailbox.org orange.fr wanadoo.fr free.fr sfr.fr laposte.net ziggo.nl kpnmail.nl planet.nl xs4all.nl
    telenet.be skynet.be bluewin.ch mail.com mail.ru yandex.ru yandex.com zoho.com fastmail.com hey.com tutanota.com
    tuta.com comcast.net verizon.net att.net sbcglobal.net cox.net btinternet.com sky.com bigpond.com shaw.ca
    rogers.com libero.it virgilio.it telefonica.net terra.es qq.com 163.com 126.com naver.com
"""
PUBLIC_DOMAINS = frozenset(_NAMES.split())
