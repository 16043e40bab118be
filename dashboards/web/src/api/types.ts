/** What the gateway says: the shapes of /api/v1, field for field. */
import type { DrillBrief } from "./drills";

export const TIERS = ["RED", "ORANGE", "YELLOW", "BLUE"] as const;
export type ActiveTier = (typeof TIERS)[number];
export type Tier = ActiveTier | "NONE";
export type Nature = "actual" | "exercise" | "test";
export type State = "NORMAL" | "UNACK" | "ACKED" | "RTN_UNACK" | "LATCHED";
export type Suppression = "none" | "shelved" | "by_design" | "out_of_service";
export type Role = "viewer" | "operator" | "safety_officer" | "engineer" | "regulator" | "administrator";
/** The same text in each language that the site's configuration gives. */
export type Said = Record<string, string>;

export interface Me {
  name: string;
  role: Role;
  /** Permissions of the role, by name. */
  may: string[];
  has_password: boolean;
}

export interface AuditRow {
  nature: Nature;
  number: number;
  time: string;
  act: { who: string; action: string } & Record<string, unknown>;
}

export interface Session {
  id: string;
  created: string;
  expires: string;
  from: string;
  is_mine: boolean;
}

export interface Person {
  name: string;
  role: Role;
  is_active: boolean;
  has_password: boolean;
  created: string | null;
  locked_until: string | null;
  failures: number;
  sessions: number;
}

export interface Token {
  id: string;
  name: string;
  role: Role;
  scope: "read" | "act";
  made_by: string;
  created: string;
  expires: string;
  used: string | null;
  revoked: string | null;
  is_good: boolean;
}

export interface Limit {
  rule: string;
  kind: string;
  setpoint: number;
  deadband: number;
  on_delay_s: number;
  off_delay_s: number;
  is_latching?: boolean;
  /** Expression that says when the rule is judged at all; empty for always. */
  enable?: string;
  /** Spans of the week in which it is judged, e.g. "mon-fri 08:00-20:00 Asia/Shanghai"; empty for always. */
  schedule?: string;
  tier: Tier;
}

/** How a derived tag is computed. */
export interface Derived {
  kind: string;
  inputs: { role: string; tag: string }[];
  formula: Said;
  parameters: Record<string, number | string>;
}

export interface Tag {
  row: number;
  name: string;
  title: Said;
  unit: string;
  source: string;
  eu: string;
  kind: string;
  range_lo: number | null;
  range_hi: number | null;
  resolution: number | null;
  period_s: number;
  nature: Nature;
  limits: Limit[];
  /** Null for a measured tag. */
  derived: Derived | null;
}

export interface Alarm {
  id: string;
  key: string;
  nature: Nature;
  tag: string;
  unit: string;
  group: string;
  rule: string;
  condition: string;
  tier: Tier;
  tier_max: Tier;
  state: State;
  is_active: boolean;
  onset: string | null;
  /** Time of the last trip or rise; null while it never rang. */
  raised?: string | null;
  changed: string | null;
  value: number | null;
  setpoint: number | null;
  eu: string;
  acked_by: string;
  acked: string | null;
  comment: string;
  suppression: Suppression;
  suppressed_until: string | null;
  suppressed_by: string;
  suppression_reason: string;
  /** Since when it is suppressed; null where it is not. */
  suppressed: string | null;
  /** Declared suppression that keeps it quiet. */
  design: { id: string; reason: Said; /** Declared stop, where it is one. */ stop: string | null } | null;
  /** Number of the permit that it is out of service under. */
  permit: string;
  /** Longest time out of service of what the alarm can reach, h; 0 where it may not be done. */
  service_hours_max: number;
  needs_permit: boolean;
  /** Who silenced the horn for it, and when. */
  silenced_by: string;
  silenced: string | null;
  /** The shelf ends with the first return to normal. */
  is_one_shot: boolean;
  /** Longest shelf of what the alarm can reach, min; 0 where it may not be shelved. */
  shelf_minutes_max: number;
  response: Said;
  /** Why it is there; null where nobody stated it. */
  rationale: { cause: Said; consequence: Said; respond_min: number | null } | null;
  ordinal: number;
}

export interface FloodRing {
  alarm: string;
  unit: string;
  tag: string;
  condition: string;
  tier: Tier;
  time: string;
}

