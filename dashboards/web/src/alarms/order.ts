/**
 * The order of the alarm list, what is folded in it, and how it is held still under a person's pointer.
 *
 * Why: a list that jumps while someone reaches for a row makes them act on the wrong alarm. New alarms are never
 * hidden by that: they are counted above the list at once, and the hold ends by itself.
 */
import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref } from "vue";
import type { Alarm, Nature, Tag, Tier } from "../api/types";
import { alarms, isDrilled, plant, rowKey, status } from "../live/picture";
import { isNoData, isTwoState, setpoints, shownTier, sinceOf } from "../words/format";

export const RANK: Record<Tier, number> = { RED: 4, ORANGE: 3, YELLOW: 2, BLUE: 1, NONE: 0 };

export function isUnacked(alarm: Alarm): boolean {
  return alarm.state === "UNACK" || alarm.state === "RTN_UNACK";
}

interface Place {
  /** Larger is higher: real before exercised, not suppressed, unacknowledged, tier, and the plant before missing data. */
  rank: number;
  since_ms: number;
}

/** An alarm never changes, each change is a new one; so its place is worked out once, also among ten thousand. */
const places = new WeakMap<Alarm, Place>();

function placeOf(alarm: Alarm): Place {
  let place = places.get(alarm);
  if (!place) {
    const rank = (isDrilled(alarm) ? 0 : 10_000) + (alarm.suppression === "none" ? 1000 : 0) + (isUnacked(alarm) ? 100 : 0) + RANK[shownTier(alarm)] * 10 + (isNoData(alarm) ? 0 : 1);
    const since = sinceOf(alarm);
    place = { rank, since_ms: since ? Date.parse(since) : 0 };
    places.set(alarm, place);
  }
  return place;
}

/** What is real before what is exercised; unacknowledged, then tier, then the plant before missing data, then time (newest first); suppressed ones last. */
export function compare(a: Alarm, b: Alarm): number {
  const placeA = placeOf(a);
  const placeB = placeOf(b);
  return placeB.rank - placeA.rank || placeB.since_ms - placeA.since_ms || (rowKey(a) < rowKey(b) ? -1 : 1);
}

/** The alarm that a unit is about: the highest active one, else the highest that waits for an answer, else the rest; suppressed ones never. */
export function leading(listed: readonly Alarm[]): Alarm | undefined {
  const weight = (alarm: Alarm): number => (alarm.is_active ? 1000 : isUnacked(alarm) ? 500 : 0) + RANK[shownTier(alarm)] * 10 + (isNoData(alarm) ? 0 : 1);
  return listed
    .filter((alarm) => !isDrilled(alarm) && alarm.suppression === "none" && alarm.state !== "NORMAL")
    .sort((a, b) => weight(b) - weight(a) || placeOf(b).since_ms - placeOf(a).since_ms)[0];
}

/** The tag whose value stands for its unit: that of the leading alarm, else the first with limits, else the first. */
export function keyTag(tags: readonly Tag[], listed: readonly Alarm[]): Tag | undefined {
  const mine = listed.filter((alarm) => tags.some((tag) => tag.name === alarm.tag));
  const worst = leading(mine);
  const usual = tags.find((tag) => setpoints(tag).length > 0 && !isTwoState(tag)) ?? tags[0];
  if (!worst) return usual;
  // Where a whole source is silent, the usual tag is as good as any other.
  const isAlike = (alarm: Alarm): boolean => alarm.tag === usual?.name && isNoData(alarm) && alarm.is_active === worst.is_active && shownTier(alarm) === shownTier(worst);
  return isNoData(worst) && mine.some(isAlike) ? usual : tags.find((tag) => tag.name === worst.tag);
}

/** So many tags of one source without data are one row: the source is what is wrong. */
export const FOLD_MIN = 4;

export interface Fold {
  key: string;
  source: string;
  /** The unit whose lighter alarms are folded while a flood goes on; empty for alarms without data of a source. */
  unit: string;
  tier: Tier;
  nature: Nature;
  alarms: Alarm[];
}
export type Entry = Alarm | Fold;

export function isFold(entry: Entry): entry is Fold {
  return "alarms" in entry;
}

