const WORDS = {
  tool: { zh: "看表的工具", en: "The table and its tools" },
  filter: { zh: "只看", en: "Only rows where" },
  column: { zh: "哪一列", en: "Column" },
  value: { zh: "哪个值", en: "Value" },
  least: { zh: "从", en: "From" },
  most: { zh: "到", en: "To" },
  add: { zh: "加上", en: "Add" },
  noBound: { zh: "请至少填一头，写成数字或日期。", en: "Give at least one end, as a number or a day." },
  noFilter: { zh: "没有筛选，看的是全部。", en: "No filter: all rows are looked at." },
  remove: { zh: (what) => `去掉筛选：${what}`, en: (what) => `Take the filter away: ${what}` },
  clear: { zh: "全部去掉", en: "Take all away" },
  group: { zh: "按哪一列分组", en: "Count by" },
  noGroup: { zh: "不分组", en: "No grouping" },
  measure: { zh: "看什么数", en: "Show" },
  count: { zh: "条数", en: "How many" },
  measures: {
    sum: { zh: (name) => `${name}：合计`, en: (name) => `${name}: sum` },
    mean: { zh: (name) => `${name}：平均`, en: (name) => `${name}: mean` },
    median: { zh: (name) => `${name}：中位数`, en: (name) => `${name}: median` },
    p90: { zh: (name) => `${name}：第 90 百分位`, en: (name) => `${name}: 90th percentile` },
  },
  draw: { zh: "画成", en: "Draw as" },
  types: {
    table: { zh: "只看表", en: "Table" },
    bar: { zh: "条形图", en: "Bars" },
    pareto: { zh: "帕累托图", en: "Pareto" },
    line: { zh: "折线图", en: "Line" },
  },
  titles: {
    bar: { zh: "条形图", en: "Bar chart" },
    pareto: { zh: "帕累托图", en: "Pareto chart" },
    line: { zh: "折线图", en: "Line chart" },
  },
  sorted: { zh: "从多到少排", en: "Sort from most to least" },
  labelled: { zh: "写上轴标题", en: "Label the axes" },
  base: { zh: "标明基数 n", en: "State the base, n" },
  noPareto: { zh: "帕累托图要累加，平均数不能累加，已改成条形图。", en: "A Pareto chart adds up, and averages don't: bars instead." },
  noColumn: { zh: "先选按哪一列分组，图才画得出来。", en: "Choose what to count by, and the chart is drawn." },
  selected: { zh: (n, all, what) => `${n} / ${all} ${what}`, en: (n, all, what) => `${n} of ${all} ${what}` },
  share: { zh: "占比", en: "Share" },
  cumulative: { zh: "累计占比", en: "Cumulative share" },
  cumulativeAxis: { zh: "累计占比（%）", en: "Cumulative share (%)" },
  all: { zh: "合计", en: "All of these" },
  groups: { zh: "分组结果", en: "Result by group" },
  number: { zh: (what) => `数量（${what}）`, en: (what) => `Number of ${what}` },
  is: { zh: (name, value) => `${name}：${value}`, en: (name, value) => `${name}: ${value}` },
  and: { zh: "；", en: "; " },
  comma: { zh: "，", en: ", " },
  or: { zh: "、", en: ", " },
  by: { zh: (measure, by) => `${measure}，按${by}`, en: (measure, by) => `${measure} by ${by}` },
  total: { zh: (n, all) => `n = ${n}（共 ${all}）`, en: (n, all) => `n = ${n} of ${all}` },
  everything: { zh: "全部", en: "all rows" },
  agreement: { zh: (a, b) => `${a}与${b}的一致程度`, en: (a, b) => `Agreement of ${a} and ${b}` },
  exact: { zh: (share) => `完全一致：${share}`, en: (share) => `Exactly the same: ${share}` },
  seen: { zh: "实际", en: "Seen" },
  byChance: { zh: "全凭碰巧", en: "By chance alone" },
  unequal: { zh: "不相同的占比", en: "Share that differs" },
  gap: { zh: "平均差几分", en: "Mean gap" },
  square: { zh: "差的平方，平均", en: "Mean squared gap" },
  kappa: { zh: "κ = 1 − 实际 ÷ 全凭碰巧；三行依次用于不加权、线性加权、二次加权。", en: "κ = 1 − seen ÷ by chance alone. The three rows are for no weights, linear weights and quadratic weights." },
  records: { zh: (n) => `逐条看（${n}）`, en: (n) => `The rows one by one (${n})` },
  some: { zh: (n, all) => `前 ${n} 条，共 ${all} 条`, en: (n, all) => `The first ${n} of ${all}` },
  showAll: { zh: (n) => `全部显示（${n}）`, en: (n) => `Show all ${n}` },
  file: { zh: "把整张表存成文件，用 Excel 打开", en: "Save the whole table for Excel" },
  take: { zh: "就交这张图", en: "Take this chart as my answer" },
  taken: { zh: "你要交的就是这张图", en: "This is the chart you hand in" },
  tookIt: { zh: "图已选定。", en: "The chart is taken as your answer." },
  notYet: { zh: "先选图形和分组，再交图。", en: "Choose a kind of chart and what to count by first." },
  numbers: { zh: "一、填数", en: "1 · Numbers" },
  unread: { zh: "读不成数字，请改一下", en: "This can't be read as a number yet" },
  chart: { zh: "二、选图", en: "2 · Chart" },
  conclusion: { zh: "三、下结论", en: "3 · Conclusion" },
  noChart: { zh: "还没有选定。在上面的工具里调好，再点“就交这张图”。", en: "Not taken yet. Set it up with the tools above, then “Take this chart as my answer”." },
  putBack: { zh: "放回工具里改", en: "Back into the tools" },
  backAgain: { zh: "已放回工具里。", en: "It stands in the tools again." },
  unsorted: { zh: "按原来的顺序", en: "in its own order" },
  inOrder: { zh: "从多到少", en: "from most to least" },
  withAxes: { zh: "有轴标题", en: "axes labelled" },
  withoutAxes: { zh: "没有轴标题", en: "axes not labelled" },
  withBase: { zh: "标了基数", en: "base stated" },
  withoutBase: { zh: "没标基数", en: "base not stated" },
};

