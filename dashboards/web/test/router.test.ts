import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

describe("the places of the page", () => {
  it("have names of their own: of two with one name the router forgets the first without a word", () => {
    const source = readFileSync(new URL("../src/router.ts", import.meta.url), "utf-8");
    const names = [...source.matchAll(/name: "(\w+)"/g)].map((found) => found[1]);
    expect(names.length).toBeGreaterThan(10);
    expect(new Set(names).size).toBe(names.length);
  });
});