export interface Flood {
  id: string;
  began: string;
  ended: string | null;
  count: number;
  peak: number;
  first: FloodRing;
  by_tier: Partial<Record<Tier, number>>;
  units: { unit: string; count: number; tier: Tier; first: FloodRing }[];
}

export interface Unit {
  id: string;
  title: Said;
  kind: string;
  grade: number | null;
  area: string;
  area_title: Said;
  /** Where people can see it; shown, never fetched. */
  links: { title: Said; url: string }[];
  tier: Tier;
  alarms: number;
  tags: string[];
}

export interface AlarmEvent {
  id: string;
  event: string;
  time: string;
  received?: string;
  nature: Nature;
  unit: string;
  alarm: string;
  tag: string;
  condition: string;
  tier: Tier;
  state: string;
  value: number | null;
  setpoint: number | null;
  suppression?: string;
  is_late?: boolean;
  cause?: Record<string, unknown>;
}

export interface Task {
  id: string;
  entry: string;
  nature: Nature;
  unit: string;
  tier: Tier;
  title: Said;
  owner: string;
  due: string;
  state: string;
  opened: string;
  done: string | null;
  done_by: string;
  note: string;
}

export interface Entry {
  id: string;
  unit: string;
  opened: string;
  closed: string | null;
  tier: Tier;
  tier_max: Tier;
  alarms: string[];
  tasks: Task[];
  is_late: boolean;
  nature: Nature;
}

export interface Receipt {
  status: number;
  id: string;
  is_repeat: boolean;
  answer: string;
}

export interface Notice {
  key: string;
  destination: string;
  chain: string;
  event: string;
  action: string;
  tier: Tier;
  state: string;
  attempts: number;
  created: string;
  next: string | null;
  delivered: string | null;
  last_error: string;
  receipt: Receipt | null;
  nature: Nature;
  /** What was sent, word for word. */
  body?: NoticeBody;
}

export interface NoticeBody {
  subject: "alarm" | "out_of_service" | "stop" | "register" | "report";
  alarm: string;
  event: { id: string; what: string };
  tag: string;
  unit: { id: string; title: Said };
  text: Said;
}

export interface Destination {
  id: string;
  waiting: number;
  delivered: number;
  handed: number;
  quarantined: number;
  oldest_waiting_s: number | null;
  last_receipt: string | null;
  last_error: string;
  next: string | null;
}

export interface Stage {
  stage: string;
  in: number;
  out: number;
  held: number;
  refused: Record<string, number>;
  noted: Record<string, number>;
  balance: number;
  delay_ms: { p50: number | null; p99: number | null } | null;
  last_error: string;
  last_error_time: string | null;
}

export interface Queue {
  name: string;
  size: number;
  max: number;
  dropped: number;
}

export interface SourceState {
  id: string;
  protocol: string;
  is_up: boolean;
  last_scan: string | null;
  scans: number;
  refused: number;
  refused_by: Record<string, number>;
  failures: Record<string, number>;
  last_success: string | null;
  samples: number;
  requests: number;
  skipped: number;
  overruns: number;
  reconnects: number;
  crashes: number;
  bytes: { sent: number; received: number };
  kept: KeptPayload[];
}

export interface KeptPayload {
  reason: string;
  origin: string;
  text: string;
  size: number;
  received: string | null;
}

/** What came of what was expected in one hour, or in all of them. */
export interface DeliveryCell {
  expected: number;
  good: number;
  bad: number;
  completeness: number | null;
  p50_s: number | null;
  p99_s: number | null;
  late: number;
}

export interface DeliveryRow {
  id: string;
  protocol?: string;
  node?: string;
  total: DeliveryCell | null;
  hours: (DeliveryCell | null)[];
}

export interface Delivery {
  from: string;
  to: string;
  hours: string[];
  sources: DeliveryRow[];
  nodes: DeliveryRow[];
}

export type CheckoutState = "unchecked" | "failed" | "checked" | "changed";

export interface CheckoutRow {
  tag: string;
  title: Said;
  unit: string;
  source: string;
  state: CheckoutState;
  changed: ("signal" | "limits")[];
  is_open: boolean;
  signed: string | null;
  signed_by: string;
  comment: string;
}

export interface CheckoutList {
  tags: CheckoutRow[];
  total: number;
  counts: Record<CheckoutState, number>;
}