const START = { type: "table", by: null, where: {}, measure: null, sorted: false, labelled: false, base: false };
const FEW = 12;
const FEW_DAYS = 31;
const FIRST_ROWS = 50;
const LONGEST = 40;
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240;
const VITAL = 80;
const TILTED = 160;

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const upward = (numbers) => [...numbers].sort((a, b) => a - b);
const STATISTICS = {
  sum,
  mean: (numbers) => (numbers.length ? sum(numbers) / numbers.length : null),
  median: (numbers) => {
    const [sorted, half] = [upward(numbers), numbers.length / 2];
    return numbers.length ? (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2 : null;
  },
  p90: (numbers) => (numbers.length ? upward(numbers)[Math.ceil((9 * numbers.length) / 10) - 1] : null),
};

// What κ is worked out from; the formula and where it comes from stand in compute.py.
function disagreement(pairs, weight) {
  const n = pairs.length;
  if (!n) return [null, null];
  const tally = (at) => [...pairs.reduce((counts, pair) => counts.set(pair[at], (counts.get(pair[at]) ?? 0) + 1), new Map())];
  const observed = sum(pairs.map(([a, b]) => weight(a, b)));
  const expected = sum(tally(0).flatMap(([a, m]) => tally(1).map(([b, n]) => weight(a, b) * m * n)));
  return [observed / n, expected / (n * n)];
}

const plain = (number) => (number === null ? "–" : String(Math.round(number * 100) / 100));
const precise = (number) => (number === null ? "–" : String(Math.round(number * 10000) / 10000));
const percent = (share) => `${Math.round(share * 1000) / 10}%`;

// The rules of without_unit and read_number in model.py, so that learners see at once what can't be read.
const COUNTERS = "条|个|次|笔|件|人|位|名|户|家|张|份|项|对|例|起|封|分|entry|entries|records?|rows?|items?|pieces?|pairs?"
  + "|times|cases?|calls?|complaints?|customers?|people|persons?|points?|marks?";
const MONEY = { before: "¥|rmb|cny|人民币", behind: "元|圆|块|yuan|rmb|cny" };
const TYPED_NUMBER = /^[+-]?(?:[0-9]{1,3}(,)[0-9]{3}(?:,[0-9]{3})*|[0-9]+)(?:\.[0-9]+)?%?$/;

const typedPlain = (text) => text
  .replace(/[\uff01-\uff5e]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0))
  .replace(/[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, " ").replace(/[\u2010-\u2013\u2212]/g, "-")
  .replace(/\u3002/g, ".").replace(/\uffe5/g, "¥")
  .replace(/ +/g, " ").replace(/^ | $/g, "").toLowerCase();

export function isReadable({ record }, { percent, unit }, text) {
  const typed = typedPlain(text);
  const own = [unit, record].filter(Boolean).flatMap(({ zh, en }) => [typedPlain(zh), typedPlain(en)]);
  let bare;
  if (percent) {
    const { rest } = /^(?:百分之)?(?<rest>.*?)(?:%|percent|per cent)?$/.exec(typed).groups;
    bare = rest === typed ? typed : `${rest}%`;
  } else if (own.some((word) => new RegExp(`^(?:${MONEY.before}|${MONEY.behind})$`).test(word))) {
    bare = typed.replace(new RegExp(`^(?:${MONEY.before})`), "").replace(new RegExp(`(?:${MONEY.behind})$`), "");
  } else {
    const behind = [...own.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")), COUNTERS].join("|");
    bare = typed.replace(new RegExp(`(?<=[0-9 ])(?:${behind})$`), "");
  }
  return TYPED_NUMBER.test(bare.replaceAll(" ", ""));
}

function node(tag, props, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props ?? {})) made.setAttribute(name, value);
  made.append(...children.flat());
  return made;
}

