"""Tasks as the API shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row

from gateway.services.views.common import PersonRef, View, at, at_or_none

Action = Literal["call", "write", "other"]
TaskState = Literal["open", "done", "cancelled"]


class Task(View, frozen=True):
    """Something to do for a card by a time.

    `overdue` as of the answer. `made_by`: `person`, or the rule that made it: `lead_untouched`. `author` is
    null where a rule made it.
    """

    id: str
    card_id: str
    card_name: str | None
    lead_id: str | None
    text: str
    action: Action
    due_at: str
    overdue: bool
    assignee: PersonRef | None
    team: str
    state: TaskState
    made_by: str
    author: PersonRef | None
    done_at: str | None
    created_at: str
    updated_at: str
    version: int

    @classmethod
    def of(cls, row: Row[Any], people: Mapping[str, PersonRef], now: datetime) -> "Task":
        """From a row of `tasks` with the card's `card_name` and the team's `team_name`."""
        return cls(
            id=row.id,
            card_id=row.card_id,
            card_name=row.card_name or None,
            lead_id=row.lead_id,
            text=row.text,
            action=row.action,
            due_at=at(row.due_at),
            overdue=row.state == "open" and row.due_at < now,
            assignee=people.get(row.assignee_id or ""),
            team=row.team_name,
            state=row.state,
            made_by=row.made_by,
            author=people.get(row.author_id or ""),
            done_at=at_or_none(row.done_at),
            created_at=at(row.created_at),
            updated_at=at(row.updated_at),
            version=row.version,
        )
