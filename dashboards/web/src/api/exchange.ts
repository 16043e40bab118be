/** What is said of the dual-prevention exchange. */
import type { Said } from "./types";

export interface ExchangeTable {
  ledger: string;
  title: Said;
  path: string;
  records: number;
  confirmed: number;
  handed: number;
  waiting: number;
  quarantined: number;
  held: number;
  untold: number;
}

export interface HeldRecord {
  ledger: string;
  id: string;
  code: string;
  title: string;
  why: Said;
}

export interface ExchangeDestination {
  id: string;
  profile: string;
  is_dry: boolean;
  is_real: boolean;
  is_more: boolean;
  tables: ExchangeTable[];
  held: HeldRecord[];
}

export interface DryRun {
  notices: { ledger: string; title: Said; path: string; codes: string[]; rows: Record<string, unknown>[] }[];
  count: number;
  rows: number;
  is_more: boolean;
}
