import { afterEach, expect, it, vi } from "vitest";
import { perform, type Progress } from "../src/desk";
import { alarms } from "../src/live/picture";
import { makeAlarm } from "./alarm";

afterEach(() => vi.unstubAllGlobals());

interface Sent {
  path: string;
  body: { comment: string; alarms: { alarm: string; seen_tier: string }[] };
}

it("an act on many alarms is one call, and a refusal of one is told with its name", async () => {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", (path: string, init: { body: string }) => {
    const body = JSON.parse(init.body) as Sent["body"];
    sent.push({ path, body });
    const results = body.alarms.map(({ alarm }) =>
      alarm === "n7" ? { asked: alarm, is_done: false, refused: { en: "There is nothing to acknowledge.", zh: "无需确认。" }, request: null, alarm: null } : { asked: alarm, is_done: true, refused: null, request: null, alarm: makeAlarm(alarm, { ordinal: 2 }) },
    );
    return Promise.resolve(new Response(JSON.stringify({ done: results.length - 1, refused: 1, results })));
  });
  const about = Array.from({ length: 15 }, (_, n) => makeAlarm(`n${n}`, { tag: `tag ${n}`, state: "UNACK" }));
  alarms.value = new Map(about.map((alarm) => [alarm.id, alarm]));
  const progress: Progress = { answered: 0, waiting: 0, refused: [], isStopped: false };
  await perform("ack", about, { comment: "seen" }, progress);
  expect(sent.map((one) => one.path)).toEqual(["api/v1/acts/ack"]);
  expect(sent[0]!.body.comment).toBe("seen");
  expect(sent[0]!.body.alarms).toEqual(about.map((alarm) => ({ alarm: alarm.id, seen_tier: "YELLOW" })));
  expect(progress.answered).toBe(15);
  expect(progress.refused.map((one) => one.about)).toEqual(["tag 7"]);
  expect([...alarms.value.values()].filter((alarm) => alarm.state === "UNACK").map((alarm) => alarm.id)).toEqual(["n7"]);
});

it("what is not answered at all is refused for each, and the rest is not sent after a stop", async () => {
  let calls = 0;
  const progress: Progress = { answered: 0, waiting: 0, refused: [], isStopped: false };
  vi.stubGlobal("fetch", () => {
    calls += 1;
    progress.isStopped = true;
    return Promise.resolve(new Response(JSON.stringify({ error: { code: "forbidden", message: "Role viewer may not do this." } }), { status: 403 }));
  });
  const about = Array.from({ length: 501 }, (_, n) => makeAlarm(`n${n}`, { tag: `tag ${n}` }));
  await perform("ack", about, {}, progress);
  expect([calls, progress.answered, progress.refused.length]).toEqual([1, 500, 500]);
});
