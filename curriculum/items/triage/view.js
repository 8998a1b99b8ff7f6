const WORDS = {
  choose: { zh: "先选时钟怎么走", en: "First choose how the clock runs" },
  fair: {
    zh: "三种方式计分相同，开始以后不能更换。等多少秒，一律按题里的时钟算。",
    en: "All three count the same, and the choice holds once you have begun. Waiting times are those of the exercise's own clock.",
  },
  modes: {
    timed: {
      name: { zh: "实时", en: "Real time" },
      tells: {
        zh: (first) => `时钟和真的一样走：${first} 秒就是 ${first} 秒。`,
        en: (first) => `The clock runs as clocks do: ${first} seconds are ${first} seconds.`,
      },
      length: { zh: (n) => `约 ${n} 分钟`, en: (n) => `about ${n} min` },
      factor: 1,
    },
    slowed: {
      name: { zh: "慢速", en: "Slowed" },
      tells: {
        zh: (first) => `时钟只走三分之一的速度：${first} 秒，你有 ${first * 3} 秒。`,
        en: (first) => `The clock runs at a third of the speed: for its ${first} seconds you have ${first * 3}.`,
      },
      length: { zh: (n) => `约 ${n} 分钟`, en: (n) => `about ${n} min` },
      factor: 1 / 3,
    },
    untimed: {
      name: { zh: "不计时", en: "Untimed" },
      tells: {
        zh: (_, cost, hold) => `你想的时候时钟不走。每条回复算 ${cost} 秒（只请人等：${hold} 秒），先后由你定。`,
        en: (_, cost, hold) => `The clock stands while you think. Each reply costs ${cost} seconds (${hold} for “please wait”), so the order decides.`,
      },
      length: { zh: () => "时间随你", en: () => "as long as you like" },
      factor: 0,
    },
  },
  clock: { zh: "题里的时钟", en: "Clock of the exercise" },
  stands: { zh: (time) => `时钟停在 ${time}`, en: (time) => `The clock stands at ${time}` },
  stood: {
    zh: "你离开的时候什么都没有发生，队伍也停着。准备好了就继续。",
    en: "Nothing happened while you were away; the queue has stopped too. Go on when you are ready.",
  },
  goOn: { zh: "继续", en: "Continue" },
  state: { zh: (waiting) => `${waiting} 位在等`, en: (waiting) => `${waiting} waiting` },
  answered: { zh: (done, all) => `已答复 ${done} / ${all}`, en: (done, all) => `${done} of ${all} answered` },
  finish: { zh: "结束这一班", en: "Finish" },
  sure: {
    zh: (left) => `还有 ${left} 位没有得到答复。真的结束吗？`,
    en: (left) => `${left} ${left === 1 ? "customer has" : "customers have"} no answer yet. Finish all the same?`,
  },
  keep: { zh: "接着答", en: "Keep going" },
  really: { zh: "结束", en: "Finish now" },
  queue: { zh: "等候的客户", en: "Waiting customers" },
  seconds: { zh: (n) => `${n} 秒`, en: (n) => `${n} s` },
  waited: { zh: (n) => `已等 ${n} 秒`, en: (n) => `waiting for ${n} s` },
  over: { zh: (limit) => `已超过 ${limit} 秒`, en: (limit) => `over ${limit} s` },
  held: { zh: "请过稍等", en: "asked to wait" },
  fresh: {
    zh: (name, channel, waiting) => `新来：${name}，${channel}。${waiting} 位在等。`,
    en: (name, channel, waiting) => `New: ${name}, ${channel}. ${waiting} waiting.`,
  },
  you: { zh: "你", en: "You" },
  screen: { zh: "你的屏幕上：", en: "On your screen:" },
  reply: { zh: "你怎么回复？", en: "How do you reply?" },
  priority: { zh: "有多急？", en: "How pressing is it?" },
  priorities: {
    urgent: { zh: "紧急", en: "Urgent" },
    soon: { zh: "尽快", en: "Soon" },
    "can-wait": { zh: "可以等", en: "Can wait" },
  },
  send: { zh: "发送", en: "Send" },
  keys: { zh: "键盘：数字选回复，回车往下走。", en: "On the keyboard: number keys choose a reply, Enter goes on." },
  needReply: { zh: "请先选一条回复。", en: "Choose a reply first." },
  needPriority: { zh: "还请选一下有多急。", en: "Please also say how pressing it is." },
  sent: { zh: (name) => `已回复${name}。`, en: (name) => `Sent to ${name}.` },
  pick: { zh: "从队伍里点一位客户。", en: "Choose a customer from the queue." },
  calm: { zh: "现在没有人在等。", en: "Nobody is waiting just now." },
  next: { zh: "直接接下一位", en: "Go to the next customer" },
  end: { zh: "这一班结束了", en: "The shift is over" },
  ends: {
    answered: { zh: "得到答复", en: "answered" },
    held: { zh: "只被请去等", en: "only asked to wait" },
    left: { zh: "没有回复", en: "not replied to" },
  },
  thanks: { zh: "你的每一步都已记下。", en: "Everything you did is kept." },
};

