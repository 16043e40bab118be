/** What a person is about to change about the rules: kept in the page until it is applied or thrown away. */
import { computed, shallowRef } from "vue";
import { post, Refusal } from "../api/client";
import type { Checked, Mistake, RuleInForce, RuleTable } from "../api/types";

/** A number, a word, a text by language; null takes a key away. */
export type Setting = number | string | boolean | null | Record<string, string>;

export interface Draft {
  rule: RuleInForce;
  set: Record<string, Setting>;
  isRemoved: boolean;
}

export const drafts = shallowRef<ReadonlyMap<string, Draft>>(new Map());
export const checked = shallowRef<Checked | null>(null);
export const checkProblem = shallowRef<unknown>(null);
export const isDrafted = computed(() => drafts.value.size > 0);

/** The revision that the person has seen when the first change was made. */
export const seen = shallowRef(0);

function put(next: Map<string, Draft>): void {
  drafts.value = next;
  checked.value = null;
  void check();
}

export function valueOf(rule: RuleInForce, key: string): Setting | undefined {
  const draft = drafts.value.get(rule.id);
  if (draft && key in draft.set) return draft.set[key];
  return rule.table[key] as Setting | undefined;
}

/** Two settings that mean the same. */
export function isSame(one: Setting | undefined, other: Setting | undefined): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

export function change(rule: RuleInForce, revision: number, key: string, value: Setting): void {
  if (drafts.value.size === 0) seen.value = revision;
  const next = new Map(drafts.value);
  const draft = next.get(rule.id) ?? { rule, set: {}, isRemoved: false };
  const set = { ...draft.set };
  if (isSame(value, rule.table[key] as Setting | undefined)) delete set[key];
  else set[key] = value;
  if (Object.keys(set).length === 0 && !draft.isRemoved) next.delete(rule.id);
  else next.set(rule.id, { rule, set, isRemoved: draft.isRemoved });
  put(next);
}

export function remove(rule: RuleInForce, revision: number, isRemoved: boolean): void {
  if (drafts.value.size === 0) seen.value = revision;
  const next = new Map(drafts.value);
  const draft = next.get(rule.id) ?? { rule, set: {}, isRemoved };
  if (!isRemoved && Object.keys(draft.set).length === 0) next.delete(rule.id);
  else next.set(rule.id, { ...draft, isRemoved });
  put(next);
}

export function forget(rule?: string): void {
  if (rule === undefined) {
    put(new Map());
    return;
  }
  const next = new Map(drafts.value);
  next.delete(rule);
  put(next);
}

/** As the gateway takes it. */
export function changes(): Record<string, unknown>[] {
  return [...drafts.value.values()].map((draft) => (draft.isRemoved ? { rule: draft.rule.id, remove: true } : { rule: draft.rule.id, set: draft.set }));
}

/** Keys that a person may change of a rule; the others stand in its table and are changed in the files. */
export function keysOf(rule: RuleInForce): string[] {
  switch (rule.kind) {
    case "L":
    case "LL":
    case "H":
    case "HH":
    case "DEVIATION":
    case "RATE":
      return ["setpoint", "deadband", "on_delay_s", "off_delay_s"];
    case "TREND":
      return ["horizon_s", "on_delay_s", "off_delay_s"];
    case "STATE":
    case "VOTE":
    case "EXPRESSION":
      return ["on_delay_s", "off_delay_s"];
    default: // STALE, BAD, FROZEN, RANGE: their setpoint is a time
      return ["setpoint", "off_delay_s"];
  }
}

/** Mistakes at one key of a rule; with no key those that belong to the rule as a whole. */
export function mistakesAt(found: readonly Mistake[], rule: string, key?: string): Mistake[] {
  return found.filter((one) => (key === undefined ? one.path === rule : one.path === `${rule} ${key}`));
}

/** Mistakes that no field of a drafted rule shows. */
export function otherMistakes(found: readonly Mistake[]): Mistake[] {
  const shown = new Set<string>();
  for (const draft of drafts.value.values()) for (const key of [...keysOf(draft.rule), "tier", "response"]) shown.add(`${draft.rule.id} ${key}`);
  return found.filter((one) => !shown.has(one.path));
}

let running = 0;
let timer: number | undefined;

/** Ask the gateway what the draft would do, a moment after the last key stroke. */
export function check(): Promise<void> {
  window.clearTimeout(timer);
  running += 1;
  const mine = running;
  checkProblem.value = null;
  if (drafts.value.size === 0) return Promise.resolve();
  return new Promise((done) => {
    timer = window.setTimeout(async () => {
      try {
        const answer = await post<Checked>("rules/check", { changes: changes() });
        if (mine === running) checked.value = answer;
      } catch (cause) {
        if (mine === running) checkProblem.value = cause;
      }
      done();
    }, 300);
  });
}

/** What a refusal of ``apply`` says beside its sentence. */
export function detailsOf(cause: unknown): (Checked & { since?: { number: number; who: string; rules: string[] }[] }) | null {
  return cause instanceof Refusal && cause.details && typeof cause.details === "object" ? (cause.details as Checked) : null;
}

/** Keys of a table in the order in which people read them. */
export function tableKeys(before: RuleTable | null, after: RuleTable | null): string[] {
  return [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter((key) => !["tag", "kind", "name"].includes(key));
}
