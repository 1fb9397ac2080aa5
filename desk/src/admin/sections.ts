import { operators, queues, skills, teams } from "../api/routes";
import type { Operator, Page, Queue, Team } from "../api/types";
import { i18n } from "../i18n";
import { live } from "../live/store";

/** One field of a form. An empty `text` is left out, an empty `line` sent. `list` holds words separated by commas; `levels` words with a number, `Английский 5`. */
export interface Field {
  name: string;
  label: () => string;
  hint?: () => string;
  kind: "text" | "line" | "password" | "choice" | "flag" | "list" | "levels" | "channels";
  choices?: () => { value: string; title: string }[];
  required?: boolean;
  /** Shown only when changing, or only when making. */
  only?: "change" | "create";
}

export interface Thing {
  id: string;
  version: number;
  name: string;
  owned_by_file?: boolean;
}

/** A kind of thing that administrators keep: how it is read, shown in a row and edited. */
export interface AdminSection {
  list: () => Promise<Page<Thing>>;
  create: (body: Record<string, unknown>) => Promise<unknown>;
  change: (thing: Thing, body: Record<string, unknown>) => Promise<unknown>;
  line: (thing: Thing) => string;
  fields: Field[];
}

const { t } = i18n.global;
const name: Field = { name: "name", label: () => t("admin.name"), kind: "text", required: true };

function roles() {
  return [
    { value: "operator", title: t("admin.operator") },
    { value: "supervisor", title: t("admin.supervisor") },
    { value: "admin", title: t("admin.adminRole") },
  ];
}

function colleagues() {
  const active = Object.values(live.operators).filter((one) => one.active);
  return [{ value: "", title: t("common.none") }, ...active.map((one) => ({ value: one.id, title: one.name }))];
}

const ROLE_KEYS = { operator: "admin.operator", supervisor: "admin.supervisor", admin: "admin.adminRole" } as const;

const people: AdminSection = {
  list: () => operators.list(),
  create: (body) => operators.create(body),
  change: (thing, body) => operators.change(thing.id, thing.version, body),
  line: (thing) => {
    const one = thing as Operator;
    return [one.login, t(ROLE_KEYS[one.role]), one.teams.join(", "), one.active ? "" : t("admin.inactive")].filter(Boolean).join(" · ");
  },
  fields: [
    { name: "login", label: () => t("admin.login"), kind: "text", required: true },
    name,
    { name: "role", label: () => t("admin.role"), kind: "choice", choices: roles },
    { name: "teams", label: () => t("admin.teams"), kind: "list" },
    { name: "skills", label: () => t("admin.skills"), hint: () => t("admin.skillsHint"), kind: "levels" },
    { name: "password", label: () => t("admin.password"), hint: () => t("admin.passwordHint"), kind: "password", only: "create" },
    { name: "password", label: () => t("admin.password"), hint: () => t("admin.passwordKeep"), kind: "password", only: "change" },
    { name: "active", label: () => t("admin.active"), kind: "flag", only: "change" },
    { name: "successor", label: () => t("admin.successor"), hint: () => t("admin.successorHint"), kind: "choice", choices: colleagues, only: "change" },
  ],
};

const queueSection: AdminSection = {
  list: () => queues.list(),
  create: (body) => queues.create(body),
  change: (thing, body) => queues.change(thing.id, thing.version, body),
  line: (thing) => {
    const one = thing as unknown as Queue;
    return [one.team, one.pbx_queues.join(", "), one.skills.join(", ")].filter(Boolean).join(" · ");
  },
  fields: [
    name,
    { name: "team", label: () => t("admin.team"), kind: "text" },
    { name: "channels", label: () => t("admin.channels"), kind: "channels" },
    { name: "skills", label: () => t("admin.skills"), kind: "list" },
    { name: "hours", label: () => t("admin.hours"), hint: () => t("admin.hoursHint"), kind: "line" },
    { name: "pbx_queues", label: () => t("admin.pbxQueues"), hint: () => t("admin.pbxQueuesHint"), kind: "list" },
  ],
};

const teamSection: AdminSection = {
  list: () => teams.list(),
  create: (body) => teams.create(body),
  change: (thing, body) => teams.change(thing.id, thing.version, body),
  line: (thing) => String((thing as Team & { members?: number }).members ?? ""),
  fields: [name],
};

const skillSection: AdminSection = {
  list: () => skills.list(),
  create: (body) => skills.create(body),
  change: (thing, body) => skills.change(thing.id, thing.version, body),
  line: () => "",
  fields: [name],
};

export const SECTIONS = { people, teams: teamSection, queues: queueSection, skills: skillSection };
export type SectionName = keyof typeof SECTIONS;
