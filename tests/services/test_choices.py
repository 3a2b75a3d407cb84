"""The menus of the ticket pages."""

from portal.models import Customer, User
from portal.services.choices import load_choices
from tests.services.ticket_world import BOB, counted_statements, make_database


def test_menus_are_in_order_and_cost_one_statement(tmp_path):
    database = make_database(tmp_path)
    with database.unit_of_work() as uow:
        uow.session.get_one(User, BOB).is_active = False
        uow.session.add_all([Customer(id=5, name="Bolt"), Customer(id=6, name="acme")])
    with database.read_session() as session, counted_statements(session) as seen:
        choices = load_choices(session)
    database.dispose()
    assert [choice.name for choice in choices.queues] == ["Servers", "Desktop"]
    assert [(choice.name, choice.is_offered) for choice in choices.people] == [("Alice", True), ("Bob", False)]
    assert (choices.queue(1), choices.category(1), choices.person(BOB)) == ("Desktop", "Printer", "Bob")
    assert [choice.name for choice in choices.customers] == ["acme", "Bolt"] and choices.customer(5) == "Bolt"
    assert choices.queue(None) == choices.person(99) == ""
    assert len(seen) == 1
