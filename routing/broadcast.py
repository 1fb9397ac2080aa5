"""The simple dispatcher: a contact is offered to everybody who can take it, and the first one has it."""

from collections.abc import Sequence

from gateway.domain.contacts import Candidate, Offer, Waiting


def offer_to_all(contact: Waiting, candidates: Sequence[Candidate]) -> Offer:
    """The operator preferred alone while he can take it, else all who can and did not decline."""
    able = [one.operator_id for one in candidates if one.free > 0]
    asked = tuple(operator for operator in able if operator not in contact.declined_by)
    if contact.preferred in asked:
        return Offer((contact.preferred,), "had this conversation last")
    if asked:
        return Offer(asked, "offered to all available operators of the queue")
    if able:
        return Offer((), "declined by all available operators of the queue")
    return Offer((), "no operator of the queue is available")
