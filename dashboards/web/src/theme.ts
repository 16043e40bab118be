/** Light, dark, or as the system says; kept in the browser. */
import { computed, ref } from "vue";

export type Theme = "auto" | "light" | "dark";
const KEPT_AT = "fengsui.theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = ref(system.matches);
system.addEventListener("change", (event) => {
  isSystemDark.value = event.matches;
  dress();
});

const kept = localStorage.getItem(KEPT_AT);
export const theme = ref<Theme>(kept === "light" || kept === "dark" ? kept : "auto");
export const isDark = computed(() => (theme.value === "auto" ? isSystemDark.value : theme.value === "dark"));

function dress(): void {
  document.documentElement.dataset["theme"] = isDark.value ? "dark" : "light";
}

export function wear(to: Theme): void {
  theme.value = to;
  localStorage.setItem(KEPT_AT, to);
  dress();
}
dress();
