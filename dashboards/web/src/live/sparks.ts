/**
 * The last half hour of a tag as a small line, read when it is looked at and kept for a minute.
 *
 * Why: a page of tiles or a scrolled list asks for many at once; only a few are read at a time, and those that have
 * scrolled away before their turn are not read at all.
 */
import { shallowReactive } from "vue";
import { get } from "../api/client";
import type { History } from "../api/types";
import { asOf_ms } from "./picture";

export const SPAN_MS = 1_800_000;
const POINTS = 90;
const FRESH_MS = 60_000;
const AT_ONCE = 3;
const KEPT_MAX = 500;

export interface Spark {
  times: number[];
  values: (number | null)[];
  read_ms: number;
}

export const sparks = shallowReactive(new Map<string, Spark>());
const wanted = new Map<string, number>(); // how many on the page look at it
const waiting = new Set<string>();
let running = 0;

export function want(tag: string): void {
  wanted.set(tag, (wanted.get(tag) ?? 0) + 1);
  ask(tag);
}

export function leave(tag: string): void {
  const n = (wanted.get(tag) ?? 1) - 1;
  if (n > 0) wanted.set(tag, n);
  else wanted.delete(tag);
}

function ask(tag: string): void {
  const known = sparks.get(tag);
  if (known && performance.now() - known.read_ms < FRESH_MS) return;
  waiting.add(tag);
  next();
}

function next(): void {
  for (const tag of waiting) {
    if (running >= AT_ONCE) return;
    waiting.delete(tag);
    if (!wanted.has(tag)) continue;
    running += 1;
    void read(tag).finally(() => {
      running -= 1;
      next();
    });
  }
}

async function read(tag: string): Promise<void> {
  const to = asOf_ms.value ?? Date.now();
  try {
    const history = await get<History>("history", { tag, from: new Date(to - SPAN_MS).toISOString(), to: new Date(to).toISOString(), points: POINTS });
    if (sparks.size >= KEPT_MAX) for (const old of sparks.keys()) if (!wanted.has(old)) sparks.delete(old);
    sparks.set(tag, { times: history.times_ns.map((time) => Number(BigInt(time) / 1_000_000n)), values: history.values, read_ms: performance.now() });
  } catch {
    // A line that is missing says nothing wrong; the next turn asks again.
    sparks.set(tag, { times: [], values: [], read_ms: performance.now() - FRESH_MS / 2 });
  }
}

window.setInterval(() => {
  if (!document.hidden) for (const tag of wanted.keys()) ask(tag);
}, 10_000);
