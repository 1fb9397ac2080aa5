import { ref } from "vue";

/** Dialogs that several places open. */
export const paletteOpen = ref(false);
export const sheetOpen = ref(false);
export const newCardOpen = ref(false);
