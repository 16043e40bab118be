/** Numbers, times and names as people read them: site's time zone, 24 hours, unit on every number. */
import type { Alarm, Limit, Receipt, Said, Tag, Tier } from "../api/types";
import { plant, status, type Sample } from "../live/picture";
import { language, t, word } from "./i18n";

export function said(text: Said | string | null | undefined, instead = ""): string {
  if (!text) return instead;
  if (typeof text === "string") return text || instead;
  return text[language.value] || text["en"] || Object.values(text).find((x) => x !== "") || instead;
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function zone(): string {
  return status.value?.timezone ?? "UTC";
}

function parts(ms: number): Record<string, string> {
  const name = zone();
  let format = formats.get(name);
  if (!format) {
    const options: Intl.DateTimeFormatOptions = {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    };
    try {
      format = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: name });
    } catch {
      format = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }); // a zone this browser does not know
    }
    formats.set(name, format);
  }
  return Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, part.value]));
}

/** Minutes that the site's clock is ahead of UTC at a moment. */
export function offset_min(ms: number): number {
  const p = parts(ms);
  const local = Date.UTC(+p["year"]!, +p["month"]! - 1, +p["day"]!, +p["hour"]!, +p["minute"]!, +p["second"]!);
  return Math.round((local - Math.floor(ms / 1000) * 1000) / 60_000);
}

/** The same words in both languages: UTC+8, UTC−3:30. */
export function zoneLabel(ms: number): string {
  const offset = offset_min(ms);
  const size = Math.abs(offset);
  const minutes = size % 60;
  return `UTC${offset < 0 ? "−" : "+"}${Math.floor(size / 60)}${minutes ? `:${String(minutes).padStart(2, "0")}` : ""}`;
}

export function clock(at: number | string | null | undefined, withSeconds = true): string {
  const ms = toMs(at);
  if (ms === null) return "–";
  const p = parts(ms);
  return withSeconds ? `${p["hour"]}:${p["minute"]}:${p["second"]}` : `${p["hour"]}:${p["minute"]}`;
}

export function day(at: number | string | null | undefined): string {
  const ms = toMs(at);
  if (ms === null) return "–";
  const p = parts(ms);
  return `${p["year"]}-${p["month"]}-${p["day"]}`;
}

/** The clock today, day and clock otherwise. */
export function when(at: number | string | null | undefined, now: number, withSeconds = true): string {
  const ms = toMs(at);
  if (ms === null) return "–";
  return day(ms) === day(now) ? clock(ms, withSeconds) : `${day(ms).slice(5)} ${clock(ms, withSeconds)}`;
}

export function full(at: number | string | null | undefined): string {
  const ms = toMs(at);
  return ms === null ? "–" : `${day(ms)} ${clock(ms)} ${zoneLabel(ms)}`;
}

export function toMs(at: number | string | null | undefined): number | null {
  if (at === null || at === undefined || at === "") return null;
  const ms = typeof at === "number" ? at : Date.parse(at);
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

/** "2025-11-22T03:12" of a site's wall clock, as ms since 1970 UTC. */
export function fromSiteClock(text: string): number | null {
  const guess = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  if (!Number.isFinite(guess)) return null;
  const once = guess - offset_min(guess) * 60_000;
  return guess - offset_min(once) * 60_000; // twice: the offset may change between the two near a clock change
}

export function toSiteClock(ms: number): string {
  return `${day(ms)}T${clock(ms, false)}`;
}

export function age(span_ms: number): string {
  const s = Math.max(0, Math.floor(span_ms / 1000));
  if (s < 60) return t("age.s", { n: s });
  if (s < 3600) return t("age.m", { n: Math.floor(s / 60) });
  if (s < 86_400) return `${t("age.h", { n: Math.floor(s / 3600) })} ${t("age.m", { n: Math.floor((s % 3600) / 60) })}`;
  return `${t("age.d", { n: Math.floor(s / 86_400) })} ${t("age.h", { n: Math.floor((s % 86_400) / 3600) })}`;
}

const numbers = new Map<string, Intl.NumberFormat>();

export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const key = `${language.value}${digits}`;
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language.value === "zh" ? "zh-CN" : "en-GB", {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      signDisplay: "negative", // never "-0.0"
    });
    numbers.set(key, format);
  }
  return format.format(value);
}