export interface RawWords {
  table: "holding" | "input" | "coil" | "discrete";
  register: number;
  hex: string;
  words: number[];
  time: string | null;
}

export interface CheckoutPoint {
  time: string;
  by: string;
  injected: number | null;
  note: string;
  error_percent: number | null;
  value: number | null;
  quality: string;
  raw: RawWords | null;
  conditions: string[];
}

export interface CheckoutRecord {
  number: number;
  state: "open" | "passed" | "failed" | "abandoned" | "expired";
  begun: string | null;
  begun_by: string;
  until: string | null;
  reason: string;
  alarms: number;
  points: CheckoutPoint[];
  ended: string | null;
  ended_by: string;
  comment: string;
}

export interface CheckoutTagState {
  tag: string;
  state: CheckoutState;
  changed: ("signal" | "limits")[];
  open: CheckoutRecord | null;
  now: {
    value: number | null;
    quality: string;
    value_time: string | null;
    raw: RawWords | null;
    conditions: { rule: string; kind: string; setpoint: number | null; tier: Tier; is_active: boolean; is_waiting: boolean }[];
  };
  range_lo: number | null;
  range_hi: number | null;
  eu: string;
  alarms: { key: string; tag: string; unit: string; group: string; is_own: boolean; is_active: boolean; suppression: string }[];
  records: CheckoutRecord[];
}

/** Why a request of a probe gave no values. */
export interface ProbeFailure {
  reason: string;
  code: number;
}

/** One register as it came; a bit has `bit` alone, one that was not read `failure`. */
export interface ProbeRegister {
  register: number;
  counted: number;
  notation: string;
  is_asked: boolean;
  failure?: ProbeFailure | null;
  bit?: number;
  hex?: string;
  uint16?: number;
  int16?: number;
  bcd?: number | null;
  bits?: string;
  text?: string;
}

export interface ProbeGuess {
  register: number;
  counted: number;
  away: number;
  words: number;
  types: string[];
  order: string;
  scale: number;
  value: number | null;
  text: string;
  score: number;
}

export interface Probed {
  place: string;
  source: string;
  reason: string;
  seconds: number;
  table: "holding" | "input" | "coil" | "discrete";
  function: number;
  requests: number;
  counts_from: number;
  failure: ProbeFailure | null;
  registers: ProbeRegister[];
  guesses: ProbeGuess[];
}

/** An edge node, by what it said last. */
export interface NodeState {
  name: string;
  is_up: boolean;
  last_contact: string | null;
  lag_s: number;
  clock_offset_s: number;
  spool: { waiting: number; bytes: number; dropped: number; corrupt: number };
  refused: Record<string, number>;
  known: number;
  missing: number;
  revision: string;
  error: string;
  /** What the error is about: spool, or why a reload was refused; empty from nodes that do not say. */
  error_code: string;
  sources: string[];
}

export interface Flow {
  stages: Stage[];
  queues: Queue[];
  sources: SourceState[];
  nodes: NodeState[];
  /** The gateway's own link to the broker that nodes send through; null where there is none. */
  node_broker: { place: string; is_up: boolean; reason: string; refused: Record<string, number>; crashes: number } | null;
}

export interface History {
  tag: string;
  eu: string;
  times_ns: (string | number)[];
  values: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  quality: number[];
  is_rolled_up: boolean;
}

export interface Status {
  site: { id: string; title: Said };
  nature: Nature;
  now: string;
  timezone: string;
  counts: Record<ActiveTier, number>;
  unacked: number;
  shelved: number;
  by_design: number;
  out_of_service: number;
  /** Acts that wait for a second person. */
  requests: number;
  /** The flood that goes on; null where none does. */
  flood?: Flood | null;
  links: { up: number; total: number };
  push: { waiting: number };
  checkouts: number;
  drill: DrillBrief | null;
  is_demonstration: boolean;
  layout: number;
}

export interface Columns {
  rows: number[];
  v: (number | null)[];
  q: number[];
  t_ms: number[];
}

export interface UnitTier {
  id: string;
  tier: Tier;
  alarms: number;
}

export interface Snapshot {
  kind: "snapshot";
  rev: number;
  as_of: string;
  status: Status;
  alarms: Alarm[];
  /** More than `alarms` holds in a flood: the rest is read page by page. */
  alarms_total?: number;
  units: UnitTier[];
  values: Columns;
}

