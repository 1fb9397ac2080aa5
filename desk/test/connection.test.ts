import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame } from "../src/api/types";
import { createConnection, delayBefore, type Socket } from "../src/live/connection";

class Wire implements Socket {
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  closed = false;

  close() {
    this.closed = true;
  }

  say(type: string, seq: number) {
    this.onmessage?.({ data: JSON.stringify({ type, seq, data: {} }) } as MessageEvent<string>);
  }

  die() {
    this.onclose?.({} as CloseEvent);
  }
}

function connect() {
  const wires: Wire[] = [];
  const frames: Frame[] = [];
  const lost: (number | null)[] = [];
  const refused = vi.fn();
  const connection = createConnection({
    open: () => {
      const wire = new Wire();
      wires.push(wire);
      return wire;
    },
    onFrame: (frame) => frames.push(frame),
    onLost: (since) => lost.push(since),
    onRefused: refused,
    random: () => 0.5,
  });
  connection.start();
  return { connection, wires, frames, lost, refused, wire: () => wires[wires.length - 1] as Wire };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the event connection", () => {
  it("hands frames on in order and is live from hello", () => {
    const { wire, frames, lost } = connect();
    wire().say("hello", 7);
    wire().say("call.started", 8);
    expect(frames.map((frame) => frame.seq)).toEqual([7, 8]);
    expect(lost.at(-1)).toBeNull();
  });

  it("begins again when a number is missing, and shows nothing of the torn frame", () => {
    const { wire, wires, frames } = connect();
    wire().say("hello", 1);
    wire().say("call.ended", 3);
    expect(wires).toHaveLength(2);
    expect(wires[0]?.closed).toBe(true);
    expect(frames.map((frame) => frame.type)).toEqual(["hello"]);
  });

  it("tries again sooner at first, later afterwards, never giving up", () => {
    const { wires, wire } = connect();
    for (const attempt of [0, 1, 2]) {
      wire().die();
      vi.advanceTimersByTime(delayBefore(attempt, () => 0.5) - 1);
      expect(wires).toHaveLength(attempt + 1);
      vi.advanceTimersByTime(2);
      expect(wires).toHaveLength(attempt + 2);
    }
    expect(delayBefore(50, () => 0.5)).toBe(15_000);
    expect(delayBefore(50, () => 1)).toBeCloseTo(18_000);
  });

  it("tries at once when the network comes back", () => {
    const { connection, wires, wire } = connect();
    wire().say("hello", 1);
    wire().die();
    connection.nudge();
    expect(wires).toHaveLength(2);
  });

  it("asks whether somebody is signed in only when a connection never said hello", () => {
    const { wire, refused } = connect();
    wire().die();
    expect(refused).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(1_000);
    wire().say("hello", 1);
    wire().die();
    expect(refused).toHaveBeenCalledOnce();
  });

  it("stays silent after it was stopped", () => {
    const { connection, wires, wire } = connect();
    wire().say("hello", 1);
    connection.stop();
    vi.advanceTimersByTime(60_000);
    expect(wires).toHaveLength(1);
  });
});
