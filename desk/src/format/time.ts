/** `0:07`, `12:40`, `1:02:05`. Negative differences of clocks count as nothing. */
export function formatDuration(seconds: number | null | undefined): string {
  const whole = Math.max(0, Math.floor(seconds ?? 0));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60] as const;
  const two = (value: number) => String(value).padStart(2, "0");
  return parts[0] ? `${parts[0]}:${two(parts[1])}:${two(parts[2])}` : `${parts[1]}:${two(parts[2])}`;
}

/** Seconds between a time of the API and `now` (milliseconds). */
export function secondsSince(at: string | null | undefined, now: number): number {
  return at ? Math.max(0, (now - Date.parse(at)) / 1000) : 0;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, options)));
  return made;
}

/** `14:02` */
export function clockTime(at: string | number, language: string): string {
  return format(language, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** `14:02:07` */
export function clockSeconds(at: string | number, language: string): string {
  return format(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));
}

/** Day and time to the second: what a pointer resting on a short time shows. */
export function fullTime(at: string | number, language: string): string {
  return format(language, { dateStyle: "medium", timeStyle: "medium" } as Intl.DateTimeFormatOptions).format(new Date(at));
}

function daysApart(at: Date, now: Date): number {
  const day = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((day(now) - day(at)) / 86_400_000);
}

/** The day as people say it: «сегодня», «вчера», «22 ноября», with the year when it is another one. */
export function dayName(at: string | number, now: number, language: string): string {
  const date = new Date(at);
  const apart = daysApart(date, new Date(now));
  if (apart === 0 || apart === 1) {
    return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-apart, "day");
  }
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return format(language, { day: "numeric", month: "long", ...(!sameYear && { year: "numeric" }) }).format(date);
}

/** Today the time alone, earlier the day: short enough for a list. */
export function shortWhen(at: string | null | undefined, now: number, language: string): string {
  if (!at) return "";
  const apart = daysApart(new Date(at), new Date(now));
  if (apart === 0) return clockTime(at, language);
  return apart === 1 ? dayName(at, now, language) : format(language, { day: "numeric", month: "short" }).format(new Date(at));
}
