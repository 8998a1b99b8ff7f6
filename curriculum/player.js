// The shell around every exercise: frame, language, saving, feedback. What is inside the frame
// comes from curriculum/items/<type>/view.js through the `view` trait.

const WORDS = {
  practice: { zh: "练习", en: "Practice" },
  exercise: { zh: "考题", en: "Exercise" },
  language: { zh: "语言", en: "Language" },
  complete: { zh: "已完成，仍可修改。", en: "Complete. You can still change it." },
  done: { zh: "已完成。", en: "Complete." },
  saving: { zh: "正在保存…", en: "Saving…" },
  saved: { zh: (time) => `已保存 ${time}`, en: (time) => `Saved ${time}` },
  late: {
    zh: "尚未保存——请不要关闭本页，连接恢复后会自动保存。",
    en: "Not saved yet – keep this page open, it will be saved as soon as the connection is back.",
  },
  stale: {
    zh: "这道题刚在另一个窗口里改过，这里显示的是最新的答案。",
    en: "This exercise had been changed in another window. The newest answer is shown.",
  },
  error: { zh: "这个答案没有保存成功。", en: "This answer could not be saved." },
  saveAgain: { zh: "再保存一次", en: "Save again" },
  broken: {
    zh: "这道题暂时无法显示。请刷新页面，你的答案不会丢失。",
    en: "This exercise cannot be shown just now. Reload the page; your answers are safe.",
  },
  check: { zh: "查看反馈", en: "Check my answer" },
  tryAgain: { zh: "再练一次", en: "Try again" },
  playAgain: { zh: "再来一次（以第一次为准）", en: "Play again (your first try counts)" },
  firstCounts: {
    zh: (n) => `这是第 ${n} 次。成绩以第一次为准，可以放心尝试。`,
    en: (n) => `This is try number ${n}. Your first try counts, so feel free to try things out.`,
  },
  firstKept: { zh: "第一次的作答已记录。", en: "Your first try is kept." },
  feedback: { zh: "反馈", en: "Feedback" },
  share: { zh: (n) => `做对了 ${n}%`, en: (n) => `${n}% right` },
  good: { zh: "做得好", en: "Well done" },
  partly: { zh: "对了一部分", en: "Partly right" },
  wrong: { zh: "还不对", en: "Not right yet" },
  why: { zh: "为什么", en: "Why" },
  better: { zh: "可以这样", en: "Better" },
  example: { zh: "示范", en: "For example" },
  handbook: { zh: "手册要点", en: "Handbook" },
};

const LATE_AFTER = 3000;
const RETRY_EVERY = 2000;

// At most one message is under way; behind it waits only the newest snapshot (and a restart, which
// must not be swallowed by the answer that follows it).
class Saver {
  constructor(key, state) {
    this.key = key;
    this.state = state;
    this.views = new Set();
    this.touched = Date.now();
    const kept = storage.read(key);
    this.sent = kept?.sent ?? null;
    this.queue = kept?.queue ?? [];
    this.status = this.sent || this.queue.length ? "saving" : state.count ? "saved" : "idle";
  }

  get busy() { return Boolean(this.sent || this.queue.length); }
  get response() { return this.busy ? (this.queue.at(-1) ?? this.sent).response : this.state.response; }

  attach(view) {
    this.views.add(view);
    if (this.views.size > 1) return;
    if (this.sent) this.transmit();
    else if (this.queue.length) this.deliver();
  }

  detach(view) {
    this.views.delete(view);
    if (!this.views.size) clearTimeout(this.timer);
  }

  put(kind, response, lang) {
    const entry = { kind, response, lang, ms: Date.now() - this.touched };
    this.touched = Date.now();
    const waiting = this.queue.at(-1);
    if (kind === "answer" && waiting?.kind === "answer") entry.ms += this.queue.pop().ms;
    this.queue.push(entry);
    if (this.sent) this.changed();
    else this.deliver();
  }

