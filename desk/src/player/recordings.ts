import { reactive } from "vue";
import { recordings } from "../api/routes";
import type { Call, Frame, Recording } from "../api/types";
import { onFrame } from "../live/store";
import { explain } from "../ui/explain";

interface Known {
  recording: Recording | null;
  problem: string | null;
}

/** Recordings that some entry shows, by id: read once, then followed. */
const known = reactive<Record<string, Known>>({});
const reading = new Set<string>();
let following = false;

async function read(id: string): Promise<void> {
  if (reading.has(id)) return;
  reading.add(id);
  try {
    known[id] = { recording: await recordings.get(id), problem: null };
  } catch (error) {
    known[id] = { recording: known[id]?.recording ?? null, problem: explain(error) };
  } finally {
    reading.delete(id);
  }
}

function follow(frame: Frame): void {
  if (frame.type === "hello") {
    for (const id of Object.keys(known)) if (known[id]?.recording?.state !== "ready") void read(id);
  } else if (frame.type === "recording.ready") {
    const recording = frame.data as Recording;
    if (known[recording.id]) known[recording.id] = { recording, problem: null };
  } else if (frame.type.startsWith("call.")) {
    const call = (frame.data as { call?: Call | null }).call;
    for (const id of call?.recordings ?? []) if (known[id] && known[id].recording?.state !== "ready") void read(id);
  }
}

/** Asks for the recording unless it is known, and follows it from then on. */
export function ask(id: string): void {
  if (!following) {
    following = true;
    onFrame(follow);
  }
  if (known[id]?.recording) return;
  known[id] = { recording: null, problem: null };
  void read(id);
}

/** The recording as far as it is known. */
export function lookUp(id: string): Known {
  return known[id] ?? { recording: null, problem: null };
}

/** Takes in what a verb answered. */
export function learn(recording: Recording): void {
  known[recording.id] = { recording, problem: null };
}

/** Somebody else signs in: what the one before him saw is none of his. */
export function forgetRecordings(): void {
  for (const id of Object.keys(known)) delete known[id];
}
