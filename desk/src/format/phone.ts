/** A number as people read it aloud: `+7 999 123-45-67`. What is no E.164 number is shown as it came. */
export function formatPhone(number: string | null | undefined): string {
  if (!number) return "";
  if (!/^\+\d{7,15}$/.test(number)) return number;
  const digits = number.slice(1);
  if (/^[17]\d{10}$/.test(digits)) {
    return `+${digits[0]} ${digits.slice(1, 4)} ${digits.slice(4, 7)}-${digits.slice(7, 9)}-${digits.slice(9)}`;
  }
  const tail = digits.slice(-7);
  const head = digits.slice(0, -7).replace(/(\d)(?=(\d{3})+$)/g, "$1 ");
  return `+${head} ${tail.slice(0, 3)}-${tail.slice(3, 5)}-${tail.slice(5)}`;
}
