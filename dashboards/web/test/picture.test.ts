import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Tag } from "../src/api/types";
import { follow, liveSample, plant, unfollow } from "../src/live/picture";
import { nowText } from "../src/words/format";

const AT = "2026-01-01T00:00:30Z";

/** The gateway's end of the line: says what it is told to. */
class Line {
  static last: Line;
  onmessage: ((event: { data: string }) => void) | null = null;
  constructor() {
    Line.last = this;
  }
  close(): void {}
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

function snapshot(layout: number): object {
  return {
    kind: "snapshot", rev: 1, as_of: AT, status: { layout, timezone: "UTC" }, alarms: [], units: [],
    values: { rows: [0], v: [5.22], q: [0], t_ms: [Date.parse(AT) - 28_000] },
  };
}

describe("a page that is opened while a source is silent", () => {
  let answer: (layout: number) => void;
  beforeEach(() => {
    const tag = { row: 0, name: "T1", title: {}, unit: "U", source: "dcs", eu: "m", kind: "level", resolution: 0.01, period_s: 1, limits: [] };
    const asked = new Promise<number>((resolve) => (answer = resolve));
    vi.stubGlobal("WebSocket", Line);
    vi.stubGlobal("window", Object.assign(globalThis, { addEventListener: () => undefined, removeEventListener: () => undefined }));
    vi.stubGlobal("document", { baseURI: "http://127.0.0.1/", documentElement: {} });
    vi.stubGlobal("fetch", async (url: string | URL) => {
      const layout = await asked;
      const told = String(url).includes("units") ? { units: [], posts: {} } : { tags: [tag], layout };
      return new Response(JSON.stringify(told), { headers: { "content-type": "application/json" } });
    });
    plant.isLoaded = false;
    plant.layout = 0;
    follow(() => undefined);
  });
  afterEach(() => {
    unfollow();
    vi.unstubAllGlobals();
  });
  const shown = (): string => nowText(plant.tagOf.get("T1") as Tag, liveSample(plant.tagOf.get("T1")), Date.parse(AT));

  it("shows what the source said last, with its age, also where the snapshot is here before the tags", async () => {
    Line.last.say(snapshot(7));
    answer(7);
    await vi.waitUntil(() => plant.isLoaded);
    expect(shown()).toMatch(/^5\.22 m.*28/);
  });

  it("shows nothing of a layout that the tags are not of", async () => {
    Line.last.say(snapshot(6));
    answer(7);
    await vi.waitUntil(() => plant.isLoaded);
    expect(liveSample(plant.tagOf.get("T1"))).toBeNull();
  });
});
