"""Pieces of query strings that several lists share."""

from datetime import datetime
from typing import Annotated

import msgspec

from gateway.services.views.common import DEFAULT_LIMIT, Body, Limit

IdText = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        extra_json_schema={"format": "uuid"},
    ),
]
Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with an offset")]

__all__ = ["DEFAULT_LIMIT", "Body", "IdText", "Limit", "Moment"]
