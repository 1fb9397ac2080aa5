"""Who is told what."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.facts import Fact
from gateway.domain.people import Actor, Role
from gateway.web.audience import Audience, sees

TEAMS = ("north", "south", "west")
PEOPLE = ("anna", "boris", "olga")


@dataclass(eq=False)
class Desk:
    """Somebody at a desk."""

    actor: Actor


actors = st.builds(
    Actor,
    id=st.sampled_from(PEOPLE),
    name=st.just("x"),
    role=st.sampled_from(Role),
    teams=st.frozensets(st.sampled_from(TEAMS)),
    is_token=st.booleans(),
)
facts = st.builds(
    Fact,
    type=st.sampled_from(["call.ringing", "contact.offered", "card.updated", "card.opened"]),
    data=st.just(b"{}"),
    team=st.none() | st.sampled_from(TEAMS),
    operators=st.lists(st.sampled_from(PEOPLE), unique=True).map(tuple),
    private=st.booleans(),
    card_id=st.none() | st.just("card"),
)


def operator(name: str, *teams: str, role: Role = Role.OPERATOR) -> Actor:
    return Actor(name, name, role, frozenset(teams))


def test_a_private_fact_is_for_the_named_alone_not_even_for_admins() -> None:
    pop = Fact("card.opened", b"{}", operators=("anna",), private=True)
    assert sees(operator("anna"), pop)
    assert not sees(operator("boris", "north"), pop)
    assert not sees(operator("olga", role=Role.ADMIN), pop)


def test_a_fact_for_nobody_in_particular_is_for_everybody() -> None:
    assert sees(operator("anna"), Fact("connector.state", b"{}"))


def test_a_team_hears_of_its_cards_but_only_its_supervisors_of_contacts() -> None:
    card = Fact("card.updated", b"{}", team="north")
    contact = Fact("contact.queued", b"{}", team="north")
    assert sees(operator("anna", "north"), card)
    assert not sees(operator("anna", "south"), card)
    assert not sees(operator("anna", "north"), contact)
    assert sees(operator("olga", "north", role=Role.SUPERVISOR), contact)
    assert not sees(operator("olga", "south", role=Role.SUPERVISOR), contact)


def test_a_program_is_not_the_person_whose_id_it_might_share() -> None:
    program = Actor("anna", "script", Role.OPERATOR, frozenset(), is_token=True)
    assert not sees(program, Fact("card.opened", b"{}", operators=("anna",), private=True))


@given(st.lists(actors, max_size=8), facts)
def test_the_index_finds_exactly_those_who_see(everybody: list[Actor], fact: Fact) -> None:
    audience: Audience[Desk] = Audience()
    desks = [Desk(actor) for actor in everybody]
    for desk in desks:
        audience.place(desk)
    assert {id(d) for d in audience.of(fact)} == {id(d) for d in desks if sees(d.actor, fact)}


@given(st.lists(st.tuples(actors, actors), max_size=6), facts)
def test_the_index_follows_rights_and_forgets_who_left(moves: list[tuple[Actor, Actor]], fact: Fact) -> None:
    audience: Audience[Desk] = Audience()
    desks = [Desk(before) for before, _ in moves]
    for desk, (_, after) in zip(desks, moves, strict=True):
        audience.place(desk)
        desk.actor = after
        audience.place(desk)
    assert {id(d) for d in audience.of(fact)} == {id(d) for d in desks if sees(d.actor, fact)}
    for desk in desks:
        audience.remove(desk)
    assert audience.of(fact) == []
