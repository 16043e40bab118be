/**
 * The horn: sounds at every screen for what nobody has answered, until somebody silences it.
 *
 * Why: silence is no acknowledgement (ISA-18.2): it quiets the room, the alarm stays listed as unanswered. It is an act
 * with a name that the gateway keeps (OPC UA Part 9, Silence), so that the other screens are quiet too and say by whom.
 * What rises or comes anew sounds again. A browser that forbids sound is said aloud in a banner, for a horn that cannot is none.
 */
import { computed, ref, shallowRef, watch } from "vue";
import { postActs } from "./api/acts";
import type { Alarm } from "./api/types";
import { refuse, sentenceOf } from "./desk";
import { alarms, hasSnapshot, isConnected, isDrilled, rowKey, status, takeAlarm } from "./live/picture";
import { may, me } from "./session";
import { t } from "./words/i18n";

export type Urgency = "high" | "middle" | "low";

/** Tones of each urgency; figures are ours: the more urgent, the higher, the faster, the more pulses. */
const PATTERN: Record<Urgency, { hz: readonly number[]; pulse_s: number; every_ms: number | null }> = {
  high: { hz: [880, 660, 880, 660], pulse_s: 0.16, every_ms: 2_000 },
  middle: { hz: [660, 660], pulse_s: 0.2, every_ms: 4_000 },
  low: { hz: [523], pulse_s: 0.3, every_ms: null }, // once
};
const OF_TIER: Record<string, Urgency | undefined> = { RED: "high", ORANGE: "middle", YELLOW: "low" };
const ORDER: readonly Urgency[] = ["high", "middle", "low"];
const LOUDNESS = 0.25;
/** A connection that is gone for so long sounds too: nobody would hear an alarm then. */
const LOST_MS = 10_000;
const KEPT_AT = "fengsui.horn";
const SILENCED_AT_ONCE = 500;

/** One sounding of one alarm: a rise in tier is another one. */
export function soundingOf(alarm: Alarm): string {
  return `${rowKey(alarm)} ${alarm.raised ?? ""} ${alarm.tier_max}`;
}

/** The urgency of an alarm for the ear, or none: answered, suppressed and BLUE ones and a drill's are for the eye alone. */
export function urgencyOf(alarm: Alarm): Urgency | undefined {
  if (isDrilled(alarm)) return undefined; // A horn that sounds for an exercise would drown the one for the plant.
  if (alarm.suppression !== "none" || alarm.silenced) return undefined;
  if (alarm.state === "UNACK") return OF_TIER[alarm.tier];
  // What returned unanswered goes on sounding if it was serious: it may be gone because the sensor is.
  const was = OF_TIER[alarm.tier_max];
  return alarm.state === "RTN_UNACK" && was !== "low" ? was : undefined;
}

/** The worst that sounds, of alarms that were not silenced here. */
export function worstOf(all: Iterable<Alarm>, silenced: ReadonlySet<string>): Urgency | null {
  let worst: Urgency | null = null;
  for (const alarm of all) {
    const urgency = urgencyOf(alarm);
    if (!urgency || (worst !== null && ORDER.indexOf(urgency) >= ORDER.indexOf(worst)) || silenced.has(soundingOf(alarm))) continue;
    worst = urgency;
  }
  return worst;
}

/** In a flood the lighter ones are for the eye alone, so that the gravest are heard. */
export function calm(worst: Urgency | null): Urgency | null {
  return worst === "low" && status.value?.flood ? null : worst;
}

const isWanted = ref(localStorage.getItem(KEPT_AT) !== "off");
const silenced = shallowRef<ReadonlySet<string>>(new Set());
const isLostLong = ref(false);
const isLostSilenced = ref(false);
let context: AudioContext | null = null;
let timer: number | undefined;

