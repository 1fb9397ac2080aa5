import { expect, it } from "vitest";
import { actionOf, BINDINGS, isLeader, type Press } from "../src/keys/keymap";

const press = (code: string, key: string, over: Partial<Press> = {}): Press => ({
  code,
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...over,
});

it("binds places, not letters: the Russian layout works", () => {
  expect(actionOf(press("KeyJ", "о"), false, false)).toBe("next");
  expect(actionOf(press("KeyK", "л"), false, false)).toBe("previous");
  expect(actionOf(press("KeyN", "т"), false, false)).toBe("note");
  expect(actionOf(press("BracketRight", "ъ"), false, false)).toBe("drawer");
  expect(actionOf(press("KeyK", "л", { ctrlKey: true }), false, false)).toBe("palette");
});

it("leaves letters, Enter and F2 alone while somebody types", () => {
  for (const [code, key] of [["KeyJ", "j"], ["KeyN", "n"], ["Enter", "Enter"], ["F2", "F2"], ["BracketRight", "]"], ["Slash", "/"]] as const) {
    expect(actionOf(press(code, key), true, false)).toBeNull();
  }
  expect(actionOf(press("Digit1", "1", { altKey: true }), true, false)).toBe("presence1");
  expect(actionOf(press("KeyK", "k", { ctrlKey: true }), true, false)).toBe("palette");
});

it("opens the sheet with the question mark of any layout", () => {
  expect(actionOf(press("Slash", "?", { shiftKey: true }), false, false)).toBe("sheet");
  expect(actionOf(press("Digit7", "?", { shiftKey: true }), false, false)).toBe("sheet");
});

it("goes to a section after G, and only then", () => {
  expect(isLeader(press("KeyG", "п"), false)).toBe(true);
  expect(isLeader(press("KeyG", "п"), true)).toBe(false);
  expect(actionOf(press("KeyC", "с"), false, true)).toBe("goClients");
  expect(actionOf(press("KeyC", "с"), false, false)).toBeNull();
});

it("takes no chord that the browser owns", () => {
  const owned = BINDINGS.filter((one) => one.ctrl && ["KeyT", "KeyW", "KeyN"].includes(one.code));
  expect(owned).toEqual([]);
});
