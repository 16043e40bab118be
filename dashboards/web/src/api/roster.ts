/** Rosters as the gateway tells them. */
import type { Role, Said } from "./types";

export interface Watch {
  number: number;
  date: string;
  shift: string;
  post: string;
  person: string;
  substitute: string;
  reason: string;
  on_duty: string;
  from: string | null;
  to: string | null;
  is_over: boolean;
  is_known: boolean;
}
export interface OnDuty extends Watch {
  is_leader: boolean;
  title: string;
  phone: string;
}
export interface OnDutyNow {
  at: string;
  on_duty: OnDuty[];
  unmanned: string[];
  has_posts: boolean;
}
export interface Shift {
  id: string;
  title: Said;
  from_s: number;
  to_s: number;
  on: "all" | "workdays" | "restdays";
}
export interface Post {
  id: string;
  title: Said;
  shifts: string[];
  units: string[];
  is_leader: boolean;
}
export interface RosterDay {
  date: string;
  is_workday: boolean;
  told: "plant" | "published" | "weekday";
  holiday: string;
}
export interface Roster {
  from: string;
  today: string;
  days: RosterDay[];
  shifts: Shift[];
  posts: Post[];
  watches: Watch[];
  gaps: { date: string; shift: string; post: string }[];
  country: string;
}
export interface Contact {
  person: string;
  role: Role;
  title: string;
  phone: string;
  email: string;
  addresses: Record<string, string>;
}
export interface RosterLooked {
  ticket: string | null;
  rows: number;
  from: string | null;
  to: string | null;
  added: number;
  removed: number;
  unchanged: number;
  past: number;
  mistakes: { line: number; column: string; en: string; zh: string }[];
  mistakes_total: number;
}
