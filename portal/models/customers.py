"""Whom the shop works for, and how their mail is known."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import NO_ID_TWICE, Base, Pk


class Customer(Base):
    """A company the shop works for. The deadlines of its tickets count in its own business hours where it has some.

    `version` goes up with every edit: of two people who edit one, the later is told.
    """

    __tablename__ = "customer"
    id: Mapped[Pk]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (NO_ID_TWICE,)


class CustomerAddress(Base):
    """A domain ("acme.example", its subdomains too) or one mail address, in lower case."""

    __tablename__ = "customer_address"
    id: Mapped[Pk]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(254), unique=True)
