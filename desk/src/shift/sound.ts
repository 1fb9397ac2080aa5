import { ref } from "vue";

/** Whether this page may make sound: browsers wait for a press first. */
export const unlocked = ref(false);

/** 0 to 1, kept in this browser. */
export const volume = ref(Number(localStorage.getItem("perezvon.volume") ?? "0.7"));

const RING_PERIOD_MS = 3_000;
/** Two bells a fifth apart: heard through speech, no alarm. */
const NOTES_HZ = [784, 1175] as const;

let context: AudioContext | null = null;
let loop: ReturnType<typeof setInterval> | null = null;
let playing: GainNode | null = null;

/** Must be called from a press of a key or button; resolves to whether sound works now. */
export async function unlockSound(): Promise<boolean> {
  context ??= new AudioContext();
  await context.resume();
  unlocked.value = context.state === "running";
  context.onstatechange = () => (unlocked.value = context?.state === "running");
  return unlocked.value;
}

export function setVolume(value: number): void {
  volume.value = value;
  localStorage.setItem("perezvon.volume", String(value));
  if (playing && context) playing.gain.setTargetAtTime(value, context.currentTime, 0.02);
}

function bell(audio: AudioContext, out: AudioNode, frequency: number, at: number): void {
  const tone = audio.createOscillator();
  const envelope = audio.createGain();
  tone.frequency.value = frequency;
  envelope.gain.setValueAtTime(0, at);
  envelope.gain.linearRampToValueAtTime(0.5, at + 0.01);
  envelope.gain.exponentialRampToValueAtTime(0.001, at + 0.9);
  tone.connect(envelope).connect(out);
  tone.start(at);
  tone.stop(at + 1);
}

function ringOnce(audio: AudioContext, out: AudioNode): void {
  for (let stroke = 0; stroke < 4; stroke++) {
    bell(audio, out, NOTES_HZ[stroke % 2] as number, audio.currentTime + stroke * 0.28);
  }
}

/** Rings until `stopRing`; silent when sound was never unlocked. */
export function startRing(): void {
  if (loop !== null || !context) return;
  const audio = context;
  const out = (playing = audio.createGain());
  out.gain.value = volume.value;
  out.connect(audio.destination);
  ringOnce(audio, out);
  loop = setInterval(() => ringOnce(audio, out), RING_PERIOD_MS);
}

export function stopRing(): void {
  if (loop !== null) clearInterval(loop);
  loop = null;
  // Cuts strokes already scheduled.
  playing?.disconnect();
  playing = null;
}

export function isRinging(): boolean {
  return loop !== null;
}

/** One soft stroke: a client has written. Silent when sound was never unlocked. */
export function ping(): void {
  if (!context) return;
  const out = context.createGain();
  out.gain.value = volume.value * 0.6;
  out.connect(context.destination);
  bell(context, out, NOTES_HZ[1], context.currentTime);
}
