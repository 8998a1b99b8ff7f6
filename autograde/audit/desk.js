// The auditor's desk: from the group to a person, to an answer, to the rule. The shared parts stand before this
// text. It draws what it is given and sends nothing but the wish to see one learner's chapter.

const WORDS = {
  desk: { zh: "审计台", en: "Auditor's desk" },
  readOnly: { zh: "只读", en: "read-only" },
  readAt: { zh: (at) => `读取于 ${at} UTC`, en: (at) => `read at ${at} UTC` },
  language: { zh: "语言", en: "Language" },
  views: { zh: "视图", en: "Views" },
  book: { zh: "成绩册", en: "Gradebook" },
  changes: { zh: "改动", en: "Changes" },
  looks: { zh: "值得查看", en: "Worth a look" },
  sample: { zh: "复评抽样", en: "Sample" },
  about: { zh: "说明", en: "About" },
  path: { zh: "位置", en: "Where you are" },
  search: { zh: "查找学员", en: "Find a learner" },
  cohort: { zh: "班组", en: "Cohort" },
  chapter: { zh: "章", en: "Chapter" },
  state: { zh: "状态", en: "State" },
  only: { zh: "只看", en: "Only" },
  all: { zh: "全部", en: "all" },
  none: { zh: "–", en: "–" },
  learner: { zh: "学员", en: "Learner" },
  total: { zh: "合计", en: "Sum" },
  score: { zh: "得分", en: "Score" },
  of: { zh: "满分", en: "Of" },
  handedIn: { zh: "提交（UTC）", en: "Handed in (UTC)" },
  due: { zh: "截止（UTC）", en: "Due (UTC)" },
  late: { zh: "迟交", en: "late" },
  lateBy: { zh: "迟交", en: "Late by" },
  penalty: { zh: "扣分", en: "Penalty" },
  mastered: { zh: "掌握", en: "Mastered" },
  yes: { zh: "是", en: "yes" },
  no: { zh: "否", en: "no" },
  open: { zh: "待定", en: "open" },
  redLine: { zh: "红线", en: "red line" },
  redLines: { zh: "红线", en: "Red lines" },
  seal: { zh: "封存", en: "Seal" },
  sealed: { zh: "已封存", en: "sealed" },
  unsealed: { zh: "未封存", en: "not sealed" },
  noTrail: { zh: "无留痕", en: "no trail" },
  noSeal: { zh: "尚无封存", en: "nothing sealed yet" },
  sealedTo: { zh: (n, all) => `留痕 ${all} 行，已封存 ${n} 行`, en: (n, all) => `${n} of ${all} rows of the trail sealed` },
  changed: { zh: "有改动", en: "changed" },
  afterRelease: { zh: "反馈发布后改动", en: "changed after release" },
  notMastered: { zh: "尚未掌握", en: "not mastered" },
  toMark: { zh: (n) => `待评 ${n}`, en: (n) => `${n} to mark` },
  waiting: { zh: "待评", en: "To mark" },
  states: {
    graded: { zh: "已评分", en: "graded" },
    waiting: { zh: "待评定", en: "to be marked" },
    warning: { zh: "笔记本有改动", en: "notebook changed" },
    look: { zh: "需查看", en: "look at it" },
    refused: { zh: "记录被拒", en: "log refused" },
    unanswered: { zh: "未作答", en: "not answered" },
    invalid: { zh: "作答无效", en: "no valid answer" },
  },
  shown: { zh: (n, all) => `显示 ${n} / ${all} 名学员`, en: (n, all) => `${n} of ${all} learners shown` },
  page: { zh: (n, all) => `第 ${n} / ${all} 页`, en: (n, all) => `Page ${n} of ${all}` },
  before: { zh: "上一页", en: "Previous page" },
  next: { zh: "下一页", en: "Next page" },
  csv: { zh: "下载此表（CSV）", en: "Download this table (CSV)" },
  nobody: { zh: "没有符合条件的学员。", en: "Nobody fits what is asked for." },
  spread: { zh: "各章得分分布（占满分的比例）", en: "How scores spread, in shares of the points" },
  median: { zh: (n, m) => `${n} 人，中位数 ${m}`, en: (n, m) => `${n} ${n === 1 ? "learner" : "learners"}, median ${m}` },
  bins: {
    zh: (name, text) => `${name}：${text}`,
    en: (name, text) => `${name}: ${text}`,
  },
  bin: { zh: (n, from, to) => `${from}–${to}% ${n} 人`, en: (n, from, to) => `${n} at ${from}–${to} %` },
  chapters: { zh: "各章", en: "Chapters" },
  exercises: { zh: "各题", en: "Exercises" },
  exercise: { zh: "题目", en: "Exercise" },
  type: { zh: "题型", en: "Type" },
  types: {
    best_worst: { zh: "最佳与最差", en: "best and worst" },
    classification: { zh: "归类", en: "classification" },
    data_analysis: { zh: "数据分析", en: "data analysis" },
    dialogue: { zh: "对话", en: "dialogue" },
    free_text: { zh: "文字题", en: "free text" },
    multi_select: { zh: "多选", en: "multiple choice" },
    numeric: { zh: "数值", en: "numbers" },
    ordering: { zh: "排序", en: "ordering" },
    plan: { zh: "计划", en: "plan" },
    rating: { zh: "评级", en: "rating" },
    reflection: { zh: "反思", en: "reflection" },
    triage: { zh: "轻重缓急", en: "triage" },
    violations: { zh: "找出不当", en: "finding faults" },
  },
  byRule: { zh: "规则给分", en: "By rule" },
  byHand: { zh: "人工给分", en: "By hand" },
  flags: { zh: "标记", en: "Flags" },
  flag: {
    "red-line": { zh: "越过红线", en: "red line crossed" },
    "critical-pair": { zh: "关键顺序颠倒", en: "critical order broken" },
  },
  reading: { zh: "正在读取……", en: "Reading…" },
  strange: {
    zh: "无法显示：成绩册中有并非由本系统程序写入的内容。请运行“counterside audit verify”查明位置。",
    en: "This can't be shown: the gradebook has what no program of ours writes. “counterside audit verify” says where.",
  },
  notHere: {
    zh: "此文件只含成绩册；要含作答与依据，请用 counterside audit report --chapter 或 --learner 生成。",
    en: "This file has the gradebook only. “counterside audit report” with --chapter or --learner adds answers and reasons.",
  },
  remarks: { zh: "提交情况", en: "About this submission" },
  noRemarks: { zh: "提交的文件没有异常。", en: "Nothing odd about the files that were handed in." },
  collected: { zh: "收取凭据", en: "Receipts of collecting" },
  receipt: { zh: "学员回执号", en: "Learner's receipt" },
  at: { zh: "时间（UTC）", en: "When (UTC)" },
  account: { zh: "账户", en: "Account" },
  files: { zh: "文件", en: "Files" },
  bytes: { zh: "字节", en: "Bytes" },
  hash: { zh: "SHA-256", en: "SHA-256" },
  saidAt: { zh: "所称提交时间", en: "Says it was handed in" },
  answer: { zh: "学员看到的作答", en: "The answer, as the learner saw it" },
  noAnswer: { zh: "没有作答。", en: "There was no answer." },
  rules: { zh: "逐条规则", en: "Rule by rule" },
  rule: { zh: "规则", en: "Rule" },
  did: { zh: "做了什么", en: "What was done" },
  units: { zh: "原始分", en: "Raw units" },
  why: { zh: "为什么", en: "Why" },
  better: { zh: "更好的做法", en: "Better" },
  handbook: { zh: "手册要点", en: "Handbook" },
  law: { zh: "规定", en: "Legal rule" },
  good: { zh: "恰当", en: "good" },
  weak: { zh: "可改进", en: "to improve" },
  noRules: { zh: "没有规则给分或扣分。", en: "No rule gave or took anything." },
  sum: {
    zh: (share, points) => `原始分换算为本题自动部分 ${points} 分中的得分：${share}`,
    en: (share, points) => `Turned into ${share} of the ${points} points that rules give`,
  },
  rubric: { zh: "人工评定", en: "Marked by a person" },
  criterion: { zh: "评分项", en: "Criterion" },
  level: { zh: "等级说明", en: "Level" },
  mark: { zh: "评分", en: "Mark" },
  marker: { zh: "评分人", en: "Marker" },
  notMarked: { zh: "尚未评定", en: "not marked yet" },
  nobodyKnown: { zh: "无记录", en: "not known" },
  comments: { zh: "培训师的话", en: "What the trainer wrote" },
  evidence: { zh: "依据", en: "Evidence" },
  noEvidence: { zh: "成绩册里没有这个分数的依据。", en: "The gradebook has no evidence for this score." },
  record: { zh: "作答记录", en: "Record of the log" },
  recordIs: { zh: (seq, at) => `第 ${seq} 条，${at}`, en: (seq, at) => `number ${seq}, ${at}` },
  line: { zh: "该行 SHA-256", en: "SHA-256 of its line" },
  itemHash: { zh: "题目 SHA-256", en: "SHA-256 of the exercise" },
  keyHash: { zh: "答案 SHA-256", en: "SHA-256 of the key" },
  run: { zh: "评分批次", en: "Grading run" },
  scorer: { zh: "评分程序版本", en: "Version of the scorer" },
  key: { zh: "今天的答案与计分", en: "The key as it stands today" },
  otherKey: { zh: "与计分时的答案不同。", en: "It is not the key that gave this score." },
  history: { zh: "每一次改动", en: "Every change" },
  noHistory: { zh: "没有改动。", en: "Nothing was changed." },
  noTrailYet: {
    zh: "这个成绩册没有留痕，因此看不到改动。请运行 counterside audit install。",
    en: "This gradebook keeps no trail, so changes can't be shown. “counterside audit install” begins one.",
  },
  who: { zh: "谁", en: "Who" },
  what: { zh: "什么", en: "What" },
  whyChanged: { zh: "原因", en: "Why" },
  firstMark: { zh: "首次评分", en: "first mark" },
  noReason: { zh: "未说明原因", en: "no reason given" },
  reasonLater: { zh: (who, at) => `（${who} 于 ${at} 补充）`, en: (who, at) => `(added by ${who}, ${at})` },
  unknown: { zh: "未知", en: "unknown" },
  os: { zh: "系统账户", en: "system account" },
  hub: { zh: "JupyterHub 账户", en: "JupyterHub account" },
  byRun: { zh: (run) => `评分批次 ${run}`, en: (run) => `grading run ${run}` },
  database: { zh: (who) => `数据库账户 ${who}`, en: (who) => `database account ${who}` },
  ops: {
    insert: { zh: "新增", en: "added" },
    update: { zh: "更改", en: "changed" },
    delete: { zh: "删除", en: "deleted" },
    snapshot: { zh: "快照", en: "snapshot" },
  },
  tables: {
    grade: { zh: "成绩", en: "grade" },
    comment: { zh: "评语", en: "comment" },
    submitted_assignment: { zh: "提交", en: "submission" },
    submitted_notebook: { zh: "提交的笔记本", en: "submitted notebook" },
    grade_cells: { zh: "题目满分", en: "points of a cell" },
    assignment: { zh: "章节设置", en: "chapter" },
    counterside_event: { zh: "事件", en: "event" },
    counterside_submission: { zh: "评分结果", en: "grading result" },
  },
  columns: {
    auto_score: { zh: "自动得分", en: "score by rule" },
    manual_score: { zh: "人工得分", en: "score by hand" },
    extra_credit: { zh: "附加分", en: "extra credit" },
    needs_manual_grade: { zh: "待人工评定", en: "still to be marked" },
    auto_comment: { zh: "自动评语", en: "automatic comment" },
    manual_comment: { zh: "培训师的话", en: "trainer's comment" },
    late_submission_penalty: { zh: "迟交扣分", en: "late penalty" },
    timestamp: { zh: "提交时间", en: "time handed in" },
    extension: { zh: "延期", en: "extension" },
    max_score: { zh: "满分", en: "points" },
    duedate: { zh: "截止时间", en: "due" },
    state: { zh: "状态", en: "state" },
    kind: { zh: "事件", en: "event" },
    detail: { zh: "详情", en: "details" },
    assignment: { zh: "章", en: "chapter" },
    chapter: { zh: "章", en: "chapter" },
    learner: { zh: "学员", en: "learner" },
    name: { zh: "名称", en: "name" },
    cell_type: { zh: "单元格类型", en: "kind of cell" },
    digest: { zh: "提交内容 SHA-256", en: "SHA-256 of what was handed in" },
    flagged: { zh: "加旗", en: "flagged" },
  },
  kinds: {
    install: { zh: "启用留痕", en: "trail begun or mended" },
    feedback: { zh: "发布反馈", en: "feedback released" },
    erase: { zh: "删除个人信息", en: "personal data erased" },
  },
  cell: { zh: "位置", en: "Cell" },
  changesShown: { zh: (n, all) => `显示 ${n} / ${all} 条改动`, en: (n, all) => `${n} of ${all} changes shown` },
  noSuchChanges: { zh: "没有符合条件的改动。", en: "No change fits what is asked for." },
  released: { zh: "发布后改动", en: "after release" },
  tooMany: { zh: (n, all) => `显示最近 ${n} 条，共 ${all} 条。`, en: (n, all) => `The last ${n} of ${all} are shown.` },
  threshold: { zh: "界限", en: "Threshold" },
  chance: { zh: "凭巧合预期", en: "Expected by chance" },
  found: { zh: (n) => `${n} 条`, en: (n) => `${n} found` },
  found1: { zh: "发现", en: "Found" },
  looking: { zh: "正在查看全部作答记录……", en: "Looking through all response logs…" },
  looksSay: {
    zh: "这里指出的是值得看一看的地方，不是结论。每条规则都写明界限，以及凭巧合会有多少。",
    en: "These are places to look at, and no verdicts. Each rule says from where on it speaks, and how many chance alone would bring.",
  },
  tooMany1: { zh: (n, all) => `显示前 ${n} 条，共 ${all} 条；全部见 counterside audit looks。`, en: (n, all) => `The first ${n} of ${all}; “counterside audit looks” has all.` },
  markers: { zh: "评分人", en: "Markers" },
  marks: { zh: "评分数", en: "Marks" },
  apart: { zh: "比他人高（等级）", en: "Above the others (levels)" },
  pairs: { zh: "共同评过的两人", en: "Two who marked the same" },
  works: { zh: "份数", en: "Works" },
  exact: { zh: "完全一致", en: "Same level" },
  kappa1: { zh: "κ 不加权", en: "κ unweighted" },
  kappa2: { zh: "κ 线性", en: "κ linear" },
  kappa3: { zh: "κ 二次", en: "κ quadratic" },
  alpha: { zh: "α 定序", en: "α ordinal" },
  seed: { zh: "种子", en: "Seed" },
  size: { zh: "抽多少", en: "How many" },
  drawIt: { zh: "抽样", en: "Draw" },
  noSample: { zh: "没有可抽的作答。", en: "There is nothing to draw." },
  sampleSays: {
    zh: (n, all) => `从 ${all} 个已评分的作答中按种子抽出 ${n} 个；同一个种子在任何机器上抽到的都一样。先看作答、自己评，再对比成绩册。你的记录只在你下载的文件里，不进入成绩册。`,
    en: (n, all) => `${n} of ${all} graded answers, drawn by the seed; the same seed draws the same ones on any machine. Judge the answer first, then compare. What you note is only in the file that you download, and never in the gradebook.`,
  },
  auditor: { zh: "你的姓名", en: "Your name" },
  judgement: { zh: "你的判断", en: "Your judgement" },
  agree: { zh: "同意", en: "agree" },
  differ: { zh: "不同意", en: "differ" },
  ownScore: { zh: "你的评分", en: "Your score" },
  remark: { zh: "说明", en: "In words" },
  agreed: { zh: (a, n, all) => `${all} 个中已评 ${n} 个，同意 ${a} 个`, en: (a, n, all) => `${n} of ${all} judged, ${a} agreed` },
  save: { zh: "下载我的记录", en: "Download my record" },
  aboutText: {
    zh: [
      "这里的一切都来自以只读方式打开的成绩册；页面没有任何写入的途径。",
      "分数来自作答记录与规则；每个分数的依据带有题目、答案与那条记录的哈希。打开一个分数时，会按今天的规则重新计分并说明是否一致。",
      "“已封存”表示最后一次改动在成绩册所知的最新封存之内；封存本身是否有效，请用 counterside audit verify 在自己的机器上核对。",
      "最近一次封存之后的改动、掌握密钥的人、机器的时钟，都不在此证明之内。",
    ],
    en: [
      "All of this was read from a gradebook opened for reading; the page has no way to write.",
      "Scores come from the response log by rules. The evidence of each names the exercise, its key and the record by their hashes. When you open a score, the answer is judged again by today's rules, and the page says whether the result is the same.",
      "“Sealed” says that the last change lies within the newest seal that the gradebook knows of. Whether the seal itself holds is for “counterside audit verify” to say, on a machine of your own.",
      "Changes since the last seal, whoever holds the key, and the machine's clock are outside of what this can prove.",
    ],
  },
  factLearners: { zh: "学员", en: "Learners" },
  factStandings: { zh: "已评分的章", en: "Graded chapters" },
  factTrail: { zh: "留痕行数", en: "Rows of the trail" },
  factHead: { zh: "最新封存", en: "Newest seal" },
  headIs: { zh: (size, at) => `${size} 行，${at}`, en: (size, at) => `${size} rows, ${at}` },
  factRoot: { zh: "封存的根", en: "Root of the seal" },
  broken: { zh: "无法显示这个作答。", en: "This answer can't be drawn." },
  previous: { zh: "上一题", en: "Previous exercise" },
  following: { zh: "下一题", en: "Next exercise" },
};

