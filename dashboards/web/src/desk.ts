/** What the person has on the desk: the chosen alarms, the opened one, a dialog, what was refused. */
import { computed, reactive, ref, shallowRef } from "vue";
import { postActs, type Acts } from "./api/acts";
import { post, Refusal } from "./api/client";
import type { Alarm } from "./api/types";
import { alarms, rowKey, takeAlarm } from "./live/picture";
import type { Act } from "./session";
import { language, t, word } from "./words/i18n";
import { tagTitle, unitTitle } from "./words/format";

/** Acts on an alarm, of all that the page knows. */
export type AlarmAct = Extract<Act, "ack" | "reset" | "shelve" | "unshelve" | "suppress" | "extend" | "unsuppress" | "relearn">;

/** Chosen alarms by row key; the last one chosen is the one that keys move from. */
export const chosen = shallowRef<ReadonlySet<string>>(new Set());
export const current = ref<string | null>(null);
/** Rows of folded alarms that a person opened. */
export const unfolded = shallowRef<ReadonlySet<string>>(new Set());
/** The alarm whose story is shown; on a phone it covers the list. */
export const opened = ref<string | null>(null);
/** The last known form of the opened alarm, for when it has left the list. */
const remembered = shallowRef<Alarm | null>(null);
export const openedAlarm = computed<Alarm | null>(() => {
  if (opened.value === null) return null;
  const known = alarms.value.get(opened.value);
  if (known) {
    remembered.value = known;
    return known;
  }
  return remembered.value && rowKey(remembered.value) === opened.value ? remembered.value : null;
});
/** Whether the opened alarm is still in the live list. */
export const isOpenedLive = computed(() => opened.value !== null && alarms.value.has(opened.value));

export interface Asked {
  act: AlarmAct;
  about: Alarm[];
}
export const asked = shallowRef<Asked | null>(null);
export const areKeysShown = ref(false);
/** Rises when the person asks for the filter (key /). */
export const filterWanted = ref(0);

export interface Said {
  id: number;
  about: string;
  text: string;
}
export const refusals = reactive<Said[]>([]);
let counter = 0;

export function refuse(about: string, text: string): void {
  counter += 1;
  refusals.push({ id: counter, about, text });
  if (refusals.length > 5) refusals.splice(0, refusals.length - 5);
}

export function dismiss(id: number): void {
  const at = refusals.findIndex((said) => said.id === id);
  if (at >= 0) refusals.splice(at, 1);
}

export function choose(key: string | null): void {
  current.value = key;
  chosen.value = key === null ? new Set() : new Set([key]);
}

/** Choose the alarms that one row stands for. */
export function chooseAll(key: string, keys: Iterable<string>): void {
  current.value = key;
  chosen.value = new Set(keys);
}

/** Whether a key is that of a row of folded alarms, see ``order.fold``. */
export function isFoldKey(key: string): boolean {
  return key.startsWith("fold:");
}

export function toggleFold(key: string): void {
  const next = new Set(unfolded.value);
  if (!next.delete(key)) next.add(key);
  unfolded.value = next;
}

export function open(key: string, alarm?: Alarm): void {
  if (alarm) remembered.value = alarm;
  opened.value = key;
}

export function close(): void {
  opened.value = null;
}

/** Which acts make sense for an alarm in its present state; the gateway still has the last word. */
export function isApt(act: AlarmAct, alarm: Alarm): boolean {
  switch (act) {
    case "ack":
      return alarm.state === "UNACK" || alarm.state === "RTN_UNACK";
    case "reset":
      return alarm.state === "LATCHED";
    case "shelve":
      return alarm.suppression === "none" && alarm.shelf_minutes_max > 0;
    case "suppress":
      return alarm.suppression === "none" && alarm.service_hours_max > 0;
    case "extend":
      return alarm.suppression === "out_of_service";
    case "unshelve":
      return alarm.suppression === "shelved";
    case "unsuppress":
      return alarm.suppression === "out_of_service";
    case "relearn":
      return alarm.condition === "DRIFT" && alarm.is_active;
  }
}

export function ask(act: AlarmAct, keys: Iterable<string>): void {
  const about = [...keys].map((key) => alarms.value.get(key) ?? (openedAlarm.value && rowKey(openedAlarm.value) === key ? openedAlarm.value : undefined)).filter((alarm) => alarm !== undefined);
  if (about.length > 0) asked.value = { act, about };
}

export function nameOf(alarm: Alarm): string {
  return alarm.tag === "" ? unitTitle(alarm.unit) : tagTitle(alarm.tag);
}

/** A refusal as a sentence in the page's language where the gateway gave none. */
export function sentenceOf(cause: unknown): string {
  if (cause instanceof Refusal) {
    // A refusal of the core says itself in each language.
    const first: unknown = Array.isArray(cause.details) ? cause.details[0] : cause.details; // Of several the first says enough.
    const inWords = first as Record<string, unknown> | null | undefined;
    const said = inWords && typeof inWords === "object" ? inWords[language.value] : undefined;
    if (typeof said === "string" && said !== "") return said;
    const known = word("problem", cause.code);
    if (known !== cause.code && (language.value !== "en" || cause.message === "")) return known;
    if (cause.message !== "") return cause.message;
    return `${t("common.failedPlain")} (${cause.status} ${cause.code})`;
  }
  return String(cause);
}

/** Alarms of one call: one tick carries them, one transaction holds them. */
const AT_ONCE = 500;

export interface Progress {
  answered: number;
  /** How many wait for a second person. */
  waiting: number;
  refused: { about: string; text: string }[];
  /** Set by the person: what is not sent yet is not sent. */
  isStopped: boolean;
}

/** Carry out an act on many alarms, in one transaction where the gateway has one for it; of what is refused the reason is noted. `progress` is kept up to date. */
export async function perform(act: AlarmAct, about: readonly Alarm[], body: Record<string, unknown>, progress: Progress): Promise<void> {
  for (let from = 0; from < about.length && !progress.isStopped; ) {
    // What a drift is measured from belongs to its rule, everything else to the alarm.
    const part = about.slice(from, from + (act === "relearn" ? 1 : AT_ONCE));
    from += part.length;
    try {
      const [first] = part;
      if (act === "relearn") await post(`rules/${encodeURIComponent(first!.rule)}/relearn`, body);
      else take(part, await postActs(act === "extend" ? "suppress" : act, part, body), progress);
    } catch (cause) {
      progress.refused.push(...part.map((alarm) => ({ about: nameOf(alarm), text: sentenceOf(cause) })));
    }
    progress.answered += part.length;
  }
}

function take(part: readonly Alarm[], answer: Acts, progress: Progress): void {
  answer.results.forEach((one, at) => {
    if (one.alarm) takeAlarm(one.alarm);
    if (one.request) progress.waiting += 1;
    if (one.refused) progress.refused.push({ about: nameOf(part[at]!), text: one.refused[language.value] ?? Object.values(one.refused)[0] ?? t("common.failedPlain") });
  });
}
