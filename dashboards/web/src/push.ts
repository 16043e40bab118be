/** What notices say of themselves and of their destinations. */
import type { Notice } from "./api/types";

export type NoticeAct = "alert" | "update" | "cancel" | "stopped" | "resumed";

/** What a notice tells: of an alarm its action, of an alarm taken out of service that. */
export function noticeAct(notice: Notice): NoticeAct {
  if (notice.body?.subject === "out_of_service") return notice.body.event.what === "suppressed" ? "stopped" : "resumed";
  return notice.action as NoticeAct;
}

export interface Trouble {
  /** The last error, as the gateway noted it. */
  error: string;
  /** The first moment at which something is tried again. */
  next: string | null;
}

/** Destinations whose notices could not be delivered, with the last error; `waiting` are notices that wait. */
export function troubles(waiting: readonly Notice[]): Map<string, Trouble> {
  const found = new Map<string, Notice>();
  for (const notice of waiting) {
    if (notice.last_error === "" || notice.state !== "waiting") continue;
    const known = found.get(notice.destination);
    // The one tried last is the one that is tried again last, but for the jitter.
    if (!known || (notice.next ?? "") > (known.next ?? "")) found.set(notice.destination, notice);
  }
  const first = (destination: string): string | null =>
    waiting.filter((notice) => notice.destination === destination && notice.last_error !== "").reduce<string | null>((least, notice) => (least === null || (notice.next ?? "") < least ? notice.next : least), null);
  return new Map([...found].map(([destination, notice]) => [destination, { error: notice.last_error, next: first(destination) }]));
}
