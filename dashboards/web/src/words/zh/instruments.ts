/** Chinese words of instruments. */
import type { Words } from "../en";

export const instruments: Words["instruments"] = {
  count: "在用仪表 {n} 台",
  calibration: "检定超期",
  proof: "功能测试超期",
  bypass: "旁路",
  bypass_over: "旁路超期",
  none: "没有超期或旁路的仪表。",
};

export const capacity: Words["capacity"] = {
  zone: "区域",
  now: "当前人数",
  atOnce: "瞬时承载量",
  inDay: "日承载量",
  limit: "限制因素",
  steps: "核算过程",
  all: "合计",
};
