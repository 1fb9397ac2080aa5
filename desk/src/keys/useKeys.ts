import { onScopeDispose } from "vue";
import { actionOf, isLeader, type Action } from "./keymap";

/** Returns false to let the one registered before have the key. */
type Handler = () => boolean | void;

const handlers = new Map<Action, Handler[]>();
const SEQUENCE_MS = 1_200;
let leaderAt = 0;

const TEXT_INPUTS = "input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=button]), textarea, select";

export function isTyping(element: Element | null = document.activeElement): boolean {
  return element !== null && (element.matches(TEXT_INPUTS) || (element as HTMLElement).isContentEditable);
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const target = event.target instanceof Element ? event.target : null;
  const typing = isTyping(target);
  const modal = target?.closest("[role=dialog], [role=menu]") ?? null;
  const action = actionOf(event, typing || modal !== null, Date.now() - leaderAt < SEQUENCE_MS);
  leaderAt = isLeader(event, typing || modal !== null) ? Date.now() : 0;
  if (!action) return;
  // Enter on a button or a link is that button's own.
  if (action === "open" && target?.closest("button, a, summary, [role=option]")) return;
  for (const handler of [...(handlers.get(action) ?? [])].reverse()) {
    if (handler() === false) continue;
    event.preventDefault();
    return;
  }
}

/** Installs the one listener of the page. */
export function listenForKeys(): void {
  document.addEventListener("keydown", pressed);
}

/** Binds actions while the surrounding component lives; the youngest wins. */
export function useKeys(bindings: Partial<Record<Action, Handler>>): void {
  for (const [action, handler] of Object.entries(bindings) as [Action, Handler][]) {
    handlers.set(action, [...(handlers.get(action) ?? []), handler]);
    onScopeDispose(() => {
      handlers.set(action, (handlers.get(action) ?? []).filter((other) => other !== handler));
    });
  }
}