/** The browser forbids sound until somebody touches the page. */
export const isBlocked = ref(false);
/** Only who may answer an alarm is called by it. */
export const isOn = computed(() => isWanted.value && me.value !== null && may("ack"));
export const urgency = computed<Urgency | null>(() => {
  if (!isOn.value) return null;
  const worst = hasSnapshot.value ? calm(worstOf(alarms.value.values(), silenced.value)) : null;
  return isLostLong.value && !isLostSilenced.value && worst !== "high" ? "middle" : worst;
});
export const state = computed<"off" | "ringing" | "quiet">(() => (!isOn.value ? "off" : urgency.value && urgency.value !== "low" ? "ringing" : "quiet"));

/** Silence all that sounds: here at once, at the other screens when the gateway has it. */
export async function silence(): Promise<void> {
  const sounding = [...alarms.value.values()].filter((alarm) => urgencyOf(alarm) !== undefined && !silenced.value.has(soundingOf(alarm)));
  silenced.value = new Set([...silenced.value, ...sounding.map(soundingOf)]);
  isLostSilenced.value = true;
  for (let from = 0; from < sounding.length; from += SILENCED_AT_ONCE) {
    try {
      for (const one of (await postActs("silence", sounding.slice(from, from + SILENCED_AT_ONCE))).results) if (one.alarm) takeAlarm(one.alarm);
    } catch (cause) {
      // This screen is quiet all the same; that the others are not must be known.
      refuse(t("horn.silence"), `${t("horn.onlyHere")} ${sentenceOf(cause)}`);
      return;
    }
  }
}

export function turn(on: boolean): void {
  isWanted.value = on;
  localStorage.setItem(KEPT_AT, on ? "on" : "off");
  if (on) void unlock();
}

async function unlock(): Promise<void> {
  if (!isOn.value) return;
  context ??= new AudioContext();
  if (context.state === "suspended") await context.resume().catch(() => undefined);
  isBlocked.value = context.state !== "running";
}

function burst(of: Urgency): void {
  if (!context || context.state !== "running") return;
  const { hz, pulse_s } = PATTERN[of];
  hz.forEach((tone, n) => {
    const from = context!.currentTime + n * pulse_s * 1.25;
    const oscillator = context!.createOscillator();
    const gain = context!.createGain();
    oscillator.frequency.value = tone;
    // Soft edges: a hard one clicks.
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.02);
    gain.gain.setValueAtTime(LOUDNESS, from + pulse_s - 0.03);
    gain.gain.linearRampToValueAtTime(0, from + pulse_s);
    oscillator.connect(gain).connect(context!.destination);
    oscillator.start(from);
    oscillator.stop(from + pulse_s);
  });
}

function sound(): void {
  window.clearTimeout(timer);
  const of = urgency.value;
  if (!of) return;
  burst(of);
  const { every_ms } = PATTERN[of];
  if (every_ms !== null) timer = window.setTimeout(sound, every_ms);
}

/** Put the horn up; once, with the page. */
export function hang(): void {
  for (const touch of ["click", "keydown"]) window.addEventListener(touch, () => void unlock().then(() => (isBlocked.value ? undefined : sound())), { capture: true });
  watch(
    isOn,
    (on) => {
      if (!on) {
        isBlocked.value = false;
        return;
      }
      context ??= new AudioContext();
      isBlocked.value = context.state !== "running";
      context.onstatechange = () => (isBlocked.value = isOn.value && context!.state !== "running");
    },
    { immediate: true },
  );
  // A low one sounds once for each alarm, so what sounds is watched and not only how urgently.
  watch([urgency, () => (urgency.value === "low" ? [...alarms.value.values()].filter((one) => urgencyOf(one) === "low" && !silenced.value.has(soundingOf(one))).map(soundingOf).sort().join() : "")], sound);
  watch(alarms, (now) => {
    // What is gone is forgotten, so that the set does not grow for ever.
    const there = new Set([...now.values()].map(soundingOf));
    if ([...silenced.value].some((one) => !there.has(one))) silenced.value = new Set([...silenced.value].filter((one) => there.has(one)));
  });
  let lost: number | undefined;
  watch(
    () => hasSnapshot.value && !isConnected.value,
    (isLost) => {
      window.clearTimeout(lost);
      isLostLong.value = false;
      isLostSilenced.value = false;
      if (isLost) lost = window.setTimeout(() => (isLostLong.value = true), LOST_MS);
    },
  );
}
