/** Who is logged in, and what the page offers them. The gateway decides; this only hides what it would refuse. */
import { ref, shallowRef } from "vue";
import { get, post, Refusal, whenLoggedOut } from "./api/client";
import type { Me } from "./api/types";
import { follow, unfollow } from "./live/picture";

export const me = shallowRef<Me | null>(null);
/** Unknown until the first answer, so that the log-in form does not flash up. */
export const isKnown = ref(false);
export const isReachable = ref(true);

/** The permission that each act asks for, as the gateway's doors declare it; who has it, the gateway says. */
const NEEDS = {
  ack: "operate",
  reset: "operate",
  silence: "operate",
  shelve: "operate",
  unshelve: "operate",
  task: "operate",
  empty: "operate",
  suppress: "suppress",
  extend: "suppress",
  unsuppress: "suppress",
  relearn: "suppress",
  rules: "engineer",
  approve: "approve",
  people: "people",
  audit: "audit",
  resend: "resend",
  channel: "channel",
  roster: "roster",
  drill: "drill",
  stopDrill: "operate",
  register: "register",
  reporter: "reporter",
} as const;

export type Act = keyof typeof NEEDS;

export function may(act: Act): boolean {
  return me.value?.may.includes(NEEDS[act]) ?? false;
}

function enter(person: Me): void {
  me.value = person;
  isKnown.value = true;
  isReachable.value = true;
  // The client's own answer to 401 ends the session here; anything else the feed tries again.
  follow(() => void get<Me>("me").catch(() => undefined));
}

function leave(): void {
  me.value = null;
  isKnown.value = true;
  unfollow();
}

whenLoggedOut(leave);

let again: number | undefined;

/** Ask the gateway who we are; while it does not answer, ask again. */
export async function recognise(): Promise<void> {
  window.clearTimeout(again);
  try {
    enter(await get<Me>("me"));
  } catch (cause) {
    if (cause instanceof Refusal && (cause.status === 401 || cause.status === 403)) {
      leave();
      isReachable.value = true;
      return;
    }
    isReachable.value = false;
    again = window.setTimeout(() => void recognise(), 2_000);
  }
}

export async function logIn(name: string, password: string): Promise<void> {
  await post("login", { name, password });
  await recognise();
}

export async function logOut(): Promise<void> {
  try {
    await post("logout");
  } finally {
    leave();
  }
}
