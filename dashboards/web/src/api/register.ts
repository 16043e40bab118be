/** Answers of the register's doors. */
import type { Said } from "./types";

export interface LedgerField {
  name: string;
  title: Said;
  kind: "code" | "text" | "long" | "number" | "whole" | "date" | "moment" | "flag" | "choice" | "phone" | "cas" | "record" | "records" | "unit" | "tag" | "alarm" | "outline" | "point" | "post" | "steps" | "link";
  eu: string;
  is_required: boolean;
  is_listed: boolean;
  is_by_act: boolean;
  is_derived: boolean;
  ledger: string;
  least: number | null;
  most: number | null;
  choices: { code: string; title: Said }[];
  help: Said | null;
}

export interface LedgerAct {
  id: string;
  title: Said;
  begins: string[];
  ends: string;
  fields: string[];
  needed: string[];
  permission: string;
  /** Flag of the record that takes the act away: another record decides. */
  unless: string;
}

export interface Ledger {
  id: string;
  title: Said;
  about: Said;
  code: string;
  named: string;
  fields: LedgerField[];
  /** States in which nothing is left to do; empty for a ledger without acts. */
  shut: string[];
  /** What pictures of a record show; empty for a ledger without pictures. */
  photos: { code: string; title: Said }[];
  has_due: boolean;
  /** Field that the list is filtered by where there is no state; empty for none. */
  stage: string;
  acts: LedgerAct[];
}

export type Values = Record<string, string | number | boolean>;

export interface LedgerRecord {
  id: string;
  ledger: string;
  code: string;
  title: string;
  unit: string;
  revision: number;
  changed: string;
  changed_by: string;
  values: Values;
  is_removed: boolean;
  is_overdue?: boolean;
  /** Fields that follow another record and are changed there. */
  fixed?: string[];
  /** Of a resource: past its last day. */
  is_expired?: boolean;
  /** Of a hidden hazard that was here before. */
  repeat?: { id: string; code: string; days: number; times: number };
}

export interface RecordRevision {
  revision: number;
  time: string;
  who: string;
  /** made, changed, removed, restored, or the act of a closed loop */
  what: string;
  reason: string;
  values: Values;
}

export interface RecordPhoto {
  digest: string;
  shows: string;
  by: string;
  time: string;
}

export interface RecordStory {
  /** Of a video patrol: address of its camera. */
  camera?: string;
  record: LedgerRecord;
  revisions: RecordRevision[];
  referring: LedgerRecord[];
  photos: RecordPhoto[];
}

export interface WrongField {
  field: string;
  title: Said;
  value: string;
  rule: Said;
  remedy: Said;
}

export interface LookedAtLedger {
  rows: number;
  new: number;
  changed: { code: string; before: Values; after: Values }[];
  changed_count: number;
  unchanged: number;
  mistakes: { sheet: string; row: number; column: string; value: string; rule: Said; remedy: Said }[];
  mistake_count: number;
  ticket: string | null;
}

export interface WorksheetLine {
  code: string;
  substance: string;
  cas: string;
  design_t: number;
  filed_t: number | null;
  critical_t: number;
  critical_from: string;
  ratio: number;
  beta: number;
  beta_from: string;
  part: number;
  live_tag: string;
  live_t: number | null;
  live_part: number | null;
  live_time: string | null;
}

export interface Worksheet {
  edition: string;
  source: Said;
  unit: { code: string; name: string; id: string; site_unit: string };
  persons_outside: number;
  lines: WorksheetLine[];
  s: number;
  is_major: boolean;
  alpha: number;
  r: number | null;
  grade: number;
  r_live: number | null;
  live_known: number;
  findings: { what: string; said: Said }[];
}