/** Digits behind the point that a tag's resolution (or its range) warrants. */
export function digitsOf(tag: Tag | undefined, value = 0): number {
  const step = tag?.resolution;
  if (step && step > 0) {
    for (let digits = 0; digits < 6; digits += 1) if (Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6) return Math.min(digits, 4);
    return 4;
  }
  const size = tag && tag.range_hi !== null && tag.range_lo !== null ? Math.abs(tag.range_hi - tag.range_lo) : Math.abs(value);
  if (size >= 1000) return 0;
  if (size >= 100) return 1;
  return 2;
}

/** A tag that is only on or off: a switch, a valve, a link. */
export function isTwoState(tag: Tag | undefined): boolean {
  if (tag?.kind !== "state") return false;
  return (tag.range_lo === 0 && tag.range_hi === 1) || tag.name.startsWith("fengsui.link.");
}

export function measured(value: number | null | undefined, tag: Tag | undefined, eu = tag?.eu ?? ""): string {
  if (value === null || value === undefined) return "–";
  if (isTwoState(tag)) return value >= 0.5 ? t("common.on") : t("common.off");
  const isPlain = !tag?.resolution && (tag?.range_lo ?? null) === null;
  const text = isPlain ? plain(value) : number(value, digitsOf(tag, value));
  return eu === "" || text === "–" ? text : `${text} ${eu}`;
}

export function tagTitle(name: string): string {
  const tag = plant.tagOf.get(name);
  return said(tag?.title, name);
}

export function unitTitle(id: string): string {
  return said(plant.unitOf.get(id)?.title, id);
}

export function postTitle(id: string): string {
  return said(plant.posts[id], id);
}

/** Whose a task is: a role, who leads the shift, a post (`post:ID`), a user (`person:NAME`). */
export function ownerWord(owner: string): string {
  if (owner === "leader") return t("plans.leader");
  if (owner.startsWith("post:")) return postTitle(owner.slice(5));
  return owner.startsWith("person:") ? owner.slice(7) : word("role", owner);
}

export function tierWord(tier: Tier): string {
  return word("tier", tier);
}

/** The tier that an alarm is shown with: of the active condition, or the highest it had once it has returned. */
export function shownTier(alarm: Alarm): Tier {
  if (alarm.tier !== "NONE") return alarm.tier;
  if (alarm.tier_max !== "NONE" || alarm.state === "NORMAL") return alarm.tier_max;
  // Latched: acknowledged and returned. What it was is what its condition's limit says.
  return plant.tagOf.get(alarm.tag)?.limits.find((limit) => limit.kind === alarm.condition)?.tier ?? "NONE";
}

/** Since when an alarm wants an answer: its last trip or rise; its episode may have begun earlier. */
export function sinceOf(alarm: Alarm): string | null {
  return alarm.raised ?? alarm.onset;
}

/** An alarm about data that do not come or are of no use, and not about the plant. */
export function isNoData(alarm: Alarm): boolean {
  return alarm.group === "stale" || alarm.group === "bad";
}

/** The limits that make up an alarm: those of one direction, or of one kind. */
function limitsOf(alarm: Alarm): Limit[] {
  const kinds = alarm.group === "high" ? ["H", "HH"] : alarm.group === "low" ? ["L", "LL"] : [alarm.condition];
  return plant.tagOf.get(alarm.tag)?.limits.filter((limit) => kinds.includes(limit.kind)) ?? [];
}

