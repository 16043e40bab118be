import { describe, expect, it } from "vitest";
import source from "../src/router.ts?raw";

describe("the places of the page", () => {
  it("have names of their own: of two with one name the router forgets the first without a word", () => {
    const names = [...source.matchAll(/name: "(\w+)"/g)].map((found) => found[1]);
    expect(names.length).toBeGreaterThan(10);
    expect(new Set(names).size).toBe(names.length);
  });
});
