import { createApp } from "vue";
import App from "./App.vue";
import "./css/tokens.css";
import "./css/base.css";
import { resume } from "./entry/session";
import { i18n, preferredLanguage, setLanguage } from "./i18n";
import { listenForKeys } from "./keys/useKeys";
import { router } from "./router";

await setLanguage(preferredLanguage(), false);

// A service that is down now shows the sign-in page, which tells so when somebody tries.
await resume().catch(() => undefined);
listenForKeys();
createApp(App).use(i18n).use(router).mount("#app");
