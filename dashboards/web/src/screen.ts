/** Which of the three screens this is: phone, desk without room for the panel, desk. */
import { ref } from "vue";

function matching(query: string): ReturnType<typeof ref<boolean>> {
  const list = window.matchMedia(query);
  const is = ref(list.matches);
  list.addEventListener("change", (event) => (is.value = event.matches));
  return is;
}

export const isPhone = matching("(max-width: 767px)");
/** Two-line rows instead of the table. */
export const isCompact = matching("(max-width: 1023px)");
/** Room for the alarm panel beside the content. */
export const hasPanel = matching("(min-width: 1200px)");
