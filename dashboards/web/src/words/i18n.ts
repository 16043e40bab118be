/** Language of the page: English or Chinese, whole; kept in the browser. */
import { createI18n } from "vue-i18n";
import { computed } from "vue";
import { speak } from "../api/client";
import { en } from "./en";
import { zh } from "./zh";

export type Language = "en" | "zh";
const KEPT_AT = "fengsui.language";

function first(): Language {
  const kept = localStorage.getItem(KEPT_AT);
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const i18n = createI18n({
  legacy: false,
  locale: first() as string,
  fallbackLocale: "en",
  messages: { en, zh },
  // A word that is missing in one language is a mistake of ours; the tests compare the key sets.
  missingWarn: import.meta.env.DEV,
  fallbackWarn: import.meta.env.DEV,
});

export const language = computed<Language>({
  get: () => i18n.global.locale.value as Language,
  set: (to) => {
    i18n.global.locale.value = to;
    localStorage.setItem(KEPT_AT, to);
    dress(to);
  },
});

function dress(to: Language): void {
  document.documentElement.lang = to === "zh" ? "zh-CN" : "en";
  speak(to);
}
dress(language.value);

export const t = i18n.global.t;

/** The word for a code of the gateway, or the code itself where we know no word for it. */
export function word(group: string, code: string): string {
  const messages = i18n.global.getLocaleMessage(language.value) as unknown as Record<string, unknown>;
  let at: unknown = messages;
  for (const part of group.split(".")) at = (at as Record<string, unknown> | undefined)?.[part];
  const found = (at as Record<string, unknown> | undefined)?.[code];
  return typeof found === "string" ? found : code;
}
