/** English words of the page. `zh.ts` has the same keys, by its type. */
import * as peopleWords from "./en/people";
import * as disposalWords from "./en/disposal";
import * as floodWords from "./en/flood";
import * as stopWords from "./en/stop";
import * as quietWords from "./en/quiet";
import * as alarmWords from "./en/alarm";
import * as plantWords from "./en/plant";
import * as registerWords from "./en/register";
import * as riskWords from "./en/risk";
import * as reportWords from "./en/report";
import * as campaignWords from "./en/campaigns";
import * as exposureWords from "./en/exposure";
import * as reporterWords from "./en/reporter";
import * as hazardWords from "./en/hazards";
import * as commitmentWords from "./en/commitment";
import * as crowdWords from "./en/crowd";
import * as responseWords from "./en/response";
import * as planWords from "./en/plans";
import * as callWords from "./en/calls";
import * as rollWords from "./en/rollCall";
import * as resourceWords from "./en/resources";
import * as incidentWords from "./en/incidents";
import * as zoneWords from "./en/zones";
import * as pushWords from "./en/push";
import * as exchangeWords from "./en/exchange";
import * as eventWords from "./en/events";
import * as instrumentWords from "./en/instruments";
import * as channelWords from "./en/channels";
import * as reportMailWords from "./en/reports";
import * as fieldWords from "./en/field";
import * as flowWords from "./en/flow";
import * as tablesWords from "./en/tables";
import * as rulesWords from "./en/rules";
import * as proposalWords from "./en/proposals";
import * as alarmListWords from "./en/alarmList";
import * as escalationWords from "./en/escalation";
import * as handoverWords from "./en/handover";
import * as kpiWords from "./en/kpi";
import * as checkWords from "./en/check";
import * as dutiesWords from "./en/duties";
import * as rosterWords from "./en/roster";
import * as drillWords from "./en/drill";
import * as runWords from "./en/run";

export const en = {
  language: { name: "English", other: "中文", switch: "Language" },
  theme: { label: "Colours", auto: "system", light: "light", dark: "dark" },
  nav: {
    label: "Pages",
    overview: "Units",
    alarms: "Alarms",
    trend: "Trends",
    register: "Register",
    duties: "Duties",
    response: "Response",
    push: "Push",
    rules: "Rules",
    field: "Field",
    flow: "Flow",
    kpi: "Load",
    handover: "Handover",
    roster: "Roster",
    drill: "Drills",
    people: "People",
    audit: "Audit",
    more: "More",
  },
  top: {
    asOf: "data as of",
    unacked: "unacknowledged",
    suppressed: "suppressed",
    links: "links",
    push: "push",
    waiting: "{n} waiting",
    tiers: "Active alarms by tier",
    onDuty: "on duty",
    user: "logged in as",
  },
  nature: {
    test: "Simulated data – test. Nothing here is a real alarm.",
    exercise: "Exercise. Nothing here is a real alarm.",
    testMark: "test",
    exerciseMark: "exercise",
    actualMark: "actual",
  },
  lost: {
    banner: "Connection lost. Data as of {time}. Trying again…",
    waiting: "Waiting for the first data from the gateway…",
    unreachable: "The gateway does not answer. Check that it runs and that this machine reaches it.",
  },
  tier: { RED: "Red", ORANGE: "Orange", YELLOW: "Yellow", BLUE: "Blue", NONE: "None" },
  age: { s: "{n} s", m: "{n} min", h: "{n} h", d: "{n} d" },
  common: {
    fileChanged: "The file was changed since it was chosen. Choose it again.",
    loading: "Reading…",
    failed: "This could not be read: {why}",
    failedPlain: "This could not be read.",
    comma: ", ",
    again: "Try again",
    none: "–",
    on: "on",
    off: "off",
    details: "Details",
  },
  nowhere: {
    title: "No such place",
    text: "The page has no place with this address:",
    home: "To the first page",
  },
  title: "{page} – {site}",
  ...peopleWords,
  ...alarmWords,
  ...quietWords,
  ...floodWords,
  ...stopWords,
  ...disposalWords,
  ...plantWords,
  ...registerWords,
  ...riskWords,
  ...hazardWords,
  ...reportWords,
  ...reporterWords,
  ...campaignWords,
  ...exposureWords,
  ...commitmentWords,
  ...responseWords,
  ...crowdWords,
  ...planWords,
  ...callWords,
  ...rollWords,
  ...resourceWords,
  ...incidentWords,
  ...zoneWords,
  ...pushWords,
  ...exchangeWords,
  ...eventWords,
  ...instrumentWords,
  ...channelWords,
  ...reportMailWords,
  ...fieldWords,
  ...flowWords,
  ...tablesWords,
  ...rulesWords,
  ...proposalWords,
  ...alarmListWords,
  ...escalationWords,
  ...handoverWords,
  ...kpiWords,
  ...checkWords,
  ...dutiesWords,
  ...rosterWords,
  ...drillWords,
  ...runWords,
};

/** Leaves are strings, whatever they say; keys are fixed. */
type Shape<T> = T extends string ? string : { [K in keyof T]: Shape<T[K]> };
export type Words = Shape<typeof en>;
