/** Disposals: what was found and done about an alarm. */
import { address, get, post } from "./client";
import type { Nature, Tier } from "./types";

export const CAUSES = ["real", "false", "maintenance", "instrument"] as const;
export type Cause = (typeof CAUSES)[number];
export const PHOTO_BYTES_MAX = 5 * 1024 * 1024;

export interface DisposalEntry {
  number: number;
  who: string;
  time: string;
  cause: Cause;
  finding: string;
  measures: string;
}

export interface Photo {
  digest: string;
  type: string;
  size: number;
  by: string;
  time: string;
}

export interface Disposal {
  alarm: string;
  key: string;
  nature: Nature;
  unit: string;
  tag: string;
  condition: string;
  tier: Tier;
  opened: string;
  due: string;
  state: "open" | "done";
  done: string | null;
  is_overdue: boolean;
  entry: DisposalEntry | null;
}

export interface WholeDisposal extends Disposal {
  entries: DisposalEntry[];
  photos: Photo[];
  /** Authorities that were told; after filing only. */
  told?: number;
}

export interface Disposals {
  disposals: Disposal[];
  total: number;
  counts: { open: number; overdue: number };
}

const at = (alarm: string): string => `disposals/${encodeURIComponent(alarm)}`;
export const readDisposals = (state: string, signal: AbortSignal): Promise<Disposals> => get("disposals", { state }, signal);
export const readDisposal = (alarm: string, signal?: AbortSignal): Promise<WholeDisposal> => get(at(alarm), {}, signal);
export const beginDisposal = (alarm: string): Promise<WholeDisposal> => post(`${at(alarm)}/begin`, {});
export const fileDisposal = (alarm: string, said: { cause: Cause; finding: string; measures: string }): Promise<WholeDisposal> => post(`${at(alarm)}/submit`, said);
export const addPhoto = (alarm: string, picture: Blob): Promise<WholeDisposal> => post(`${at(alarm)}/photo`, picture);
export const photoAddress = (digest: string): string => address(`api/v1/photos/${digest}`, {});