// The places of a standing's short list, as desk.py writes them.
const [LEARNER, CHAPTER, TOTAL, STATE, LATE, PENALTY, MASTERED, RED, SEALED, HANDED, DUE, WAITING, CHANGED, AFTER, CELLS] = Array(15).keys();
const [C_SCORE, C_AUTO, C_HAND, C_EXTRA, C_WAITING, C_STATE, C_FLAGS] = Array(7).keys();
const ROWS = 50;
const SHOWN = 200;
const CHANGES = 100;
const BINS = 10;

// What rules alone gave is sent as a number.
const whole = (cell) => (Array.isArray(cell) ? cell : [cell, cell, null, 0, 0, "graded", []]);

const points = (value) => (value == null ? "–" : value.toFixed(2));
const short = (value) => (value == null ? "–" : String(Number(value.toFixed(2))));
const minute = (at) => (at ? at.slice(0, 16).replace("T", " ") : "–");
const second = (at) => (at ? at.slice(0, 19).replace("T", " ") : "–");

function duration(seconds) {
  if (!seconds) return "–";
  const hours = seconds / 3600;
  return hours < 1 ? `${Math.ceil(seconds / 60)} min` : hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} d`;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

async function loadView(source) {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try { return (await import(url)).default; } finally { URL.revokeObjectURL(url); }
}

// A spreadsheet takes a text that begins like a formula for one.
const csvField = (value) => {
  const text = String(value ?? "");
  return `"${(/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text).replaceAll('"', '""')}"`;
};