/** What a person has to do about an alarm: its state, whether it latches, and what it was when that was worse. */
export function stateText(alarm: Alarm, isShort = false): string {
  if (alarm.state === "NORMAL") return isShort ? t("alarm.cleared") : word("state", "NORMAL");
  const parts = [word(isShort ? "stateShort" : "state", alarm.state)];
  if (alarm.state !== "LATCHED" && limitsOf(alarm).some((limit) => limit.is_latching)) parts.push(t(alarm.is_active ? "alarm.latching" : "alarm.isLatched"));
  if (alarm.is_active && alarm.tier_max !== alarm.tier && alarm.tier_max !== "NONE") parts.push(t("alarm.was", { tier: tierWord(alarm.tier_max) }));
  return parts.join(t("common.comma"));
}

/** Why an alarm is still active although its value is back: the deadband or the off-delay holds it. Empty where nothing is to be said. */
export function backText(alarm: Alarm, sample: Sample | null): string {
  const tag = plant.tagOf.get(alarm.tag);
  if (!alarm.is_active || !tag || !sample || sample.value === null || sample.quality >= 0x80 || alarm.setpoint === null || isTwoState(tag)) return "";
  const value = sample.value;
  const sign = alarm.group === "high" ? 1 : alarm.group === "low" ? -1 : 0;
  const mine = limitsOf(alarm);
  const limit = mine.find((one) => one.kind === alarm.condition);
  if (sign === 0 || !limit || sign * value >= sign * limit.setpoint) return "";
  const inner = limit.setpoint - sign * limit.deadband;
  if (sign * value > sign * inner) return t(sign > 0 ? "alarm.backBandHigh" : "alarm.backBandLow", { value: `${exact(inner)} ${tag.eu}`.trim() });
  // A milder limit of the same direction may go on holding the alarm.
  const milder = mine.find((one) => one.kind !== limit.kind && sign * one.setpoint < sign * limit.setpoint && sign * value > sign * (one.setpoint - sign * one.deadband));
  if (milder) return t("alarm.backTo", { limit: milder.kind, s: exact(limit.off_delay_s) });
  const delay = Math.max(...mine.map((one) => one.off_delay_s));
  return delay > 0 ? t("alarm.backDelay", { s: exact(delay) }) : "";
}

/** Whether a sample is older than three periods of its tag, and than 3 s: then it is no value of this moment. */
export function isOld(tag: Tag, sample: Sample, at_ms: number): boolean {
  return at_ms - sample.t_ms > Math.max(3_000, tag.period_s * 3_000);
}

/** How old such a sample is; nothing where it is of this moment. */
export function oldText(tag: Tag, sample: Sample, at_ms: number): string {
  return isOld(tag, sample, at_ms) ? t("quality.age", { age: age(at_ms - sample.t_ms) }) : "";
}

/** The value of this moment, for a place beside the value of a trip; its quality or age where those are not good. */
export function nowText(tag: Tag | undefined, sample: Sample | null, at_ms: number): string {
  if (!tag) return "";
  if (!sample || sample.value === null) return sample ? qualityWord(sample.quality) : t("quality.none");
  if (sample.quality >= 0x80) return qualityWord(sample.quality);
  const value = measured(sample.value, tag);
  return isOld(tag, sample, at_ms) ? t("quality.aged", { value, age: age(at_ms - sample.t_ms) }) : value;
}

/** A number without a declared resolution: at most three digits behind the point. */
function plain(value: number): string {
  return new Intl.NumberFormat(language.value === "zh" ? "zh-CN" : "en-GB", { maximumFractionDigits: 3, signDisplay: "negative" }).format(value);
}

/** A setpoint may be finer than the tag's resolution; show it unrounded. */
export function exact(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return new Intl.NumberFormat(language.value === "zh" ? "zh-CN" : "en-GB", { maximumSignificantDigits: 6 }).format(value);
}

const INWARDS = ["LL", "L", "H", "HH"];

/** The limits that are set points, from the lowest to the highest. */
export function setpoints(tag: Tag | undefined): Limit[] {
  return (tag?.limits ?? []).filter((limit) => INWARDS.includes(limit.kind)).sort((a, b) => INWARDS.indexOf(a.kind) - INWARDS.indexOf(b.kind));
}

/** "4.31 m ≥ HH 4.20": condition and value against the limit. */
export function conditionText(alarm: Alarm): string {
  const text = conditionNow(alarm);
  return !alarm.is_active && OVER.includes(alarm.condition) ? t("condition.over", { text }) : text;
}

