"""The tables of the nouns. Each column's meaning is the contract's unless a comment says more.

Ids are UUIDv7, times UTC; JSON columns hold what is read and written whole and never searched.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
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
from gateway.store.types import Id, Json, UtcDateTime

NAME = String(255)

# --- people -----------------------------------------------------------------------------------------------

teams = Table(
    "teams",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

skills = Table(
    "skills",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

operators = Table(
    "operators",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", NAME, nullable=False, unique=True),
    Column("name", NAME, nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("capacity", Json, nullable=False),
    Column("presence", String(16), nullable=False),
    Column("presence_reason", NAME),
    Column("presence_since", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

operator_teams = Table(
    "operator_teams",
    metadata,
    Column("operator_id", ForeignKey(operators.c.id), primary_key=True),
    Column("team_id", ForeignKey(teams.c.id), primary_key=True),
    Index("ix_operator_teams_team_id", "team_id"),
)

operator_skills = Table(
    "operator_skills",
    metadata,
    Column("operator_id", ForeignKey(operators.c.id), primary_key=True),
    Column("skill_id", ForeignKey(skills.c.id), primary_key=True),
    Column("level", Integer, nullable=False),
)

# One person at a phone at a time: whoever signs in signs the former out.
endpoints = Table(
    "endpoints",
    metadata,
    Column("pbx", NAME, primary_key=True),
    Column("extension", NAME, primary_key=True),
    Column("operator_id", ForeignKey(operators.c.id), nullable=False),
    Column("interface", NAME),
    Column("kind", String(16), nullable=False),
    Index("ix_endpoints_operator_id", "operator_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("operator_id", ForeignKey(operators.c.id), nullable=False),
    Column("csrf_token", String(64), nullable=False),
    Column("address", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_sessions_operator_id", "operator_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("scopes", Json, nullable=False),
    Column("teams", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)

# Failed sign-ins per login and per address, so that a restart does not forget them.
login_failures = Table(
    "login_failures",
    metadata,
    Column("key", NAME, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", UtcDateTime, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_id", Id),
    Column("actor", NAME, nullable=False),
    Column("address", String(64)),
    Column("action", NAME, nullable=False),
    Column("object_kind", NAME),
    Column("object_id", Id),
    Column("team_id", Id),
    Column("detail", Json, nullable=False),
    Index("ix_audit_at", "at", "id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor_id", Id, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_idempotency_created_at", "created_at"),
)

# --- what is routed ---------------------------------------------------------------------------------------

queues = Table(
    "queues",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("team_id", ForeignKey(teams.c.id), nullable=False),
    Column("channels", Json, nullable=False),
    Column("distribution", String(16), nullable=False),
    Column("skills", Json, nullable=False),
    Column("service_level", Json, nullable=False),
    Column("hours", Text),
    Column("timezone", NAME),
    Column("pbx_queues", Json, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

connectors = Table(
    "connectors",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("kind", NAME, nullable=False),
    Column("queue", NAME),
    # Of a connector of messages: the medium, and what the channel can do.
    Column("channel", String(16)),
    Column("traits", Json),
    Column("state", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("clock_offset_s", Float),
    Column("since", UtcDateTime, nullable=False),
    Column("attached", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# --- clients ----------------------------------------------------------------------------------------------

import_batches = Table(
    "import_batches",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("file", NAME, nullable=False),
    Column("cards", Integer, nullable=False),
    Column("undone_at", UtcDateTime),
)

cards = Table(
    "cards",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("type", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("company", Text),
    Column("language", String(8)),
    Column("priority", Integer, nullable=False),
    Column("owner_id", ForeignKey(operators.c.id)),
    Column("team_id", ForeignKey(teams.c.id), nullable=False),
    Column("tags", Json, nullable=False),
    Column("note", Text, nullable=False),
    Column("fields", Json, nullable=False),
    Column("external", Json, nullable=False),
    Column("batch_id", ForeignKey(import_batches.c.id)),
    # A merged card stays as a stone that points on, so that undo finds it and old links lead somewhere.
    Column("merged_into", Id),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("last_contact_at", UtcDateTime),
    Index("ix_cards_team_id", "team_id", "id"),
    Index("ix_cards_owner_id", "owner_id", "id"),
    Index("ix_cards_batch_id", "batch_id", postgresql_where=text("batch_id is not null")),
)

identities = Table(
    "identities",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("value", NAME, nullable=False),
    # Deferred: of two simultaneous first contacts the one who wins the identity writes the card afterwards.
    Column("card_id", ForeignKey(cards.c.id, deferrable=True, initially="DEFERRED"), nullable=False),
    Column("level", String(8), nullable=False),
    Column("label", NAME),
    Column("blocked", Boolean, nullable=False),
    Column("undeliverable", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("card_id", "kind", "value"),
    Index("ix_identities_value", "kind", "value"),
)
Index(
    "uq_identities_known",
    identities.c.kind,
    identities.c.value,
    unique=True,
    sqlite_where=text("level = 'known'"),
    postgresql_where=text("level = 'known'"),
)

leads = Table(
    "leads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("card_id", ForeignKey(cards.c.id), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text),
    Column("source", Json, nullable=False),
    Column("note", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_leads_card_id", "card_id", "id"),
    Index("ix_leads_status", "status", "id"),
)

# Inverted index of cards: stemmed words, tags, and every suffix of a number, so that a fragment is a prefix.
card_terms = Table(
    "card_terms",
    metadata,
    # Ranges of terms are prefixes, and only in the order of code points are they.
    Column("term", String(64).with_variant(String(64, collation="C"), "postgresql"), primary_key=True),
    Column("card_id", Id, primary_key=True),
    Index("ix_card_terms_card_id", "card_id"),
    sqlite_with_rowid=False,
)

merges = Table(
    "merges",
    metadata,
    Column("id", Id, primary_key=True),
    Column("into_id", ForeignKey(cards.c.id), nullable=False),
    Column("from_id", ForeignKey(cards.c.id), nullable=False),
    Column("before", Json, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by_id", Id),
    Column("undone_at", UtcDateTime),
    Index("ix_merges_into_id", "into_id", "id"),
)

merge_moves = Table(
    "merge_moves",
    metadata,
    Column("merge_id", ForeignKey(merges.c.id), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("row_id", Id, primary_key=True),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", Id, primary_key=True),
    Column("card_id", ForeignKey(cards.c.id), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("channel", String(16)),
    Column("direction", String(16)),
    Column("summary", Text, nullable=False),
    Column("ref_id", Id),
    Column("data", Json, nullable=False),
    Index("ix_timeline_card_id", "card_id", "at", "id"),
    Index("ix_timeline_ref_id", "ref_id"),
)

# --- contacts ---------------------------------------------------------------------------------------------

calls = Table(
    "calls",
    metadata,
    Column("id", Id, primary_key=True),
    Column("pbx", NAME, nullable=False),
    Column("state", String(16), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("card_id", ForeignKey(cards.c.id)),
    # Attached by a person: the number no longer decides.
    Column("card_by_hand", Boolean, nullable=False),
    Column("team_id", ForeignKey(teams.c.id), nullable=False),
    Column("queue_id", ForeignKey(queues.c.id)),
    Column("operator_id", ForeignKey(operators.c.id)),
    Column("note", Text),
    # The whole snapshot of domain.calls.Call; the columns beside it are what is searched.
    Column("call", Text, nullable=False),
    # Extension → who sat there when it rang or talked: people change phones, history does not.
    Column("people", Json, nullable=False),
    # Operators who have had their screen-pop: each gets one per call.
    Column("popped", Json, nullable=False),
    # Whether the rule of cards and leads was applied: once it was clear whose the call is.
    Column("opened", Boolean, nullable=False),
    Column("made_card", Boolean, nullable=False),
    Column("merged_into", Id),
    Column("version", Integer, nullable=False),
    Index("ix_calls_started_at", "started_at", "id"),
    Index("ix_calls_card_id", "card_id", "id"),
    Index("ix_calls_operator_id", "operator_id", "id"),
)
# SQLite takes a partial index only where a query says its condition in the same words.
LIVE_CALL = "calls.state <> 'ended'"
Index(
    "ix_calls_live",
    calls.c.pbx,
    sqlite_where=text(LIVE_CALL.removeprefix("calls.")),
    postgresql_where=text(LIVE_CALL.removeprefix("calls.")),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("card_id", ForeignKey(cards.c.id)),
    Column("call_id", ForeignKey(calls.c.id), unique=True),
    Column("thread_id", Id),
    Column("queue_id", ForeignKey(queues.c.id)),
    Column("team_id", ForeignKey(teams.c.id), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("skills", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("operator_id", ForeignKey(operators.c.id)),
    Column("offered_to", Json, nullable=False),
    # Who declined since it was queued last, and who is asked before all others.
    Column("declined_by", Json, nullable=False, server_default=text("'[]'")),
    Column("preferred_id", ForeignKey(operators.c.id)),
    Column("queued_at", UtcDateTime),
    Column("offered_at", UtcDateTime),
    Column("assigned_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("due_at", UtcDateTime),
    Column("reason", Text),
    Column("outcome", Text),
    Column("version", Integer, nullable=False),
    Index("ix_contacts_card_id", "card_id", "id"),
    Index("ix_contacts_thread_id", "thread_id", "id"),
)
OPEN_CONTACT = "contacts.state in ('queued', 'offered', 'assigned', 'wrap_up', 'deferred')"
Index(
    "ix_contacts_open",
    contacts.c.queue_id,
    contacts.c.id,
    sqlite_where=text(OPEN_CONTACT.removeprefix("contacts.")),
    postgresql_where=text(OPEN_CONTACT.removeprefix("contacts.")),
)

# At most one open contact per thread.
Index(
    "uq_contacts_open_thread",
    contacts.c.thread_id,
    unique=True,
    sqlite_where=text(f"thread_id is not null and {OPEN_CONTACT.removeprefix('contacts.')}"),
    postgresql_where=text(f"thread_id is not null and {OPEN_CONTACT.removeprefix('contacts.')}"),
)

# Who is offered or holds an open contact, and so sees its card: rows live as long as that is so.
contact_people = Table(
    "contact_people",
    metadata,
    Column("contact_id", ForeignKey(contacts.c.id), primary_key=True),
    Column("operator_id", ForeignKey(operators.c.id), primary_key=True),
    Column("card_id", Id),
    Index("ix_contact_people_operator_id", "operator_id", "card_id"),
)

# --- recordings -------------------------------------------------------------------------------------------

# Which call a channel belonged to, by the part of its Uniqueid that every channel has (`epoch.counter`);
# written when the call is over, so that a file with that number in its name finds it.
call_legs = Table(
    "call_legs",
    metadata,
    Column("pbx", NAME, primary_key=True),
    Column("uniqueid", NAME, primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("pbx", NAME, nullable=False),
    # As the PBX named the file, or as it lies below recordings_dir; `name` is the last part of it.
    Column("path", Text, nullable=False),
    Column("name", NAME, nullable=False),
    # `epoch.counter` of the channel in the file's name or in the upload.
    Column("uniqueid", NAME),
    # Null until the call is known.
    Column("call_id", ForeignKey(calls.c.id)),
    Column("at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    # What is played. The original is what the PBX wrote; once it is encoded its bytes may be gone.
    Column("sha256", String(64)),
    Column("ext", String(16)),
    Column("size", BigInteger),
    Column("original_sha256", String(64)),
    Column("original_ext", String(16)),
    Column("original_size", BigInteger),
    Column("codec", String(32)),
    Column("duration_s", Float),
    Column("channels", Integer),
    Column("has_audio", Boolean),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
    # The file on the PBX when it was last looked at, and since when it has looked so.
    Column("seen_size", BigInteger),
    Column("seen_mtime_ns", BigInteger),
    Column("seen_since", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_recordings_at", "at", "id"),
    Index("ix_recordings_call_id", "call_id", "at", "id"),
    Index("ix_recordings_name", "pbx", "name"),
    Index("ix_recordings_sha256", "sha256"),
    Index("ix_recordings_original_sha256", "original_sha256"),
)
Index(
    "ix_recordings_unattached",
    recordings.c.pbx,
    recordings.c.uniqueid,
    sqlite_where=text("call_id is null"),
    postgresql_where=text("call_id is null"),
)

# Who talked in it: operators listen to these without asking.
recording_talkers = Table(
    "recording_talkers",
    metadata,
    Column("recording_id", ForeignKey(recordings.c.id), primary_key=True),
    Column("operator_id", ForeignKey(operators.c.id), primary_key=True),
    Index("ix_recording_talkers_operator_id", "operator_id", "recording_id"),
)

# The waveform: for each channel its pairs of least and greatest sample, 16 bits, little-endian.
recording_peaks = Table(
    "recording_peaks",
    metadata,
    Column("recording_id", ForeignKey(recordings.c.id), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# How far each PBX's folder has been looked through: change times of files, nanoseconds since 1970.
recording_scans = Table(
    "recording_scans",
    metadata,
    Column("pbx", NAME, primary_key=True),
    Column("scanned_to_ns", BigInteger, nullable=False),
)

# What this installation made for itself at first start.
installation = Table(
    "installation",
    metadata,
    Column("key", NAME, primary_key=True),
    Column("value", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)
