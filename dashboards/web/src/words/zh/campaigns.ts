/** Chinese words of campaigns. */
import type { Words } from "../en";

export const campaigns: Words["campaigns"] = {
  coverage: "覆盖率 {share}%（{done}/{all} 个单元）",
  noUnits: "没有所属单元。",
  missing: "本轮尚未检查：",
  camera: "本次巡查的视频",
};
