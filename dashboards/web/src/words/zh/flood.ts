/** Chinese words of floods. */
import type { Words } from "../en";

export const flood: Words["flood"] = {
  banner: "报警泛滥，自 {time} 起 {n} 条。首出：{first}",
  fold: "{unit}：{n} 条报警",
};