  deliver() {
    this.sent = { id: newId(), base: this.state.count, ...this.queue.shift() };
    this.status = "saving";
    this.transmit();
    this.changed();
  }

  transmit(wait = LATE_AFTER) {
    const [view] = this.views;
    // A dead comm may throw; the next try, or the next kernel's widget, will send it.
    try { view.model.send(this.sent); } catch { /* retried below */ }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.status !== "late") this.changed({ status: "late" });
      this.transmit(RETRY_EVERY);
    }, wait);
  }

  take(state) {
    if (state && state.count >= this.state.count) this.state = state;
  }

  receive(reply) {
    if (!this.sent || reply.id !== this.sent.id) return;
    clearTimeout(this.timer);
    this.take(reply.state);
    if (reply.status === "error") return this.refused(reply.message);
    const stale = reply.status === "stale";
    if (stale) this.queue = [];
    this.sent = null;
    this.savedAt = new Date();
    if (this.queue.length) this.deliver();
    else this.changed({ status: stale ? "stale" : "saved" });
    window.dispatchEvent(new CustomEvent("counterside:saved", { detail: this.key }));
  }

  // What could not be saved stays on screen and in store, so that nobody has to type it twice.
  refused(message) {
    const { id, base, ...entry } = this.sent;
    if (!this.queue.length) this.queue = [entry];
    this.sent = null;
    this.message = message;
    this.changed({ status: "error" });
  }

  changed({ status = this.status } = {}) {
    this.status = status;
    if (this.busy) storage.set(this.key, JSON.stringify({ sent: this.sent, queue: this.queue }));
    else storage.remove(this.key);
    for (const view of this.views) view.refresh();
  }
}

const savers = new Map();
function saverFor(key, state) {
  if (!savers.has(key)) savers.set(key, new Saver(key, state));
  const saver = savers.get(key);
  saver.take(state);
  return saver;
}

async function loadView(source) {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try { return (await import(url)).default; } finally { URL.revokeObjectURL(url); }
}

function feedbackRow(row, t) {
  const part = (label, text, name) => text && h("div", { class: `cs-row-${name}` }, h("span", { class: "cs-row-label" }, t(label)), h("span", null, text));
  const verdict = row.good ? WORDS.good : row.partly ? WORDS.partly : WORDS.wrong;
  return h("li", { class: "cs-row", "data-good": String(row.good) },
    h("p", { class: "cs-verdict" }, icon(row.good ? "check" : row.partly ? "half" : "again"), t(verdict)),
    h("p", { class: "cs-did" }, t(row.did)),
    part(WORDS.why, row.why && t(row.why), "why"),
    part(row.good ? WORDS.example : WORDS.better, row.better && t(row.better), "better"),
    row.point && h("p", { class: "cs-point" }, icon("book"), `${t(WORDS.handbook)} ${row.point}`, row.point_title ? ` · ${t(row.point_title)}` : ""));
}

class Player {
  constructor(model, el, signal) {
    this.model = model;
    this.signal = signal;
    this.item = model.get("item");
    this.lang = readLang();
    this.t = translator(() => this.lang);
    this.saver = saverFor(`counterside.pending.${model.get("log_id")}.${this.item.id}`, model.get("state"));
    this.live = announcer();
    this.ui = {
      t: this.t, h, svg, icon, iconButton, swap, spoken, options, meter, face, newId, typing, isWide,
      captions: () => captions(this.t),
      announce: this.live.say,
    };
    this.build(el);
    this.listen();
    this.saver.attach(this);
    this.mount();
  }

