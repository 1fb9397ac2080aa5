import { computed, ref } from "vue";

/** phone: one pane at a time; narrow: the card is a drawer; wide: everything side by side. */
export type Screen = "phone" | "narrow" | "wide";

const phone = window.matchMedia("(max-width: 767px)");
const narrow = window.matchMedia("(max-width: 1279px)");
const matches = ref({ phone: phone.matches, narrow: narrow.matches });

function update(): void {
  matches.value = { phone: phone.matches, narrow: narrow.matches };
}
phone.addEventListener("change", update);
narrow.addEventListener("change", update);

export const screen = computed<Screen>(() => (matches.value.phone ? "phone" : matches.value.narrow ? "narrow" : "wide"));

/** Whether the card stands open where it is a drawer. */
export const drawerOpen = ref(false);
