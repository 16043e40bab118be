import { describe, expect, it } from "vitest";
import { en } from "../src/words/en";
import { zh } from "../src/words/zh";

function leaves(tree: object, at = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) => (typeof value === "string" ? [[`${at}${key}`, value] as [string, string]] : leaves(value as object, `${at}${key}/`)));
}
const english = new Map(leaves(en));
const chinese = new Map(leaves(zh));
const places = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!))].sort();
const CJK = /[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]/;
/** Words that are the same in every language: keys, names of file parts, limits. */
const COMMON = /\{\w+\}|\[\[\w+\]\]|Shift|EN|HTTP|API|CSV|XLSX|Kepware|ThingsBoard|Modbus( RTU| TCP| DTU)?|TCP|MQTT|Sparkplug B|HJ 212|OPC UA|LL|HH|GB 18218-2018|GeoJSON|CAP|\bUN\b|\bmm\b|\[[a-z.]+\]|\bL\b|\bH\b|\/s|%|p\d\d/g;

describe("the two languages", () => {
  it("have the same keys", () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it("have the same places for values", () => {
    for (const [key, text] of english) expect(places(chinese.get(key) ?? ""), key).toEqual(places(text));
  });

  it("are not mixed", () => {
    for (const [key, text] of english) if (key !== "language/other") expect(text, key).not.toMatch(CJK);
    for (const [key, text] of chinese) expect(text.replaceAll(COMMON, ""), key).not.toMatch(/[A-Za-z]{2,}/);
  });
});
