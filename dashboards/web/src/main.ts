import { createApp } from "vue";
import App from "./App.vue";
import { router } from "./router";
import { recognise } from "./session";
import "./styles/tokens.css";
import "./styles/base.css";
import "./theme";
import { i18n } from "./words/i18n";

createApp(App).use(i18n).use(router).mount("#app");
void recognise();
