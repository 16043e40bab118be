/** Chinese words of the call-out. */
import type { Words } from "../en";

export const calls: Words["calls"] = {
  title: "应急召集",
  none: "本事件尚未召集人员。",
  noList: "站点未配置召集名单。请在站点文件中写 [[call_out]]：从哪个等级起召集谁、无人答复时再召集谁。",
  call: "立即召集",
  line: "召集对象",
  answer: "答复",
  answerFor: "登记 {person} 的答复",
  minutes: "预计到达（分钟）",
  note: "说明",
  nobody: "{owner}：无人在岗",
  inTurn: "第 {n} 顺位",
  noAnswer: "尚未答复",
  inMinutes: "{n} 分钟内到",
  by: "由 {who} 代为登记",
  needs: "{n} 人能到，需 {persons} 人",
  next: "{time} 前答复",
  pageOnly: "仅页面提示",
  banner: "您被召集参加 {incident} 号事件处置：{what}。",
  reply: { coming: "能到", cannot: "不能到", help: "需要帮助" },
  said: { coming: "能到", cannot: "不能到", help: "需要帮助" },
  state: { planned: "待召集", waiting: "等待答复", enough: "人数已满足", exhausted: "名单已用尽，请人工召集", over: "已结束" },
  how: { told: "已发送", page: "仅页面提示", nobody: "无人在岗" },
};
