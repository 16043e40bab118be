/** Chinese words of large events. */
import type { Words } from "../en";

export const events: Words["events"] = {
  about: "已备案的活动进行期间，以核准人数取代所涉区域承载量，并启用其指定的值班表与呼叫方案；按站点时钟自动开始和结束。",
  event: "活动",
  stand: "当前状态",
  when: "起止时间",
  approved: "核准人数",
  zones: "区域：核定承载量 → 活动期间",
  zone: "{name}：{own} → {takes}，当前 {now}",
  roster: "值班表",
  ladder: "呼叫方案",
  usual: "日常",
  stands: { planned: "未备案", coming: "未开始", running: "进行中", over: "已过时" },
};
