/** Rules in words: what a key means, its unit, a value as people read it. */
import type { RuleInForce, RuleTable } from "../api/types";
import { exact, tierWord } from "../words/format";
import { language, t, word } from "../words/i18n";
import type { Tier } from "../api/types";

const SECONDS = ["on_delay_s", "off_delay_s", "horizon_s", "window_s", "gap_s", "block_s"];
const TIMED = ["STALE", "BAD", "FROZEN", "RANGE"];

export function keyWord(key: string): string {
  return word("rules.keys", key);
}

/** Unit of a key's number: the tag's, seconds, or per second. */
export function unitOf(rule: Pick<RuleInForce, "kind" | "eu">, key: string): string {
  if (SECONDS.includes(key) || (key === "setpoint" && TIMED.includes(rule.kind))) return t("rules.seconds");
  if (key === "setpoint" && rule.kind === "RATE") return rule.eu === "" ? "/s" : `${rule.eu}/s`;
  return ["setpoint", "deadband", "band"].includes(key) ? rule.eu : "";
}

export function valueText(rule: Pick<RuleInForce, "kind" | "eu">, key: string, value: unknown): string {
  if (value === undefined || value === null) return t("common.none");
  if (key === "tier") return tierWord(value as Tier);
  if (typeof value === "boolean") return value ? t("common.on") : t("common.off");
  if (typeof value === "number") return `${exact(value)} ${unitOf(rule, key)}`.trim();
  if (typeof value === "object" && !Array.isArray(value)) return String((value as Record<string, string>)[language.value] ?? Object.values(value)[0] ?? "");
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** ``H 4.2 m, deadband 0.1 m, tier yellow``: a rule on one line. */
export function kindWord(rule: Pick<RuleInForce, "kind">): string {
  return word("condition", rule.kind);
}

export function nameWord(rule: RuleInForce): string {
  const name = rule.table["name"];
  return typeof name === "string" && name !== "" ? `${kindWord(rule)} · ${name}` : kindWord(rule);
}

/** What is compared with what, for the list. */
export function settingText(rule: RuleInForce): string {
  const table: RuleTable = rule.table;
  if (rule.kind === "VOTE") return t("rules.kOfN", { k: exact(Number(table["setpoint"])), n: String((table["members"] as unknown[] | undefined)?.length ?? 0) });
  if (rule.kind === "EXPRESSION") return String(table["when"] ?? "");
  if (rule.kind === "TREND") return `→ ${valueText(rule, "to", table["to"])} · ${valueText(rule, "horizon_s", table["horizon_s"])}`;
  if (rule.kind === "STATE") return table["mask"] === undefined ? valueText(rule, "states", table["states"]) : `${String(table["pattern"])} / ${String(table["mask"])}`;
  return valueText(rule, "setpoint", table["setpoint"]);
}
