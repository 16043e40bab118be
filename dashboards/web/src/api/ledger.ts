/** What the ledger of notices says. */
import type { Notice } from "./types";

export interface Answered {
  number: number;
  time: string;
  what: string;
  status: number;
  text: string;
  who: string;
  reason: string;
}

export interface LedgerNotice extends Notice {
  handed: string | null;
  is_late: boolean;
  answers: Answered[];
  /** The exact text, only of a notice asked for by itself. */
  sent?: string;
}

export interface Preview {
  sent: string;
  now: string | null;
  diff: string[];
  wrong: string[];
}
