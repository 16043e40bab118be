/** Answers of the doors of incidents. */
import type { CalledLine } from "./calls";
import type { Hold } from "./resources";
import type { Nature, Said, Tier } from "./types";

export interface Incident {
  number: number;
  nature: Nature;
  unit: string;
  /** Type of accident, GB 6441-2025; empty where nobody knows yet. */
  kind: string;
  title: string;
  tier: Tier;
  tier_max: Tier;
  /** Response grade, 1 to 4; 0 for none. */
  grade: number;
  state: "open" | "ended" | "merged";
  plan: string;
  plan_revision: number;
  commander: string;
  opened: string;
  opened_by: string;
  ended: string | null;
  ended_by: string;
  merged_into: number | null;
  /** The unit may not return until its restart check-list is complete. */
  is_holding: boolean;
  returned: string | null;
  returned_by: string;
  revision: number;
}

export interface IncidentTask {
  id: string;
  incident: number;
  step: string;
  title: Said;
  owner: string;
  /** Whom it belongs to now; empty where nobody is there. */
  owners: string[];
  answers: string[];
  state: "waiting" | "open" | "done" | "void";
  opened: string | null;
  due: string | null;
  is_late: boolean;
  done: string | null;
  done_by: string;
  answer: string;
  note: string;
}

export interface IncidentLine {
  place: number;
  time: string;
  who: string;
  what: string;
  facts: Record<string, unknown>;
}

export interface CalledHeadquarters {
  incident: number;
  headquarters: string;
  titles: Said;
  grade: number;
  time: string;
  members: { duty: Said; who: string; persons: string[]; said: "told" | "page" | "nobody" }[];
}

export interface IncidentLesson {
  /** Of its record in the ledger of lessons. */
  id: string;
  code: string;
  title: string;
  responsible: string;
  due: string;
  state: "open" | "done" | "accepted";
}

export interface IncidentStory extends Incident {
  alarms: string[];
  merged: number[];
  entry: string;
  /** Who was called out, by line of the site's list. */
  calls: CalledLine[];
  /** What it reserved, the first first; also what it gave back or used up. */
  resources: Hold[];
  tasks: IncidentTask[];
  timeline: IncidentLine[];
  /** By when it is reported the next time at the latest, where it is an accident; null once it is over. */
  report_due: string | null;
  /** Who was called, in the order of the calls. */
  headquarters: CalledHeadquarters[];
  /** Restart check-list; empty before stand-down, or where the plan has none. */
  restart: IncidentTask[];
  lessons: IncidentLesson[];
  /** Other open incidents. */
  others: number[];
}