export function entryKey(entry: Entry): string {
  return isFold(entry) ? entry.key : rowKey(entry);
}

/** Which row an alarm would be folded into; empty for none. One tier and nature to a row, so that none hides in it. */
function foldKey(alarm: Alarm, isFlooded: boolean): string {
  if (alarm.suppression !== "none") return "";
  if (!isNoData(alarm)) {
    // In a flood the gravest stay rows of their own; the rest is one row a unit and tier.
    const tier = shownTier(alarm);
    return isFlooded && RANK[tier] < RANK.ORANGE ? ["fold", "flood", tier, alarm.nature, alarm.unit].join(":") : "";
  }
  const source = plant.tagOf.get(alarm.tag)?.source ?? "";
  return source === "" ? "" : ["fold", shownTier(alarm), alarm.nature, source].join(":");
}

/** Put the no-data alarms of one source into one entry, at the place of the first of them. */
export function fold(sorted: readonly Alarm[], isFlooded = false): Entry[] {
  const by = new Map<string, Alarm[]>();
  for (const alarm of sorted) {
    const key = foldKey(alarm, isFlooded);
    if (key === "") continue;
    const mine = by.get(key);
    if (mine) mine.push(alarm);
    else by.set(key, [alarm]);
  }
  const entries: Entry[] = [];
  for (const alarm of sorted) {
    const key = foldKey(alarm, isFlooded);
    const mine = by.get(key);
    if (!mine || mine.length < FOLD_MIN) entries.push(alarm);
    else if (mine[0] === alarm) entries.push({ key, source: plant.tagOf.get(alarm.tag)?.source ?? "", unit: isNoData(alarm) ? "" : alarm.unit, tier: shownTier(alarm), nature: alarm.nature, alarms: mine });
  }
  return entries;
}

/** The rows that are drawn: entries, and the alarms of those that are open. */
export function unfold(entries: readonly Entry[], isOpen: (key: string) => boolean): Entry[] {
  return entries.flatMap((entry) => (isFold(entry) && isOpen(entry.key) ? [entry, ...entry.alarms] : [entry]));
}

/** The alarms that a row stands for. */
export function alarmsOf(entry: Entry): Alarm[] {
  return isFold(entry) ? entry.alarms : [entry];
}

/** How long a still pointer holds the list. */
const HOLD_MS = 8_000;

export interface Held {
  entries: ComputedRef<Entry[]>;
  fresh: ComputedRef<Alarm[]>;
  isHeld: Ref<boolean>;
  touch: () => void;
  release: () => void;
}

/** Hold the order of `sorted` from the first `touch` until `release`, or until the pointer has been still for a while. */
export function useHeldOrder(sorted: ComputedRef<Alarm[]>, hold_ms = HOLD_MS): Held {
  const isHeld = ref(false);
  const held = shallowRef<Entry[]>([]);
  const folded = computed(() => fold(sorted.value, Boolean(status.value?.flood)));
  let timer: number | undefined;

  function release(): void {
    window.clearTimeout(timer);
    isHeld.value = false;
    held.value = [];
  }
  function touch(): void {
    if (!isHeld.value) {
      held.value = folded.value;
      isHeld.value = true;
    }
    window.clearTimeout(timer);
    timer = window.setTimeout(release, hold_ms);
  }
  onScopeDispose(() => window.clearTimeout(timer));

  // What has left the list keeps its row, as cleared, until the hold ends.
  const asItIs = (alarm: Alarm): Alarm => alarms.value.get(rowKey(alarm)) ?? { ...alarm, state: "NORMAL" as const, tier: "NONE" as const, is_active: false };
  const entries = computed(() => {
    if (!isHeld.value) return folded.value;
    return held.value.map((entry) => (isFold(entry) ? { ...entry, alarms: entry.alarms.map(asItIs) } : asItIs(entry)));
  });
  const fresh = computed(() => {
    if (!isHeld.value) return [];
    const known = new Set(held.value.flatMap(alarmsOf).map(rowKey));
    return sorted.value.filter((alarm) => !known.has(rowKey(alarm)));
  });
  return { entries, fresh, isHeld, touch, release };
}
