/**
 * The live picture: what the page knows now, filled by the feed, read by every part of the page.
 *
 * Why: values are columns by tag row and not one object per value, so that 100k tags cost no more than three arrays;
 * the page is told once per message.
 */
import { computed, ref, shallowReactive, shallowRef, triggerRef } from "vue";
import type { Alarm, Delta, Said, Snapshot, Status, Tag, Unit, UnitTier } from "../api/types";
import { get, Refusal } from "../api/client";
import { Feed } from "./feed";

/** Whether an alarm is a drill's and none of the site's own. */
export function isDrilled(alarm: Alarm): boolean {
  return alarm.nature === "exercise" && status.value?.nature !== "exercise";
}

/** An alarm that never rang (shelved beforehand) has no id yet; its key stands in. */
export function rowKey(alarm: Alarm): string {
  return alarm.id || alarm.key;
}

export const status = shallowRef<Status | null>(null);
export const alarms = shallowRef<Map<string, Alarm>>(new Map());
export const unitTiers = shallowRef<Map<string, UnitTier>>(new Map());
export const asOf_ms = ref<number | null>(null);
export const isConnected = ref(false);
/** False until the first snapshot: a page without data says so instead of "no alarms". */
export const hasSnapshot = computed(() => status.value !== null);
/** Rises with each message that brought values; read it to be told of new ones. */
export const valuesRev = ref(0);
/** The tags and units of the site, fetched once per log-in. */
export const plant = shallowReactive({
  tags: [] as Tag[],
  tagOf: new Map<string, Tag>(),
  tagAt: new Map<number, Tag>(),
  units: [] as Unit[],
  unitOf: new Map<string, Unit>(),
  /** Titles of the roster's posts. */
  posts: {} as Record<string, Said>,
  /** Of which layout they are; values of another one are not for these tags. */
  layout: 0,
  isLoaded: false,
});

let v = new Float64Array(0);
let q = new Uint8Array(0);
let t = new Float64Array(0);
let taken_at = 0; // performance.now() of the last message

export interface Sample {
  value: number | null;
  quality: number;
  t_ms: number;
}

/** The latest sample of a tag row, or null if none has come. */
export function sampleAt(row: number): Sample | null {
  if (row >= t.length || t[row] === 0) return null;
  const value = v[row] ?? Number.NaN;
  return { value: Number.isFinite(value) ? value : null, quality: q[row] ?? 0, t_ms: t[row] ?? 0 };
}

/** The latest sample of a tag, for a computed that is to follow the feed. */
export function liveSample(tag: Tag | undefined): Sample | null {
  void valuesRev.value;
  return tag ? sampleAt(tag.row) : null;
}

/** The site's time now, by the gateway's clock: its last word plus the time since; it stands still while disconnected. */
export function now_ms(): number {
  if (asOf_ms.value === null) return Date.now();
  return isConnected.value ? asOf_ms.value + (performance.now() - taken_at) : asOf_ms.value;
}

function grow(row: number): void {
  if (row < t.length) return;
  const size = Math.max(row + 1, t.length * 2, 256);
  const larger = (old: Float64Array): Float64Array<ArrayBuffer> => {
    const fresh = new Float64Array(size);
    fresh.set(old);
    return fresh;
  };
  v = larger(v);
  t = larger(t);
  const fresh = new Uint8Array(size);
  fresh.set(q);
  q = fresh;
}

function take(message: Snapshot | Delta): void {
  taken_at = performance.now();
  asOf_ms.value = Date.parse(message.as_of);
  if (message.kind === "snapshot") {
    alarms.value = new Map(message.alarms.map((alarm) => [rowKey(alarm), alarm]));
    unitTiers.value = new Map(message.units.map((unit) => [unit.id, unit]));
    t.fill(0);
    if ((message.alarms_total ?? 0) > message.alarms.length) void takeRest(message.rev);
  } else {
    if (message.alarms?.length || message.gone?.length) {
      for (const id of message.gone ?? []) alarms.value.delete(id);
      for (const alarm of message.alarms ?? []) {
        // The row that stood under the key gets its id with the first trip.
        if (alarm.id) alarms.value.delete(alarm.key);
        alarms.value.set(rowKey(alarm), alarm);
      }
      triggerRef(alarms);
    }
    if (message.units?.length) {
      for (const unit of message.units) unitTiers.value.set(unit.id, unit);
      triggerRef(unitTiers);
    }
  }
  if (message.status) status.value = message.status;
  if (plant.isLoaded && status.value !== null && status.value.layout !== plant.layout) {
    // Tags, limits or units are others now: rows mean other tags until these have been read anew.
    void reloadPlant();
    return;
  }
  const columns = message.values;
  if (columns && columns.rows.length > 0) {
    const rows = columns.rows;
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows[i] ?? 0;
      grow(row);
      v[row] = columns.v[i] ?? Number.NaN;
      q[row] = columns.q[i] ?? 0;
      t[row] = columns.t_ms[i] ?? 0;
    }
    valuesRev.value += 1;
  }
}

