/** Country codes of two digits; one digit have 1 and 7, all others three (ITU-T E.164). */
const TWO_DIGITS = /^(2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

/** A number as people read it aloud: `+7 999 123-45-67`. What is no E.164 number is shown as it came. */
export function formatPhone(number: string | null | undefined): string {
  if (!number) return "";
  if (!/^\+\d{7,15}$/.test(number)) return number;
  const digits = number.slice(1);
  if (/^[17]\d{10}$/.test(digits)) {
    return `+${digits[0]} ${digits.slice(1, 4)} ${digits.slice(4, 7)}-${digits.slice(7, 9)}-${digits.slice(9)}`;
  }
  const code = TWO_DIGITS.test(digits) ? 2 : /^[17]/.test(digits) ? 1 : 3;
  return `+${digits.slice(0, code)} ${digits.slice(code).replace(/\d(?=(\d{3})+$)/g, "$& ")}`;
}
