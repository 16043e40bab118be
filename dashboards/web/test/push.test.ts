import { describe, expect, it } from "vitest";
import type { Notice } from "../src/api/types";
import { noticeAct } from "../src/push/acts";

function notice(more: Partial<Notice>): Notice {
  return {
    key: "k", destination: "district", chain: "c", event: "e", action: "alert", tier: "RED", state: "waiting", attempts: 0, created: "2026-01-01T00:00:00.000Z",
    next: "2026-01-01T00:00:00.000Z", delivered: null, last_error: "", receipt: null, nature: "test", ...more,
  };
}

describe("a notice", () => {
  it("of an alarm out of service is no alert", () => {
    const body = { subject: "out_of_service", alarm: "a", event: { id: "e", what: "suppressed" }, tag: "x", unit: { id: "u", title: {} }, text: {} } as const;
    expect(noticeAct(notice({ tier: "NONE", body }))).toBe("stopped");
    expect(noticeAct(notice({ tier: "NONE", body: { ...body, event: { id: "e", what: "unsuppressed" } } }))).toBe("resumed");
    expect(noticeAct(notice({ body: { ...body, subject: "alarm" } }))).toBe("alert");
  });
});
