import { createRouter, createWebHashHistory } from "vue-router";
import { may, me } from "./entry/session";
import SignIn from "./entry/SignIn.vue";

/** Sections that show a list beside a card. */
export type Section = "desk" | "clients" | "leads" | "tasks" | "calls";

const loadFrame = () => import("./frame/Frame.vue");
const loadDesk = () => import("./frame/DeskScreen.vue");
const loadShift = () => import("./shift/StartShift.vue");

/** Fetches what follows the sign-in while somebody types his name. */
export function fetchAhead(): void {
  void Promise.all([loadShift(), loadFrame(), loadDesk()]).catch(() => undefined);
}

// Addresses lie behind the hash: the desk then works under any prefix a proxy gives it, without the server's help.
export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: "/sign-in", name: "signIn", component: SignIn, meta: { open: true } },
    { path: "/shift", name: "shift", component: loadShift },
    {
      path: "/",
      component: loadFrame,
      redirect: "/desk",
      children: [
        { path: ":section(desk|clients|leads|tasks|calls)/:card?", name: "work", component: loadDesk },
        { path: "inbox/:thread?", name: "inbox", component: () => import("./inbox/InboxScreen.vue") },
        { path: "team", name: "team", component: () => import("./team/TeamScreen.vue"), meta: { role: "supervisor" } },
        { path: "settings/:part?", name: "settings", component: () => import("./admin/SettingsScreen.vue"), meta: { role: "admin" } },
      ],
    },
    { path: "/:rest(.*)*", redirect: "/desk" },
  ],
});

router.beforeEach((to) => {
  if (!to.meta["open"] && !me.value) return { name: "signIn", query: { next: to.fullPath } };
  const role = to.meta["role"] as "supervisor" | "admin" | undefined;
  if (role && !may(role)) return { path: "/desk" };
  return true;
});

export function openCard(card: string, section: Section = "clients"): void {
  void router.push({ name: "work", params: { section, card } });
}

export function openThread(thread: string): void {
  void router.push({ name: "inbox", params: { thread } });
}
