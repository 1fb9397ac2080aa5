import { computed, ref } from "vue";
import { ApiError } from "../api/client";
import { freshKey } from "../api/key";
import { attachments } from "../api/routes";
import type { Attachment, Traits } from "../api/types";
import { i18n } from "../i18n";
import { explain } from "../ui/explain";
import { sizeWords } from "./words";

interface Upload {
  key: string;
  name: string;
  done: Attachment | null;
  problem: string | null;
}

/** Why the channel takes no such file, or null. `there`: how many are attached already. */
export function refusal(size: number, there: number, traits: Traits | null): string | null {
  const { t, locale } = i18n.global;
  if (!traits?.attachments) return t("inbox.noFiles");
  if (there >= traits.files_per_message) return t("inbox.tooMany", { n: traits.files_per_message });
  if (!size) return t("inbox.emptyFile");
  return size > traits.largest_file ? t("inbox.tooLarge", { size: sizeWords(traits.largest_file, locale.value) }) : null;
}

/** Files of the message being written: checked before they travel, uploaded at once. */
export function useUploads(traits: () => Traits | null) {
  const all = ref<Upload[]>([]);
  const files = computed(() => all.value.flatMap((one) => (one.done ? [one.done] : [])));
  const busy = computed(() => all.value.some((one) => !one.done && !one.problem));

  async function start(file: File): Promise<void> {
    const there = all.value.filter((one) => !one.problem).length;
    const key = freshKey();
    all.value.push({ key, name: file.name, done: null, problem: refusal(file.size, there, traits()) });
    const made = all.value[all.value.length - 1] as Upload;
    if (made.problem) return;
    try {
      made.done = await attachments.upload(file);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      made.problem = explain(error);
    }
  }

  return {
    all,
    files,
    busy,
    add: (some: File[]) => some.forEach((file) => void start(file)),
    remove: (key: string) => void (all.value = all.value.filter((one) => one.key !== key)),
    clear: () => void (all.value = []),
    restore: (some: Attachment[]) => void all.value.push(...some.map((done) => ({ key: done.id, name: done.name, done, problem: null }))),
  };
}