function ticks(low, high) {
  const raw = (high - low) / 4 || 1;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * unit).find((size) => size >= raw - 1e-9);
  const marks = [];
  for (let at = Math.floor(low / step); at * step <= high + step * 1e-6; at += 1) marks.push(Math.round(at * step * 1e6) / 1e6);
  return marks.at(-1) < high ? [...marks, marks.at(-1) + step] : marks;
}

export default function view({ host, item, ui, send }) {
  const { h, t, icon, swap, newId, announce } = ui;
  const { columns, questions, conclusions, record, pair } = item.public;
  const columnOf = new Map(columns.map((column) => [column.id, column]));
  const [, ...lines] = item.public.table.split(/\r?\n/).filter((line) => line.trim()).map((line) => line.split(",").map((field) => field.trim()));
  const rows = lines.map((line) => Object.fromEntries(columns.map(({ id, kind }, at) => [id, kind === "number" ? Number(line[at]) : line[at]])));
  const distinct = new Map(columns.map(({ id }) => [id, new Set(rows.map((row) => row[id]))]));
  const groupable = columns.filter(({ id, kind }) => distinct.get(id).size <= (kind === "date" ? FEW_DAYS : FEW));
  const measurable = columns.filter(({ kind }) => kind === "number");
  const listed = (column) => column.kind === "category";

  let state = { values: {}, chart: null, choice: null, view: START };
  let locked = false;
  let language = null;
  let allRows = false;
  const { caption, write } = ui.captions();
  const writing = ui.typing(() => change({}));

  const now = () => state.view ?? START;
  const cellName = (column, cell) => {
    const value = column.values.find(({ id }) => id === String(cell));
    return value ? t(value.label) : String(cell);
  };
  const inOrder = (column, cells) => (column.kind === "category"
    ? column.values.map(({ id }) => id).filter((id) => cells.has(id))
    : [...cells].sort((a, b) => (a < b ? -1 : 1)));

  // What has been typed and not sent yet goes along with whatever is sent next.
  function change(part) {
    writing.taken();
    state = { ...state, ...part, values: Object.fromEntries(fields.filter(({ input }) => input.value).map(({ id, input }) => [id, input.value])) };
    if (locked) draw();
    else send(state);
  }

  const look = (part) => change({ view: { ...now(), ...part } });

  // ── choosing rows ──────────────────────────────────────────────────────────────────────────

  const chosen = (where) => rows.filter((row) => Object.entries(where).every(([id, condition]) => (Array.isArray(condition)
    ? condition.includes(String(row[id]))
    : (condition.least == null || row[id] >= condition.least) && (condition.most == null || row[id] <= condition.most))));

  const boundsText = ({ least, most }) => [least == null ? null : `≥ ${least}`, most == null ? null : `≤ ${most}`].filter(Boolean).join(t(WORDS.comma));

  function chipsOf(where) {
    return Object.entries(where).flatMap(([id, condition]) => {
      const column = columnOf.get(id);
      if (!Array.isArray(condition)) return [{ key: id, text: `${t(column.label)} ${boundsText(condition)}`, without: () => omit(where, id) }];
      return condition.map((value) => ({
        key: `${id}:${value}`,
        text: t(WORDS.is, t(column.label), cellName(column, value)),
        without: () => (condition.length > 1 ? { ...where, [id]: condition.filter((other) => other !== value) } : omit(where, id)),
      }));
    });
  }

  const omit = (where, id) => Object.fromEntries(Object.entries(where).filter(([other]) => other !== id));

  function whereText(where) {
    const parts = Object.entries(where).map(([id, condition]) => {
      const column = columnOf.get(id);
      return Array.isArray(condition) ? t(WORDS.is, t(column.label), condition.map((value) => cellName(column, value)).join(t(WORDS.or))) : `${t(column.label)} ${boundsText(condition)}`;
    });
    return parts.length ? parts.join(t(WORDS.and)) : t(WORDS.everything);
  }

  // ── counting ───────────────────────────────────────────────────────────────────────────────

  const measureOf = (measure, some) => (measure ? STATISTICS[measure.kind](some.map((row) => row[measure.of])) : some.length);
  const measureName = (measure) => (measure ? t(WORDS.measures[measure.kind], t(columnOf.get(measure.of).label)) : t(WORDS.number, t(record)));
  const adds = (measure) => !measure || measure.kind === "sum";

  function groupsOf({ by, where, measure, sorted, type }) {
    const column = columnOf.get(by);
    const some = chosen(where);
    const cells = inOrder(column, new Set(some.map((row) => row[by])));
    const groups = cells.map((cell) => {
      const mine = some.filter((row) => row[by] === cell);
      return { name: cellName(column, cell), n: mine.length, value: measureOf(measure, mine) };
    });
    if (sorted || type === "pareto") groups.sort((a, b) => b.value - a.value);
    const total = adds(measure) ? sum(groups.map(({ value }) => value)) : some.length;
    let reached = 0;
    for (const group of groups) {
      const part = adds(measure) ? group.value : group.n;
      reached += part;
      group.share = total ? part / total : 0;
      group.cumulative = total ? reached / total : 0;
    }
    return groups;
  }

  // ── the chart ──────────────────────────────────────────────────────────────────────────────

  const widthOf = (text) => [...text].reduce((width, char) => width + (ui.isWide(char) ? 12.5 : 6.8), 0);

  // Chinese breaks anywhere, English between words only.
  function wrapped(text, room) {
    const lines = [""];
    for (const piece of text.match(/[\x21-\x7e\u00c0-\u024f]+\s*|./gu) ?? []) {
      if (lines.at(-1) && widthOf((lines.at(-1) + piece).trimEnd()) > room) lines.push("");
      lines[lines.length - 1] += piece;
    }
    return lines.map((line) => line.trim());
  }

  function shortened(text, room) {
    let kept = text;
    while (kept && widthOf(kept) > room) kept = kept.slice(0, -1).trimEnd();
    return kept === text ? text : `${kept.slice(0, -1).trimEnd()}…`;
  }

  const title = (chart) => t(WORDS.is, t(WORDS.titles[chart.type]), t(WORDS.by, measureName(chart.measure), t(columnOf.get(chart.by).label)));

  function figure(chart, room) {
    const groups = groupsOf(chart);
    const some = chosen(chart.where);
    return h("figure", { class: "cs-data-figure" }, groups.length ? picture(chart, groups, some, room) : null,
      h("figcaption", { class: "cs-hint" }, title(chart), chart.base ? h("span", { class: "cs-data-base" }, `${t(WORDS.total, some.length, rows.length)} · ${whereText(chart.where)}`) : null));
  }

  function picture(chart, groups, some, width) {
    const pareto = chart.type === "pareto";
    const titled = chart.labelled ? 20 : 0;
    const left = 42 + titled;
    const right = pareto ? 46 + titled : 14;
    const band = (width - left - right) / groups.length;
    const labels = groups.map(({ name }) => wrapped(name, band - 6));
    const tilted = labels.some((parts) => parts.length > 3 || parts.some((part) => widthOf(part) > band));
    const longest = Math.max(...groups.map(({ name }) => widthOf(name)));
    const foot = (tilted ? Math.min(longest, TILTED) * 0.71 + 20 : Math.max(...labels.map((parts) => parts.length)) * 16 + 10) + titled + 4;
    const top = 24;
    const values = groups.map(({ value }) => value);
    const marks = pareto ? ticks(0, sum(values)) : ticks(Math.min(0, ...values), Math.max(...values, 0));
    const [low, high] = [marks[0], pareto ? sum(values) : marks.at(-1)];
    const y = (value) => top + HEIGHT * (1 - (value - low) / (high - low || 1));
    const x = (at) => left + band * (at + 0.5);
    const text = (props, words) => node("text", props, words);
    const id = newId();

    const parts = [node("title", { id }, [title(chart), t(WORDS.total, some.length, rows.length), whereText(chart.where)].join(t(WORDS.and)))];
    for (const mark of marks.filter((value) => value <= high)) {
      parts.push(node("line", { class: "cs-data-grid", x1: left, x2: width - right, y1: y(mark), y2: y(mark) }), text({ x: left - 8, y: y(mark) + 4, "text-anchor": "end" }, plain(mark)));
    }
    const bars = chart.type !== "line";
    const thick = Math.min(band * 0.68, 72);
    groups.forEach(({ value }, at) => {
      const [from, to] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
      if (bars) parts.push(node("rect", { class: "cs-data-bar", x: x(at) - thick / 2, y: from, width: thick, height: Math.max(to - from, 1), rx: Math.min(3, (to - from) / 2) }));
      const inside = pareto && to - from > 24;
      if (bars) parts.push(text({ class: inside ? "cs-data-bar-value cs-data-inside" : "cs-data-bar-value", x: x(at), y: inside ? from + 19 : from - 6, "text-anchor": "middle" }, plain(value)));
    });
    const trace = (points) => {
      parts.push(node("polyline", { class: "cs-data-trace", points: points.map(([px, py]) => `${px},${py}`).join(" ") }));
      for (const [px, py] of points) parts.push(node("circle", { class: "cs-data-dot", cx: px, cy: py, r: 4 }));
    };
    if (chart.type === "line") {
      trace(groups.map(({ value }, at) => [x(at), y(value)]));
      groups.forEach(({ value }, at) => parts.push(text({ class: "cs-data-bar-value", x: x(at), y: y(value) - 10, "text-anchor": "middle" }, plain(value))));
    }
    if (pareto) {
      const level = (share) => y(high * share);
      parts.push(node("line", { class: "cs-data-guide", x1: left, x2: width - right, y1: level(VITAL / 100), y2: level(VITAL / 100) }));
      for (const mark of [0, 20, 40, 60, 80, 100]) parts.push(text({ class: mark === VITAL ? "cs-data-vital" : "", x: width - right + 8, y: level(mark / 100) + 4 }, `${mark}%`));
      trace(groups.map(({ cumulative }, at) => [x(at), level(cumulative)]));
      if (band > 40) groups.forEach(({ cumulative }, at) => parts.push(text({ class: "cs-data-reached", x: x(at), y: level(cumulative) - 9, "text-anchor": "middle" }, percent(cumulative))));
    }
    parts.push(node("line", { class: "cs-data-zero", x1: left, x2: width - right, y1: y(0), y2: y(0) }));
    const under = top + HEIGHT + 18;
    labels.forEach((lines_, at) => {
      const [px, py] = [x(at) + 4, under - 4];
      if (tilted) parts.push(text({ x: px, y: py, "text-anchor": "end", transform: `rotate(-45 ${px} ${py})` }, shortened(groups[at].name, Math.min(TILTED, px / 0.71 - 6))));
      else lines_.forEach((words, line) => parts.push(text({ x: x(at), y: under + line * 16, "text-anchor": "middle" }, words)));
    });
    const height = top + HEIGHT + foot;
    if (titled) {
      const middle = top + HEIGHT / 2;
      const upright = (px, words, turn) => text({ class: "cs-data-axis", x: px, y: middle, "text-anchor": "middle", transform: `rotate(${turn} ${px} ${middle})` }, words);
      parts.push(upright(14, measureName(chart.measure), -90), text({ class: "cs-data-axis", x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, t(columnOf.get(chart.by).label)));
      if (pareto) parts.push(upright(width - 12, t(WORDS.cumulativeAxis), 90));
    }
    return node("svg", { class: "cs-data-chart", role: "img", "aria-labelledby": id, viewBox: `0 0 ${width} ${height}`, width, height }, parts);
  }

  // ── tables ─────────────────────────────────────────────────────────────────────────────────

  function groupTable(shown) {
    const some = chosen(shown.where);
    const cumulative = shown.by && (shown.type === "pareto" || (shown.sorted && adds(shown.measure)));
    const line = (head, n, share, reached, value, props) => h("tr", props, h("th", { scope: "row" }, head), h("td", null, n), h("td", null, share),
      cumulative && h("td", null, reached), shown.measure && h("td", null, value));
    const groups = shown.by ? groupsOf(shown) : [];
    return h("div", { class: "cs-data-scroll", role: "group", tabindex: 0, "aria-label": t(WORDS.groups), "data-key": "groups" }, h("table", { class: "cs-data-table" },
      h("thead", null, h("tr", null, shown.by ? h("th", { scope: "col" }, t(columnOf.get(shown.by).label)) : h("td"), h("th", { scope: "col" }, t(WORDS.count)),
        h("th", { scope: "col" }, t(WORDS.share)), cumulative && h("th", { scope: "col" }, t(WORDS.cumulative)), shown.measure && h("th", { scope: "col" }, measureName(shown.measure)))),
      h("tbody", null, groups.map((group) => line(group.name, group.n, percent(group.share), percent(group.cumulative), plain(group.value)))),
      h("tfoot", null, line(t(WORDS.all), some.length, groups.length ? "100%" : percent(some.length / rows.length), "", plain(measureOf(shown.measure, some))))));
  }

  function agreement(where) {
    if (!pair) return null;
    const both = chosen(where).map((row) => pair.map((id) => row[id]));
    const facts = [
      [WORDS.unequal, (a, b) => Number(a !== b)],
      [WORDS.gap, (a, b) => Math.abs(a - b)],
      [WORDS.square, (a, b) => (a - b) ** 2],
    ];
    return h("div", { class: "cs-data-agreement" }, h("p", { class: "cs-label" }, t(WORDS.agreement, ...pair.map((id) => t(columnOf.get(id).label)))),
      h("p", null, t(WORDS.exact, both.length ? percent(both.filter(([a, b]) => a === b).length / both.length) : "–")),
      h("div", { class: "cs-data-scroll", role: "group", tabindex: 0, "aria-label": t(WORDS.kappa), "data-key": "agreement" }, h("table", { class: "cs-data-table" },
        h("thead", null, h("tr", null, h("td"), h("th", { scope: "col" }, t(WORDS.seen)), h("th", { scope: "col" }, t(WORDS.byChance)))),
        h("tbody", null, facts.map(([name, weight]) => h("tr", null, h("th", { scope: "row" }, t(name)), disagreement(both, weight).map((value) => h("td", null, precise(value)))))))),
      h("p", { class: "cs-hint" }, t(WORDS.kappa)));
  }

  function rowTable() {
    const some = chosen(now().where);
    const shown = allRows ? some : some.slice(0, FIRST_ROWS);
    const rest = some.length > shown.length;
    rowsTitle.textContent = t(WORDS.records, some.length);
    if (!details.open) return;
    swap(rowsBox, [
      h("div", { class: "cs-data-scroll cs-data-rows-table", role: "group", tabindex: 0, "aria-label": t(WORDS.records, some.length), "data-key": "rows" }, h("table", { class: "cs-data-table" },
        h("thead", null, h("tr", null, columns.map((column) => h("th", { scope: "col" }, t(column.label))))),
        h("tbody", null, shown.map((row) => h("tr", null, columns.map((column) => h("td", { class: column.kind === "number" ? "cs-data-figures" : null }, cellName(column, row[column.id])))))))),
      rest ? h("p", { class: "cs-data-more" }, t(WORDS.some, shown.length, some.length), h("button", { type: "button", class: "cs-data-link", "data-key": "all-rows", onclick: () => { allRows = true; rowTable(); rowsBox.querySelector("[tabindex]").focus(); } }, t(WORDS.showAll, some.length))) : [],
    ].flat());
  }

  // What lies beside the notebook too; but learners see no folders. Excel knows UTF-8 by the mark in front.
  function saveTable() {
    const field = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const table = [columns.map((column) => t(column.label)), ...rows.map((row) => columns.map((column) => cellName(column, row[column.id])))];
    const address = URL.createObjectURL(new Blob(["\ufeff", ...table.map((line) => `${line.map(field).join(",")}\r\n`)], { type: "text/csv" }));
    h("a", { href: address, download: `${item.id}.${language}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  // ── the tools, built once ──────────────────────────────────────────────────────────────────

  function labelled(text, control) {
    control.id = newId();
    return h("div", { class: "cs-data-control" }, caption(h("label", { for: control.id }), text), control);
  }

  function fill(select, list, value) {
    const text = JSON.stringify(list);
    if (select.dataset.list !== text) {
      select.dataset.list = text;
      select.replaceChildren(...list.map(([id, words]) => h("option", { value: id }, words)));
    }
    select.value = value;
  }

  const columnSelect = h("select", { class: "cs-input", "data-key": "column", onchange: drawFilter });
  const valueSelect = h("select", { class: "cs-input" });
  const leastInput = h("input", { class: "cs-input", autocomplete: "off", maxlength: LONGEST, onkeydown: enter });
  const mostInput = h("input", { class: "cs-input", autocomplete: "off", maxlength: LONGEST, onkeydown: enter });
  const valueControl = labelled(WORDS.value, valueSelect);
  const boundControls = [labelled(WORDS.least, leastInput), labelled(WORDS.most, mostInput)];
  const addButton = h("button", { type: "button", class: "cs-button", onclick: addFilter }, icon("plus"), caption(h("span"), WORDS.add));
  const chips = h("ul", { class: "cs-data-chips", role: "list" });
  const bySelect = h("select", { class: "cs-input", onchange: () => look({ by: bySelect.value || null }) });
  const measureSelect = h("select", { class: "cs-input", onchange: setMeasure });
  const typeName = newId();
  const typeInputs = Object.keys(WORDS.types).map((type) => h("input", { type: "radio", name: typeName, value: type, onchange: () => look({ type }) }));
  const switches = ["sorted", "labelled", "base"].map((name) => h("input", { type: "checkbox", value: name, onchange: (event) => look({ [name]: event.target.checked }) }));
  const tally = h("p", { class: "cs-data-selected" });
  const results = h("div", { class: "cs-data-results" });
  const rowsTitle = h("summary");
  const rowsBox = h("div");
  const details = h("details", { class: "cs-data-raw", ontoggle: () => rowTable() }, rowsTitle, rowsBox);
  const file = h("button", { type: "button", class: "cs-data-link", onclick: saveTable });
  const takeButton = h("button", { type: "button", class: "cs-button cs-primary", onclick: take });

  const tool = h("section", { class: "cs-data-tool" },
    caption(h("h4", { class: "cs-label" }), WORDS.tool),
    h("div", { class: "cs-data-controls", role: "group" }, labelled(WORDS.column, columnSelect), valueControl, boundControls, addButton),
    chips,
    h("div", { class: "cs-data-controls" }, labelled(WORDS.group, bySelect), labelled(WORDS.measure, measureSelect)),
    h("div", { class: "cs-data-controls" },
      h("fieldset", { class: "cs-data-segments" }, caption(h("legend"), WORDS.draw),
        h("div", null, typeInputs.map((input) => h("label", null, input, caption(h("span"), WORDS.types[input.value]))))),
      h("div", { class: "cs-data-switches" }, switches.map((input) => h("label", { class: "cs-data-switch" }, input, caption(h("span"), WORDS[input.value]))))),
    tally, results, h("div", { class: "cs-data-take" }, takeButton), details, h("p", { class: "cs-data-file" }, file));
  const filterRow = tool.querySelector(".cs-data-controls");

  function drawFilter() {
    fill(columnSelect, columns.map((column) => [column.id, t(column.label)]), columnSelect.value || (columns.find(listed) ?? columns[0]).id);
    const column = columnOf.get(columnSelect.value);
    const list = listed(column);
    valueControl.hidden = !list;
    for (const control of boundControls) control.hidden = list;
    for (const input of [leastInput, mostInput]) {
      input.type = column.kind === "date" ? "date" : "text";
      input.inputMode = "decimal";
    }
    if (list) {
      const cells = inOrder(column, distinct.get(column.id)).map((cell) => [String(cell), cellName(column, cell)]);
      fill(valueSelect, cells, cells.some(([id]) => id === valueSelect.value) ? valueSelect.value : cells[0][0]);
    }
  }

  function enter(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    addFilter();
  }

  function addFilter() {
    const column = columnOf.get(columnSelect.value);
    const { where } = now();
    if (listed(column)) {
      const before = where[column.id] ?? [];
      if (!before.includes(valueSelect.value)) look({ where: { ...where, [column.id]: [...before, valueSelect.value] } });
    } else {
      const bound = (input) => {
        const text = input.value.normalize("NFKC").trim();
        return !text ? null : column.kind === "date" ? text : Number(text);
      };
      const [least, most] = [bound(leastInput), bound(mostInput)];
      const wrong = (least === null && most === null) || [least, most].some((value) => typeof value === "number" && !Number.isFinite(value));
      for (const input of [leastInput, mostInput]) input.setAttribute("aria-invalid", String(wrong));
      if (wrong) {
        leastInput.focus();
        return announce(t(WORDS.noBound));
      }
      look({ where: { ...where, [column.id]: { least, most } } });
      leastInput.value = mostInput.value = "";
    }
    announce(tally.textContent);
  }

  function drop(where, next) {
    look({ where });
    (next ? chips.querySelector(`[data-key="${CSS.escape(next)}"]`) : columnSelect)?.focus();
    announce(tally.textContent);
  }

  function drawChips() {
    const { where } = now();
    const list = chipsOf(where);
    filterRow.setAttribute("aria-label", t(WORDS.filter));
    swap(chips, list.length ? [
      ...list.map(({ key, text, without }, at) => h("li", null, h("button", {
        type: "button", class: "cs-data-chip", "data-key": `chip:${key}`, "aria-label": t(WORDS.remove, text), title: t(WORDS.remove, text),
        onclick: () => { const other = list[at + 1] ?? list[at - 1]; drop(without(), other && `chip:${other.key}`); },
      }, h("span", null, text), h("span", { class: "cs-data-cross", "aria-hidden": "true" }, "×")))),
      list.length > 1 ? h("li", null, h("button", { type: "button", class: "cs-data-link", "data-key": "chip-none", onclick: () => drop({}, null) }, t(WORDS.clear))) : [],
    ].flat() : [h("li", { class: "cs-hint" }, t(WORDS.noFilter))]);
  }

  function setMeasure() {
    const [kind, of] = measureSelect.value.split(":");
    const measure = of ? { kind, of } : null;
    const bars = now().type === "pareto" && !adds(measure);
    look({ measure, ...(bars ? { type: "bar" } : {}) });
    if (bars) announce(t(WORDS.noPareto));
  }

  function drawTools() {
    const shown = now();
    fill(bySelect, [["", t(WORDS.noGroup)], ...groupable.map((column) => [column.id, t(column.label)])], shown.by ?? "");
    fill(measureSelect, [["", t(WORDS.count)], ...measurable.flatMap((column) => Object.entries(WORDS.measures).map(([kind, words]) => [`${kind}:${column.id}`, t(words, t(column.label))]))],
      shown.measure ? `${shown.measure.kind}:${shown.measure.of}` : "");
    for (const input of typeInputs) {
      input.checked = input.value === shown.type;
      input.disabled = input.value === "pareto" && !adds(shown.measure);
    }
    for (const input of switches) {
      input.checked = Boolean(shown[input.value]) || (input.value === "sorted" && shown.type === "pareto");
      input.disabled = input.value === "sorted" && shown.type === "pareto";
    }
    tally.textContent = t(WORDS.selected, chosen(shown.where).length, rows.length, t(record));
    file.textContent = t(WORDS.file);
    const [chart, mine] = [ready(shown), isMine(shown)];
    takeButton.setAttribute("aria-disabled", String(!chart || mine || locked));
    takeButton.replaceChildren(icon("check"), t(mine ? WORDS.taken : WORDS.take));
  }

  const room = (box) => Math.max(280, Math.floor((box.clientWidth || 640) / 10) * 10);

  function drawResults() {
    const shown = now();
    const chart = shown.type !== "table";
    swap(results, [
      chart && shown.by ? figure(shown, room(results)) : [],
      chart && !shown.by ? h("p", { class: "cs-note" }, t(WORDS.noColumn)) : [],
      groupTable(shown), agreement(shown.where) ?? [],
    ].flat());
  }

  // ── the answers ────────────────────────────────────────────────────────────────────────────

  const ready = (shown) => shown.type !== "table" && shown.by !== null;
  const isMine = (shown) => state.chart !== null && ready(shown) && JSON.stringify(fixed(shown)) === JSON.stringify(fixed(state.chart));
  const fixed = ({ type, by, where, measure, sorted, labelled: axes, base }) => ({ type, by, where, measure, sorted: sorted || type === "pareto", labelled: axes, base });

  function take() {
    const shown = now();
    if (locked || isMine(shown)) return;
    if (!ready(shown)) {
      announce(t(WORDS.notYet));
      return;
    }
    change({ chart: fixed(shown) });
    announce(t(WORDS.tookIt));
  }

  const chartBox = h("div", { class: "cs-data-my-chart" });

  function drawMyChart() {
    const { chart } = state;
    if (!chart) return swap(chartBox, h("p", { class: "cs-hint" }, t(WORDS.noChart)));
    const facts = [chart.sorted ? WORDS.inOrder : WORDS.unsorted, chart.labelled ? WORDS.withAxes : WORDS.withoutAxes, chart.base ? WORDS.withBase : WORDS.withoutBase];
    swap(chartBox, [
      figure(chart, room(chartBox)),
      h("p", { class: "cs-hint" }, [whereText(chart.where), ...facts.map((fact) => t(fact))].join(" · ")),
      h("button", { type: "button", class: "cs-button", "data-key": "put-back", onclick: () => { look(chart); announce(t(WORDS.backAgain)); columnSelect.focus(); } }, icon("back"), t(WORDS.putBack)),
    ]);
  }

  const fields = questions.map((question) => {
    const id = newId();
    const unit = question.percent ? h("span", { class: "cs-data-unit", "aria-hidden": "true" }, "%") : question.unit ? caption(h("span", { class: "cs-data-unit" }), question.unit) : null;
    const note = h("p", { class: "cs-data-unread", id: `${id}-note` });
    const input = h("input", {
      id, type: "text", inputmode: "decimal", class: "cs-input", maxlength: LONGEST, autocomplete: "off", "aria-describedby": note.id,
      onchange: () => note.textContent && announce(note.textContent),
    });
    // What may yet become a number isn't called unreadable while it is being typed.
    writing.field(input, () => state.values[question.id], (typing) => {
      const unread = !typing && input.value.trim() !== "" && !isReadable(item.public, question, input.value);
      input.setAttribute("aria-invalid", String(unread));
      note.replaceChildren(...(unread ? [icon("open"), t(WORDS.unread)] : []));
    });
    return { id: question.id, input, row: h("li", { class: "cs-data-question" }, caption(h("label", { for: id }), question.text), h("span", { class: "cs-data-entry-box" }, input, unit), note) };
  });

  const conclusionBox = h("div");
  host.append(h("div", { class: "cs-data" }, tool,
    h("section", { class: "cs-data-answers" }, caption(h("h4", { class: "cs-label" }), WORDS.numbers), h("ol", { class: "cs-data-questions", role: "list" }, fields.map(({ row }) => row))),
    h("section", { class: "cs-data-answers" }, caption(h("h4", { class: "cs-label" }), WORDS.chart), caption(h("p"), item.public.chart), chartBox),
    h("section", { class: "cs-data-answers" }, caption(h("h4", { class: "cs-label" }), WORDS.conclusion), conclusionBox)));

  function drawConclusions() {
    swap(conclusionBox, ui.options({
      legend: t(item.public.conclusion), value: state.choice, keys: "conclusion:", disabled: locked,
      options: conclusions.map(({ id, text }) => ({ id, content: t(text) })),
      onchoose: (id) => change({ choice: id }),
    }));
  }

  // A part is drawn again only when what it shows has changed, so that nothing moves under the hand.
  const drawn = new Map();
  function once(name, what, redraw) {
    const picture = JSON.stringify([language, what]);
    if (drawn.get(name) === picture) return;
    drawn.set(name, picture);
    redraw();
  }

  function draw() {
    once("captions", null, () => { write(); drawFilter(); });
    drawTools();
    once("chips", now().where, drawChips);
    once("results", now(), drawResults);
    once("rows", now().where, rowTable);
    once("chart", state.chart, drawMyChart);
    once("conclusions", locked, drawConclusions);
    for (const input of conclusionBox.querySelectorAll("input")) input.checked = input.value === state.choice;
    writing.draw(locked);
  }

  let drawnRoom = 0;
  const sizes = new ResizeObserver(() => {
    const wanted = room(results);
    if (wanted === drawnRoom || !language) return;
    drawnRoom = wanted;
    drawResults();
    drawMyChart();
  });
  sizes.observe(results);

  return {
    update({ response, lang, locked: isLocked }) {
      locked = isLocked;
      language = lang;
      state = { values: {}, chart: null, choice: null, view: START, ...response };
      draw();
    },
    destroy() {
      sizes.disconnect();
      writing.flush();
    },
  };
}