/** Conditions whose words say that they hold, whatever the value. */
const OVER = ["DRIFT", "DEVIATION", "STATE", "FROZEN", "RANGE", "EXPRESSION"];

function conditionNow(alarm: Alarm): string {
  const tag = plant.tagOf.get(alarm.tag);
  const setpoint = exact(alarm.setpoint);
  const eu = alarm.eu || tag?.eu || "";
  switch (alarm.condition) {
    case "STALE":
      return alarm.is_active ? t("condition.stale", { s: setpoint }) : t("condition.staleBack");
    case "BAD":
      return alarm.is_active ? t("condition.bad", { s: setpoint }) : t("condition.badBack");
    case "RATE": {
      return t(alarm.is_active ? "condition.rate" : "condition.rateBack", { setpoint: `${setpoint} ${eu}` });
    }
    case "TREND":
      return t(alarm.is_active ? "condition.trend" : "condition.trendBack", { value: measured(alarm.value, tag, eu), setpoint: `${setpoint} ${eu}`.trim() });
    case "DRIFT":
      return t("condition.drift", { value: measured(alarm.value, tag, eu), setpoint });
    case "DEVIATION":
      return t("condition.deviation", { value: measured(alarm.value, tag, eu), setpoint: `${setpoint} ${eu}`.trim() });
    case "STATE":
      return t("condition.state", { value: measured(alarm.value, tag, eu) });
    case "FROZEN":
      return t("condition.frozen", { value: measured(alarm.value, tag, eu), s: setpoint });
    case "RANGE":
      return t("condition.range", { s: setpoint });
    case "H":
    case "HH":
    case "L":
    case "LL": {
      if (isTwoState(tag)) return `${word("condition", alarm.condition)} · ${measured(alarm.value, tag)}`;
      const isHigh = alarm.condition.startsWith("H");
      const isBeyond = alarm.value !== null && alarm.setpoint !== null && (isHigh ? alarm.value >= alarm.setpoint : alarm.value <= alarm.setpoint);
      const sign = isHigh ? (isBeyond ? "≥" : "<") : isBeyond ? "≤" : ">";
      return `${measured(alarm.value, tag, eu)} ${sign} ${alarm.condition} ${setpoint}`;
    }
    case "VOTE":
      return t("condition.vote", { agree: exact(alarm.value), k: setpoint });
    case "EXPRESSION":
      return `${word("condition", alarm.condition)} · ${measured(alarm.value, tag, eu)}`;
    default:
      return `${alarm.condition} ${measured(alarm.value, tag, eu)}`.trim();
  }
}

/** Name of a quality byte in words: class and reason. */
export function qualityWord(quality: number): string {
  const name = quality >= 0x80 ? "BAD" : quality >= 0x40 ? "UNCERTAIN" : "GOOD";
  const reason = word("quality.reason", String(quality & 0x3f));
  const base = word("quality", name);
  if (reason === "") return base;
  return language.value === "zh" ? `${base}（${reason}）` : `${base} (${reason})`;
}

/** Proof of delivery in words: the receiver's own number, the answer's status, and whether it had the notice before. */
export function receiptText(receipt: Receipt | null): string {
  if (!receipt) return "";
  const said = receipt.status > 0 ? [t("push.answer", { status: receipt.status })] : []; // A broker, a modem and a mail have none.
  if (receipt.id) said.unshift(t("push.number", { id: receipt.id }));
  if (receipt.is_repeat) said.push(t("push.repeat"));
  return said.join(" · ");
}

/** Why a notice did not arrive: the first word of the error is a code, the rest was said by someone else. */
export function errorText(error: string): string {
  if (error === "") return "";
  const [reason = "", ...rest] = error.split(": ");
  const status = /^status_(\d+)$/.exec(reason);
  const said = status ? t("push.answer", { status: status[1] ?? "" }) : word("push.reasons", reason);
  return rest.length > 0 ? `${said} – ${rest.join(": ")}` : said;
}