  build(el) {
    const heading = newId();
    this.root = h("article", { class: "cs-card cs-player", "aria-labelledby": heading, "data-item": this.item.id, "data-type": this.item.type },
      this.head = h("header", { class: "cs-head" },
        this.tag = h("span", { class: "cs-tag", "data-practice": String(this.item.practice) }),
        this.title = h("h3", { class: "cs-title", id: heading, tabindex: -1 })),
      this.prompt = h("p", { class: "cs-prompt" }),
      this.again = h("p", { class: "cs-note", hidden: true }),
      this.host = h("div", { class: "cs-host" }),
      this.feedback = h("section", { class: "cs-feedback", hidden: true }),
      this.foot = h("footer", { class: "cs-foot" },
        this.missing = h("p", { class: "cs-missing" }),
        this.status = h("p", { class: "cs-status" }),
        this.actions = h("div", { class: "cs-actions" })),
      this.live.node);
    if (!window.counterside?.extension && !document.documentElement.dataset.countersideLang) this.head.append(this.languages = h("div", { class: "cs-languages", role: "group" }));
    keepToItself(this.root);
    el.replaceChildren(this.root);
  }

  listen() {
    const { signal, model, saver } = this;
    const onReply = (reply) => saver.receive(reply);
    const onState = () => { saver.take(model.get("state")); saver.changed(); };
    model.on("msg:custom", onReply);
    model.on("change:state", onState);
    window.addEventListener("counterside:lang", (event) => { this.lang = event.detail; this.refresh(); }, { signal });
    signal.addEventListener("abort", () => {
      model.off("msg:custom", onReply);
      model.off("change:state", onState);
      this.view?.destroy?.();
      saver.detach(this);
      this.root.remove();
    });
  }

  async mount() {
    try {
      this.makeView ??= await loadView(this.model.get("view"));
      if (this.signal.aborted) return;
      const { item, ui, host } = this;
      const turn = this.turn = {};
      // A view that is being replaced must not send its outdated answer on the way out.
      const send = (response) => turn === this.turn && this.saver.put("answer", response, this.lang);
      this.view = this.makeView({ host, item, ui, send });
    } catch (reason) {
      console.error("[counterside]", reason);
      this.host.replaceChildren(h("p", { class: "cs-note" }, icon("warn"), this.t(WORDS.broken)));
    }
    this.refresh();
  }

  remount() {
    this.turn = null;
    if (this.host.contains(document.activeElement)) this.title.focus();
    this.view?.destroy?.();
    this.view = null;
    this.drawn = null;
    this.host.replaceChildren();
    this.mount();
  }

  restart() {
    this.revealed = false;
    this.title.focus();
    this.saver.put("restart", null, this.lang);
    (this.host.querySelector("input, select, button, textarea") ?? this.host.querySelector("[tabindex='0']"))?.focus();
  }

  reveal() {
    this.revealed = true;
    this.refresh();
    this.feedback.querySelector("h4").focus();
  }

  refresh() {
    const { saver, t, item } = this;
    if (saver.status === "stale" && this.lastStatus !== "stale") {
      this.lastStatus = "stale";
      this.live.say(t(WORDS.stale));
      return this.remount();
    }
    const feedback = saver.busy ? null : saver.state.feedback;
    this.root.lang = this.lang === "zh" ? "zh-CN" : "en";
    this.tag.textContent = t(item.practice ? WORDS.practice : WORDS.exercise);
    this.title.textContent = t(item.title);
    this.prompt.textContent = t(item.public.prompt);
    this.drawLanguages();
    if (!feedback) this.revealed = false;
    this.drawView(Boolean(feedback && this.revealed));
    const ended = Boolean(this.view?.ended?.());
    this.again.hidden = item.practice || saver.state.attempt < 2;
    this.again.textContent = t(WORDS.firstCounts, saver.state.attempt);
    this.drawStatus();
    this.drawFeedback(feedback && (this.revealed || ended) ? feedback : null);
    this.drawActions(feedback, ended);
  }

  drawLanguages() {
    if (!this.languages || this.languages.dataset.lang === this.lang) return;
    this.languages.dataset.lang = this.lang;
    this.languages.setAttribute("aria-label", this.t(WORDS.language));
    swap(this.languages, [["zh", "中文"], ["en", "English"]].map(([lang, name]) => h("button", {
      type: "button", lang: lang === "zh" ? "zh-CN" : "en", "data-key": lang, "aria-pressed": this.lang === lang,
      onclick: () => { storage.set(LANG_KEY, lang); window.dispatchEvent(new CustomEvent("counterside:lang", { detail: lang })); },
    }, name)));
  }

