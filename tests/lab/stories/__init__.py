"""Calls with a story: each function plays one on a real PBX and returns what truly happened.

The truth is a list of business calls in order of start, each in the shape of the contract's Call, with only
those fields of which the player is sure. Times are what the phones were told to do: good to half a second.
"""

from tests.lab.stories import clicks, freepbx, odd, plain, queues, transfers
from tests.lab.stories.stage import Stage, Story

DEMO: dict[str, Story] = {
    "direct": plain.direct,
    "queue-of-three": plain.queue_of_three,
    "busy": plain.busy,
    "abandoned": plain.abandoned,
    "internal": plain.internal,
    "outgoing": plain.outgoing,
}
"""The few that the demonstration plays."""

STORIES: dict[str, Story] = {
    story.__name__.replace("_", "-"): story
    for story in (
        queues.queue_timeout_then_direct,
        queues.queue_linear,
        queues.queue_declined_then_answered,
        queues.queue_member_unreachable,
        queues.queue_local_members,
        queues.menu_then_queue,
        queues.menu_then_operator,
        queues.menu_abandoned,
        queues.voicemail,
        queues.abandoned_with_all_phones_off,
        transfers.blind_transfer,
        transfers.blind_transfer_busy,
        transfers.blind_transfer_no_answer,
        transfers.blind_transfer_to_queue,
        transfers.attended_transfer,
        transfers.attended_transfer_by_keys,
        transfers.blonde_transfer,
        transfers.blonde_transfer_by_keys,
        transfers.refused_consultation,
        transfers.refused_consultation_by_keys,
        transfers.blind_transfer_by_keys,
        transfers.redirect,
        transfers.hold,
        transfers.pickup,
        transfers.park_and_retrieve,
        freepbx.freepbx_direct,
        freepbx.freepbx_no_answer,
        freepbx.freepbx_queue,
        freepbx.freepbx_queue_abandoned,
        freepbx.freepbx_queue_blind_transfer,
        freepbx.freepbx_queue_attended_transfer,
        freepbx.freepbx_ring_group,
        freepbx.freepbx_outgoing,
        clicks.click_to_call,
        clicks.click_to_call_operator_no_answer,
        clicks.click_to_call_operator_declined,
        clicks.click_to_call_customer_busy,
        clicks.outgoing_busy,
        clicks.outgoing_given_up,
        clicks.outgoing_unknown_number,
        clicks.outgoing_trunk_down,
        odd.declined,
        odd.no_answer,
        odd.phone_switched_off,
        odd.given_up_while_ringing,
        odd.anonymous,
        odd.restricted_with_identity,
        odd.cyrillic_name,
        odd.quotes_in_the_name,
        odd.caller_presents_an_extension,
        odd.two_at_once,
        odd.forged_headers,
        odd.forged_hangup,
        odd.stopped_in_mid_call,
        odd.killed_in_mid_call,
    )
}
"""All the others, for the tests."""

__all__ = ["DEMO", "STORIES", "Stage", "Story"]
