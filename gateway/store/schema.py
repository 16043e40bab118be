"""Tables of the store, in SQLAlchemy Core so that SQLite and PostgreSQL share them.

All times are ns since 1970-01-01 UTC in BIGINT columns. JSON columns hold canonical JSON text.
A change of a table needs a migration in ``gateway/store/migrations``.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy import event as event_of

metadata = MetaData()

#: Append-only, hash-chained, one chain per nature. ``hash = sha256(previous || body)``.
journal = Table(
    "journal",
    metadata,
    Column("nature", String(8), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),  # event | audit | tick | system
    Column("body", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_journal_kind_time", "kind", "time_ns"),
)

#: Count, last hash and signature of each chain, updated in each tick's transaction.
head = Table(
    "head",
    metadata,
    Column("nature", String(8), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
)

#: The same events as in the journal, in columns for queries.
event = Table(
    "event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("nature", String(8), nullable=False),
    Column("what", String(16), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("unit", String(64), nullable=False),
    Column("alarm", String(32), nullable=False),
    Column("alarm_key", String(32), nullable=False),
    Column("tag", String(128), nullable=False),
    Column("rule_group", String(16), nullable=False),
    Column("condition", String(16), nullable=False),
    Column("tier", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("value", Float),
    Column("setpoint", Float),
    Column("suppression", String(16), nullable=False),
    Column("is_late", Boolean, nullable=False),
    Column("cause", Text, nullable=False),
    Index("ix_event_time", "time_ns"),
    Index("ix_event_nature_time", "nature", "time_ns"),
    Index("ix_event_alarm", "alarm"),
    Index("ix_event_unit", "unit"),
)

#: State of each alarm key, for ever; the live alarm list is where state is not NORMAL or suppression is not none.
alarm = Table(
    "alarm",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("id", String(32), nullable=False, index=True),
    Column("nature", String(8), nullable=False),
    Column("tag", String(128), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("rule_group", String(16), nullable=False),
    Column("state", String(12), nullable=False),
    Column("tier", Integer, nullable=False),
    Column("tier_max", Integer, nullable=False),
    Column("condition", String(16), nullable=False),
    Column("rule", String(160), nullable=False),
    Column("onset_ns", BigInteger, nullable=False),
    Column("raised_ns", BigInteger, nullable=False),
    Column("changed_ns", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("value", Float),
    Column("setpoint", Float),
    Column("acked_by", String(64), nullable=False),
    Column("acked_ns", BigInteger, nullable=False),
    Column("comment", Text, nullable=False),
    Column("suppression", String(16), nullable=False),
    Column("suppressed_until_ns", BigInteger, nullable=False),
    Column("suppressed_by", String(64), nullable=False),
    Column("suppression_reason", Text, nullable=False),
    Column("is_one_shot", Boolean, nullable=False, server_default=false()),  # the shelf ends with the return
    Column("suppressed_ns", BigInteger, nullable=False, server_default="0"),  # since when
    Column("silenced_by", String(64), nullable=False, server_default=""),  # the horn, at every screen
    Column("silenced_ns", BigInteger, nullable=False, server_default="0"),
    Column("design", String(64), nullable=False, server_default=""),  # declared suppression that keeps it quiet
    Column("permit", String(64), nullable=False, server_default=""),  # number that it is out of service under
    Column("ended_by", Text, nullable=False, server_default=""),  # what ended the condition where its value did not
    Index("ix_alarm_changed", "changed_ns", "key"),
    Index("ix_alarm_unit_changed", "unit", "changed_ns", "key"),
)

#: Floods of alarms: when, how many, which came first, which units.
flood = Table(
    "flood",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("nature", String(8), nullable=False),
    Column("began_ns", BigInteger, nullable=False, index=True),
    Column("ended_ns", BigInteger, nullable=False),  # 0 while it goes on
    Column("count", BigInteger, nullable=False),
    Column("peak", BigInteger, nullable=False),  # most within one window
    Column("told", Text, nullable=False),  # JSON: first-out, counts by tier, units (alerting.model.flood)
)

#: Disposals (处置/销警), one an episode of an alarm.
disposal = Table(
    "disposal",
    metadata,
    Column("alarm", String(32), primary_key=True),  # alarm id
    Column("key", String(32), nullable=False),
    Column("nature", String(8), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("tag", String(128), nullable=False),
    Column("condition", String(16), nullable=False),
    Column("tier", Integer, nullable=False),  # the highest that opened it
    Column("opened_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),  # open | done
    Column("done_ns", BigInteger, nullable=False),  # when it was first filled; 0 while open
    Index("ix_disposal_state_due", "state", "due_ns"),
    Index("ix_disposal_done", "done_ns"),
)

#: What people wrote into disposals; rows are never changed, the last one holds.
disposal_entry = Table(
    "disposal_entry",
    metadata,
    Column("alarm", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("who", String(64), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("cause", String(16), nullable=False),  # real | false | maintenance | instrument
    Column("finding", Text, nullable=False),
    Column("measures", Text, nullable=False),
)

#: Photos of disposals; their contents are files of the data folder, named by their SHA-256.
disposal_photo = Table(
    "disposal_photo",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("alarm", String(32), nullable=False, index=True),
    Column("digest", String(64), nullable=False, index=True),
    Column("type", String(16), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
)

#: Acts that wait for a second person, or did.
request = Table(
    "request",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(12), nullable=False, index=True),  # open, or how it ended: model.second_person
    Column("key", String(32), nullable=False),
    Column("tag", String(128), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("command", Text, nullable=False),  # JSON: what was asked, by whom, why, until when
    Column("asked_ns", BigInteger, nullable=False, index=True),
    Column("expires_ns", BigInteger, nullable=False),
    Column("ended_by", String(64), nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
)

#: Declared stops and overhauls of devices; those that are over stay, as the stop history.
stop = Table(
    "stop",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("kind", String(12), nullable=False),  # stopped | overhaul | ticket
    Column("nature", String(8), nullable=False),
    Column("unit", String(64), nullable=False, index=True),
    Column("tags", Text, nullable=False),  # JSON
    Column("is_whole", Boolean, nullable=False),
    Column("covered", Integer, nullable=False),
    Column("left", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("permit", String(64), nullable=False),
    Column("who", String(64), nullable=False),
    Column("confirmed_by", String(64), nullable=False),
    Column("declared_ns", BigInteger, nullable=False, index=True),
    Column("begins_ns", BigInteger, nullable=False),
    Column("ends_ns", BigInteger, nullable=False),
    Column("state", String(12), nullable=False, index=True),  # planned | running | overdue | ended | withdrawn
    Column("began_ns", BigInteger, nullable=False),  # 0 before it began
    Column("over_by", String(64), nullable=False),
    Column("over_ns", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("work", String(12), nullable=False, server_default=""),  # of a ticket
)

#: How each hazard unit stands: its tier, the lines of the policy in force, what the clock will do next.
unit_tier = Table(
    "unit_tier",
    metadata,
    Column("unit", String(64), primary_key=True),
    Column("nature", String(8), primary_key=True),
    Column("tier", Integer, nullable=False),
    Column("changed_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),  # 0 where only an alarm will change something
    Column("state", Text, nullable=False),  # JSON: lines, since, near (alerting.tiering.Standing)
    Column("facts", Text, nullable=False),  # JSON: the deciding line, its conditions, what it waits for
)

#: State of each limit that is not at rest: tripped, or a delay running or paused.
delay = Table(
    "delay",
    metadata,
    Column("rule", String(160), primary_key=True),
    Column("nature", String(8), primary_key=True),
    Column("is_active", Boolean, nullable=False),
    Column("phase", Integer, nullable=False),  # 0 none, 1 on-delay, 2 off-delay
    Column("since_ns", BigInteger, nullable=False),  # watermark at which counting (re)started; 0 while paused
    Column("elapsed_ns", BigInteger, nullable=False),  # counted before that
    Column("inner", Text, nullable=False, server_default=""),  # JSON: timers and counts inside an expression
    Column("opened_ns", BigInteger, nullable=False, server_default="0"),  # of STALE when enabled last, see core.memory
)

#: How far each source had come, written with each tick that matters and at least each second.
source_mark = Table(
    "source_mark",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("outages", Text, nullable=False, server_default=""),  # JSON: when the link was down or the source silent
)

#: Open gaps of the late lane, written with each tick that opened one or judged in it.
gap = Table(
    "gap",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),  # whose rules judge in it
    Column("source", String(64), nullable=False),
    Column("nature", String(8), nullable=False),
    Column("from_ns", BigInteger, nullable=False),  # between these two, both exclusive
    Column("to_ns", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # its memory and alarms, see gateway.store.gaps
)

#: Filters and live values, every 10 s and at shutdown; may lose that.
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("time_ns", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

#: Episodes of hazard units: opened when the unit's tier leaves NONE, closed when all its alarms are NORMAL.
register_entry = Table(
    "register_entry",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("nature", String(8), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("opened_ns", BigInteger, nullable=False),
    Column("closed_ns", BigInteger, nullable=False),  # 0 while open
    Column("tier", Integer, nullable=False),  # now
    Column("tier_max", Integer, nullable=False),
    Column("alarms", Text, nullable=False),  # JSON list of alarm ids, in order of their onset
    Column("is_late", Boolean, nullable=False),
    Index("ix_register_entry_unit", "unit", "opened_ns"),
)

#: What must be done for (unit, tier); belongs to a register entry.
response_task = Table(
    "response_task",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("entry", String(32), nullable=False, index=True),
    Column("nature", String(8), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("tier", Integer, nullable=False),
    Column("title", Text, nullable=False),  # JSON by language
    Column("owner", String(64), nullable=False),  # role that answers
    Column("due_ns", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),  # waiting | open | done | void
    Column("opened_ns", BigInteger, nullable=False),
    Column("done_ns", BigInteger, nullable=False),
    Column("done_by", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("incident", Integer, nullable=False, server_default="0", index=True),  # 0: of a register entry's tier
    Column("place", Integer, nullable=False, server_default="0"),  # in the checklist
    Column("step", String(8), nullable=False, server_default=""),
    Column("answer", String(20), nullable=False, server_default=""),
    Column("part", String(8), nullable=False, server_default=""),  # empty: its checklist; restart: before return
)

#: Incidents: what is led by a commander; refers to the alarms of its register entry.
incident = Table(
    "incident",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("nature", String(8), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("kind", String(2), nullable=False),  # type of accident, GB 6441-2025; empty where nobody knows
    Column("title", String(200), nullable=False),
    Column("entry", String(32), nullable=False),  # register entry; empty for none
    Column("tier", Integer, nullable=False),  # of the unit, now
    Column("tier_max", Integer, nullable=False),
    Column("grade", Integer, nullable=False),  # response grade 1 to 4, a person's; 0 for none
    Column("state", String(8), nullable=False),  # open | ended | merged
    Column("plan", String(64), nullable=False),
    Column("plan_revision", Integer, nullable=False),
    Column("steps", Text, nullable=False, server_default=""),  # the checklist as it was when it opened
    Column("restart", Text, nullable=False, server_default=""),  # what is complete before the unit returns
    Column("commander", String(64), nullable=False),
    Column("opened_ns", BigInteger, nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
    Column("ended_by", String(64), nullable=False),
    Column("merged_into", Integer, nullable=False, index=True),  # 0 for none
    Column("revision", Integer, nullable=False),  # rises with each act of a commander
    Column("changed_ns", BigInteger, nullable=False),
    Column("changed_by", String(64), nullable=False),
    Column("returned_ns", BigInteger, nullable=False, server_default="0"),
    Column("returned_by", String(64), nullable=False, server_default=""),
    Index("ix_incident_open", "state", "unit", "nature"),
)

#: What was done, said and seen in an incident. Rows are never changed.
incident_entry = Table(
    "incident_entry",
    metadata,
    Column("incident", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("what", String(16), nullable=False),
    Column("facts", Text, nullable=False),  # JSON
)

#: How far the call-out of an incident has come, by line of the site's list.
call_line = Table(
    "call_line",
    metadata,
    Column("incident", Integer, primary_key=True, autoincrement=False),
    Column("line", String(64), primary_key=True),
    Column("state", String(10), nullable=False),  # planned | waiting | enough | exhausted | over
    Column("level", Integer, nullable=False),  # 0: whom the line names first; the next of ``instead`` from 1
    Column("due_ns", BigInteger, nullable=False, index=True),  # of the next step; 0 for none
    Column("opened_ns", BigInteger, nullable=False),
)

#: Who was called out for an incident, and what was answered last; the timeline has every answer.
post_call = Table(
    "post_call",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("incident", Integer, nullable=False),
    Column("line", String(64), nullable=False),
    Column("place", Integer, nullable=False),  # of the call in its incident, from 1
    Column("level", Integer, nullable=False),
    Column("to", String(80), nullable=False),  # leader, post:ID, person:NAME
    Column("person", String(64), nullable=False),  # empty: nobody was there
    Column("channel", String(64), nullable=False),  # empty: the page alone says it
    Column("notice", String(32), nullable=False),  # key in the outbox; empty for none
    Column("called_ns", BigInteger, nullable=False),
    Column("answer", String(8), nullable=False),  # coming | cannot | help; empty for none
    Column("minutes", Integer, nullable=False),  # until there, as the person said; -1 for unknown
    Column("note", Text, nullable=False),
    Column("answered_ns", BigInteger, nullable=False),
    Column("answered_by", String(64), nullable=False),
    Column("answered_how", String(12), nullable=False, server_default=""),  # page | telephone | sms | radio | spoken
    Index("ix_post_call_incident", "incident", "line"),
    Index("ix_post_call_person", "person", "answer"),
)

#: Systems that say who is inside (门禁), and when each said it last.
access_system = Table(
    "access_system",
    metadata,
    Column("system", String(64), primary_key=True),
    Column("time_ns", BigInteger, nullable=False),  # as of when, by the system's word
    Column("received_ns", BigInteger, nullable=False),
    Column("persons", Integer, nullable=False),
    Column("by", String(64), nullable=False),  # the program's token, or a user
)

#: Who is inside by the last word of each system. Who leaves is taken out; nobody's way is kept.
access_person = Table(
    "access_person",
    metadata,
    Column("system", String(64), primary_key=True),
    Column("card", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("company", String(200), nullable=False),
    Column("unit", String(64), nullable=False),  # hazard unit; empty where the system does not know
    Column("since_ns", BigInteger, nullable=False),  # 0 where the system does not say
)

#: Roll-calls of incidents.
roll_call = Table(
    "roll_call",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("incident", Integer, nullable=False, index=True),
    Column("unit", String(64), nullable=False),  # empty: of the whole site
    Column("begun_ns", BigInteger, nullable=False),
    Column("begun_by", String(64), nullable=False),
    Column("ended_ns", BigInteger, nullable=False, index=True),  # 0 while it goes on
    Column("ended_by", String(64), nullable=False),
    Column("overdue_ns", BigInteger, nullable=False),  # when who leads is told who is missing; 0 once told
    Column("facts", Text, nullable=False),  # JSON: head counts and access data when it began
)

#: Who stands on a roll-call, and what was heard of each last; the timeline has every word.
roll_person = Table(
    "roll_person",
    metadata,
    Column("roll", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False),
    Column("company", String(200), nullable=False),
    Column("source", String(8), nullable=False),  # access | hand | duty | ticket
    Column("of", String(140), nullable=False),  # system and card, post, code of the ticket
    Column("state", String(8), nullable=False),  # missing | safe | help | left
    Column("point", String(64), nullable=False),  # assembly point; empty for none
    Column("note", Text, nullable=False),
    Column("time_ns", BigInteger, nullable=False),  # of the last word; 0 for none
    Column("by", String(64), nullable=False),
)

#: Consequence zones as they were worked out for an incident. Rows are never changed.
zone_revision = Table(
    "zone_revision",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("incident", Integer, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("nature", String(8), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),  # fengsui, or who asked for it
    Column("body", Text, nullable=False),  # JSON, docs/zones.md
    Index("ix_zone_revision_incident", "incident", "number"),
)

#: Who said of a zone that it may go into notices, and who took that back. Rows are never changed.
zone_act = Table(
    "zone_act",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("incident", Integer, nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("level", String(8), nullable=False),
    Column("what", String(10), nullable=False),  # confirmed | withdrawn
    Column("time_ns", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("reason", Text, nullable=False),
)

#: The sky as operators saw it, for the class of stability. Rows are never changed.
zone_cloud = Table(
    "zone_cloud",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("eighths", Integer, nullable=False),  # 0 to 8; -1: nobody knows
)

#: What incidents reserved of the ledger of resources, and what of it was used up.
resource_hold = Table(
    "resource_hold",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("incident", Integer, nullable=False, index=True),
    Column("resource", String(32), nullable=False),  # id of its record
    Column("code", String(64), nullable=False),  # as they were when it was reserved
    Column("name", String(200), nullable=False),
    Column("quantity", Float, nullable=False),  # of a material, in its unit; 0 for the whole of anything else
    Column("eu", String(200), nullable=False),
    Column("used", Float, nullable=False),
    Column("state", String(8), nullable=False),  # held | released | used
    Column("held_ns", BigInteger, nullable=False),
    Column("held_by", String(64), nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
    Column("ended_by", String(64), nullable=False),
)

#: Notices to send. Order within a chain (one alarm and destination) is kept.
outbox = Table(
    "outbox",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("key", String(32), nullable=False, unique=True),  # idempotency key = hash(event id, destination)
    Column("destination", String(64), nullable=False),
    Column("chain", String(32), nullable=False),  # alarm id
    Column("event", String(32), nullable=False),
    Column("nature", String(8), nullable=False),
    Column("action", String(8), nullable=False),  # alert | update | cancel | call
    Column("tier", Integer, nullable=False),
    Column("is_late", Boolean, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # the plain notice, JSON
    Column("state", String(12), nullable=False),  # what became of it: docs/push.md, channels.md
    Column("attempts", Integer, nullable=False),
    Column("next_ns", BigInteger, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("delivered_ns", BigInteger, nullable=False),
    Column("receipt", Text, nullable=False),  # JSON: status, receipt id, head of the answer
    Column("wire", Text, nullable=False, server_default=""),  # the exact text to send; empty where it is the body
    Column("reference", Text, nullable=False, server_default=""),  # how later notices of the chain name it
    Column(
        "kind", String(8), nullable=False, server_default="notice"
    ),  # notice | data | test: a person tries a channel
    Column("expires_ns", BigInteger, nullable=False, server_default="0"),  # 0 for never, as with every warning
    Column(
        "handed_ns", BigInteger, nullable=False, server_default="0"
    ),  # taken without a receipt, which may come later
    Column("refused_ns", BigInteger, nullable=False, server_default="0"),  # first refusal of this very notice
    Index("ix_outbox_waiting", "state", "destination", "next_ns"),
    Index("ix_outbox_chain", "chain", "destination", "seq"),
)

#: Identifiers that are counted: the last one after each prefix (CAP identifiers of 31 characters).
push_counter = Table(
    "push_counter",
    metadata,
    Column("prefix", String(32), primary_key=True),
    Column("last_s", BigInteger, nullable=False),  # entry time, s since 1970-01-01 UTC
    Column("last_serial", Integer, nullable=False),
)

#: What destinations answered and what people did about notices: append-only, hash-chained, exported as the ledger.
push_answer = Table(
    "push_answer",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("key", String(32), nullable=False, index=True),
    Column("destination", String(64), nullable=False),
    Column("what", String(12), nullable=False),  # see gateway.push.answers.What
    Column("status", Integer, nullable=False),  # of HTTP, 0 where there is none
    Column("text", Text, nullable=False),  # head of the answer, or why it did not arrive
    Column("who", String(64), nullable=False),  # empty for the gateway itself
    Column("reason", Text, nullable=False),
    Column("hash", String(64), nullable=False),  # of the row before and this one
    Index("ix_push_answer_time", "time_ns"),
)

user = Table(
    "user_account",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until_ns", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("name", String(64), nullable=False, index=True),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("is_one_time", Boolean, nullable=False),  # a log-in link, not a session
    Column("peer", String(64), nullable=False, server_default=""),  # address that it was opened from
)

#: API tokens of programs. Rows are kept when they are over: the audit names them.
token = Table(
    "api_token",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("token_hash", String(64), nullable=False, index=True, unique=True),
    Column("label", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("scope", String(8), nullable=False),  # read | act
    Column("made_by", String(64), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger, nullable=False),
    Column("revoked_ns", BigInteger, nullable=False),
)

#: What was done at the command line and is not journalled yet, see ``gateway.store.acts``.
act = Table(
    "act",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("time_ns", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("facts", Text, nullable=False),
)

#: Edge nodes that may send scans.
node = Table(
    "node",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("token_hash", String(64), nullable=False, index=True),  # empty once revoked
    Column("created_ns", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("last_contact_ns", BigInteger, nullable=False),
    Column("lost", BigInteger, nullable=False),  # records that it said it had lost for good, when it last spoke
)

#: Scans of nodes' sources that are durable here, as ranges of numbers.
received = Table(
    "received",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)

#: Revisions of the rules: who changed what, when and why. Rows are never changed but for ``content``.
rule_revision = Table(
    "rule_revision",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("origin", String(8), nullable=False),  # start | files | change | undo
    Column("reason", Text, nullable=False),
    Column("approved_by", String(64), nullable=False),
    Column("undoes", BigInteger, nullable=False),  # the revision that an undo went back to; 0 else
    Column("files", String(64), nullable=False),  # digest of the configuration files underneath
    Column("overlay", Text, nullable=False),  # JSON: rules by id that stand otherwise than in the files
    Column("changes", Text, nullable=False),  # JSON: rules before and after
    Column("content", LargeBinary, nullable=False),  # all rules and parts, of the newest only; empty else
    Column("others", LargeBinary, nullable=False),  # JSON, deflated: other parts before and after; empty for none
    Column("contents", Text, nullable=False),  # JSON: digest of each configuration file as it was read, by path
    Column("replaced", Text, nullable=False),  # JSON: of those that stand otherwise than on the disk, the disk's digest
)

#: Changes of the configuration that wait for another person's approval, or did.
rule_proposal = Table(
    "rule_proposal",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("made_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),  # in force when it was made
    Column("asked", LargeBinary, nullable=False),  # JSON, deflated: what is to be
    Column("shown", LargeBinary, nullable=False),  # JSON, deflated: what would change, as it was seen
    Column("state", String(12), nullable=False, index=True),  # open | approved | refused | withdrawn | expired
    Column("ended_by", String(64), nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
    Column("said", Text, nullable=False),  # why it was refused or withdrawn, or a word with the approval
    Column("result", BigInteger, nullable=False),  # the revision that came of it; 0 for none
)

config_file = Table(
    "config_file",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the content
    Column("content", LargeBinary, nullable=False),  # deflated
)

#: Loop check-outs of tags, one row each; a signed one is never changed.
checkout = Table(
    "checkout",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("tag", String(128), nullable=False, index=True),
    Column("state", String(12), nullable=False, index=True),  # open | passed | failed | abandoned | expired
    Column("signal", String(32), nullable=False),  # digest of the way from instrument to value, as it was
    Column("limits", String(32), nullable=False),  # digest of the tag's limits, as they were
    Column("begun_ns", BigInteger, nullable=False),
    Column("begun_by", String(64), nullable=False),
    Column("until_ns", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("alarms", Text, nullable=False),  # JSON: keys that were taken out of service
    Column("points", Text, nullable=False),  # JSON: injected, raw, value, quality, conditions
    Column("ended_ns", BigInteger, nullable=False),  # 0 while open
    Column("ended_by", String(64), nullable=False),
    Column("comment", Text, nullable=False),
)

#: What each source was to give and gave, by the hour in which it was measured.
delivery = Table(
    "delivery",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("hour_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("since_ns", BigInteger, nullable=False),  # from when on in the hour it was expected
    Column("expected", Float, nullable=False),  # samples, until the hour's end or until last written
    Column("good", BigInteger, nullable=False),
    Column("bad", BigInteger, nullable=False),
    Column("latency", Text, nullable=False),  # JSON: filled buckets of gateway.delivery.books
    Index("ix_delivery_hour", "hour_ns"),
)

#: Who is on duty when: one person at one post for one shift. Rows of shifts that are over are never changed.
roster = Table(
    "roster",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("date", String(10), nullable=False, index=True),  # ISO 8601, by the site's clock; the shift begins on it
    Column("shift", String(64), nullable=False),
    Column("post", String(64), nullable=False),
    Column("person", String(64), nullable=False),  # who was planned
    Column("substitute", String(64), nullable=False),  # who stands in; empty for nobody
    Column("reason", Text, nullable=False),
    Column("changed_by", String(64), nullable=False),
    Column("changed_ns", BigInteger, nullable=False),
)

#: How people on duty are reached.
contact = Table(
    "contact",
    metadata,
    Column("person", String(64), primary_key=True),
    Column("title", String(64), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("email", String(254), nullable=False),
    Column("addresses", Text, nullable=False),  # JSON: channel id -> address
    Column("changed_by", String(64), nullable=False),
    Column("changed_ns", BigInteger, nullable=False),
)

#: Drills, one row each; what rang in one stands in ``event``, nature exercise, between its begin and its end.
drill = Table(
    "drill",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(12), nullable=False, index=True),  # running | paused | finished | stopped | broken_off
    Column("story", String(128), nullable=False),
    Column("title", Text, nullable=False),  # JSON by language
    Column("plant", String(64), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),  # of the configuration in force
    Column("begun_ns", BigInteger, nullable=False),
    Column("begun_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_ns", BigInteger, nullable=False),  # 0 while it goes on
    Column("ended_by", String(64), nullable=False),
    Column("ended_why", Text, nullable=False),
    Column("pauses", Text, nullable=False),  # JSON: from, to, by, why
    Column("verdict", Text, nullable=False),  # JSON: expectations, milestones, seconds played
    Column("plan", Text, nullable=False),  # JSON: the plan that it exercises, with its checklist; {} for none
    Column("evaluation", Text, nullable=False),  # JSON: text, by, at; {} until somebody wrote it
)

#: Steps of the plans of drills that people did; a step that is not there was not done.
drill_step = Table(
    "drill_step",
    metadata,
    Column("drill", BigInteger, primary_key=True, autoincrement=False),
    Column("step", String(8), primary_key=True),
    Column("done_ns", BigInteger, nullable=False),
    Column("done_by", String(64), nullable=False),
    Column("answer", String(20), nullable=False),
    Column("note", Text, nullable=False),
    Column("is_nobody_there", Boolean, nullable=False),  # nobody was at the post that it belongs to
)

#: How far the calls about one alarm have come; the newest episode's of each alarm key.
ladder = Table(
    "ladder",
    metadata,
    Column("alarm_key", String(32), primary_key=True),
    Column("alarm", String(32), nullable=False),
    Column("nature", String(8), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("tier", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("stand", String(12), nullable=False),  # climbing | reminding | ended | exhausted
    Column("due_ns", BigInteger, nullable=False, index=True),  # of the next step; 0 for never
    Column("changed_ns", BigInteger, nullable=False),
    Column("why", String(16), nullable=False),
)

#: What each step of an escalation came to; a call's notice in the outbox has the same key.
escalation_call = Table(
    "escalation_call",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("alarm", String(32), nullable=False, index=True),
    Column("alarm_key", String(32), nullable=False),
    Column("nature", String(8), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("what", String(12), nullable=False),  # call | reminder | nobody | exhausted
    Column("to", String(80), nullable=False),
    Column("person", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
)
#: Records of the hazard register, each as it is now; the ledgers are declared in ``alerting.register.ledgers``.
record = Table(
    "record",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("ledger", String(24), nullable=False),
    Column("code", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("unit", String(64), nullable=False),  # hazard unit of the site; empty for none
    Column("revision", Integer, nullable=False),
    Column("time_ns", BigInteger, nullable=False),  # of the newest revision
    Column("who", String(64), nullable=False),
    Column("body", Text, nullable=False),  # JSON: values by field
    Column("is_removed", Boolean, nullable=False),
    Column("state", String(24), nullable=False, server_default=""),  # of a closed loop; empty for none
    Column("due", String(10), nullable=False, server_default=""),  # ISO 8601; empty for none
    Index("ix_record_code", "ledger", "is_removed", "code"),
    Index("ix_record_state", "ledger", "is_removed", "state", "code"),
    Index("ix_record_unit", "ledger", "unit", "code"),
    Index("ix_record_time", "time_ns"),
    Index("ix_record_ledger_time", "ledger", "time_ns"),
    # Two may bear one code where all but one are removed.
    Index(
        "ux_record_code",
        "ledger",
        "code",
        unique=True,
        sqlite_where=text("is_removed = 0"),
        postgresql_where=text("NOT is_removed"),
    ),
)

#: Every revision of every record. Rows are never changed.
record_revision = Table(
    "record_revision",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("what", String(12), nullable=False),  # made | changed | removed | restored | the act of a closed loop
    Column("reason", Text, nullable=False),
    Column("body", Text, nullable=False),
)

#: Which record names which other by its code; only of records that are not removed.
record_reference = Table(
    "record_reference",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("field", String(40), primary_key=True),
    Column("ledger", String(24), nullable=False),
    Column("code", String(64), nullable=False),
    Index("ix_record_reference_code", "ledger", "code"),
)

#: By what hidden hazards are found and counted: which alarm led to one, what would come again, when it was found, was
#: due and was closed (``gateway.register.traits``). Rows follow their record.
hazard_trait = Table(
    "hazard_trait",
    metadata,
    Column("id", String(32), primary_key=True),  # of the record
    Column("trait", String(200), primary_key=True),
    Column("day", String(10), nullable=False),  # ISO 8601
    Index("ix_hazard_trait", "trait", "day", "id"),
)

#: By what occupational samples are counted: point, day, verdict (``gateway.register.exposure``). Rows follow their
#: record; those of removed ones go.
exposure_sample = Table(
    "exposure_sample",
    metadata,
    Column("id", String(32), primary_key=True),  # of the record
    Column("point", String(64), nullable=False),
    Column("day", String(10), nullable=False),  # ISO 8601
    Column("unit", String(64), nullable=False),
    Column("factor", String(200), nullable=False),
    Column("is_within", Boolean, nullable=False),
    Index("ix_exposure_sample_day", "day", "point"),
    Index("ix_exposure_sample_point", "point", "day"),
)

#: Large events that the audit chain says began, and not yet that they ended.
event_run = Table(
    "event_run",
    metadata,
    Column("record", String(32), primary_key=True),
    Column("code", String(64), nullable=False),
    Column("noted_ns", BigInteger, nullable=False),
)

#: Which revision of which record a destination was told, by which notice; it is kept when the notice is gone.
exchanged = Table(
    "exchanged",
    metadata,
    Column("destination", String(64), primary_key=True),
    Column("id", String(32), primary_key=True),  # of the record
    Column("ledger", String(24), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("key", String(32), nullable=False, index=True),  # in the outbox
    Column("chain", String(32), nullable=False),
)

#: Pictures of records; their contents are files of the data folder, named by their SHA-256.
record_photo = Table(
    "record_photo",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("record", String(32), nullable=False, index=True),
    Column("shows", String(12), nullable=False),  # a word of the ledger, e.g. before | after
    Column("digest", String(64), nullable=False, index=True),
    Column("type", String(16), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
)
#: What must be done by a time, as long as it is watched and after.
duty = Table(
    "duty",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(40), nullable=False),  # row of the table of duties
    Column("subject", String(32), nullable=False),  # id of the record or of the alarm
    Column("code", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("nature", String(8), nullable=False),
    Column("holder", String(200), nullable=False),  # who answers for it, as the record says it
    Column("day", String(10), nullable=False),  # last day in time, ISO 8601; empty where a moment counts
    Column("begins", String(10), nullable=False),  # ISO 8601; empty where nobody knows or a moment counts
    Column("due_ns", BigInteger, nullable=False),  # the moment, or the end of the day once it is worked out
    Column("begins_ns", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),  # open | done | moved | gone
    Column("step", String(12), nullable=False),  # prompt | warning | supervision; empty for none yet
    Column("times", Integer, nullable=False),  # how often supervision was told
    Column("taken_ns", BigInteger, nullable=False),  # when the last step was taken
    Column("next_ns", BigInteger, nullable=False),  # when the next step comes; 0 for not worked out yet
    Column("opened_ns", BigInteger, nullable=False),
    Column("closed_ns", BigInteger, nullable=False),  # 0 while open
    Column("is_by_weekday", Boolean, nullable=False),  # no calendar is published for a day that was counted
    Index("ix_duty_next", "state", "next_ns"),
    Index("ix_duty_step", "state", "step", "due_ns", "id"),
    Index("ix_duty_subject", "subject", "kind"),
)
duty_step = Table(
    "duty_step",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("duty", String(32), nullable=False, index=True),
    Column("what", String(12), nullable=False),  # prompt | warning | supervision | answer
    Column("number", Integer, nullable=False),
    Column("planned_ns", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("said", String(12), nullable=False),  # told | passed | nobody | page | answer
    Column("to", String(80), nullable=False),  # receiver as the row names it
    Column("person", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("notice", String(32), nullable=False),  # key in the outbox; empty for none
    Column("text", Text, nullable=False),  # of an answer
)

#: Reports of periods that were made; their mails are rows of the outbox, whose ``event`` is the id here.
report_run = Table(
    "report_run",
    metadata,
    Column("id", String(32), primary_key=True),  # hash of report and period
    Column("report", String(64), nullable=False),
    Column("span", String(8), nullable=False),  # shift | day | month
    Column("shift", String(64), nullable=False),  # empty for none
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("made_ns", BigInteger, nullable=False, index=True),
    Column("nature", String(8), nullable=False),
)
report_file = Table(
    "report_file",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("name", String(120), primary_key=True),
    Column("media", String(80), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256, hexadecimal
    Column("content", LargeBinary, nullable=False),
)

#: Search over records: words of our own making (``gateway.register.search``), in the index that a database is good at.
SEARCH_TABLES = {
    "sqlite": ("CREATE VIRTUAL TABLE record_search USING fts5(tokens, detail=none)",),
    "postgresql": (
        "CREATE TABLE record_search (rowid BIGINT PRIMARY KEY, tokens TSVECTOR NOT NULL)",
        "CREATE INDEX ix_record_search ON record_search USING gin (tokens)",
    ),
}
for _dialect, _statements in SEARCH_TABLES.items():
    for _statement in _statements:
        event_of.listen(record, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]

#: What one shift left to the next, as both signed it. Rows are never changed once they are closed.
handover = Table(
    "handover",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("post", String(64), nullable=False),
    Column("state", String(12), nullable=False, index=True),  # waiting | signed | refused | withdrawn
    Column("giver", String(64), nullable=False),
    Column("taker", String(64), nullable=False),
    Column("given_ns", BigInteger, nullable=False),
    Column("closed_ns", BigInteger, nullable=False),  # 0 while it waits
    Column("notes", Text, nullable=False),
    Column("remark", Text, nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the content
    Column("content", Text, nullable=False),  # canonical JSON
)

#: Somebody asked those on duty whether they are at their posts, and who answered when.
call_check = Table(
    "call_check",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_ns", BigInteger, nullable=False),
    Column("until_ns", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("people", Text, nullable=False),  # JSON: [name, post]
    Column("answers", Text, nullable=False),  # JSON: name -> ns
)

#: Who reported what a record of the ledger ``tips`` says, sealed; nothing else of the store knows it.
reporter = Table(
    "reporter",
    metadata,
    Column("record", String(32), primary_key=True),
    Column("sealed", Text, nullable=False),  # base64 of nonce and AES-256-GCM
    Column("kept_ns", BigInteger, nullable=False),
)

#: Actions that were offered for a crowd zone, what persons decided, and when they ended.
crowd_action = Table(
    "crowd_action",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("nature", String(8), nullable=False),
    Column("zone", String(64), nullable=False),  # code in the ledger of crowd zones
    Column("unit", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("measure", String(16), nullable=False),
    Column("tier", Integer, nullable=False),  # of the unit when it was offered
    Column("state", String(12), nullable=False),  # offered | confirmed | declined | lapsed | ended
    Column("offered_ns", BigInteger, nullable=False),
    Column("decided_ns", BigInteger, nullable=False),
    Column("decided_by", String(64), nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
    Column("ended_by", String(64), nullable=False),
    Column("incident", Integer, nullable=False),  # open incident of the unit when it was offered; 0 for none
    Column("told", String(32), nullable=False),  # key of the message that it began; empty for none
    Column("untold", String(32), nullable=False),  # of the message that it ended
    Column("facts", Text, nullable=False),  # JSON: titles, text, channel, what was known, reasons
    Index("ix_crowd_action_state", "state", "zone"),
)

#: Public displays: what a screen without a log-in may show. The link's token itself is not kept.
public_display = Table(
    "public_display",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("title", String(200), nullable=False),
    Column("zones", Text, nullable=False),  # JSON: codes of crowd zones
    Column("made_by", String(64), nullable=False),
    Column("made_ns", BigInteger, nullable=False),
    Column("ended_by", String(64), nullable=False),
    Column("ended_ns", BigInteger, nullable=False),  # 0 while it is good
)
