import { describe, expect, it } from "vitest";
import { applyFrame } from "../src/live/frames";
import { dismiss, emptyState, settle } from "../src/live/state";
import { ANNA, BORIS, NOW, call, card, contact, frame, hello, opened } from "./samples";

function after(...frames: ReturnType<typeof frame>[]) {
  const state = emptyState();
  applyFrame(state, hello(), NOW);
  for (const one of frames) applyFrame(state, one, NOW);
  return state;
}

const phases = (state: ReturnType<typeof after>) => state.bar.map((item) => item.phase);

describe("the call bar", () => {
  it("shows a call that rings here with the card it came with", () => {
    const state = after(opened());
    expect(phases(state)).toEqual(["ringing"]);
    expect(state.bar[0]?.card?.name).toBe("Иван");
  });

  it("shows nothing of calls that ring somebody else", () => {
    expect(after(frame("call.ringing", { call: call(), extension: "102" })).bar).toEqual([]);
  });

  it("follows the call through answer, hold and end", () => {
    const state = after(opened());
    applyFrame(state, frame("call.answered", { call: call({ state: "talking", operator: ANNA }) }), NOW);
    expect(phases(state)).toEqual(["talking"]);
    applyFrame(state, frame("call.held", { call: call({ state: "held", operator: ANNA }) }), NOW);
    expect(phases(state)).toEqual(["held"]);
    applyFrame(state, frame("call.ended", { call: call({ state: "ended", operator: ANNA, disposition: "answered" }) }), NOW);
    expect(phases(state)).toEqual(["ended"]);
  });

  it("tells who took the call instead", () => {
    const state = after(opened(), frame("call.answered", { call: call({ state: "talking", operator: BORIS }) }));
    expect(phases(state)).toEqual(["elsewhere"]);
    expect(state.bar[0]?.by).toBe("Борис");
  });

  it("marks a call missed when the caller gives up, and when it rings on elsewhere", () => {
    expect(phases(after(opened(), frame("call.ended", { call: call({ state: "ended", disposition: "abandoned" }) })))).toEqual(["missed"]);
    expect(phases(after(opened(), frame("contact.offered", { contact: contact({ offered_to: ["boris"] }) })))).toEqual(["missed"]);
  });

  it("rings again when the queue comes back to the same phone", () => {
    const state = after(opened(), frame("contact.queued", { contact: contact({ state: "queued", offered_to: [] }) }), opened());
    expect(phases(state)).toEqual(["ringing"]);
  });

  it("keeps a missed call until somebody has seen it, and lets the others fade", () => {
    const missed = after(opened(), frame("call.ended", { call: call({ state: "ended", disposition: "no_answer" }) }));
    settle(missed, NOW + 3_600_000);
    expect(phases(missed)).toEqual(["missed"]);
    dismiss(missed, "call");
    expect(missed.bar).toEqual([]);
    expect(missed.recent[0]?.phase).toBe("missed");

    const taken = after(opened(), frame("call.answered", { call: call({ state: "talking", operator: BORIS }) }));
    settle(taken, NOW + 7_000);
    expect(taken.bar).toHaveLength(1);
    settle(taken, NOW + 8_000);
    expect(taken.bar).toEqual([]);
  });

  it("shows my own outgoing call", () => {
    const out = call({ direction: "out", from: { number: null, raw: "101", name: null }, to: { number: "+79990000000", raw: "", name: null } });
    expect(phases(after(frame("call.started", { call: out })))).toEqual(["dialling"]);
  });
});

describe("hello", () => {
  it("brings back a call that rings or is talked while the page was reloaded", () => {
    const state = emptyState();
    applyFrame(state, hello({ calls: [call(), call({ id: "two", state: "talking", operator: ANNA })], contacts: [contact()] }), NOW);
    expect(state.bar.map((item) => [item.callId, item.phase])).toEqual([["two", "talking"], ["call", "ringing"]]);
  });

  it("ends what it does not mention", () => {
    const state = after(opened(), frame("call.answered", { call: call({ state: "talking", operator: ANNA }) }));
    applyFrame(state, hello(), NOW);
    expect(phases(state)).toEqual(["ended"]);
    expect(state.calls).toEqual({});
  });

  it("keeps the card of a call that goes on", () => {
    const state = after(opened());
    applyFrame(state, hello({ calls: [call()], contacts: [contact()] }), NOW);
    expect(state.bar).toHaveLength(1);
    expect(state.bar[0]?.card?.id).toBe("card");
  });
});

it("renames the caller in the bar when his card changes", () => {
  const state = after(opened(), frame("card.updated", { ...card, name: "Иван Петрович" }));
  expect(state.bar[0]?.card?.name).toBe("Иван Петрович");
});

it("takes my presence from the event, wherever it was changed", () => {
  const presence = { state: "paused", reason: "lunch", since: "2026-11-22T10:00:00.000Z" };
  const state = after(frame("presence.changed", { id: "me", name: "Анна", endpoints: [], presence }));
  expect(state.me?.presence).toEqual(presence);
});
