/** Chinese words of the page; the keys are those of `en.ts`, held by the type. */
import * as peopleWords from "./zh/people";
import * as disposalWords from "./zh/disposal";
import * as floodWords from "./zh/flood";
import * as stopWords from "./zh/stop";
import * as quietWords from "./zh/quiet";
import * as alarmWords from "./zh/alarm";
import * as plantWords from "./zh/plant";
import * as registerWords from "./zh/register";
import * as riskWords from "./zh/risk";
import * as reportWords from "./zh/report";
import * as campaignWords from "./zh/campaigns";
import * as exposureWords from "./zh/exposure";
import * as reporterWords from "./zh/reporter";
import * as hazardWords from "./zh/hazards";
import * as commitmentWords from "./zh/commitment";
import * as crowdWords from "./zh/crowd";
import * as responseWords from "./zh/response";
import * as planWords from "./zh/plans";
import * as callWords from "./zh/calls";
import * as rollWords from "./zh/rollCall";
import * as resourceWords from "./zh/resources";
import * as incidentWords from "./zh/incidents";
import * as zoneWords from "./zh/zones";
import * as pushWords from "./zh/push";
import * as exchangeWords from "./zh/exchange";
import * as eventWords from "./zh/events";
import * as instrumentWords from "./zh/instruments";
import * as channelWords from "./zh/channels";
import * as reportMailWords from "./zh/reports";
import * as fieldWords from "./zh/field";
import * as flowWords from "./zh/flow";
import * as tablesWords from "./zh/tables";
import * as rulesWords from "./zh/rules";
import * as proposalWords from "./zh/proposals";
import * as alarmListWords from "./zh/alarmList";
import * as escalationWords from "./zh/escalation";
import * as handoverWords from "./zh/handover";
import * as kpiWords from "./zh/kpi";
import * as checkWords from "./zh/check";
import * as dutiesWords from "./zh/duties";
import * as rosterWords from "./zh/roster";
import * as drillWords from "./zh/drill";
import * as runWords from "./zh/run";
import type { Words } from "./en";

export const zh: Words = {
  language: { name: "中文", other: "EN", switch: "语言" },
  theme: { label: "配色", auto: "跟随系统", light: "浅色", dark: "深色" },
  nav: {
    label: "页面",
    overview: "单元",
    alarms: "报警",
    trend: "趋势",
    register: "台账",
    duties: "职责督办",
    response: "处置",
    push: "推送",
    rules: "规则",
    field: "现场",
    flow: "数据流",
    kpi: "负荷",
    handover: "交接班",
    roster: "值班",
    drill: "演练",
    people: "用户",
    audit: "审计",
    more: "更多",
  },
  top: {
    asOf: "数据时间",
    unacked: "未确认",
    suppressed: "已抑制",
    links: "链路",
    push: "推送",
    waiting: "{n} 条待发",
    tiers: "各等级当前报警数",
    onDuty: "值班",
    user: "当前用户",
  },
  nature: {
    test: "模拟数据（测试），此处没有真实报警。",
    exercise: "演练，此处没有真实报警。",
    testMark: "测试",
    exerciseMark: "演练",
    actualMark: "实际",
  },
  lost: {
    banner: "连接中断，数据截至 {time}，正在重新连接……",
    waiting: "正在等待网关的第一批数据……",
    unreachable: "网关没有应答。请检查网关是否运行、本机能否访问网关。",
  },
  tier: { RED: "红", ORANGE: "橙", YELLOW: "黄", BLUE: "蓝", NONE: "无" },
  age: { s: "{n} 秒", m: "{n} 分钟", h: "{n} 小时", d: "{n} 天" },
  common: {
    fileChanged: "文件在选择后已被修改，请重新选择。",
    loading: "正在读取……",
    failed: "无法读取：{why}",
    failedPlain: "无法读取。",
    comma: "，",
    again: "重试",
    none: "–",
    on: "通",
    off: "断",
    details: "详情",
  },
  nowhere: {
    title: "没有此页面",
    text: "没有与该地址对应的页面：",
    home: "返回首页",
  },
  title: "{page} – {site}",
  ...peopleWords,
  ...alarmWords,
  ...quietWords,
  ...floodWords,
  ...stopWords,
  ...disposalWords,
  ...plantWords,
  ...registerWords,
  ...riskWords,
  ...hazardWords,
  ...reportWords,
  ...reporterWords,
  ...campaignWords,
  ...exposureWords,
  ...commitmentWords,
  ...responseWords,
  ...crowdWords,
  ...planWords,
  ...callWords,
  ...rollWords,
  ...resourceWords,
  ...incidentWords,
  ...zoneWords,
  ...pushWords,
  ...exchangeWords,
  ...eventWords,
  ...instrumentWords,
  ...channelWords,
  ...reportMailWords,
  ...fieldWords,
  ...flowWords,
  ...tablesWords,
  ...rulesWords,
  ...proposalWords,
  ...alarmListWords,
  ...escalationWords,
  ...handoverWords,
  ...kpiWords,
  ...checkWords,
  ...dutiesWords,
  ...rosterWords,
  ...drillWords,
  ...runWords,
};
