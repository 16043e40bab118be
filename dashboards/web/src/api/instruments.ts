/** Instruments that are overdue or bypassed, and what is said beside the value of a tag. */
import { computed, type ComputedRef } from "vue";
import { usePolled } from "../polled";
import { get } from "./client";
import type { Said } from "./types";

export const WHATS = ["calibration", "proof", "bypass", "bypass_over"] as const;

export interface NotedInstrument {
  id: string;
  code: string;
  title: string;
  unit: string;
  tag: string;
  interlock_tag: string;
  notes: { what: (typeof WHATS)[number]; day: string; said: Said }[];
}

export interface Instruments {
  count: number;
  counts: Record<(typeof WHATS)[number], number>;
  is_whole: boolean;
  instruments: NotedInstrument[];
}

/** Give what is to be said beside each tag's value. */
export function useNotes(): { notesOf: ComputedRef<Map<string, Said[]>> } {
  const { content } = usePolled((signal) => get<Instruments>("register/instruments", {}, signal), 60_000);
  const notesOf = computed(() => {
    const found = new Map<string, Said[]>();
    for (const one of content.value?.instruments ?? []) {
      for (const tag of new Set([one.tag, one.interlock_tag])) {
        if (tag !== "") found.set(tag, [...(found.get(tag) ?? []), ...one.notes.map((note) => note.said)]);
      }
    }
    return found;
  });
  return { notesOf };
}
