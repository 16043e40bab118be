/** Chinese words of response. */
import type { Words } from "../en";

export const response: Words["response"] = {
  title: "处置任务",
  open: "待办",
  done: "已完成",
  noneOpen: "没有待办任务。",
  noneDone: "尚无已完成的任务。",
  due: "期限",
  left: "剩余 {age}",
  overdue: "超期 {age}",
  task: "任务",
  unit: "危险源单元",
  owner: "责任人",
  entry: "台账记录",
  doIt: "标记完成",
  doneBy: "完成人",
  note: "完成情况",
  state: { open: "待办", done: "已完成", void: "作废" },
};
