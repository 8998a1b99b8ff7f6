// The hand-in card: what is complete, one button, a receipt.

const WORDS = {
  title: { zh: "提交", en: "Hand in" },
  intro: {
    zh: "你的答案已随时保存。提交之后还可以继续修改、再次提交，以最后一次为准。",
    en: "Your answers are saved as you go. You can hand in, go on, and hand in again; the last one counts.",
  },
  progress: { zh: (done, all) => `${all} 题中已完成 ${done} 题`, en: (done, all) => `${done} of ${all} complete` },
  complete: { zh: "已完成", en: "Complete" },
  goTo: { zh: "前往", en: "Go to" },
  handIn: { zh: "提交", en: "Hand in" },
  again: { zh: "再次提交", en: "Hand in again" },
  ask: {
    zh: (done, all, open) => `${all} 题中已完成 ${done} 题。还没有完成：${open}。你可以现在提交，之后再提交一次。`,
    en: (done, all, open) => `${done} of ${all} complete. Not finished: ${open}. You may hand in now and again later.`,
  },
  anyway: { zh: "仍然提交", en: "Hand in anyway" },
  firstOpen: { zh: "前往第一道未完成的题", en: "Go to the first open one" },
  waiting: { zh: "正在等待最后的答案保存好…", en: "Waiting until your last answers are saved…" },
  working: { zh: "正在提交…", en: "Handing in…" },
  unsaved: {
    zh: (titles) => `还有答案没有保存好：${titles}。请不要关闭本页，等显示“已保存”后再提交。`,
    en: (titles) => `Some answers are not saved yet: ${titles}. Keep this page open and hand in once they show “Saved”.`,
  },
  receipt: {
    zh: (at, receipt) => `已于 ${at} 提交，回执号 ${receipt}。你可以继续作答并再次提交，以最后一次为准。`,
    en: (at, receipt) => `Handed in ${at}, receipt ${receipt}. You can go on and hand in again; the last one counts.`,
  },
  changed: {
    zh: "提交之后又有改动，还没有再次提交。",
    en: "You have changed answers since you handed in. Hand in again for them to count.",
  },
  received: { zh: "提交成功", en: "Done" },
  look: { zh: "看看有没有反馈", en: "Look for feedback" },
  looking: { zh: "正在查找反馈…", en: "Looking for feedback…" },
  noFeedback: { zh: "还没有反馈。培训师发布之后，在这里就能看到。", en: "There is no feedback yet. You will find it here once your trainer has released it." },
  feedback: { zh: "反馈已经到了。", en: "Your feedback is here." },
  openFeedback: { zh: "打开反馈（新标签页）", en: "Open it (in a new tab)" },
  outside: { zh: "请在 JupyterLab 中打开本章再提交。你的答案已保存。", en: "Open this chapter in JupyterLab to hand in. Your answers are saved." },
  failed: { zh: "这一次没有提交成功。你的答案都已保存，请稍后再试。", en: "Handing in did not work this time. Your answers are safe; please try again in a moment." },
  unreachable: { zh: "暂时无法查找反馈，请稍后再试。", en: "Feedback can't be looked up just now; please try again in a moment." },
  login: { zh: "登录已过期。你的答案都已保存；请刷新页面、重新登录后再试。", en: "Your login has expired. Your answers are safe; reload the page, log in and try again." },
  comma: { zh: "、", en: ", " },
};

const SAVE_PATIENCE = 10000;
const KERNEL_PATIENCE = 15000;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const exerciseOf = (id) => document.querySelector(`.cs-player[data-item="${CSS.escape(id)}"]`);

function localTime(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const [day, time] = [{ year: "numeric", month: "2-digit", day: "2-digit" }, { hour: "2-digit", minute: "2-digit", second: "2-digit" }];
  // With its zone, so that a receipt can be held against a deadline anywhere.
  return date.toLocaleString("sv-SE", { ...day, ...time, timeZoneName: "shortOffset" });
}

function serverConfig() {
  try { return JSON.parse(document.getElementById("jupyter-config-data").textContent); } catch { return null; }
}

class Refusal extends Error {
  constructor(text) { super(text.en); this.text = text; }
}

async function postToExchange(config, action, course, assignment) {
  const headers = {};
  const xsrf = document.cookie.match(/(?:^|;\s*)_xsrf=([^;]*)/);
  if (xsrf) headers["X-XSRFToken"] = decodeURIComponent(xsrf[1]);
  if (config.token) headers.Authorization = `token ${config.token}`;
  const answer = await fetch(`${config.baseUrl}assignments/${action}`, {
    method: "POST", credentials: "same-origin", headers, body: new URLSearchParams({ course_id: course, assignment_id: assignment }),
  });
  if (answer.status === 401 || answer.status === 403) throw new Refusal(WORDS.login);
  const outcome = await answer.json();
  if (outcome.success !== true) throw new Error(outcome.value ?? `nbgrader refused to ${action}`);
}

