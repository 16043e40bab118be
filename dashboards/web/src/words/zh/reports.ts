/** Chinese words of reports by mail. */
import type { Words } from "../en";

export const reports: Words["reports"] = {
  title: "报告邮件",
  none: "未配置报告。请在站点文件中写入 [[report_mail]]。",
  spans: { shift: "每班", day: "每日", month: "每月" },
  at: "{time} 发送",
  after: "交班 {span} 后发送",
  to: "发往 {to}",
  by: "经渠道 {channel}",
  post: "岗位 {post}",
  made: "已生成",
  noRuns: "尚未生成报告。",
  period: "{from} 至 {to}",
  trouble: "未能发出的报告邮件：{n} 封",
  hint: "请处理邮件服务器或地址；等待中的邮件会自动发出，被搁置的须人工重发。",
  again: "重新发送",
  againHint: "同一邮件及附件将再次发往 {to}，理由记入台账。",
  send: "发送",
};
