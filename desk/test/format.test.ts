import { expect, it } from "vitest";
import { formatPhone } from "../src/format/phone";
import { dayName, formatDuration, secondsSince, shortWhen } from "../src/format/time";
import { russianForm } from "../src/i18n/plural";

it("writes numbers as people read them and leaves the rest as it came", () => {
  expect(formatPhone("+74951234567")).toBe("+7 495 123-45-67");
  expect(formatPhone("+12125550123")).toBe("+1 212 555-01-23");
  expect(formatPhone("+4930123456")).toBe("+49 30 123 456");
  expect(formatPhone("+375291234567")).toBe("+375 291 234 567");
  expect(formatPhone("101")).toBe("101");
  expect(formatPhone("anonymous")).toBe("anonymous");
  expect(formatPhone(null)).toBe("");
});

it("counts minutes and hours, and no negative time", () => {
  expect([0, 7, 760, 3725, -5, null].map(formatDuration)).toEqual(["0:00", "0:07", "12:40", "1:02:05", "0:00", "0:00"]);
  expect(secondsSince("2026-11-22T09:15:00.000Z", Date.parse("2026-11-22T09:14:00.000Z"))).toBe(0);
});

it("names days as people do", () => {
  const now = Date.parse("2026-11-22T12:00:00");
  expect(dayName("2026-11-22T01:00:00", now, "ru")).toBe("сегодня");
  expect(dayName("2026-11-21T23:59:00", now, "ru")).toBe("вчера");
  expect(dayName("2026-03-05T10:00:00", now, "ru")).toBe("5 марта");
  expect(dayName("2024-03-05T10:00:00", now, "en")).toBe("5 March 2024");
  expect(shortWhen(null, now, "ru")).toBe("");
});

it("chooses the Russian form of a number", () => {
  const form = (count: number) => ["звонок", "звонка", "звонков"][russianForm(count, 3)];
  expect([1, 21, 101].map(form)).toEqual(["звонок", "звонок", "звонок"]);
  expect([2, 4, 22, 104].map(form)).toEqual(["звонка", "звонка", "звонка", "звонка"]);
  expect([0, 5, 11, 12, 14, 25, 111].map(form)).toEqual(Array(7).fill("звонков"));
  const withZero = (count: number) => ["нет", "один", "два", "пять"][russianForm(count, 4)];
  expect([0, 1, 3, 11].map(withZero)).toEqual(["нет", "один", "два", "пять"]);
});
