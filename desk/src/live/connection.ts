import type { Frame } from "../api/types";

/** The part of WebSocket that is used here. */
export interface Socket {
  onmessage: ((event: MessageEvent<string>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  close(): void;
}

export interface ConnectionOptions {
  open: () => Socket;
  onFrame: (frame: Frame) => void;
  /** Milliseconds of the clock when the connection was lost, or null while frames flow. */
  onLost: (since: number | null) => void;
  /** A connection ended before its first frame: perhaps nobody is signed in any more. */
  onRefused: () => void;
  now?: () => number;
  random?: () => number;
}

export interface Connection {
  start: () => void;
  stop: () => void;
  /** Something suggests that the network is back: try at once. */
  nudge: () => void;
  /** What is shown may be wrong (the machine slept): begin again from `hello`. */
  restart: () => void;
}

const FIRST_DELAY_MS = 500;
const GROWTH = 1.7;
const LONGEST_DELAY_MS = 15_000;

/** Delay before attempt `n` (from 0): grows to 15 s, spread by ±20 % so that a whole office does not return at once. */
export function delayBefore(attempt: number, random: () => number = Math.random): number {
  const delay = Math.min(FIRST_DELAY_MS * GROWTH ** attempt, LONGEST_DELAY_MS);
  return delay * (0.8 + 0.4 * random());
}

/** Keeps one event socket open for ever. There is one way to recover, and it is the way to start: `hello`. */
export function createConnection(options: ConnectionOptions): Connection {
  const now = options.now ?? Date.now;
  let socket: Socket | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let attempt = 0;
  let expected: number | null = null;
  let wanted = false;
  let lost: number | null = null;

  function markLost(): void {
    if (lost !== null) return;
    lost = now();
    options.onLost(lost);
  }

  function drop(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    socket = null;
  }

  function later(): void {
    timer = setTimeout(connect, delayBefore(attempt++, options.random));
  }

  function connect(): void {
    drop();
    expected = null;
    const opened = (socket = options.open());
    opened.onmessage = (event) => receive(JSON.parse(event.data) as Frame);
    opened.onclose = () => {
      socket = null;
      const refused = expected === null;
      markLost();
      if (refused) options.onRefused();
      if (wanted) later();
    };
  }

  function receive(frame: Frame): void {
    if (frame.type === "hello") {
      attempt = 0;
      lost = null;
      options.onLost(null);
    } else if (frame.seq !== expected) {
      markLost();
      connect();
      return;
    }
    expected = frame.seq + 1;
    options.onFrame(frame);
  }

  return {
    start() {
      wanted = true;
      markLost();
      connect();
    },
    stop() {
      wanted = false;
      drop();
    },
    nudge() {
      if (!wanted || lost === null) return;
      attempt = 0;
      if (timer !== null) connect();
    },
    restart() {
      if (!wanted) return;
      markLost();
      connect();
    },
  };
}
