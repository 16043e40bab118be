import { describe, expect, it } from "vitest";
import type { Notice } from "../src/api/types";
import { noticeAct, troubles } from "../src/push";

function notice(more: Partial<Notice>): Notice {
  return {
    key: "k", destination: "district", chain: "c", event: "e", action: "alert", tier: "RED", state: "waiting", attempts: 0, created: "2026-01-01T00:00:00.000Z",
    next: "2026-01-01T00:00:00.000Z", delivered: null, last_error: "", receipt: null, nature: "test", ...more,
  };
}

describe("a destination in trouble", () => {
  it("is known by the last error of what waits for it, with the next attempt", () => {
    const found = troubles([
      notice({}),
      notice({ last_error: "status_503: busy", next: "2026-01-01T00:01:00.000Z" }),
      notice({ last_error: "timeout: 10 s", next: "2026-01-01T00:02:00.000Z" }),
      notice({ destination: "province" }),
    ]);
    expect([...found]).toEqual([["district", { error: "timeout: 10 s", next: "2026-01-01T00:01:00.000Z" }]]);
  });
});

describe("a notice", () => {
  it("of an alarm out of service is no alert", () => {
    const body = { subject: "out_of_service", alarm: "a", event: { id: "e", what: "suppressed" }, tag: "x", unit: { id: "u", title: {} }, text: {} } as const;
    expect(noticeAct(notice({ tier: "NONE", body }))).toBe("stopped");
    expect(noticeAct(notice({ tier: "NONE", body: { ...body, event: { id: "e", what: "unsuppressed" } } }))).toBe("resumed");
    expect(noticeAct(notice({ body: { ...body, subject: "alarm" } }))).toBe("alert");
  });
});
