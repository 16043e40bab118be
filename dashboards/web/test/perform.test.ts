import { afterEach, expect, it, vi } from "vitest";
import { perform, type Progress } from "../src/desk";
import { alarms } from "../src/live/picture";
import { makeAlarm } from "./alarm";

afterEach(() => vi.unstubAllGlobals());

it("an act on many alarms is one call for each, and a refusal of one stops no other", async () => {
  const called: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    const id = path.split("/")[3] ?? "";
    called.push(id);
    if (id === "n7") return Promise.resolve(new Response(JSON.stringify({ error: { code: "refused", message: "There is nothing to acknowledge." } }), { status: 409 }));
    return Promise.resolve(new Response(JSON.stringify({ alarm: makeAlarm(id, { ordinal: 2 }) })));
  });
  const about = Array.from({ length: 15 }, (_, n) => makeAlarm(`n${n}`, { tag: `tag ${n}`, state: "UNACK" }));
  alarms.value = new Map(about.map((alarm) => [alarm.id, alarm]));
  const progress: Progress = { answered: 0, refused: [], isStopped: false };
  await perform("ack", about, { comment: "" }, progress);
  expect([...called].sort()).toEqual(about.map((alarm) => alarm.id).sort());
  expect(progress.answered).toBe(15);
  expect(progress.refused).toEqual([{ about: "tag 7", text: "There is nothing to acknowledge." }]);
  expect([...alarms.value.values()].filter((alarm) => alarm.state === "UNACK").map((alarm) => alarm.id)).toEqual(["n7"]);
});
