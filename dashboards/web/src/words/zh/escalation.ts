/** Chinese words of escalations. */
import type { Words } from "../en";

export const escalation: Words["escalation"] = {
  title: "升级通知",
  none: "未配置升级通知：除页面前的人员外不会呼叫任何人。请在站点文件中写入 [[channel]] 和 [[escalation]]。",
  calls: "呼叫记录",
  callsNone: "尚未就此报警呼叫任何人。",
  for: "适用于{tiers}",
  units: "单元 {units}",
  when: "时段 {when}",
  days: { mon: "周一", tue: "周二", wed: "周三", thu: "周四", fri: "周五", sat: "周六", sun: "周日" },
  after: "{s} 后开始",
  rounds: "共 {n} 轮",
  remind: "每 {s} 提醒",
  wait: "等待 {s}",
  now: "当前 {who}",
  nobodyNow: "当前无人",
  group: "渠道本身",
  leader: "带班领导",
  next: "下一步 {time}",
  step: "第 {round} 轮第 {step} 步",
  open: "正在呼叫",
  openNone: "当前没有正在呼叫的报警。",
  what: { call: "已呼叫", reminder: "已提醒", nobody: "无人值班", exhausted: "各轮已完，无人应答" },
  stand: { climbing: "呼叫中", reminding: "已确认，提醒中", ended: "已结束", exhausted: "无人应答" },
  why: { acknowledged: "已确认", returned: "恢复正常", cleared: "已结束", shelved: "已搁置", suppressed: "已停用", over: "已结束", no_plan: "该升级通知已不在配置中" },
  unsent: "未发送：该渠道不用于此类数据",
};
