/** What keys do, bound by `event.code`: the place on the keyboard, whatever letters the layout puts there. */
export type Action =
  | "palette"
  | "sheet"
  | "next"
  | "previous"
  | "open"
  | "back"
  | "find"
  | "note"
  | "drawer"
  | "card"
  | `presence${1 | 2 | 3 | 4 | 5 | 6}`
  | "playPause"
  | "seekBack"
  | "seekOn"
  | "reply"
  | "closeThread"
  | "take"
  | "goDesk"
  | "goInbox"
  | "goClients"
  | "goLeads"
  | "goTasks"
  | "goCalls";

interface Binding {
  action: Action;
  code: string;
  ctrl?: boolean;
  alt?: boolean;
  shift?: boolean;
  /** Pressed after G. */
  afterG?: boolean;
  /** Acts even while somebody types. */
  typing?: boolean;
}

export const BINDINGS: readonly Binding[] = [
  { action: "palette", code: "KeyK", ctrl: true, typing: true },
  { action: "card", code: "F2" },
  { action: "next", code: "KeyJ" },
  { action: "previous", code: "KeyK" },
  { action: "open", code: "Enter" },
  { action: "back", code: "Escape" },
  { action: "find", code: "Slash" },
  { action: "note", code: "KeyN" },
  { action: "drawer", code: "BracketRight" },
  { action: "sheet", code: "Slash", shift: true },
  { action: "playPause", code: "KeyP" },
  { action: "seekBack", code: "ArrowLeft" },
  { action: "seekOn", code: "ArrowRight" },
  ...([1, 2, 3, 4, 5, 6] as const).map(
    (n): Binding => ({ action: `presence${n}`, code: `Digit${n}`, alt: true, typing: true }),
  ),
  { action: "reply", code: "KeyR" },
  { action: "closeThread", code: "KeyE" },
  { action: "take", code: "KeyA" },
  { action: "goInbox", code: "KeyI", afterG: true },
  { action: "goDesk", code: "KeyD", afterG: true },
  { action: "goClients", code: "KeyC", afterG: true },
  { action: "goLeads", code: "KeyL", afterG: true },
  { action: "goTasks", code: "KeyT", afterG: true },
  { action: "goCalls", code: "KeyP", afterG: true },
];

export interface Press {
  code: string;
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** The action of one key press, or null. `typing`: a text field has the focus; `afterG`: G was pressed before. */
export function actionOf(press: Press, typing: boolean, afterG: boolean): Action | null {
  if (press.key === "?" && !typing) return "sheet";
  const ctrl = press.ctrlKey || press.metaKey;
  const found = BINDINGS.find(
    (binding) =>
      binding.code === press.code &&
      (binding.ctrl ?? false) === ctrl &&
      (binding.alt ?? false) === press.altKey &&
      (binding.shift ?? false) === press.shiftKey &&
      (binding.afterG ?? false) === afterG &&
      (binding.typing || !typing),
  );
  return found?.action ?? null;
}

/** Whether G begins a sequence here. */
export function isLeader(press: Press, typing: boolean): boolean {
  return press.code === "KeyG" && !typing && !press.ctrlKey && !press.metaKey && !press.altKey;
}
