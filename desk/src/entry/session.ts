import { ref } from "vue";
import { useCsrfToken, whenSignedOut, ApiError } from "../api/client";
import { session } from "../api/routes";
import type { Me } from "../api/types";
import { chosenLanguage, LANGUAGES, setLanguage } from "../i18n";
import { startLive, stopLive } from "../live/store";

/** Who is signed in here, or null. */
export const me = ref<Me | null>(null);

/** Set when the session ended while somebody was working. */
export const expired = ref(false);

const SHIFT_KEY = "perezvon.shift";

function welcome(who: Me): void {
  useCsrfToken(who.csrf_token ?? null);
  me.value = who;
  expired.value = false;
  const language = LANGUAGES.find((one) => one === who.language);
  if (language && !chosenLanguage()) void setLanguage(language, false);
  startLive();
}

function leave(): void {
  useCsrfToken(null);
  me.value = null;
  sessionStorage.removeItem(SHIFT_KEY);
  stopLive();
}

whenSignedOut(() => {
  if (!me.value) return;
  leave();
  expired.value = true;
});

/** Finds out whether this browser is still signed in. A service that cannot be reached raises. */
export async function resume(): Promise<Me | null> {
  try {
    welcome(await session.me());
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 403)) throw error;
  }
  return me.value;
}

export async function signIn(login: string, password: string): Promise<void> {
  const who = await session.start(login, password);
  // Older answers of POST /session may lack the token that writes need.
  welcome(who.csrf_token ? who : await session.me());
}

export async function signOut(): Promise<void> {
  await session.end().catch(() => undefined);
  leave();
}

/** The shift belongs to this tab: a new one asks for the gesture that unlocks sound again. */
export function shiftStarted(): boolean {
  return sessionStorage.getItem(SHIFT_KEY) === me.value?.id;
}

export function markShiftStarted(): void {
  if (me.value) sessionStorage.setItem(SHIFT_KEY, me.value.id);
}

export function may(role: "supervisor" | "admin"): boolean {
  const own = me.value?.role;
  return own === "admin" || (role === "supervisor" && own === "supervisor");
}

