/** Which of the forms «ноль | один | два | пять» a number takes in Russian.
 *
 * Three forms leave the zero out. CLDR: one for 1, 21, 31 …; few for 2–4, 22–24 …; many for the rest.
 */
export function russianForm(count: number, forms: number): number {
  const hasZero = forms > 3;
  if (hasZero && count === 0) return 0;
  const shift = hasZero ? 1 : 0;
  const whole = Math.abs(Math.trunc(count));
  const tens = whole % 100;
  const ones = whole % 10;
  if (ones === 1 && tens !== 11) return shift;
  if (ones >= 2 && ones <= 4 && (tens < 12 || tens > 14)) return Math.min(shift + 1, forms - 1);
  return Math.min(shift + 2, forms - 1);
}
