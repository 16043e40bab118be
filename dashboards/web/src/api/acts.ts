/** One act on many alarms: one call, one transaction, an answer for each. */
import { rowKey } from "../live/picture";
import { post } from "./client";
import type { SecondRequest } from "./quiet";
import type { Alarm, Said } from "./types";

export interface Acts {
  done: number;
  refused: number;
  /** Acts that wait for a second person. */
  waiting: number;
  results: { asked: string; is_done: boolean; refused: Said | null; request: SecondRequest | null; alarm: Alarm | null }[];
}

/** The tier that the person saw goes along: what rose since is not acknowledged or silenced unseen. */
export function postActs(act: string, about: readonly Alarm[], body: Record<string, unknown> = {}): Promise<Acts> {
  return post<Acts>(`acts/${act}`, { ...body, alarms: about.map((alarm) => ({ alarm: rowKey(alarm), seen_tier: alarm.tier })) });
}
