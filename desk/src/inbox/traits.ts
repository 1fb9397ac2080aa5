import { computed, reactive, type ComputedRef } from "vue";
import { connectors } from "../api/routes";
import type { Connector, Traits } from "../api/types";

const known = reactive(new Map<string, Connector>());
let asked = false;

async function fetchAll(): Promise<void> {
  asked = true;
  try {
    for (const one of (await connectors.list({ limit: 200 })).items) known.set(one.name, one);
  } catch {
    asked = false;
  }
}

/** What the channel of a connector can do; null until it is known. */
export function useTraits(name: () => string | null): ComputedRef<Traits | null> {
  if (!asked) void fetchAll();
  return computed(() => known.get(name() ?? "")?.traits ?? null);
}
