/** A second hand for ages on the page; one for all, by the site's clock. */
import { ref } from "vue";
import { now_ms } from "./live/picture";

export const second = ref(now_ms());
window.setInterval(() => {
  second.value = now_ms();
}, 1000);
