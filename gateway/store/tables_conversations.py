"""The tables of conversations and tasks. A column means what the contract says unless a comment says more."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.store.schema import metadata
from gateway.store.tables import NAME, cards, leads, operators, queues, teams
from gateway.store.types import Id, Json, UtcDateTime

# Updates as they came, stored before they are acknowledged outside; what fails stays: listed, replayable.
raw_updates = Table(
    "raw_updates",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("connector", NAME, nullable=False),
    Column("external_id", NAME, nullable=False),
    # Updates of one lane are worked on in their order, those of different lanes side by side.
    Column("lane", NAME, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("done_at", UtcDateTime),
    UniqueConstraint("connector", "external_id"),
    Index(
        "ix_raw_updates_waiting",
        "id",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_raw_updates_poison",
        "id",
        sqlite_where=text("state = 'poison'"),
        postgresql_where=text("state = 'poison'"),
    ),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("connector", NAME, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# One denormalised row per thread: a list reads nothing else, a counter is a difference of two columns.
threads = Table(
    "threads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("connector", NAME, nullable=False),
    Column("thread_key", NAME, nullable=False),
    Column("card_id", ForeignKey(cards.c.id)),
    Column("client", Json, nullable=False),
    Column("subject", Text),
    Column("state", String(16), nullable=False),
    Column("assignee_id", ForeignKey(operators.c.id)),
    Column("queue_id", ForeignKey(queues.c.id)),
    Column("team_id", ForeignKey(teams.c.id), nullable=False),
    Column("origin", Json, nullable=False),
    Column("preview", Text, nullable=False),
    Column("preview_direction", String(16)),
    Column("messages", Integer, nullable=False),
    Column("inbound", Integer, nullable=False),
    # How many of them had come when we wrote last: those are answered.
    Column("answered", Integer, nullable=False),
    # The newest `seq` of its messages; a new thread of the same key goes on where the closed one ended.
    Column("seq", Integer, nullable=False),
    Column("last_message_at", UtcDateTime, nullable=False),
    Column("last_inbound_at", UtcDateTime),
    # How far the client has read what we sent.
    Column("client_read_at", UtcDateTime),
    Column("due_at", UtcDateTime),
    Column("snoozed_until", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Index("ix_threads_key", "connector", "thread_key", "id"),
    Index("ix_threads_card_id", "card_id", "last_message_at", "id"),
    Index("ix_threads_team_id", "team_id", "state", "last_message_at", "id"),
    Index("ix_threads_assignee_id", "assignee_id", "state", "last_message_at", "id"),
    Index("ix_threads_queue_id", "queue_id", "state", "last_message_at", "id"),
    Index("ix_threads_last_message_at", "state", "last_message_at", "id"),
    Index("ix_threads_newest", "last_message_at", "id"),
    Index("ix_threads_assignee_newest", "assignee_id", "last_message_at", "id"),
)
Index(
    "uq_threads_open",
    threads.c.connector,
    threads.c.thread_key,
    unique=True,
    sqlite_where=text("state <> 'closed'"),
    postgresql_where=text("state <> 'closed'"),
)

# What a person has read: `unread` is threads.inbound less this.
thread_reads = Table(
    "thread_reads",
    metadata,
    Column("thread_id", ForeignKey(threads.c.id), primary_key=True),
    Column("operator_id", ForeignKey(operators.c.id), primary_key=True),
    Column("inbound", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("thread_id", ForeignKey(threads.c.id), nullable=False),
    Column("connector", NAME, nullable=False),
    Column("external_id", NAME),
    # The sender's own id of what he wrote: the same again is the same message.
    Column("client_id", NAME),
    Column("direction", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    # The channel's own order of messages of one moment.
    Column("sequence", BigInteger, nullable=False),
    # Position in the conversation as it was stored: what a reader resumes from. Null until it is handed to
    # the sender.
    Column("seq", Integer),
    Column("author", Json, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Column("subject", Text),
    Column("addresses", Json, nullable=False),
    Column("reply_to", Id),
    Column("reactions", Json, nullable=False),
    Column("revisions", Integer, nullable=False),
    Column("edited_at", UtcDateTime),
    Column("deleted_at", UtcDateTime),
    Column("send_at", UtcDateTime),
    Column("status", String(16), nullable=False),
    Column("recipients", Json, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    UniqueConstraint("connector", "external_id"),
    UniqueConstraint("thread_id", "client_id"),
    Index("ix_messages_thread_id", "thread_id", "at", "sequence", "id"),
    Index("ix_messages_seq", "thread_id", "seq"),
)
Index(
    "ix_messages_sending",
    messages.c.connector,
    sqlite_where=text("status = 'sending'"),
    postgresql_where=text("status = 'sending'"),
)

message_revisions = Table(
    "message_revisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", ForeignKey(messages.c.id), nullable=False),
    # What it said until then, and who changed it when.
    Column("at", UtcDateTime, nullable=False),
    Column("author", Json, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Index("ix_message_revisions_message_id", "message_id", "id"),
)

# Each change of somebody's reactions; messages.reactions is how they stand now.
message_reactions = Table(
    "message_reactions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", ForeignKey(messages.c.id), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", NAME, nullable=False),
    Column("reactions", Json, nullable=False),
    Index("ix_message_reactions_message_id", "message_id", "id"),
)

# Edits, receipts, reactions and replies that speak of a message which is not there yet.
parked = Table(
    "parked",
    metadata,
    Column("id", Id, primary_key=True),
    Column("connector", NAME, nullable=False),
    Column("external_id", NAME, nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_parked_external_id", "connector", "external_id"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", ForeignKey(messages.c.id)),
    Column("uploaded_by", Id),
    Column("connector", NAME),
    # What the connector needs to fetch it; never shown.
    Column("reference", Text),
    Column("name", NAME, nullable=False),
    Column("mime", NAME, nullable=False),
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("state", String(16), nullable=False),
    Column("error", Text),
    Column("place", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_attachments_message_id", "message_id", "place"),
    Index("ix_attachments_sha256", "sha256"),
)

drafts = Table(
    "drafts",
    metadata,
    Column("thread_id", ForeignKey(threads.c.id), primary_key=True),
    Column("operator_id", ForeignKey(operators.c.id), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("text", Text, nullable=False),
    Column("attachments", Json, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

templates = Table(
    "templates",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("shortcut", NAME),
    Column("text", Text, nullable=False),
    Column("channels", Json, nullable=False),
    Column("language", String(8)),
    Column("team_id", ForeignKey(teams.c.id)),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_templates_team_id", "team_id", "id"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("card_id", ForeignKey(cards.c.id), nullable=False),
    Column("lead_id", ForeignKey(leads.c.id)),
    Column("text", Text, nullable=False),
    Column("action", String(16), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("assignee_id", ForeignKey(operators.c.id)),
    Column("team_id", ForeignKey(teams.c.id), nullable=False),
    Column("state", String(16), nullable=False),
    # `person`, or the rule that made it: one open task per rule and lead.
    Column("made_by", NAME, nullable=False),
    Column("author_id", Id),
    Column("told_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_tasks_card_id", "card_id", "id"),
    Index("ix_tasks_assignee_id", "assignee_id", "state", "due_at", "id"),
    Index("ix_tasks_team_id", "team_id", "state", "due_at", "id"),
)
Index(
    "ix_tasks_due",
    tasks.c.due_at,
    tasks.c.id,
    sqlite_where=text("state = 'open' and told_at is null"),
    postgresql_where=text("state = 'open' and told_at is null"),
)
Index(
    "uq_tasks_rule",
    tasks.c.lead_id,
    tasks.c.made_by,
    unique=True,
    sqlite_where=text("state = 'open' and lead_id is not null"),
    postgresql_where=text("state = 'open' and lead_id is not null"),
)

# Two cards that may be one person: suggested, never merged silently.
suggestions = Table(
    "suggestions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("card_id", ForeignKey(cards.c.id), nullable=False),
    Column("other_id", ForeignKey(cards.c.id), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("card_id", "other_id"),
    Index("ix_suggestions_other_id", "other_id"),
)
