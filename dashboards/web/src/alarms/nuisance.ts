/** Which alarms chattered or were fleeting in the last day; read once for the whole page, every minute while somebody looks. */
import { computed, onUnmounted, shallowRef, type ComputedRef } from "vue";
import { get } from "../api/client";
import type { Nuisance, Nuisances } from "../api/kpi";

const EVERY_MS = 60_000;
const found = shallowRef<ReadonlyMap<string, Nuisance>>(new Map());
let looking = 0;
let timer: ReturnType<typeof setInterval> | undefined;

async function read(): Promise<void> {
  try {
    const answer = await get<Nuisances>("kpi/nuisances", { span: "day" });
    found.value = new Map(answer.nuisances.map((one) => [one.key, one]));
  } catch {
    // Marks of a list: without an answer those of before stay, and the load page says what is wrong.
  }
}

/** Give what is known of an alarm, by its key; null where it is no nuisance. */
export function useNuisance(key: () => string): ComputedRef<Nuisance | null> {
  looking += 1;
  if (looking === 1) {
    void read();
    timer = setInterval(() => void read(), EVERY_MS);
  }
  onUnmounted(() => {
    looking -= 1;
    if (looking === 0) clearInterval(timer);
  });
  return computed(() => found.value.get(key()) ?? null);
}
