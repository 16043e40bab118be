/** Read something again and again while the page shows it. */
import { onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from "vue";
import { sentenceOf } from "./desk";
import { isConnected } from "./live/picture";
import { language } from "./words/i18n";

export interface Polled<T> {
  content: ShallowRef<T | null>;
  problem: Ref<string>;
  read: () => Promise<void>;
}

/**
 * Call `ask` now, every `every_ms`, and at once when `when` changes; keep the last good answer through a failure.
 * An answer that comes after a newer question is thrown away.
 */
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<T>, every_ms: number, when?: WatchSource | WatchSource[]): Polled<T> {
  const content = shallowRef<T | null>(null);
  const problem = ref("");
  let timer: number | undefined;
  let running: AbortController | null = null;

  async function read(): Promise<void> {
    window.clearTimeout(timer);
    running?.abort();
    const mine = new AbortController();
    running = mine;
    try {
      const answer = await ask(mine.signal);
      if (running !== mine) return;
      content.value = answer;
      problem.value = "";
    } catch (cause) {
      if (running !== mine) return;
      problem.value = sentenceOf(cause);
    }
    running = null;
    if (every_ms > 0) timer = window.setTimeout(() => void read(), document.hidden ? every_ms * 5 : every_ms);
  }

  onMounted(() => void read());
  watch([isConnected, language], () => void read());
  if (when) watch(when, () => void read());
  onBeforeUnmount(() => {
    window.clearTimeout(timer);
    const last = running;
    running = null;
    last?.abort();
  });
  return { content, problem, read };
}
