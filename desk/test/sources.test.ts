import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { ru } from "../src/i18n/ru";

const SRC = new URL("../src", import.meta.url).pathname;
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(vue|ts)$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), "utf8") }));

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[`${path}${key}`, value] as [string, string]] : flat(value, `${path}${key}.`),
  );
}

const russian = new Map(flat(ru));
const english = new Map(flat(en));
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

it("has the same words in both languages, with the same places for values", () => {
  expect([...english.keys()].sort()).toEqual([...russian.keys()].sort());
  for (const [key, text] of russian) expect([key, placeholders(english.get(key) ?? "")]).toEqual([key, placeholders(text)]);
});

it("leaves nothing untranslated", () => {
  const same = [...russian].filter(([key, text]) => english.get(key) === text && /\p{Script=Cyrillic}/u.test(text));
  expect(same).toEqual([]);
});

it("asks only for words that exist", () => {
  const asked = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/(?<![\w.])t\(\s*["']([\w.]+)["']/g)].map((match) => [name, match[1] as string]),
  );
  expect(asked.length).toBeGreaterThan(150);
  expect(asked.filter(([, key]) => !russian.has(key as string))).toEqual([]);
});

it("keeps words out of the components", () => {
  const wordy = sources
    .filter(({ name }) => !name.startsWith("i18n/") && name !== "entry/LanguageSwitch.vue" && name !== "frame/Palette.vue")
    .flatMap(({ name, text }) => {
      const template = /<template>[\s\S]*<\/template>/.exec(text.replace(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->|\/\/.*$/gm, ""))?.[0] ?? "";
      const said = [...template.matchAll(/>([^<>{}]*\p{L}{3,}[^<>{}]*)</gu)].map((match) => match[1]?.trim());
      return said.filter((one) => one && !/[=&|"]/.test(one) && !/^(Ctrl|Alt|Esc)/.test(one)).map((one) => [name, one]);
    });
  expect(wordy).toEqual([]);
});

it("shows what others wrote as text and nothing else", () => {
  const dangerous = sources.filter(({ text }) => /v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/.test(text));
  expect(dangerous.map(({ name }) => name)).toEqual([]);
});

it("has a lock file without install scripts and without the address of a registry", () => {
  const lock = readFileSync(join(SRC, "../package-lock.json"), "utf8");
  const packages = Object.entries((JSON.parse(lock) as { packages: Record<string, Record<string, unknown>> }).packages);
  expect(packages.filter(([, one]) => one["hasInstallScript"] || one["resolved"]).map(([name]) => name)).toEqual([]);
  const missing = packages.flatMap(([, one]) =>
    Object.keys((one["optionalDependencies"] as Record<string, string> | undefined) ?? {}).filter(
      (name) => !packages.some(([path]) => path.endsWith(`node_modules/${name}`)),
    ),
  );
  expect(missing).toEqual([]);
});