function download(name, type, text) {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

class Desk {
  constructor({ data, el, ask, signal, alone, canDraw }) {
    Object.assign(this, { data, ask, alone, canDraw, wanted: { size: 30, seed: data.seed } });
    this.lang = readLang();
    this.t = translator(() => this.lang);
    this.live = announcer();
    this.drawnAnswer = null;
    this.at = { view: "book" };
    this.filters = { search: "", cohort: "", chapter: "", state: "", only: "" };
    this.changeFilters = { search: "", only: "" };
    this.sort = { by: "learner", down: false };
    this.page = 0;
    this.judged = new Map();
    this.byLearner = data.learners.map(() => Array(data.chapters.length).fill(null));
    for (const standing of data.standings) this.byLearner[standing[LEARNER]][standing[CHAPTER]] = standing;
    this.lower = data.learners.map((name) => name.toLowerCase());
    this.build(el);
    window.addEventListener("counterside:lang", (event) => { this.lang = event.detail; this.draw(); }, { signal });
    if (alone) window.addEventListener("hashchange", () => this.follow(), { signal });
    if (alone && location.hash.length > 1) this.follow();
    else this.draw();
  }

  build(el) {
    this.root = h("div", { class: this.alone ? "ca cs-host" : "ca ca-inside cs-host" },
      h(this.alone ? "header" : "div", { class: "ca-head" },
        this.title = h(this.alone ? "h1" : "h2", { class: "ca-title" }),
        this.facts = h("p", { class: "ca-facts" }),
        this.languages = this.alone && h("div", { class: "ca-languages", role: "group" })),
      this.tabs = h("nav", { class: "ca-tabs" }),
      this.main = h(this.alone ? "main" : "div", { class: "ca-main" }),
      this.live.node);
    this.live.node.classList.add("ca-live");
    if (!this.alone) keepToItself(this.root);
    el.replaceChildren(this.root);
  }

  // ---- going from place to place ----------------------------------------------------------
  go(at) {
    const { view, learner, chapter, item } = this.at = at;
    this.entering = true;
    const hash = `#${[view, learner, chapter, item].filter((part) => part != null).map(encodeURIComponent).join("/")}`;
    if (this.alone && location.hash !== hash) location.hash = hash;
    else this.draw();
  }

  follow() {
    const [view, learner, chapter, item] = location.hash.slice(1).split("/").map(decodeURIComponent);
    const known = ["book", "learner", "grade", "changes", "looks", "sample", "about"].includes(view);
    this.at = known ? { view, learner, chapter, item } : { view: "book" };
    this.entering = true;
    this.draw();
  }

  link(words, at, props = {}) {
    const key = [at.view, at.learner, at.chapter, at.item].filter(Boolean).join("/");
    return h("button", { type: "button", class: "ca-link", "data-key": `to:${key}`, onclick: () => this.go(at), ...props }, words);
  }

  draw() {
    const { t, data } = this;
    this.root.lang = this.lang === "zh" ? "zh-CN" : "en";
    if (this.alone) document.documentElement.lang = this.root.lang;
    this.title.textContent = t(WORDS.desk);
    this.facts.replaceChildren(h("span", null, t(data.title)), h("span", { class: "ca-tag" }, t(WORDS.readOnly)), h("span", null, t(WORDS.readAt, second(data.read))),
      data.trail == null ? this.tag(t(WORDS.noTrail), "warn") : data.head ? h("span", null, t(WORDS.sealedTo, data.head.size, data.trail)) : this.tag(t(WORDS.noSeal), "warn"));
    this.drawLanguages();
    const here = { learner: "book", grade: "book" }[this.at.view] ?? this.at.view;
    const views = ["book", "changes", "looks", "sample", "about"];
    this.tabs.setAttribute("aria-label", t(WORDS.views));
    swap(this.tabs, views.map((view) => h("button", {
      type: "button", "data-key": `tab:${view}`, "aria-current": view === here ? "page" : null, onclick: () => this.go({ view }),
    }, t(WORDS[view]))));
    this.drawnAnswer?.();
    this.drawnAnswer = null;
    const draw = { book: "drawBook", learner: "drawLearner", grade: "drawGrade", changes: "drawChanges", looks: "drawLooks", sample: "drawSample", about: "drawAbout" };
    swap(this.main, this[draw[this.at.view]]());
    if (this.entering) {
      this.entering = false;
      const heading = this.main.querySelector(".ca-heading");
      heading?.focus({ preventScroll: true });
      this.root.scrollIntoView?.({ block: "start" });
    }
  }

  drawLanguages() {
    if (!this.languages) return;
    this.languages.setAttribute("aria-label", this.t(WORDS.language));
    swap(this.languages, [["zh", "中文"], ["en", "English"]].map(([lang, name]) => h("button", {
      type: "button", lang: lang === "zh" ? "zh-CN" : "en", "data-key": lang, "aria-pressed": this.lang === lang,
      onclick: () => { storage.set(LANG_KEY, lang); window.dispatchEvent(new CustomEvent("counterside:lang", { detail: lang })); },
    }, name)));
  }

  heading(words, ...more) {
    return h("h2", { class: "ca-heading", tabindex: -1, "data-key": "heading" }, words, ...more);
  }

  path(...steps) {
    return h("nav", { class: "ca-path", "aria-label": this.t(WORDS.path) }, h("ol", null, steps.map((step) => h("li", null, step))));
  }

  // `columns` are {words, number, key}; with `sort` the head has buttons.
  table({ caption, columns, rows, sort, sticky = false, empty }) {
    const head = columns.map(({ words, number, key }) => {
      const sorted = sort && key && this.sort.by === key ? (this.sort.down ? "descending" : "ascending") : null;
      const label = sort && key
        ? h("button", { type: "button", class: "ca-sort", "data-key": `sort:${key}`, onclick: () => sort(key) }, words, h("span", { class: "ca-arrow", "aria-hidden": "true" }, sorted === "ascending" ? "▲" : sorted ? "▼" : ""))
        : words;
      return h("th", { scope: "col", class: number ? "ca-number" : null, "aria-sort": sorted }, label);
    });
    const body = rows.map((cells) => h("tr", null, cells.map((cell, place) => (
      h(place === 0 ? "th" : "td", { scope: place === 0 ? "row" : null, class: columns[place].number ? "ca-number" : null }, cell)))));
    if (!rows.length && empty) return h("p", { class: "ca-empty" }, empty);
    return h("div", { class: sticky ? "ca-scroll ca-sticky" : "ca-scroll", role: "group", "aria-label": caption, tabindex: 0, "data-key": `table:${caption}` },
      h("table", null, h("caption", { class: "ca-unseen" }, caption), h("thead", null, h("tr", null, head)), h("tbody", null, body)));
  }

  tag(words, kind) { return h("span", { class: "ca-tag", "data-kind": kind }, words); }

  section(words, ...content) {
    const id = newId();
    return h("section", { class: "ca-section", "aria-labelledby": id }, h("h3", { id }, words), ...content);
  }

  yesNo(value) { return this.t(value === true ? WORDS.yes : value === false ? WORDS.no : WORDS.open); }

  sealWords(value) { return this.t(value === true ? WORDS.sealed : value === false ? WORDS.unsealed : WORDS.noTrail); }

  // ---- the gradebook ----------------------------------------------------------------------
  drawBook() {
    this.bookParts = { summary: h("p", { class: "ca-summary" }), plots: h("div", { class: "ca-plots" }), table: h("div"), pages: h("div", { class: "ca-pages" }) };
    const parts = this.bookParts;
    const nodes = [
      this.heading(this.t(WORDS.book)), this.drawFilters(),
      h("figure", { class: "ca-figure" }, h("figcaption", null, this.t(WORDS.spread)), parts.plots),
      h("div", { class: "ca-bar" }, parts.summary, h("button", { type: "button", class: "ca-button", "data-key": "csv", onclick: () => this.saveTable() }, this.t(WORDS.csv))),
      parts.table, parts.pages,
    ];
    this.drawRows(false);
    return nodes;
  }

  drawFilters() {
    const { t, data, filters } = this;
    const change = (name, value) => { filters[name] = value; this.page = 0; this.drawRows(true); };
    const select = (name, words, list) => h("label", null, h("span", null, t(words)),
      h("select", { "data-key": `filter:${name}`, onchange: (event) => change(name, event.target.value) },
        h("option", { value: "" }, t(WORDS.all)), list.map(([value, text]) => h("option", { value, selected: filters[name] === value }, text))));
    const cohorts = [...new Set(data.cohorts)].filter(Boolean).sort();
    const states = [...new Set(data.standings.map((one) => one[STATE]))].sort();
    const only = ["late", "redLine", "unsealed", "changed", "afterRelease", "mastered", "notMastered"];
    return h("form", { class: "ca-filters", role: "search", onsubmit: (event) => event.preventDefault() },
      h("label", null, h("span", null, t(WORDS.search)),
        h("input", { type: "search", autocomplete: "off", value: filters.search, "data-key": "filter:search", oninput: (event) => change("search", event.target.value) })),
      cohorts.length > 0 && select("cohort", WORDS.cohort, cohorts.map((name) => [name, name])),
      select("chapter", WORDS.chapter, data.chapters.map(({ id, title }) => [id, `${id} ${t(title)}`])),
      select("state", WORDS.state, states.map((name) => [name, t(WORDS.states[name])])),
      select("only", WORDS.only, only.map((name) => [name, t(WORDS[name])])));
  }

  fits(standing) {
    const { state, only } = this.filters;
    if (!standing) return !state && !only;
    if (state && standing[STATE] !== state) return false;
    switch (only) {
      case "late": return standing[LATE] > 0;
      case "redLine": return standing[RED].length > 0;
      case "unsealed": return standing[SEALED] === false;
      case "changed": return standing[CHANGED] > 0;
      case "afterRelease": return standing[AFTER] > 0;
      case "mastered": return standing[MASTERED] === true;
      case "notMastered": return standing[MASTERED] === false;
      default: return true;
    }
  }

  // The places of the learners that are asked for, in the order that is asked for.
  chosen() {
    const { data, filters, byLearner, lower } = this;
    const search = filters.search.trim().toLowerCase();
    const chapter = data.chapters.findIndex(({ id }) => id === filters.chapter);
    const found = [];
    for (let at = 0; at < byLearner.length; at++) {
      if (search && !lower[at].includes(search)) continue;
      if (filters.cohort && data.cohorts[at] !== filters.cohort) continue;
      const own = chapter < 0 ? byLearner[at] : [byLearner[at][chapter]];
      if (chapter >= 0 && !own[0]) continue;
      if (own.some((one) => this.fits(one))) found.push(at);
    }
    const value = this.sorter(chapter);
    const keys = new Map(found.map((at) => [at, value(at)]));
    const turn = this.sort.down ? -1 : 1;
    return found.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      if (x === y) return a - b;
      if (x == null || y == null) return x == null ? 1 : -1;      // what is missing stays at the end
      return (x < y ? -1 : 1) * turn;
    });
  }

  sorter(chapter) {
    const { by } = this.sort;
    const { data, byLearner } = this;
    const sum = (at, place) => byLearner[at].reduce((total, one) => total + (one ? (Array.isArray(one[place]) ? one[place].length : one[place]) : 0), 0);
    const place = { total: TOTAL, state: STATE, late: LATE, penalty: PENALTY, mastered: MASTERED, red: RED, sealed: SEALED, handed: HANDED, due: DUE, waiting: WAITING, changed: CHANGED }[by];
    if (by === "learner") return (at) => at;
    if (by === "cohort") return (at) => data.cohorts[at] || null;
    const column = data.chapters.findIndex(({ id }) => id === by);
    if (column >= 0) return (at) => byLearner[at][column]?.[TOTAL] ?? null;
    if (chapter < 0) return (at) => sum(at, place);
    return (at) => { const value = byLearner[at][chapter]?.[place]; return Array.isArray(value) ? value.length : value ?? null; };
  }

  drawRows(spoken) {
    const { t, data, bookParts: parts } = this;
    const found = this.found = this.chosen();
    const chapter = data.chapters.findIndex(({ id }) => id === this.filters.chapter);
    const words = t(WORDS.shown, found.length, data.learners.length);
    parts.summary.textContent = words;
    if (spoken) this.live.say(words);
    const last = Math.max(0, Math.ceil(found.length / ROWS) - 1);
    this.page = Math.min(this.page, last);
    const sort = (key) => {
      this.sort = { by: key, down: this.sort.by === key ? !this.sort.down : !["learner", "cohort", "state"].includes(key) };
      this.page = 0;
      this.drawRows(false);
    };
    const { columns, row } = chapter < 0 ? this.wide() : this.narrow(chapter);
    const rows = found.slice(this.page * ROWS, (this.page + 1) * ROWS).map(row);
    swap(parts.table, [this.table({ caption: t(WORDS.book), columns, rows, sort, sticky: true, empty: t(WORDS.nobody) })]);
    this.drawPages(last);
    this.drawPlots(found);
  }

  hasCohorts() { return this.data.cohorts.some(Boolean); }

  wide() {
    const { t, data, byLearner } = this;
    const cohorts = this.hasCohorts();
    const columns = [
      { words: t(WORDS.learner), key: "learner" },
      ...(cohorts ? [{ words: t(WORDS.cohort), key: "cohort" }] : []),
      ...data.chapters.map(({ id, title, possible }) => ({ words: [h("abbr", { title: t(title) }, id), h("small", null, ` / ${short(possible)}`)], key: id, number: true })),
      { words: t(WORDS.total), key: "total", number: true },
      { words: t(WORDS.redLines), key: "red", number: true },
      { words: t(WORDS.changes), key: "changed", number: true },
    ];
    const row = (at) => {
      const own = byLearner[at];
      const sum = (place) => own.reduce((total, one) => total + (one ? (Array.isArray(one[place]) ? one[place].length : one[place]) : 0), 0);
      return [
        this.link(data.learners[at], { view: "learner", learner: data.learners[at] }),
        ...(cohorts ? [data.cohorts[at] || "–"] : []),
        ...own.map((one, place) => (one ? this.scoreCell(one, place) : "–")),
        points(sum(TOTAL)), sum(RED) || "–", sum(CHANGED) || "–",
      ];
    };
    return { columns, row };
  }

  scoreCell(one, place) {
    const { t, data } = this;
    const at = { view: "learner", learner: data.learners[one[LEARNER]], chapter: data.chapters[place].id };
    const name = `${at.learner}, ${at.chapter}: ${points(one[TOTAL])}`;
    return [this.link(points(one[TOTAL]), at, { "aria-label": name }), this.marks(one)];
  }

  // What a person should see of a standing beside its points.
  marks(one) {
    const { t, data } = this;
    const found = [
      one[STATE] === "waiting" ? this.tag(t(WORDS.toMark, short(one[WAITING])), "open") : one[STATE] !== "graded" && this.tag(t(WORDS.states[one[STATE]]), "warn"),
      one[LATE] > 0 && this.tag(t(WORDS.late), "warn"),
      one[RED].length > 0 && this.tag(`${t(WORDS.redLine)} ${one[RED].length}`, "red"),
      data.head && one[SEALED] === false && this.tag(t(WORDS.unsealed), "open"),
      one[AFTER] > 0 && this.tag(t(WORDS.released), "red"),
    ].filter(Boolean);
    return found.length ? h("span", { class: "ca-tags" }, found) : null;
  }

  narrow(place) {
    const { t, data, byLearner } = this;
    const cohorts = this.hasCohorts();
    const columns = [
      { words: t(WORDS.learner), key: "learner" },
      ...(cohorts ? [{ words: t(WORDS.cohort), key: "cohort" }] : []),
      { words: [t(WORDS.score), h("small", null, ` / ${short(data.chapters[place].possible)}`)], key: "total", number: true },
      ...this.standingColumns(),
    ];
    const row = (at) => [
      this.link(data.learners[at], { view: "learner", learner: data.learners[at], chapter: data.chapters[place].id }),
      ...(cohorts ? [data.cohorts[at] || "–"] : []),
      points(byLearner[at][place][TOTAL]), ...this.standingCells(byLearner[at][place]),
    ];
    return { columns, row };
  }

  standingColumns() {
    const { t } = this;
    return [
      { words: t(WORDS.state), key: "state" }, { words: t(WORDS.waiting), key: "waiting", number: true }, { words: t(WORDS.handedIn), key: "handed" },
      { words: t(WORDS.lateBy), key: "late", number: true }, { words: t(WORDS.penalty), key: "penalty", number: true }, { words: t(WORDS.mastered), key: "mastered" },
      { words: t(WORDS.redLines), key: "red", number: true }, { words: t(WORDS.seal), key: "sealed" }, { words: t(WORDS.changes), key: "changed", number: true },
    ];
  }

  standingCells(one) {
    const { t } = this;
    return [
      t(WORDS.states[one[STATE]]), one[WAITING] ? short(one[WAITING]) : "–", h("time", null, minute(one[HANDED])), duration(one[LATE]),
      one[PENALTY] ? points(one[PENALTY]) : "–", this.yesNo(one[MASTERED]), one[RED].length || "–", this.sealWords(one[SEALED]),
      [one[CHANGED] || "–", one[AFTER] > 0 && h("span", { class: "ca-tags" }, this.tag(t(WORDS.released), "red"))],
    ];
  }

  drawPages(last) {
    const { t, bookParts: parts } = this;
    if (!last) return parts.pages.replaceChildren();
    const turn = (by, words, stops) => h("button", {
      type: "button", class: "ca-button", "data-key": `page:${by}`, "aria-disabled": String(stops),
      onclick: () => { if (!stops) { this.page += by; this.drawRows(false); this.live.say(t(WORDS.page, this.page + 1, last + 1)); } },
    }, words);
    swap(parts.pages, [turn(-1, t(WORDS.before), this.page === 0), h("span", null, t(WORDS.page, this.page + 1, last + 1)), turn(1, t(WORDS.next), this.page === last)]);
  }

  drawPlots(found) {
    const { t, data, byLearner } = this;
    this.bookParts.plots.replaceChildren(...data.chapters.map(({ id, title, possible }, place) => {
      const totals = found.map((at) => byLearner[at][place]).filter(Boolean).map((one) => one[TOTAL]);
      const bins = Array(BINS).fill(0);
      for (const total of totals) bins[Math.min(BINS - 1, Math.floor((total / possible) * BINS))] += 1;
      const most = Math.max(1, ...bins);
      const bars = bins.map((n, at) => `<rect x="${at * 16 + 1}" y="${46 - (n / most) * 42}" width="14" height="${(n / most) * 42}" rx="1.5"/>`).join("");
      const text = bins.map((n, at) => n && t(WORDS.bin, n, at * 10, at * 10 + 10)).filter(Boolean).join(", ");
      const plot = svg(`<svg viewBox="0 0 160 48" role="img" preserveAspectRatio="none"><path d="M0 47.5H160"/>${bars}</svg>`);
      plot.setAttribute("aria-label", t(WORDS.bins, t(title), text || "–"));
      return h("div", { class: "ca-plot" }, plot,
        h("p", null, h("b", null, id), " ", h("span", null, totals.length ? t(WORDS.median, totals.length, short(median(totals))) : "–")));
    }));
  }

  saveTable() {
    const { data, byLearner } = this;
    const head = ["learner", "cohort", "chapter", "score", "possible", "state", "waiting", "handed_in_utc", "due_utc", "late_seconds", "penalty", "mastered", "red_lines", "sealed", "changes", "changes_after_release"];
    const lines = this.found.flatMap((at) => byLearner[at].filter((one) => one && (!this.filters.chapter || data.chapters[one[CHAPTER]].id === this.filters.chapter)).map((one) => [
      data.learners[at], data.cohorts[at], data.chapters[one[CHAPTER]].id, one[TOTAL], data.chapters[one[CHAPTER]].possible, one[STATE], one[WAITING], one[HANDED], one[DUE], one[LATE],
      one[PENALTY], one[MASTERED] ?? "", one[RED].join(" "), one[SEALED] ?? "", one[CHANGED], one[AFTER]]));
    download("gradebook.csv", "text/csv", `\ufeff${[head, ...lines].map((line) => line.map(csvField).join(",")).join("\r\n")}\r\n`);
  }

  // ---- a person ---------------------------------------------------------------------------
  drawLearner() {
    const { t, data, at } = this;
    const place = data.learners.indexOf(at.learner);
    if (place < 0) return [this.heading(t(WORDS.nobody))];
    const own = this.byLearner[place].filter(Boolean);
    const columns = [{ words: t(WORDS.chapter) }, { words: t(WORDS.score), number: true }, { words: t(WORDS.of), number: true }, ...this.standingColumns().map(({ words, number }) => ({ words, number }))];
    const rows = own.map((one) => {
      const chapter = data.chapters[one[CHAPTER]];
      const props = { "aria-current": chapter.id === at.chapter ? "true" : null };
      return [this.link(`${chapter.id} ${t(chapter.title)}`, { view: "learner", learner: at.learner, chapter: chapter.id }, props), points(one[TOTAL]), short(chapter.possible), ...this.standingCells(one)];
    });
    const steps = [this.link(t(WORDS.book), { view: "book" }), at.chapter ? this.link(at.learner, { view: "learner", learner: at.learner }) : h("span", { "aria-current": "page" }, at.learner)];
    const chapter = data.chapters.find(({ id }) => id === at.chapter);
    if (chapter) steps.push(h("span", { "aria-current": "page" }, `${chapter.id} ${t(chapter.title)}`));
    const cohort = data.cohorts[place];
    return [
      this.path(...steps),
      this.heading(at.learner, cohort && h("small", null, ` ${cohort}`), chapter && `: ${t(chapter.title)}`),
      this.section(t(WORDS.chapters), this.table({ caption: t(WORDS.chapters), columns, rows })),
      ...(chapter ? this.drawChapter(this.byLearner[place][data.chapters.indexOf(chapter)], chapter) : []),
    ];
  }

  drawChapter(one, chapter) {
    const { t, at } = this;
    if (!one) return [];
    const columns = [
      { words: t(WORDS.exercise) }, { words: t(WORDS.type) }, { words: t(WORDS.score), number: true }, { words: t(WORDS.of), number: true }, { words: t(WORDS.byRule), number: true },
      { words: t(WORDS.byHand), number: true }, { words: t(WORDS.waiting), number: true }, { words: t(WORDS.state) }, { words: t(WORDS.flags) },
    ];
    const rows = chapter.items.map((item, place) => {
      const cell = whole(one[CELLS][place]);
      return [
        [this.link(t(item.title), { view: "grade", learner: at.learner, chapter: chapter.id, item: item.id }), h("small", null, ` ${item.id}`)],
        t(WORDS.types[item.type]), points(cell[C_SCORE]), short(item.points), points(cell[C_AUTO]), cell[C_HAND] == null ? "–" : points(cell[C_HAND]), cell[C_WAITING] ? short(cell[C_WAITING]) : "–",
        t(WORDS.states[cell[C_STATE]]), this.flags(cell[C_FLAGS]),
      ];
    });
    const more = h("div", { class: "ca-more" }, h("p", { class: "ca-empty" }, t(WORDS.reading)));
    this.fill(more, at, ["chapter", at.learner, at.chapter], ({ found }) => [
      this.section(t(WORDS.remarks),
        found.remarks.length ? h("ul", { class: "ca-list" }, found.remarks.map((words) => h("li", { lang: "en" }, words))) : h("p", null, t(WORDS.noRemarks)),
        found.receipt && h("p", null, `${t(WORDS.receipt)} `, h("code", null, found.receipt))),
      found.collected.length > 0 && this.section(t(WORDS.collected), this.table({
        caption: t(WORDS.collected),
        columns: [{ words: t(WORDS.at) }, { words: t(WORDS.saidAt) }, { words: t(WORDS.account) }, { words: t(WORDS.files), number: true }, { words: t(WORDS.bytes), number: true }, { words: t(WORDS.hash) }],
        rows: found.collected.map((line) => [second(line.at), second(line.handed_in), String(line.owner), line.files, line.bytes, h("code", { class: "ca-hash" }, line.sha256)]),
      })),
      this.section(t(WORDS.history), this.changesTable(found.changes)),
    ]);
    return [this.section(t(WORDS.exercises), this.table({ caption: t(WORDS.exercises), columns, rows })), more];
  }

  flags(list) {
    if (!list.length) return "–";
    return h("span", { class: "ca-tags" }, list.map((flag) => this.tag(this.t(WORDS.flag[flag]) || flag, flag === "red-line" ? "red" : "warn")));
  }

  // Fill a box with what is asked for, unless the reader has gone on by then.
  async fill(box, at, wish, draw, otherwise = WORDS.notHere) {
    const reply = await this.ask(wish).catch(() => null);
    if (this.at !== at || !this.root.contains(box)) return;
    swap(box, reply ? [draw(reply)].flat().filter(Boolean) : [h("p", { class: "ca-empty" }, this.t(reply === false ? WORDS.strange : otherwise))]);
  }

  // ---- one grade --------------------------------------------------------------------------
  drawGrade() {
    const { t, data, at } = this;
    const place = data.chapters.findIndex(({ id }) => id === at.chapter);
    const one = this.byLearner[data.learners.indexOf(at.learner)]?.[place];
    const chapter = data.chapters[place];
    const index = chapter?.items.findIndex(({ id }) => id === at.item) ?? -1;
    if (!one || index < 0) return [this.heading(t(WORDS.nobody))];
    const item = chapter.items[index];
    const cell = whole(one[CELLS][index]);
    const facts = [
      [t(WORDS.score), h("b", { class: "ca-score" }, points(cell[C_SCORE]), h("small", null, ` / ${short(item.points)}`))],
      [t(WORDS.byRule), points(cell[C_AUTO])],
      cell[C_HAND] != null && [t(WORDS.byHand), points(cell[C_HAND])],
      cell[C_EXTRA] ? [t(WORDS.columns.extra_credit), points(cell[C_EXTRA])] : null,
      cell[C_WAITING] ? [t(WORDS.waiting), short(cell[C_WAITING])] : null,
      [t(WORDS.state), t(WORDS.states[cell[C_STATE]])],
      cell[C_FLAGS].length > 0 && [t(WORDS.flags), this.flags(cell[C_FLAGS])],
    ].filter(Boolean);
    const more = h("div", { class: "ca-more" }, h("p", { class: "ca-empty" }, t(WORDS.reading)));
    this.fill(more, at, ["chapter", at.learner, at.chapter], (reply) => this.gradeParts(reply, item));
    const beside = (by, words) => {
      const other = chapter.items[index + by];
      return other && this.link(words, { ...at, item: other.id }, { title: t(other.title) });
    };
    return [
      this.path(this.link(t(WORDS.book), { view: "book" }), this.link(at.learner, { view: "learner", learner: at.learner }),
        this.link(`${chapter.id} ${t(chapter.title)}`, { view: "learner", learner: at.learner, chapter: chapter.id }), h("span", { "aria-current": "page" }, at.item)),
      this.heading(t(item.title), h("small", null, ` ${item.id} · ${t(WORDS.types[item.type])} · ${at.learner}`)),
      h("dl", { class: "ca-result" }, facts.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value)))),
      more,
      h("nav", { class: "ca-beside", "aria-label": t(WORDS.exercises) }, beside(-1, t(WORDS.previous)), beside(1, t(WORDS.following))),
    ];
  }

  gradeParts({ found, items }, item) {
    const { t } = this;
    const own = found.items.find((one) => one.item === item.id);
    const content = items[item.id];
    const card = h("div", { class: "ca-answer" });
    const lines = [...own.notes, own.missing].filter(Boolean).map((words) => h("p", { class: "ca-note" }, t(words)));
    if (own.response != null) this.mountAnswer(card, item, content, own.response);
    else card.append(h("p", { class: "ca-empty" }, t(WORDS.noAnswer)));
    return [
      h("div", { class: "ca-columns" },
        h("div", null, this.section(t(WORDS.answer), lines, card)),
        h("div", null, this.evidencePart(own.evidence), this.keyPart(own.evidence, content))),
      this.rulesPart(own),
      own.criteria.length > 0 && this.rubricPart(own.criteria),
      own.comments.length > 0 && this.section(t(WORDS.comments), own.comments.map((words) => h("p", { class: "ca-quote" }, words))),
      this.section(t(WORDS.history), this.changesTable(own.changes)),
    ];
  }

  async mountAnswer(box, item, content, response) {
    const { t, lang, data } = this;
    const host = h("div", { class: "cs-host" });
    // A view asks for nothing but these; whatever it would send goes nowhere.
    const ui = {
      t, h, svg, icon, iconButton, swap, spoken, options, meter, face, newId, typing, isWide,
      captions: () => captions(t), announce() {},
    };
    box.append(h("article", { class: "cs-card", "data-type": item.type, "data-locked": "true", "aria-label": t(WORDS.answer) },
      h("p", { class: "cs-prompt" }, t(content.public.prompt)), host));
    try {
      const view = (await loadView(data.views[item.type]))({ host, item: { id: item.id, type: item.type, practice: false, title: item.title, public: content.public }, ui, send() {} });
      if (!this.root.contains(box)) return view.destroy?.();
      view.update({ response, lang, locked: true });
      this.drawnAnswer = () => view.destroy?.();
    } catch (reason) {
      console.error("[counterside]", reason);
      host.replaceChildren(h("p", null, t(WORDS.broken)), h("pre", null, JSON.stringify(response, null, 1)));
    }
  }

  evidencePart(why) {
    const { t } = this;
    if (!why) return this.section(t(WORDS.evidence), h("p", { class: "ca-empty" }, t(WORDS.noEvidence)));
    const code = (text) => h("code", { class: "ca-hash" }, text ?? "–");
    const facts = [
      [WORDS.record, why.seq == null ? "–" : t(WORDS.recordIs, why.seq, second(why.at))], [WORDS.line, code(why.line)], [WORDS.itemHash, code(why.item_hash)],
      [WORDS.keyHash, code(why.key_hash)], [WORDS.run, [code(why.run), h("span", null, second(why.graded))]], [WORDS.scorer, code(why.scorer)],
    ];
    return this.section(t(WORDS.evidence), h("dl", { class: "ca-facts-list" }, facts.flatMap(([name, value]) => [h("dt", null, t(name)), h("dd", null, value)])));
  }

  keyPart(why, content) {
    const { t } = this;
    const names = new Map();
    const learn = (value) => {
      if (Array.isArray(value)) value.forEach(learn);
      else if (value && typeof value === "object") {
        const text = value.text ?? value.label ?? value.title ?? value.customer;
        if (typeof value.id === "string" && text?.zh && !names.has(value.id)) names.set(value.id, text);
        Object.values(value).forEach(learn);
      }
    };
    learn(content.public);
    const name = (id) => {
      const known = names.get(id) ?? names.get(String(id).split(".").at(-1));
      return known ? [t(known), h("small", null, ` ${id}`)] : String(id);
    };
    const show = (value) => {
      if (value == null) return "–";
      if (typeof value !== "object") return typeof value === "string" ? name(value) : String(value);
      if (Array.isArray(value)) return value.length ? h("ul", null, value.map((one) => h("li", null, show(one)))) : "–";
      if (typeof value.zh === "string" && typeof value.en === "string") return t(value);
      return h("dl", null, Object.entries(value).flatMap(([key, one]) => [h("dt", null, name(key)), h("dd", null, show(one))]));
    };
    return h("details", { class: "ca-key" }, h("summary", { "data-key": "key" }, t(WORDS.key)),
      why && why.key_hash !== content.key_hash && h("p", { class: "ca-note" }, t(WORDS.otherKey)), show(content.key));
  }

  rulesPart({ rows, evidence }) {
    const { t, data } = this;
    const signed = (value) => (value > 0 ? `+${short(value)}` : value < 0 ? `\u2212${short(-value)}` : "0");
    const reference = (id, texts) => id && [h("b", null, id), " ", t(texts[id])];
    const table = this.table({
      caption: t(WORDS.rules), empty: t(WORDS.noRules),
      columns: [{ words: t(WORDS.rule) }, { words: t(WORDS.did) }, { words: t(WORDS.units), number: true }, { words: t(WORDS.why) }, { words: t(WORDS.handbook) }],
      rows: rows.map((row) => [
        [h("code", null, row.rule), row.good != null && this.tag(t(row.good ? WORDS.good : WORDS.weak), row.good ? "good" : "warn")],
        t(row.did) || "–", signed(row.earned),
        [row.why && h("p", null, t(row.why)), row.better && h("p", { class: "ca-better" }, h("b", null, `${t(WORDS.better)} `), t(row.better))].filter(Boolean),
        [row.point && h("p", null, reference(row.point, data.points)), row.law && h("p", null, reference(row.law, data.laws))].filter(Boolean),
      ]),
    });
    table.classList.add("ca-rules");
    return this.section(t(WORDS.rules), table, evidence && rows.length > 0 && h("p", { class: "ca-sum" }, t(WORDS.sum, points(evidence.earned), short(evidence.automatic))));
  }

  rubricPart(criteria) {
    const { t } = this;
    return this.section(t(WORDS.rubric), this.table({
      caption: t(WORDS.rubric),
      columns: [{ words: t(WORDS.criterion) }, { words: t(WORDS.mark), number: true }, { words: t(WORDS.of), number: true }, { words: t(WORDS.level) }, { words: t(WORDS.marker) }, { words: t(WORDS.at) }],
      rows: criteria.map((one) => [
        t(one.title), one.score == null ? this.tag(t(WORDS.notMarked), "open") : points(one.score), short(one.points), t(one.level) || "–",
        one.score == null ? "–" : one.by ? this.who(one.by) : t(WORDS.nobodyKnown), second(one.at),
      ]),
    }));
  }

  // ---- changes ----------------------------------------------------------------------------
  who(actor) {
    const [kind, ...rest] = String(actor).split(":");
    const name = rest.join(":");
    return name && WORDS[kind] ? [h("b", null, name), h("small", null, ` ${this.t(WORDS[kind])}`)] : actor === "unknown" ? this.tag(this.t(WORDS.unknown), "red") : String(actor);
  }

  value(value, name) {
    if (value == null) return "–";
    if (["needs_manual_grade", "flagged"].includes(name)) return this.yesNo(Boolean(value));
    if (typeof value === "number") return short(value);
    const known = { state: WORDS.states, kind: WORDS.kinds }[name]?.[value];
    return known ? this.t(known) : String(value);
  }

  changesTable(changes, withWhom = false, empty = WORDS.noHistory) {
    const { t, data } = this;
    if (data.trail == null) return h("p", { class: "ca-empty" }, t(WORDS.noTrailYet));
    const place = (one) => {
      if (!one.learner) return one.chapter ?? "–";
      const known = this.data.chapters.find(({ id }) => id === one.chapter)?.items.find(({ id }) => one.cell === id || one.cell?.startsWith(`${id}-`));
      const at = known ? { view: "grade", learner: one.learner, chapter: one.chapter, item: known.id } : { view: "learner", learner: one.learner, chapter: one.chapter };
      return data.learners.includes(one.learner) ? this.link(`${one.learner}, ${one.cell ?? one.chapter}`, at) : `${one.learner}, ${one.cell ?? one.chapter}`;
    };
    return this.table({
      caption: t(WORDS.history), empty: t(empty),
      columns: [{ words: "#", number: true }, { words: t(WORDS.at) }, { words: t(WORDS.who) }, { words: withWhom ? `${t(WORDS.learner)}, ${t(WORDS.cell)}` : t(WORDS.cell) }, { words: t(WORDS.what) }, { words: t(WORDS.whyChanged) }, { words: t(WORDS.seal) }],
      rows: changes.map((one) => [
        String(one.seq), second(one.at),
        [h("p", null, this.who(one.who)), one.run && h("p", { class: "ca-soft" }, t(WORDS.byRun, one.run.slice(0, 8))), one.db && h("p", { class: "ca-soft" }, t(WORDS.database, one.db))].filter(Boolean),
        withWhom ? place(one) : one.cell ?? "–",
        [h("p", null, `${t(WORDS.tables[one.table]) || one.table} ${t(WORDS.ops[one.op]) || one.op}`, one.late && [" ", this.tag(t(WORDS.released), "red")]),
          h("dl", { class: "ca-diff" }, one.columns.map(([name, old, now]) => [h("dt", null, t(WORDS.columns[name]) || name), h("dd", null, h("del", null, this.value(old, name)), " → ", h("ins", null, this.value(now, name)))]))],
        one.reason ? [one.reason, one.reason_by && h("small", null, ` ${t(WORDS.reasonLater, one.reason_by, second(one.reason_at))}`)] : one.unexplained ? this.tag(t(WORDS.noReason), "open") : one.first ? h("span", { class: "ca-soft" }, t(WORDS.firstMark)) : "–",
        this.sealWords(one.sealed),
      ]),
    });
  }

  drawChanges() {
    const { t, data, changeFilters: filters } = this;
    const parts = this.changeParts = { summary: h("p", { class: "ca-summary" }), table: h("div"), pages: h("div", { class: "ca-pages" }) };
    const change = (name, value) => { filters[name] = value; this.at.page = 0; this.drawChangeRows(true); };
    const only = { late: WORDS.afterRelease, unexplained: WORDS.noReason };
    const form = h("form", { class: "ca-filters", role: "search", onsubmit: (event) => event.preventDefault() },
      h("label", null, h("span", null, t(WORDS.search)),
        h("input", { type: "search", autocomplete: "off", value: filters.search, "data-key": "changes:search", oninput: (event) => change("search", event.target.value) })),
      h("label", null, h("span", null, t(WORDS.only)),
        h("select", { "data-key": "changes:only", onchange: (event) => change("only", event.target.value) },
          h("option", { value: "" }, t(WORDS.all)), Object.entries(only).map(([value, words]) => h("option", { value, selected: filters.only === value }, t(words))))));
    this.drawChangeRows(false);
    return [
      this.heading(t(WORDS.changes)),
      data.changes_in_all > data.changes.length && h("p", { class: "ca-prose" }, t(WORDS.tooMany, data.changes.length, data.changes_in_all)),
      data.trail != null && form, data.trail != null && h("div", { class: "ca-bar" }, parts.summary), parts.table, parts.pages,
    ].filter(Boolean);
  }

  drawChangeRows(spoken) {
    const { t, data, changeFilters: { search, only }, changeParts: parts } = this;
    const { page = 0 } = this.at;
    const wanted = search.trim().toLowerCase();
    const all = [...data.changes].reverse().filter((one) => (!only || one[only]) && (!wanted || one.learner?.toLowerCase().includes(wanted)));
    const words = t(WORDS.changesShown, all.length, data.changes.length);
    parts.summary.textContent = words;
    if (spoken) this.live.say(words);
    swap(parts.table, [this.changesTable(all.slice(page * CHANGES, (page + 1) * CHANGES), true, data.changes.length ? WORDS.noSuchChanges : WORDS.noHistory)]);
    const last = Math.max(0, Math.ceil(all.length / CHANGES) - 1);
    const turn = (by, label, stops) => h("button", {
      type: "button", class: "ca-button", "aria-disabled": String(stops), onclick: () => { if (!stops) this.go({ view: "changes", page: page + by }); },
    }, label);
    swap(parts.pages, last > 0 ? [turn(-1, t(WORDS.before), page === 0), h("span", null, t(WORDS.page, page + 1, last + 1)), turn(1, t(WORDS.next), page === last)] : []);
  }

  // ---- what deserves a look ---------------------------------------------------------------
  drawLooks() {
    const { t, at } = this;
    const box = h("div", null, h("p", { class: "ca-empty" }, t(WORDS.looking)));
    this.fill(box, at, ["looks"], (reply) => this.looksParts(reply));
    return [this.heading(t(WORDS.looks)), h("p", { class: "ca-prose" }, t(WORDS.looksSay)), box];
  }

  looksParts({ rules, looks, markers, pairs }) {
    const { t } = this;
    const found = new Map(rules.map(({ id }) => [id, looks.filter((look) => look.rule === id)]));
    const jump = (id, words) => h("button", { type: "button", class: "ca-link", "data-key": `rule:${id}`, onclick: () => this.root.querySelector(`[data-rule="${id}"]`).focus() }, words);
    const table = this.table({
      caption: t(WORDS.looks),
      columns: [{ words: t(WORDS.rule) }, { words: t(WORDS.found1), number: true }, { words: t(WORDS.threshold) }, { words: t(WORDS.chance) }],
      rows: rules.map((rule) => [jump(rule.id, t(rule.title)), String(found.get(rule.id).length), t(rule.threshold), t(rule.chance)]),
    });
    return [table, this.markersPart(markers, pairs), ...rules.filter(({ id }) => found.get(id).length).map((rule) => {
      const id = newId();
      const list = found.get(rule.id);
      return h("section", { class: "ca-section", "aria-labelledby": id },
        h("h3", { id, tabindex: -1, "data-rule": rule.id }, t(rule.title), h("small", null, ` ${t(WORDS.found, list.length)}`)),
        h("p", { class: "ca-soft ca-prose" }, t(rule.what)),
        h("ul", { class: "ca-list" }, list.slice(0, SHOWN).map((look) => h("li", null, this.lookPlace(look), " ", t(look.sentence)))),
        list.length > SHOWN && h("p", { class: "ca-soft" }, t(WORDS.tooMany1, SHOWN, list.length)));
    })].filter(Boolean);
  }

  lookPlace({ learner, chapter, item, others }) {
    const { data } = this;
    const names = [learner, ...others].filter(Boolean);
    if (!names.length) return null;
    const known = data.chapters.find(({ id }) => id === chapter)?.items.find(({ id }) => item === id || item?.startsWith(`${id}-`));
    return names.map((name, place) => [place > 0 && ", ", data.learners.includes(name)
      ? this.link(place ? name : [name, item ?? chapter].filter(Boolean).join(" "), known ? { view: "grade", learner: name, chapter, item: known.id } : { view: "learner", learner: name, chapter: chapter ?? undefined })
      : name]);
  }

  markersPart(markers, pairs) {
    const { t } = this;
    if (!markers.length) return null;
    const figure = (value) => (value == null ? "–" : value.toFixed(2));
    return this.section(t(WORDS.markers),
      this.table({
        caption: t(WORDS.markers),
        columns: [{ words: t(WORDS.marker) }, { words: t(WORDS.marks), number: true }, { words: t(WORDS.apart), number: true }, { words: "p", number: true }],
        rows: markers.map((one) => [this.who(one.name), String(one.marks), one.difference == null ? "–" : `${one.difference >= 0 ? "+" : "\u2212"}${Math.abs(one.difference).toFixed(2)}`, one.p == null ? "–" : one.p.toFixed(3)]),
      }),
      pairs.length > 0 && this.table({
        caption: t(WORDS.pairs),
        columns: [{ words: t(WORDS.pairs) }, { words: t(WORDS.works), number: true }, { words: t(WORDS.exact), number: true }, { words: t(WORDS.kappa1), number: true }, { words: t(WORDS.kappa2), number: true }, { words: t(WORDS.kappa3), number: true }, { words: t(WORDS.alpha), number: true }],
        rows: pairs.map((one) => [one.names.join(" · "), String(one.works), figure(one.exact), figure(one.unweighted), figure(one.linear), figure(one.quadratic), figure(one.alpha_ordinal)]),
      }));
  }

  // ---- the sample -------------------------------------------------------------------------
  drawSample() {
    const { t, at, wanted } = this;
    const box = h("div", null, h("p", { class: "ca-empty" }, t(WORDS.reading)));
    this.fill(box, at, ["sample", wanted.size, wanted.seed], (sample) => this.sampleParts(sample), WORDS.noSample);
    const size = h("input", { type: "number", min: 1, max: 500, value: wanted.size, "data-key": "size" });
    const seed = h("input", { type: "text", value: wanted.seed, maxlength: 80, "data-key": "seed" });
    const again = (event) => {
      event.preventDefault();
      this.wanted = { size: Math.min(500, Math.max(1, Number(size.value) || 1)), seed: seed.value || wanted.seed };
      this.go({ view: "sample" });
    };
    return [
      this.heading(t(WORDS.sample)),
      this.canDraw && h("form", { class: "ca-filters", onsubmit: again },
        h("label", null, h("span", null, t(WORDS.size)), size), h("label", null, h("span", null, t(WORDS.seed)), seed),
        h("button", { type: "submit", class: "ca-button", "data-key": "draw" }, t(WORDS.drawIt))),
      box,
    ].filter(Boolean);
  }

  sampleParts({ draw, cases }) {
    const { t, data } = this;
    const summary = h("p", { class: "ca-summary", role: "status" });
    const auditor = h("input", { type: "text", autocomplete: "name", "data-key": "auditor", value: this.auditor ?? "", oninput: (event) => { this.auditor = event.target.value; } });
    const name = ({ learner, item }) => `${draw.seed}/${learner}/${item}`;
    const isWhole = (one, { possible }) => one?.judgement === "agree" || (one?.judgement === "differ" && one.score !== "" && Number(one.score) >= 0 && Number(one.score) <= possible);
    const count = () => {
      const done = cases.filter((one) => isWhole(this.judged.get(name(one)), one));
      summary.textContent = t(WORDS.agreed, done.filter((one) => this.judged.get(name(one)).judgement === "agree").length, done.length, cases.length);
    };
    const note = (one, change) => { this.judged.set(name(one), { judgement: "", score: "", words: "", ...this.judged.get(name(one)), ...change, at: new Date().toISOString() }); count(); };
    const rows = cases.map((one) => {
      const kept = this.judged.get(name(one)) ?? {};
      const title = data.chapters.find(({ id }) => id === one.chapter)?.items.find(({ id }) => id === one.item)?.title;
      const named = (words) => `${t(words)}: ${one.learner}, ${one.item}`;
      const field = (key, words, props) => h("input", { "aria-label": named(words), "data-key": `${key}:${name(one)}`, value: kept[key] ?? "", oninput: (event) => note(one, { [key]: event.target.value }), ...props });
      return [
        [this.link(`${one.learner} · ${one.item}`, { view: "grade", learner: one.learner, chapter: one.chapter, item: one.item }), h("small", null, ` ${t(title)}`)],
        short(one.possible),
        h("select", { "aria-label": named(WORDS.judgement), "data-key": `judge:${name(one)}`, onchange: (event) => note(one, { judgement: event.target.value }) },
          ["", "agree", "differ"].map((value) => h("option", { value, selected: (kept.judgement ?? "") === value }, value ? t(WORDS[value]) : "–"))),
        field("score", WORDS.ownScore, { type: "number", min: 0, max: one.possible, step: "any" }),
        field("words", WORDS.remark, { type: "text", maxlength: 2000 }),
      ];
    });
    count();
    // The same lines as "counterside audit sample" and "agree" write, so that the file can be gone on with there.
    const save = () => {
      const judged = cases.filter((one) => isWhole(this.judged.get(name(one)), one)).map((one) => {
        const { judgement, score, words, at } = this.judged.get(name(one));
        return { kind: "judgement", number: one.number, at, auditor: this.auditor || "–", agrees: judgement === "agree", score: judgement === "agree" ? null : Number(score), words };
      });
      download("my-sample.jsonl", "application/jsonl", [draw, ...cases, ...judged].map((line) => `${JSON.stringify(line)}\n`).join(""));
    };
    const strata = Object.entries(draw.strata).map(([chapter, [n, all]]) => `${chapter} ${n}/${all}`).join(", ");
    return [
      h("p", { class: "ca-prose" }, t(WORDS.sampleSays, draw.size, draw.population)), h("p", { class: "ca-soft" }, `${t(WORDS.seed)} `, h("code", null, draw.seed), ` · ${strata}`),
      h("div", { class: "ca-sample" }, this.table({ caption: t(WORDS.sample), columns: [{ words: t(WORDS.exercise) }, { words: t(WORDS.of), number: true }, { words: t(WORDS.judgement) }, { words: t(WORDS.ownScore) }, { words: t(WORDS.remark) }], rows })),
      h("div", { class: "ca-bar" }, summary, h("label", { class: "ca-inline" }, h("span", null, t(WORDS.auditor)), auditor), h("button", { type: "button", class: "ca-button", "data-key": "save", onclick: save }, t(WORDS.save))),
    ];
  }

  // ---- about ------------------------------------------------------------------------------
  drawAbout() {
    const { t, data } = this;
    const facts = [
      [WORDS.factLearners, data.learners.length], [WORDS.factStandings, data.standings.length], [WORDS.changes, data.changes_in_all], [WORDS.factTrail, data.trail ?? t(WORDS.noTrail)],
      [WORDS.factHead, data.head ? t(WORDS.headIs, data.head.size, second(data.head.at)) : "–"], [WORDS.factRoot, data.head ? h("code", { class: "ca-hash" }, data.head.root) : "–"],
    ];
    return [this.heading(t(WORDS.about)), h("dl", { class: "ca-facts-list" }, facts.flatMap(([name, value]) => [h("dt", null, t(name)), h("dd", null, value)])),
      h("ul", { class: "ca-list ca-prose" }, WORDS.aboutText[this.lang].map((words) => h("li", null, words)))];
  }
}

// In a notebook the kernel answers, one wish at a time; what it said once is kept.
function asker(model, signal) {
  const waiting = new Map();
  const known = new Map();
  const receive = ({ wish, reply } = {}) => {
    if (!wish) return;
    const name = JSON.stringify(wish);
    known.set(name, reply);
    waiting.get(name)?.forEach((done) => done(reply));
    waiting.delete(name);
  };
  model.on("msg:custom", receive);
  signal.addEventListener("abort", () => model.off("msg:custom", receive));
  return (wish) => new Promise((done) => {
    const name = JSON.stringify(wish);
    if (known.has(name)) return done(known.get(name));
    waiting.set(name, [...(waiting.get(name) ?? []), done]);
    model.send({ wish });
  });
}

export default {
  render({ model, el, signal }) {
    const scope = new AbortController();
    if (signal?.aborted) return;
    signal?.addEventListener("abort", () => scope.abort(), { once: true });
    const alone = !window.counterside?.extension && !document.body.dataset.jpThemeLight;
    new Desk({ data: model.get("data"), el, ask: asker(model, scope.signal), signal: scope.signal, alone, canDraw: true });
    return () => scope.abort();
  },
};
