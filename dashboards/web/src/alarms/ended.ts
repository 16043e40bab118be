/** Alarms that ended, told from the events that are kept of them: an acknowledged and returned alarm does not vanish. */
import { get } from "../api/client";
import type { Alarm, AlarmEvent, Nature, Tier } from "../api/types";

export interface Ended {
  id: string;
  nature: Nature;
  tag: string;
  unit: string;
  condition: string;
  tier_max: Tier;
  /** When it was raised; null where that is before what was read. */
  raised: string | null;
  cleared: string;
  acked_by: string;
  comment: string;
  is_late: boolean;
}

const ORDER: Tier[] = ["NONE", "BLUE", "YELLOW", "ORANGE", "RED"];

function told(event: AlarmEvent, name: string): string {
  const said = event.cause?.[name];
  return typeof said === "string" ? said : "";
}

/** Events as they happened; of one moment as they were committed: the API gives the last first. */
export function inOrder(events: readonly AlarmEvent[]): AlarmEvent[] {
  return [...events].reverse().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

/** Give the episodes that end among these events, the last ended first. An alarm's last event says whether it is over. */
export function endedOf(events: readonly AlarmEvent[]): Ended[] {
  const by = new Map<string, AlarmEvent[]>();
  for (const event of events) {
    if (event.alarm === "") continue;
    const mine = by.get(event.alarm);
    if (mine) mine.push(event);
    else by.set(event.alarm, [event]);
  }
  const found: Ended[] = [];
  for (const [id, unsorted] of by) {
    const mine = inOrder(unsorted);
    const end = mine.filter((event) => event.event === "cleared").pop();
    if (!end) continue;
    const raised = mine.find((event) => event.event === "raised");
    const worst = mine.reduce((a, b) => (ORDER.indexOf(b.tier) > ORDER.indexOf(a.tier) ? b : a));
    const acked = mine.filter((event) => event.event === "acknowledged").pop();
    found.push({
      id,
      nature: end.nature,
      tag: end.tag,
      unit: end.unit,
      condition: worst.condition || end.condition,
      tier_max: worst.tier,
      raised: raised?.time ?? null,
      cleared: end.time,
      acked_by: acked ? told(acked, "who") : "",
      comment: acked ? told(acked, "comment") || told(acked, "reason") : "",
      is_late: mine.some((event) => event.is_late === true),
    });
  }
  return found.sort((a, b) => (a.cleared < b.cleared ? 1 : a.cleared > b.cleared ? -1 : a.id < b.id ? -1 : 1));
}

const PAGE = 1_000;
/** Pages read of one span, the newest first; a span with more events than that is said to be cut. */
const PAGES_MAX = 10;
/** Alarms raised before the span whose onset is asked for one by one. */
const ASKED_MAX = 50;
const AT_ONCE = 5;

export interface EndedSpan {
  ended: Ended[];
  isCut: boolean;
}

/** Read the alarms that ended since a time. */
export async function readEnded(from_ms: number, signal: AbortSignal): Promise<EndedSpan> {
  const events: AlarmEvent[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await get<{ events: AlarmEvent[]; next: string | null }>("events", { from: new Date(from_ms).toISOString(), limit: PAGE, cursor }, signal);
    events.push(...answer.events);
    cursor = answer.next ?? undefined;
    if (cursor === undefined) break;
  }
  const ended = endedOf(events);
  const early = ended.filter((one) => one.raised === null).slice(0, ASKED_MAX);
  for (let at = 0; at < early.length; at += AT_ONCE) {
    await Promise.all(
      early.slice(at, at + AT_ONCE).map(async (one) => {
        const whole = endedOf((await get<{ events: AlarmEvent[] }>("events", { alarm: one.id, limit: PAGE }, signal)).events).find((each) => each.id === one.id);
        if (whole) Object.assign(one, whole);
      }),
    );
  }
  return { ended, isCut: cursor !== undefined };
}

/** An alarm that may have ended; one that is at rest has the highest tier and the person of its last episode, told from its events. */
export async function readAlarm(id: string): Promise<Alarm> {
  const alarm = await get<Alarm>(`alarms/${encodeURIComponent(id)}`);
  if (alarm.state !== "NORMAL" || alarm.tier_max !== "NONE" || alarm.id === alarm.key) return alarm;
  const whole = endedOf((await get<{ events: AlarmEvent[] }>("events", { alarm: alarm.id, limit: PAGE })).events).find((one) => one.id === alarm.id);
  if (!whole) return alarm;
  return { ...alarm, tier_max: whole.tier_max, onset: whole.raised ?? alarm.onset, raised: whole.raised ?? alarm.raised ?? null, acked_by: whole.acked_by, comment: whole.comment };
}
