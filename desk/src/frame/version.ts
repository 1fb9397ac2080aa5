import { ref, watch } from "vue";
import { generation } from "../live/store";

/** Whether the service now serves another build of the desk than the one running here. */
export const newVersion = ref(false);

const ENTRY = /assets\/index-[\w-]+\.js/;

function runningEntry(): string | undefined {
  return [...document.scripts].map((script) => ENTRY.exec(script.src)?.[0]).find(Boolean);
}

async function compare(): Promise<void> {
  const running = runningEntry();
  if (!running) return;
  const answer = await fetch(new URL(".", document.baseURI), { cache: "no-cache" }).catch(() => null);
  const served = answer?.ok ? ENTRY.exec(await answer.text())?.[0] : undefined;
  newVersion.value = served !== undefined && served !== running;
}

/** Looks after every reconnection: an upgrade restarts the service. Nobody is reloaded under his hands. */
export function watchVersion(): void {
  watch(generation, (count) => {
    if (count > 1) void compare();
  });
  window.addEventListener("vite:preloadError", () => (newVersion.value = true));
}

export function reloadPage(): void {
  window.location.reload();
}
