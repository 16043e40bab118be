/**
 * The order of the alarm list, and how it is held still under a person's pointer.
 *
 * Why: a list that jumps while someone reaches for a row makes them act on the wrong alarm. New alarms are never
 * hidden by that: they are counted above the list at once, and the hold ends by itself.
 */
import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref } from "vue";
import type { Alarm, Tier } from "../api/types";
import { alarms, rowKey } from "../live/picture";
import { shownTier } from "../words/format";

const RANK: Record<Tier, number> = { RED: 4, ORANGE: 3, YELLOW: 2, BLUE: 1, NONE: 0 };

export function isUnacked(alarm: Alarm): boolean {
  return alarm.state === "UNACK" || alarm.state === "RTN_UNACK";
}

interface Place {
  /** Larger is higher: not suppressed, unacknowledged, tier. */
  rank: number;
  onset_ms: number;
}

/** An alarm never changes, each change is a new one; so its place is worked out once, also among ten thousand. */
const places = new WeakMap<Alarm, Place>();

function placeOf(alarm: Alarm): Place {
  let place = places.get(alarm);
  if (!place) {
    const rank = (alarm.suppression === "none" ? 100 : 0) + (isUnacked(alarm) ? 10 : 0) + RANK[shownTier(alarm)];
    place = { rank, onset_ms: alarm.onset ? Date.parse(alarm.onset) : 0 };
    places.set(alarm, place);
  }
  return place;
}

/** Unacknowledged, then tier, then time (newest first); suppressed ones last. */
export function compare(a: Alarm, b: Alarm): number {
  const placeA = placeOf(a);
  const placeB = placeOf(b);
  return placeB.rank - placeA.rank || placeB.onset_ms - placeA.onset_ms || (rowKey(a) < rowKey(b) ? -1 : 1);
}

/** Newest unacknowledged first; among the rest the order of the list. */
export function compareNewest(a: Alarm, b: Alarm): number {
  const placeA = placeOf(a);
  const placeB = placeOf(b);
  if (placeA.rank > 109 && placeB.rank > 109) return placeB.onset_ms - placeA.onset_ms || compare(a, b);
  return compare(a, b);
}

/** How long a still pointer holds the list. */
const HOLD_MS = 8_000;

export interface Held {
  rows: ComputedRef<Alarm[]>;
  fresh: ComputedRef<Alarm[]>;
  isHeld: Ref<boolean>;
  touch: () => void;
  release: () => void;
}

/** Hold the order of `sorted` from the first `touch` until `release`, or until the pointer has been still for a while. */
export function useHeldOrder(sorted: ComputedRef<Alarm[]>, hold_ms = HOLD_MS): Held {
  const isHeld = ref(false);
  const held = shallowRef<Alarm[]>([]);
  let timer: number | undefined;

  function release(): void {
    window.clearTimeout(timer);
    isHeld.value = false;
    held.value = [];
  }
  function touch(): void {
    if (!isHeld.value) {
      held.value = [...sorted.value];
      isHeld.value = true;
    }
    window.clearTimeout(timer);
    timer = window.setTimeout(release, hold_ms);
  }
  onScopeDispose(() => window.clearTimeout(timer));

  const rows = computed(() => {
    if (!isHeld.value) return sorted.value;
    // What has left the list keeps its row, as cleared, until the hold ends.
    return held.value.map((alarm) => alarms.value.get(rowKey(alarm)) ?? { ...alarm, state: "NORMAL" as const, tier: "NONE" as const, is_active: false });
  });
  const fresh = computed(() => {
    if (!isHeld.value) return [];
    const known = new Set(held.value.map(rowKey));
    return sorted.value.filter((alarm) => !known.has(rowKey(alarm)));
  });
  return { rows, fresh, isHeld, touch, release };
}
