/** What `datetime-local` takes: the person's own clock, to the minute. */
export function toField(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

export const inMinutes = (minutes: number, now = Date.now()): Date => new Date(now + minutes * 60_000);

/** Ten in the morning of the next day that is no Saturday or Sunday. */
export function nextMorning(now = Date.now()): Date {
  const day = new Date(now);
  do day.setDate(day.getDate() + 1);
  while (day.getDay() === 0 || day.getDay() === 6);
  day.setHours(10, 0, 0, 0);
  return day;
}