const TICK = 200;
const HEARTBEAT = 5000;
// A computer that slept has not been waiting for its customers.
const LONGEST_STEP = 1500;
const LAST_SECOND = 86400;

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export default function view({ host, item, ui, send }) {
  const { h, t, icon, svg, swap, announce } = ui;
  const { limits, costs } = item.public;
  const queue = [...item.public.cases].sort((a, b) => a.arrives - b.arrives || (a.id < b.id ? -1 : 1));
  const cases = new Map(queue.map((one) => [one.id, one]));
  const shift = queue.at(-1).arrives;

  let response = null;
  let clock = 0;
  let running = false;
  let before = 0;
  let beat = 0;
  let lang = null;
  let open = null;
  let lastSent = null;
  let asking = false;
  let drawn = null;
  let work = null;
  let drafts = new Map();
  let seen = new Set();
  let mine = null;
  let aim = null;

  // The role keeps it silent: who wants the time asks for it.
  function clockFace(label) {
    const ring = svg('<svg class="cs-timer-ring" width="44" height="44" viewBox="0 0 44 44" aria-hidden="true" focusable="false"><circle class="cs-timer-track" cx="22" cy="22" r="18"/><circle class="cs-timer-arc" cx="22" cy="22" r="18" pathLength="100" transform="rotate(-90 22 22)"/><path class="cs-timer-hand" d="M22 22V11"/></svg>');
    const time = h("span", { class: "cs-timer-time" });
    const [, arc, hand] = ring.children;
    return {
      node: h("div", { class: "cs-timer", role: "timer", "aria-label": label }, ring, time),
      set(seconds, share) {
        time.textContent = minutes(seconds);
        arc.setAttribute("stroke-dasharray", `${100 * Math.min(1, share)} 100`);
        hand.setAttribute("transform", `rotate(${(seconds % 60) * 6} 22 22)`);
      },
    };
  }

  const root = h("div", { class: "cs-triage" });
  host.append(root);
  const scope = new AbortController();
  const ticking = setInterval(tick, TICK);
  document.addEventListener("visibilitychange", () => document.hidden && stand(), { signal: scope.signal });
  window.addEventListener("pagehide", () => stand(), { signal: scope.signal });

  const isClocked = () => response.mode !== "untimed";
  const holds = (event) => cases.get(event.case)?.replies.find((reply) => reply.id === event.reply)?.holds;
  const closed = () => new Set(response.events.filter((event) => !holds(event)).map((event) => event.case));
  const waiting = () => { const over = closed(); return queue.filter((one) => one.arrives <= clock && !over.has(one.id)); };
  const later = () => queue.find((one) => one.arrives > clock);
  const asked = (id) => response.events.filter((event) => event.case === id && holds(event)).map((event) => event.reply);
  const waitedFor = (one) => Math.max(0, Math.floor(clock - one.arrives));
  const tenths = (seconds) => Math.round(seconds * 10) / 10;
  const trace = (answer) => answer && JSON.stringify([answer.mode, answer.clock, (answer.events ?? []).map((e) => [e.at, e.case, e.reply, e.priority]), Object.entries(answer.marks ?? {}).sort(), Boolean(answer.finished)]);

  // Sending makes the shell call update(), which may draw the next screen: `focus` is where the focus goes then.
  function keep(changes = {}, focus = null) {
    response = { ...response, clock: tenths(clock), ...changes };
    mine = trace(response);
    beat = performance.now();
    aim = focus;
    send(response);
    settle();
    aim = null;
  }

  function adopt(answer) {
    response = answer && { events: [], marks: {}, finished: false, ...answer };
    clock = response?.clock ?? 0;
    mine = trace(answer);
    running = false;
    [open, lastSent, asking, drawn] = [null, null, false, null];
    drafts = new Map();
    seen = new Set(response ? queue.filter((one) => one.arrives <= clock).map((one) => one.id) : []);
  }

  function run() {
    running = isClocked();
    before = performance.now();
  }

  function begin(mode) {
    response = { mode, clock: 0, events: [], marks: {}, finished: false };
    clock = mode === "untimed" ? queue[0].arrives : 0;
    run();
    keep({}, "desk");
    greet();
  }

  function stand() {
    if (!running) return;
    running = false;
    keep({}, root.contains(document.activeElement) ? "continue" : null);
  }

  function tick() {
    if (!running) return;
    // Another tab of JupyterLab in front hides the card without hiding the page.
    if (document.hidden || !host.getClientRects().length) return stand();
    const now = performance.now();
    clock = Math.min(LAST_SECOND, clock + Math.min(now - before, LONGEST_STEP) / 1000 * WORDS.modes[response.mode].factor);
    before = now;
    if (now - beat >= HEARTBEAT) keep();
    greet();
    drawTimes();
  }

  function greet(said = "") {
    const fresh = waiting().filter((one) => !seen.has(one.id));
    for (const one of fresh) seen.add(one.id);
    if (fresh.length && work) drawQueue();
    if (fresh.length && work && !open) drawDesk(work.desk.contains(document.activeElement) ? "desk" : null);
    const words = fresh.map((one, at) => t(WORDS.fresh, t(one.customer), t(one.channel), waiting().length - fresh.length + at + 1));
    if (said || words.length) announce([said, ...words].filter(Boolean).join(" "));
  }

  const goTo = (one) => {
    clock = Math.max(clock, one.arrives);
    keep();
    greet();
    show(one.id);
  };

  function show(id) {
    open = id;
    lastSent = null;
    drawQueue();
    drawDesk("desk");
  }

  function mark(id, priority) {
    keep({ marks: { ...response.marks, [id]: priority } });
    drawQueue();
    drawSend();
  }

  function post() {
    const one = cases.get(open);
    const [reply, priority] = [drafts.get(open), response.marks[open]];
    if (!reply || !priority) {
      work.desk.querySelector(reply ? ".cs-priorities input" : ".cs-options input")?.focus();
      return announce(t(reply ? WORDS.needPriority : WORDS.needReply));
    }
    const held = one.replies.find((option) => option.id === reply).holds;
    if (!isClocked()) clock += held ? costs.hold : costs.reply;
    const events = [...response.events, { at: tenths(clock), case: open, reply, priority }];
    drafts.delete(open);
    const over = new Set(events.filter((event) => !holds(event)).map((event) => event.case));
    const left = queue.filter((other) => !over.has(other.id));
    // Without a running clock nobody would ever come again.
    if (!isClocked() && left.length && left[0].arrives > clock) clock = left[0].arrives;
    lastSent = open;
    open = null;
    running &&= left.length > 0;
    keep({ events, finished: !left.length }, "end");
    const said = t(WORDS.sent, t(one.customer));
    if (!left.length) return;
    drawQueue();
    const [first] = work.cards.keys();
    drawDesk(first ? null : "desk");
    if (first) work.cards.get(first).button.focus();
    greet(said);
    drawTimes();
  }

  function finish() {
    running = false;
    keep({ finished: true }, "end");
  }

  const screen = () => !response ? "start" : response.finished ? "end" : isClocked() && !running ? "stands" : "work";

  const settle = () => drawn !== `${screen()} ${lang}` && draw(aim);

  function draw(focus) {
    const wanted = screen();
    drawn = `${wanted} ${lang}`;
    work = null;
    swap(root, { start, end: closing, stands: standing, work: desk }[wanted](), focus ?? undefined);
    if (wanted !== "work") return;
    drawQueue();
    drawDesk(focus === "desk" ? "desk" : null);
    drawTimes();
  }

  function start() {
    const length = Math.max(1, Math.ceil(shift / 60));
    return [
      h("h4", { class: "cs-label", tabindex: -1 }, t(WORDS.choose)), h("p", { class: "cs-hint" }, t(WORDS.fair)),
      h("div", { class: "cs-modes" }, Object.entries(WORDS.modes).map(([mode, words]) => h("button", { type: "button", class: "cs-mode", "data-key": mode, onclick: () => begin(mode) },
        h("span", { class: "cs-mode-name" }, t(words.name)), h("span", { class: "cs-mode-length" }, t(words.length, words.factor ? Math.round(length / words.factor) : 0)),
        h("span", { class: "cs-mode-tells" }, t(words.tells, limits[0], costs.reply, costs.hold))))),
    ];
  }

  const standing = () => h("div", { class: "cs-stands" },
    h("h4", null, t(WORDS.stands, minutes(clock))), h("p", { class: "cs-hint" }, t(WORDS.stood)),
    h("button", { type: "button", class: "cs-button cs-primary", "data-key": "continue", onclick: () => { run(); draw("desk"); } }, icon("go"), t(WORDS.goOn)));

  function closing() {
    const over = closed();
    const only = new Set(response.events.map((event) => event.case).filter((id) => !over.has(id)));
    const figures = { answered: over.size, held: only.size, left: queue.length - over.size - only.size };
    return h("div", { class: "cs-shift-end", tabindex: -1, "data-key": "end" },
      h("h4", null, t(WORDS.end)),
      h("dl", { class: "cs-shift-figures" }, Object.entries(figures).map(([name, n]) => h("div", null, h("dt", null, t(WORDS.ends[name])), h("dd", null, n)))),
      h("p", { class: "cs-hint" }, `${t(WORDS.modes[response.mode].name)} · ${minutes(clock)}. ${t(WORDS.thanks)}`));
  }

  function desk() {
    const timer = clockFace(t(WORDS.clock));
    work = {
      timer, cards: new Map(), state: h("span", { class: "cs-shift-waiting" }), done: h("span", { class: "cs-shift-done" }),
      list: h("ul", { class: "cs-queue", role: "list", "aria-label": t(WORDS.queue) }), desk: h("section", { class: "cs-desk" }),
      ask: h("div", { class: "cs-ask", hidden: true }),
    };
    work.desk.addEventListener("keydown", onKey);
    return [
      h("div", { class: "cs-shift" }, timer.node, h("p", { class: "cs-shift-state" }, work.state, work.done, h("span", { class: "cs-shift-mode" }, t(WORDS.modes[response.mode].name))),
        h("button", { type: "button", class: "cs-button cs-finish", "data-key": "finish", onclick: () => { asking = true; drawAsk("keep"); } }, t(WORDS.finish))),
      work.ask,
      h("div", { class: "cs-shift-body" }, h("div", { class: "cs-queue-part" }, h("p", { class: "cs-label" }, t(WORDS.queue)), work.list), work.desk),
    ];
  }

  function drawAsk(focus) {
    work.ask.hidden = !asking;
    const stay = () => { asking = false; root.querySelector("[data-key=finish]").focus(); drawAsk(); };
    swap(work.ask, asking ? [h("span", null, t(WORDS.sure, queue.length - closed().size)),
      h("button", { type: "button", class: "cs-button cs-primary", "data-key": "keep", onclick: stay }, t(WORDS.keep)),
      h("button", { type: "button", class: "cs-button", "data-key": "really", onclick: finish }, t(WORDS.really))] : [], focus);
  }

  function card(one) {
    const [snippet, name, tags, level] = [ui.newId(), ui.newId(), ui.newId(), ui.newId()];
    const parts = {
      bar: h("span", { class: "cs-wait-bar" }), seconds: h("span", { class: "cs-wait-text" }),
      tags: h("span", { class: "cs-queue-tags", id: tags }), level: h("span", { class: "cs-unseen", id: level }),
    };
    // The seconds stay out of the name: a screen reader would read each of them out on the focused card.
    parts.button = h("button", {
      type: "button", class: "cs-queue-card", "data-key": `queue:${one.id}`, "aria-labelledby": `${name} ${snippet}`, "aria-describedby": `${tags} ${level}`,
      onclick: () => show(one.id),
    },
    h("span", { class: "cs-queue-name", id: name }, t(one.customer), h("span", { class: "cs-queue-channel" }, t(one.channel))),
    h("span", { class: "cs-queue-says", id: snippet }, t(one.says)),
    h("span", { class: "cs-wait", "aria-hidden": "true" }, h("span", { class: "cs-wait-track" }, parts.bar), parts.seconds), parts.tags, parts.level);
    parts.node = h("li", null, parts.button);
    return parts;
  }

  // Cards are added and taken away one by one, so that a pointer on its way still finds its own.
  function drawQueue() {
    const now = waiting();
    for (const [id, parts] of work.cards) {
      if (now.some((one) => one.id === id)) continue;
      work.cards.delete(id);
      parts.node.remove();
    }
    for (const one of now) {
      if (!work.cards.has(one.id)) {
        work.cards.set(one.id, card(one));
        work.list.append(work.cards.get(one.id).node);
      }
      const { button, tags } = work.cards.get(one.id);
      button.setAttribute("aria-current", String(one.id === open));
      const priority = response.marks[one.id];
      tags.replaceChildren(...[
        priority && h("span", { class: "cs-queue-tag", "data-priority": priority }, t(WORDS.priorities[priority])),
        asked(one.id).length > 0 && h("span", { class: "cs-queue-tag" }, t(WORDS.held)),
      ].filter(Boolean));
    }
    work.state.textContent = t(WORDS.state, now.length);
    work.done.textContent = t(WORDS.answered, closed().size, queue.length);
    drawTimes();
  }

  function drawTimes() {
    if (!work) return;
    work.timer.set(clock, shift ? clock / shift : 1);
    for (const [id, { bar, seconds, level, button }] of work.cards) {
      const waited = waitedFor(cases.get(id));
      const passed = limits.findLast((limit) => waited > limit);
      bar.style.inlineSize = `${Math.min(100, 100 * waited / limits[1])}%`;
      put(seconds, t(WORDS.seconds, waited));
      put(level, passed ? t(WORDS.over, passed) : "");
      button.dataset.level = !passed ? "fresh" : passed === limits[0] ? "late" : "over";
    }
    if (open && work.waited) put(work.waited, t(WORDS.waited, waitedFor(cases.get(open))));
  }

  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

  function drawDesk(focus) {
    work.waited = null;
    work.post = null;
    const nodes = open ? chat(cases.get(open)) : idle();
    swap(work.desk, nodes, focus ?? undefined);
    if (open) drawSend();
    drawTimes();
  }

  function idle() {
    const next = !waiting().length && later();
    return h("div", { class: "cs-idle", tabindex: -1, "data-key": "desk" },
      lastSent && h("p", { class: "cs-idle-sent" }, icon("check"), t(WORDS.sent, t(cases.get(lastSent).customer))),
      h("p", null, t(next ? WORDS.calm : WORDS.pick)),
      next && h("button", { type: "button", class: "cs-button", "data-key": "next", onclick: () => goTo(next) }, icon("go"), t(WORDS.next)));
  }

  function chat(one) {
    const used = asked(one.id);
    const left = one.replies.filter((reply) => !used.includes(reply.id));
    const name = ui.newId();
    work.waited = h("span", { class: "cs-desk-waited" });
    work.post = h("button", { type: "button", class: "cs-button cs-primary", "data-key": "send", onclick: post }, icon("speak"), t(WORDS.send));
    const bubble = (who, text, own) => h("div", { class: own ? "cs-said cs-said-own" : "cs-said" }, h("span", { class: "cs-unseen" }, `${who}: `), text);
    const priority = ui.newId();
    return [
      h("h4", { class: "cs-desk-head", tabindex: -1, "data-key": "desk", id: name }, t(one.customer), h("span", { class: "cs-queue-channel" }, t(one.channel)), work.waited),
      h("div", { class: "cs-said-list" }, bubble(t(one.customer), t(one.says)),
        used.map((id) => bubble(t(WORDS.you), t(one.replies.find((reply) => reply.id === id).text), true))),
      one.screen && h("p", { class: "cs-screen" }, icon("book"), h("span", null, h("span", { class: "cs-label" }, t(WORDS.screen)), " ", t(one.screen))),
      ui.options({
        legend: t(WORDS.reply), value: drafts.get(one.id), keys: `${one.id}:`,
        options: left.map((reply, at) => ({ id: reply.id, content: [h("span", { class: "cs-reply-digit", "aria-hidden": "true" }, at + 1), h("span", null, t(reply.text))] })),
        onchoose: (id) => { drafts.set(one.id, id); drawSend(); },
      }),
      h("fieldset", { class: "cs-priorities" }, h("legend", { class: "cs-label" }, t(WORDS.priority)),
        h("div", { class: "cs-urgencies" }, Object.entries(WORDS.priorities).map(([id, words]) => h("label", { class: "cs-urgency", "data-priority": id },
          h("input", { type: "radio", name: priority, value: id, "data-key": `${one.id}@${id}`, checked: response.marks[one.id] === id, onchange: () => mark(one.id, id) }), h("span", null, t(words)))))),
      h("div", { class: "cs-post" }, h("p", { class: "cs-hint" }, t(WORDS.keys)), work.post),
    ].filter(Boolean);
  }

  function drawSend() {
    work.post?.setAttribute("aria-disabled", String(!drafts.get(open) || !response.marks[open]));
  }

  function onKey(event) {
    if (!open || event.ctrlKey || event.altKey || event.metaKey) return;
    const radios = [...work.desk.querySelectorAll(".cs-options input")];
    const chosen = radios[Number(event.key) - 1];
    if (/^[1-9]$/.test(event.key) && chosen) {
      event.preventDefault();
      chosen.focus();
      chosen.click();
    } else if (event.key === "Enter" && event.target.type === "radio") {
      event.preventDefault();
      if (!event.target.checked) event.target.click();
      else if (radios.includes(event.target)) (work.desk.querySelector(".cs-priorities :checked") ?? work.desk.querySelector(".cs-priorities input")).focus();
      else post();
    }
  }

  return {
    ended: () => Boolean(response?.finished),
    update({ response: answer, lang: spoken }) {
      if (trace(answer) !== mine || !drawn) adopt(answer);
      lang = spoken;
      settle();
    },
    destroy() {
      if (running) keep();
      running = false;
      clearInterval(ticking);
      scope.abort();
    },
  };
}