let snapshotRev = 0;

/** In a flood the snapshot holds the most urgent alarms only; read the others, a page at a time. */
async function takeRest(rev: number): Promise<void> {
  snapshotRev = rev;
  let cursor: string | null = null;
  try {
    do {
      const page: { alarms: Alarm[]; next: string | null } = await get("alarms", { limit: 2_000, cursor: cursor ?? undefined });
      if (snapshotRev !== rev) return;
      for (const alarm of page.alarms) {
        const known = alarms.value.get(rowKey(alarm));
        if (!known || known.ordinal < alarm.ordinal) alarms.value.set(rowKey(alarm), alarm);
      }
      triggerRef(alarms);
      cursor = page.next;
    } while (cursor !== null);
  } catch {
    // The counts in the top line are whole all the same; the next snapshot tries again.
  }
}

/** Take the answer to a command at once; the feed brings the same a moment later. */
export function takeAlarm(alarm: Alarm): void {
  const known = alarms.value.get(rowKey(alarm));
  if (known && known.ordinal > alarm.ordinal) return;
  if (alarm.state === "NORMAL" && alarm.suppression === "none") alarms.value.delete(rowKey(alarm));
  else alarms.value.set(rowKey(alarm), alarm);
  triggerRef(alarms);
}

let onRefused: () => void = () => undefined;
const feed = new Feed({
  take,
  connected(yes) {
    isConnected.value = yes;
  },
  refused: () => onRefused(),
});

let reloading = false;

/** Read tags and units anew, then begin the feed with a snapshot in their rows. */
async function reloadPlant(): Promise<void> {
  if (reloading) return;
  reloading = true;
  valuesRev.value += 1;
  try {
    await loadPlant();
    if (status.value !== null) status.value = { ...status.value, layout: plant.layout };
    feed.again();
  } catch {
    // The next message tries again.
  } finally {
    reloading = false;
  }
}

export async function loadPlant(): Promise<void> {
  const [tags, units] = await Promise.all([get<{ tags: Tag[]; layout: number }>("tags"), get<{ units: Unit[]; posts: Record<string, Said> }>("units")]);
  // A snapshot may be here before its tags: what it said is of their layout and stays.
  if (tags.layout !== plant.layout && (plant.isLoaded || status.value?.layout !== tags.layout)) t.fill(0);
  plant.layout = tags.layout;
  plant.tags = tags.tags;
  plant.tagOf = new Map(tags.tags.map((tag) => [tag.name, tag]));
  plant.tagAt = new Map(tags.tags.map((tag) => [tag.row, tag]));
  plant.units = units.units;
  plant.unitOf = new Map(units.units.map((unit) => [unit.id, unit]));
  plant.posts = units.posts;
  plant.isLoaded = true;
}

let plantTimer: number | undefined;

/** Begin to follow the site; tags and units are asked for until they come. */
export function follow(whenRefused: () => void): void {
  onRefused = whenRefused;
  feed.start();
  const attempt = (): void => {
    loadPlant().catch((cause: unknown) => {
      if (cause instanceof Refusal && cause.status === 401) return;
      plantTimer = window.setTimeout(attempt, 3_000);
    });
  };
  attempt();
}

export function unfollow(): void {
  window.clearTimeout(plantTimer);
  feed.stop();
  isConnected.value = false;
  status.value = null;
  alarms.value = new Map();
  unitTiers.value = new Map();
  asOf_ms.value = null;
  plant.isLoaded = false;
}
