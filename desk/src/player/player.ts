import { reactive } from "vue";
import { ApiError, apiUrl } from "../api/client";
import { recordings } from "../api/routes";
import type { Recording } from "../api/types";
import { i18n } from "../i18n";
import { explain } from "../ui/explain";

export const SPEEDS = [0.75, 1, 1.25, 1.5, 2] as const;
export const STEP_S = 5;

/** What is on the player; there is one for the whole desk, so that it plays on whatever card is open. */
export interface Track {
  recording: Recording;
  title: string;
  card: string | null;
  call: string | null;
}

interface Player {
  track: Track | null;
  playing: boolean;
  at: number;
  duration: number;
  speed: number;
  peaks: number[][] | null;
  problem: string | null;
}

export const player = reactive<Player>({
  track: null,
  playing: false,
  at: 0,
  duration: 0,
  speed: 1,
  peaks: null,
  problem: null,
});

let audio: HTMLAudioElement | null = null;

function element(): HTMLAudioElement {
  if (audio) return audio;
  const made = new Audio();
  made.preload = "metadata";
  made.addEventListener("timeupdate", () => (player.at = made.currentTime));
  made.addEventListener("seeked", () => (player.at = made.currentTime));
  made.addEventListener("play", () => (player.playing = true));
  made.addEventListener("pause", () => (player.playing = false));
  made.addEventListener("ended", () => (player.playing = false));
  made.addEventListener("durationchange", () => {
    if (Number.isFinite(made.duration)) player.duration = made.duration;
  });
  made.addEventListener("error", () => {
    if (!made.getAttribute("src")) return;
    player.playing = false;
    player.problem ??= i18n.global.t("recording.broken");
  });
  audio = made;
  return made;
}

export function isCurrent(recording: Recording): boolean {
  return player.track?.recording.id === recording.id;
}

/** Puts a recording on and plays it; the one that is on already goes on or stands still. */
export async function play(track: Track): Promise<void> {
  if (isCurrent(track.recording) && !player.problem) {
    toggle();
    return;
  }
  const sound = element();
  sound.pause();
  Object.assign(player, { track, at: 0, duration: track.recording.duration_s ?? 0, peaks: null, problem: null });
  // Asked first: the sound itself does not say why it is refused.
  if (!(await allowed(track.recording)) || !isCurrent(track.recording)) return;
  sound.src = apiUrl(`/recordings/${encodeURIComponent(track.recording.id)}/audio`).href;
  sound.playbackRate = sound.defaultPlaybackRate = player.speed;
  await start(sound);
}

async function allowed(recording: Recording): Promise<boolean> {
  try {
    const waveform = await recordings.peaks(recording.id);
    if (isCurrent(recording)) player.peaks = waveform.peaks;
    return true;
  } catch (error) {
    // Some have no waveform: formats that could not be measured here.
    if (error instanceof ApiError && error.status === 409) return true;
    const refused = error instanceof ApiError && error.status === 403;
    if (isCurrent(recording)) player.problem = refused ? i18n.global.t("recording.refused") : explain(error);
    return false;
  }
}

async function start(sound: HTMLAudioElement): Promise<void> {
  try {
    await sound.play();
  } catch (error) {
    // A press that comes too early for a slow link; the other failures arrive as the element's own event.
    if (error instanceof DOMException && error.name === "NotAllowedError") player.problem = i18n.global.t("recording.press");
  }
}

export function toggle(): void {
  if (!player.track || !audio) return;
  if (player.playing) audio.pause();
  else void start(audio);
}

export function pause(): void {
  audio?.pause();
}

/** Goes to a moment of the recording, in seconds. */
export function seek(to: number): void {
  if (!player.track || !audio) return;
  player.at = Math.min(Math.max(0, to), player.duration || 0);
  audio.currentTime = player.at;
}

export function setSpeed(speed: number): void {
  player.speed = speed;
  if (audio) audio.playbackRate = audio.defaultPlaybackRate = speed;
}

/** Takes the recording off. */
export function eject(): void {
  audio?.pause();
  audio?.removeAttribute("src");
  audio?.load();
  Object.assign(player, { track: null, playing: false, at: 0, duration: 0, peaks: null, problem: null });
}