class HandIn {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, lang: readLang(), waiting: new Map(), working: false });
    this.t = translator(() => this.lang);
    this.live = announcer();
    this.notice = model.get("last") ? { kind: "receipt", ...model.get("last") } : null;
    this.build(el);
    this.listen();
    this.draw();
    this.ask("refresh");
  }

  build(el) {
    const heading = newId();
    this.root = h("article", { class: "cs-card cs-hand-in", "aria-labelledby": heading },
      this.title = h("h3", { class: "cs-title", id: heading, tabindex: -1 }),
      this.intro = h("p", { class: "cs-prompt" }),
      this.progress = h("p", { class: "cs-progress" }),
      this.list = h("ul", { class: "cs-summary", role: "list" }),
      this.panel = h("div", { class: "cs-panel", tabindex: -1 }),
      this.news = h("div", { class: "cs-panel", tabindex: -1 }),
      h("div", { class: "cs-hand-in-actions" },
        this.button = h("button", { type: "button", class: "cs-button cs-primary cs-hand-in-button", onclick: () => this.press() }),
        this.look = h("button", { type: "button", class: "cs-button cs-look-button", onclick: () => this.lookForFeedback() })),
      this.live.node);
    keepToItself(this.root);
    el.replaceChildren(this.root);
  }

  listen() {
    const { model, signal } = this;
    const onReply = (reply) => { this.waiting.get(reply.id)?.(reply); this.waiting.delete(reply.id); };
    const redraw = () => this.draw();
    model.on("msg:custom", onReply);
    model.on("change:summary change:changed", redraw);
    window.addEventListener("counterside:lang", (event) => { this.lang = event.detail; this.draw(); }, { signal });
    window.addEventListener("counterside:saved", () => { clearTimeout(this.soon); this.soon = setTimeout(() => this.ask("refresh"), 200); }, { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.soon);
      model.off("msg:custom", onReply);
      model.off("change:summary change:changed", redraw);
      this.root.remove();
    });
  }

  ask(kind, extra) {
    const id = newId();
    return new Promise((done) => {
      this.waiting.set(id, done);
      setTimeout(() => { this.waiting.delete(id); done({ status: "error" }); }, KERNEL_PATIENCE);
      // A dead comm may throw; the time limit above then answers.
      try { this.model.send({ id, kind, ...extra }); } catch { /* see above */ }
    });
  }

  get summary() { return this.model.get("summary") ?? []; }
  get open() { return this.summary.filter((item) => item.missing); }
  titles(items) { return items.map((item) => this.t(item.title)).join(this.t(WORDS.comma)); }

  draw() {
    const { t, summary, open } = this;
    this.root.lang = this.lang === "zh" ? "zh-CN" : "en";
    this.title.textContent = t(WORDS.title);
    this.intro.textContent = t(WORDS.intro);
    this.progress.textContent = t(WORDS.progress, summary.length - open.length, summary.length);
    this.drawList();
    this.drawPanel();
    this.drawNews();
    this.button.replaceChildren(this.working ? t(this.working) : t(this.notice?.kind === "receipt" ? WORDS.again : WORDS.handIn));
    this.button.setAttribute("aria-disabled", String(Boolean(this.working)));
    this.look.textContent = t(WORDS.look);
    this.look.hidden = !this.model.get("last");
  }

  // Rows stay where they are, so that the focus does too.
  drawList() {
    const ids = this.summary.map((item) => item.id).join();
    if (this.list.dataset.ids !== ids) {
      this.list.dataset.ids = ids;
      this.list.replaceChildren(...this.summary.map((item) => h("li", null, h("button", { type: "button", class: "cs-summary-item", onclick: () => this.goTo(item.id) }))));
    }
    this.summary.forEach((item, at) => {
      const row = this.list.children[at].firstChild;
      row.dataset.open = String(Boolean(item.missing));
      row.replaceChildren(icon(item.missing ? "open" : "check"),
        h("span", { class: "cs-summary-title" }, h("span", { class: "cs-unseen" }, `${this.t(WORDS.goTo)} `), this.t(item.title)),
        h("span", { class: "cs-summary-state" }, item.missing ? this.t(item.missing) : this.t(WORDS.complete)), icon("go"));
    });
  }

  drawPanel() {
    const { notice, t } = this;
    const changed = notice?.kind === "receipt" && this.model.get("changed");
    const picture = JSON.stringify([notice, this.lang, changed, notice?.kind === "ask" && this.summary]);
    if (this.panel.dataset.picture === picture) return;
    this.panel.dataset.picture = picture;
    this.panel.dataset.kind = changed ? "changed" : notice?.kind ?? "";
    if (this.panel.contains(document.activeElement)) this.panel.focus();
    if (!notice) return this.panel.replaceChildren();
    if (notice.kind === "receipt") {
      this.panel.replaceChildren(h("p", { class: "cs-receipt-head" }, icon("check"), t(WORDS.received)), h("p", null, t(WORDS.receipt, localTime(notice.at), notice.receipt)),
        ...(changed ? [h("p", { class: "cs-trouble" }, icon("warn"), h("span", null, t(WORDS.changed)))] : []));
    } else if (notice.kind === "ask") {
      const { summary, open } = this;
      this.panel.replaceChildren(h("p", null, t(WORDS.ask, summary.length - open.length, summary.length, this.titles(open))),
        h("div", { class: "cs-panel-actions" },
          h("button", { type: "button", class: "cs-button cs-primary", onclick: () => this.goTo(open[0]?.id) }, t(WORDS.firstOpen)),
          h("button", { type: "button", class: "cs-button", onclick: () => this.confirm() }, t(WORDS.anyway))));
    } else {
      this.panel.replaceChildren(h("p", { class: "cs-trouble" }, icon("warn"), h("span", null, t(notice.text, notice.items && this.titles(notice.items)))));
    }
  }

  drawNews() {
    const { found, t } = this;
    this.news.dataset.kind = found ?? "";
    if (!found) return this.news.replaceChildren();
    if (found !== "feedback") return this.news.replaceChildren(h("p", null, t(WORDS[found])));
    const link = h("a", { class: "cs-button cs-primary", href: this.feedbackAddress(), target: "_blank", rel: "noopener" }, t(WORDS.openFeedback));
    this.news.replaceChildren(h("p", null, t(WORDS.feedback)), h("div", { class: "cs-panel-actions" }, link));
  }

  goTo(id) {
    const target = id && exerciseOf(id)?.querySelector(".cs-title");
    if (!target) return;
    if (this.notice?.kind === "ask") this.notice = null;
    target.focus({ preventScroll: true });
    target.closest(".cs-player").scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    this.draw();
  }

  tell(notice) {
    this.notice = notice;
    this.working = null;
    this.draw();
    this.panel.focus();
    this.live.say(this.panel.textContent);
  }

  work(words) {
    this.working = words;
    this.notice = null;
    this.draw();
    this.live.say(this.t(words));
  }

  // What was typed a moment ago is still under way; counting before it has arrived would be wrong.
  async settle() {
    const unsaved = () => this.summary.filter((item) => storage.has(`counterside.pending.${this.model.get("log_id")}.${item.id}`));
    const end = Date.now() + SAVE_PATIENCE;
    const slow = setTimeout(() => this.work(WORDS.waiting), 300);
    this.busy = true;
    while (unsaved().length && Date.now() < end && !this.signal.aborted) await pause(100);
    const reached = unsaved().length === 0 && (await this.ask("refresh")).status === "ok";
    clearTimeout(slow);
    this.busy = false;
    this.working = null;
    if (unsaved().length) this.tell({ kind: "trouble", text: WORDS.unsaved, items: unsaved() });
    else if (!reached) this.tell({ kind: "trouble", text: WORDS.failed });
    return reached;
  }

  async press() {
    if (this.busy || !this.inJupyter() || !(await this.settle())) return;
    if (this.open.length) this.tell({ kind: "ask" });
    else this.submit();
  }

  async confirm() {
    if (this.busy) return;
    this.button.focus();
    if (await this.settle()) this.submit();
  }

  async lookForFeedback() {
    if (this.busy || !this.inJupyter()) return;
    this.busy = true;
    this.live.say(this.t(WORDS.looking));
    try {
      // nbgrader answers with the list of assignments; what came is seen in the folder.
      await postToExchange(this.config, "fetch_feedback", this.model.get("course"), this.model.get("assignment"));
      await this.ask("refresh");
      this.found = this.model.get("feedback") ? "feedback" : "noFeedback";
    } catch (reason) {
      console.warn("[counterside] no feedback", reason);
      this.found = reason.text === WORDS.login ? "login" : "unreachable";
    } finally {
      this.busy = false;
    }
    this.draw();
    this.news.focus();
    this.live.say(this.news.textContent);
  }

  feedbackAddress() {
    const path = this.model.get("feedback").split("/").map(encodeURIComponent).join("/");
    return `${this.config.baseUrl}files/${path}`;
  }

  inJupyter() {
    this.config = serverConfig();
    if (!this.config) this.tell({ kind: "trouble", text: WORDS.outside });
    return Boolean(this.config);
  }

  async submit() {
    this.busy = true;
    this.work(WORDS.working);
    try {
      const reply = await this.ask("submit", { lang: this.lang });
      if (reply.status !== "ok") throw reply.message ? new Refusal(reply.message) : new Error("the kernel did not take the submission");
      await postToExchange(this.config, "submit", this.model.get("course"), this.model.get("assignment"));
      await this.ask("received", { lang: this.lang, at: reply.at, receipt: reply.receipt });
      this.tell({ kind: "receipt", at: reply.at, receipt: reply.receipt });
    } catch (reason) {
      console.warn("[counterside] hand-in failed", reason);
      this.tell({ kind: "trouble", text: reason.text ?? WORDS.failed });
    } finally {
      this.busy = false;
    }
  }
}

export default {
  render({ model, el, signal }) {
    if (signal?.aborted) return;
    const scope = new AbortController();
    signal?.addEventListener("abort", () => scope.abort(), { once: true });
    new HandIn(model, el, scope.signal);
    return () => scope.abort();
  },
};
