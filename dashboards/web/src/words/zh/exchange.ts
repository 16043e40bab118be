/** Chinese words of the dual-prevention exchange. */
import type { Words } from "../en";

export const exchange: Words["exchange"] = {
  title: "双重预防数据交换",
  about: "将台账中的风险分析单元、风险事件、管控措施、排查任务、检查记录和隐患报送监管部门：先父后子，删除的记录以删除标志报送。表与编码取自公开的发送端代码，无公开的接口文件（未经核实）。",
  none: "没有接收台账数据的接收方。请在站点文件中为接收方指定数据交换规约（见文档）。",
  dry: "试运行：不发送任何数据。",
  notReal: "本站点多数数据源并非真实数据源，台账不予报送。",
  ledger: "台账",
  path: "接口",
  records: "记录数",
  confirmed: "已确认",
  handed: "已转交",
  waiting: "待发",
  quarantined: "已隔离",
  untold: "待组织",
  held: "暂缓",
  heldTitle: "暂缓报送的记录及原因",
  heldNone: "没有暂缓报送的记录。",
  look: "查看下一批报送内容",
  hide: "收起",
  lookNone: "没有：可报送的内容已全部报送。",
  lookSome: "共 {notices} 条通知、{rows} 行，按此顺序发送",
  more: "…… 另有更多",
  again: "全部重新报送",
  againHint: "本端将清除对该接收方的已报送标记并全部重新报送，接收方按每行的记录标识识别重复数据。",
  send: "重新报送",
};
