/** Chinese words of the register. */
import type { Words } from "../en";

export const register: Words["register"] = {
  title: "危险源与隐患台账",
  open: "未关闭",
  closed: "已关闭",
  all: "全部",
  none: "没有记录。危险源单元出现预警时，记录自动建立。",
  noneOpen: "没有未关闭的记录：所有危险源单元正常。",
  opened: "建立时间",
  ended: "关闭时间",
  stillOpen: "未关闭",
  unit: "危险源单元",
  tier: "当前等级",
  tierMax: "最高等级",
  alarms: "报警",
  tasks: "任务",
  tasksDone: "完成 {done} / {total}",
  duration: "持续",
  late: "补传数据",
  nature: "性质",
  noTasks: "该类单元在此等级没有配置任务。",
};