export interface Delta {
  kind: "delta";
  rev: number;
  as_of: string;
  status?: Status;
  alarms?: Alarm[];
  gone?: string[];
  units?: UnitTier[];
  values?: Columns;
}

/** A rule written out as a `[[rule]]` of the site file. */
export type RuleTable = Record<string, unknown>;

export interface RuleInForce {
  id: string;
  tag: string;
  title: Said;
  unit: string;
  eu: string;
  resolution: number;
  kind: string;
  group: string;
  tier: Tier;
  revision: number;
  /** Stands otherwise than in the files. */
  is_changed: boolean;
  /** The gateway's own; never changed. */
  is_own: boolean;
  table: RuleTable;
}

export interface Rules {
  revision: number;
  can_change: boolean;
  /** A change waits until another person approves of it. */
  needs_approval: boolean;
  /** Changes that wait. */
  waiting: number;
  rules: RuleInForce[];
  total: number;
  next: number | null;
}

export interface Mistake {
  file: string;
  line: number;
  path: string;
  sentence: string;
  remedy: string;
  /** In Chinese, null where none is known. */
  zh?: string | null;
  remedy_zh?: string | null;
}

export interface Difference {
  rule: string;
  before: RuleTable | null;
  after: RuleTable | null;
  keys: string[];
}

export interface Checked {
  revision: number;
  ok: boolean;
  mistakes: Mistake[];
  warnings: Mistake[];
  changes: Difference[];
  needs_restart: string[];
  parts: PartDifference[];
  count_others: number;
  restarted: string[];
}

/** A tag, source, unit or other part before and after. */
export interface PartDifference {
  part: string;
  name: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  keys: string[];
}

export interface ConfigState {
  revision: number;
  can_change: boolean;
  needs_approval: boolean;
  tables: { path: string; bytes: number; is_on_top: boolean; can_import: boolean }[];
  sources: string[];
}

export interface LookedAt {
  ok: boolean;
  revision: number;
  ticket: string | null;
  checked: Checked | null;
  import: {
    form: string;
    rows: number;
    added: string[];
    removed: string[];
    changed: { tag: string; cells: Record<string, [string, string]> }[];
    count: { added: number; removed: number; changed: number; unchanged: number };
    assumed: [string, number, string | null][];
    left_out: string[];
    mistakes: Mistake[];
    mistakes_total: number;
    warnings: Mistake[];
  };
}

export interface Revision {
  number: number;
  time: string;
  who: string;
  origin: string;
  reason: string;
  approved_by: string;
  undoes: number | null;
  count: number;
  rules: string[];
  count_others: number;
  others: string[];
  changes?: Difference[];
  parts?: PartDifference[];
}

export interface Revisions {
  running: number;
  revisions: Revision[];
  next: number | null;
}

export interface TrialTrip {
  from_ms: number;
  to_ms: number;
  is_in_both: boolean;
}

/** One changed rule; pairs are before and after. */
export interface TrialRule {
  rule: string;
  tag: string;
  kind: string;
  eu: string;
  alarms: [number, number];
  per_day: [number | null, number | null];
  active_s: [number, number];
  missed: number;
  added: number;
  earlier: number;
  later: number;
  shift_s_median: number | null;
  trips: [TrialTrip[], TrialTrip[]];
}

export interface TrialPicture {
  tag: string;
  eu: string;
  time_ms: number[];
  least: (number | null)[];
  greatest: (number | null)[];
  limits: [{ rule: string; kind: string; setpoint: number }[], { rule: string; kind: string; setpoint: number }[]];
}

/** Tuning advice for one rule of a tried tag, by normal operation in the span; ours, applied by nobody but a person. */
export interface TrialAdvice {
  rule: string;
  tag: string;
  kind: string;
  field: "setpoint" | "deadband" | "on_delay_s";
  now: number | null;
  proposed: number;
  eu: string;
  reason: { en: string; zh: string };
}

export interface Trial {
  number: number;
  who: string;
  state: "running" | "done" | "failed" | "cancelled";
  share: number;
  from: string;
  to: string;
  code: string;
  message: string;
  result: { days: number; samples: number; rules: TrialRule[]; pictures: TrialPicture[]; advice: TrialAdvice[] } | null;
}