  // Redrawing on each acknowledgement would swallow a click that is half done.
  drawView(locked) {
    const picture = JSON.stringify([this.saver.response, this.lang, locked]);
    if (!this.view || picture === this.drawn) return;
    this.drawn = picture;
    this.root.dataset.locked = String(locked);
    this.view.update({ response: this.saver.response, lang: this.lang, locked });
  }

  drawStatus() {
    const { saver, t } = this;
    const kept = !this.item.practice && saver.state.attempt > 1;
    const missing = kept ? null : saver.state.missing;
    this.missing.dataset.open = String(Boolean(missing));
    this.missing.replaceChildren(icon(missing ? "open" : "check"), h("span", null, missing ? t(missing) : kept ? t(WORDS.firstKept) : t(this.revealed || this.view?.ended ? WORDS.done : WORDS.complete)));
    const time = saver.savedAt?.toLocaleTimeString("en-GB") ?? "";
    const words = saver.status === "error" && saver.message ? saver.message : WORDS[saver.status];
    const trouble = ["late", "stale", "error"].includes(saver.status);
    this.status.dataset.status = saver.status;
    this.status.replaceChildren(...(saver.status === "idle" ? [] : [icon(trouble ? "warn" : saver.status === "saved" ? "check" : "cloud"), h("span", null, t(words, time))]));
    if (trouble && this.lastStatus !== saver.status) this.live.say(this.status.textContent);
    this.lastStatus = saver.status;
  }

  drawFeedback(feedback) {
    const picture = JSON.stringify([feedback, this.lang]);
    if (this.feedback.dataset.picture === picture) return;
    this.feedback.dataset.picture = picture;
    this.feedback.hidden = !feedback;
    if (!feedback) return this.feedback.replaceChildren();
    const share = this.t(WORDS.share, Math.round(feedback.share * 100));
    const bar = meter(this.t(WORDS.feedback));
    bar.set(Math.round(feedback.share * 100), share);
    swap(this.feedback, [
      h("div", { class: "cs-feedback-head" }, h("h4", { tabindex: -1, "data-key": "feedback" }, this.t(WORDS.feedback)), bar.node, h("span", { class: "cs-share" }, share)),
      h("ul", { class: "cs-rows" }, feedback.rows.map((row) => feedbackRow(row, this.t)))]);
    this.live.say(`${this.t(WORDS.feedback)}: ${share}`);
  }

  drawActions(feedback, ended) {
    const wanted = [
      this.saver.status === "error" && [WORDS.saveAgain, "again", () => this.saver.deliver()],
      feedback && !this.revealed && !ended && [WORDS.check, "check", () => this.reveal()],
      (feedback && (this.revealed || ended)) && [WORDS.tryAgain, "again", () => this.restart()],
      ended && !this.item.practice && !this.saver.busy && [WORDS.playAgain, "again", () => this.restart()],
    ].filter(Boolean);
    const picture = wanted.map(([words]) => this.t(words)).join();
    if (this.actions.dataset.picture === picture) return;
    this.actions.dataset.picture = picture;
    if (this.actions.contains(document.activeElement)) this.title.focus();
    this.actions.replaceChildren(...wanted.map(([words, name, onclick]) => h("button", { type: "button", class: name === "check" ? "cs-button cs-primary" : "cs-button", onclick }, icon(name), this.t(words))));
  }
}

export default {
  render({ model, el, signal }) {
    const scope = new AbortController();
    if (signal?.aborted) return;
    signal?.addEventListener("abort", () => scope.abort(), { once: true });
    new Player(model, el, scope.signal);
    return () => scope.abort();
  },
};
