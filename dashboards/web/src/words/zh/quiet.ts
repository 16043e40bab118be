/** Chinese words of what is quiet by design, and of what waits for a second person. */
import type { Words } from "../en";

export const quiet: Words["quiet"] = {
  requests: "待第二人确认",
  requestsShort: "第二人确认",
  banner: "{n} 项操作待第二人确认",
  none: "没有待第二人确认的操作。",
  asked: "{who} 申请{act}",
  acts: { suppress: "停用", shelve: "搁置", reset: "复位", stop: "申报停用", extend: "延长停用", resume: "结束停用" },
  until: "至 {time}",
  expires: "{time} 失效",
  confirm: "确认同意",
  decline: "拒绝",
  withdraw: "撤回",
  own: "须由另一人确认。",
  waits: "{n} 项待第二人在“报警”页面确认。",
  over: "以往申请",
  states: { open: "待确认", confirmed: "已确认", declined: "已拒绝", withdrawn: "已撤回", expired: "已失效", refused: "已不可执行" },
  endedBy: "{state}：{who}，{time}",
  ended: "{state}，{time}",
  design: "设计抑制",
  holds: "当前成立",
  holdsNot: "当前不成立",
  counts: "{covered} 条报警中 {quiet} 条被抑制，其中 {active} 条仍触发",
  state: "工况",
  byDesign: "设计抑制：{reason}",
};
