const WORDS = {
  talk: { zh: (name) => `与${name}的对话`, en: (name) => `Talk with ${name}` },
  you: { zh: "你", en: "You" },
  comfort: { zh: "自在程度", en: "Comfort" },
  moods: [
    [20, { zh: "很不自在", en: "very uneasy" }],
    [45, { zh: "有些不自在", en: "uneasy" }],
    [60, { zh: "还在观望", en: "waiting to see" }],
    [80, { zh: "比较自在", en: "at ease" }],
    [101, { zh: "很自在", en: "fully at ease" }],
  ],
  reading: { zh: (value, mood) => `${mood}，${value}/100`, en: (value, mood) => `${mood}, ${value} of 100` },
  rises: { zh: "更自在了", en: "more at ease" },
  falls: { zh: "更紧张了", en: "more uneasy" },
  choose: { zh: "你怎么回应？", en: "How do you respond?" },
  say: { zh: "就这么说", en: "Say this" },
  first: { zh: "请先选一种回应。", en: "Choose a response first." },
  over: { zh: "对话结束", en: "The talk is over" },
  journey: { zh: (name) => `${name}一路上的感受：`, en: (name) => `How ${name} felt along the way:` },
  thanks: {
    zh: (turns) => `你一共回应了 ${turns} 次。可以往上翻，看看每句话之后对方的表情。`,
    en: (turns) => `You responded ${turns === 1 ? "once" : `${turns} times`}. Scroll up to see the face after each thing you said.`,
  },
};

export default function view({ host, item, ui, send }) {
  const { h, t, icon, swap, spoken, announce } = ui;
  const { customer, start, nodes: list } = item.public;
  const nodes = new Map(list.map((node) => [node.id, node]));
  let path = [];
  let shown = { lang: null, turns: null, path: [] };
  let chosen = null;
  let moveFocus = false;

  const face = ui.face();
  const name = h("span", { class: "cs-talk-name" });
  const meter = ui.meter("");
  const mood = h("span", { class: "cs-mood" });
  const trend = h("span", { class: "cs-trend" });
  const log = h("div", { class: "cs-log", tabindex: 0, role: "group" });
  const reply = h("div", { class: "cs-reply" });
  const head = h("div", { class: "cs-talk-head" }, face.node, h("div", { class: "cs-talk-mood" }, h("div", { class: "cs-talk-line" }, name, mood, trend), meter.node));
  host.append(h("div", { class: "cs-talk" }, head, log, reply));

  function walk() {
    const turns = [{ node: nodes.get(start) }];
    for (const id of path) {
      const choice = turns.at(-1).node.choices.find((option) => option.id === id);
      if (!choice) break;
      turns.at(-1).choice = choice;
      turns.push({ node: nodes.get(choice.to) });
    }
    return turns;
  }

  const moodOf = (value) => t(WORDS.moods.find(([below]) => value < below)[1]);
  const reading = (value) => t(WORDS.reading, value, moodOf(value));

  function customerBubble({ node }) {
    if (node.speaker) {
      return h("div", { class: "cs-turn cs-theirs cs-other" },
        h("div", { class: "cs-bubble" }, h("span", { class: "cs-who" }, t(node.speaker)), h("p", null, spoken(t(node.says)))));
    }
    const small = ui.face();
    small.set(node.comfort);
    return h("div", { class: "cs-turn cs-theirs" }, h("span", { class: "cs-turn-face", title: reading(node.comfort) }, small.node),
      h("div", { class: "cs-bubble" }, h("span", { class: "cs-who" }, t(customer), h("span", { class: "cs-unseen" }, ` (${reading(node.comfort)})`)), h("p", null, spoken(t(node.says)))));
  }

  const ownBubble = (choice) => h("div", { class: "cs-turn cs-mine" },
    h("div", { class: "cs-bubble" }, h("span", { class: "cs-who" }, t(WORDS.you)), h("p", null, spoken(t(choice.text)))));

  const bubbles = (turns) => turns.flatMap((turn) => [customerBubble(turn), turn.choice && ownBubble(turn.choice)]).filter(Boolean);

  function drawLog(turns, lang) {
    const grown = lang === shown.lang && turns.length > shown.turns?.length && shown.path.every((id, at) => id === path[at]);
    if (grown) log.append(...bubbles(turns.slice(shown.turns.length - 1)).slice(1));
    else log.replaceChildren(...bubbles(turns));
    log.setAttribute("aria-label", t(WORDS.talk, t(customer)));
    log.scrollTo({ top: log.scrollHeight, behavior: grown && !matchMedia("(prefers-reduced-motion: reduce)").matches ? "smooth" : "auto" });
  }

  // Somebody else's words say nothing of the customer: the mood stays hidden until the customer speaks again.
  function drawMood(turns) {
    const { speaker, comfort: value } = turns.at(-1).node;
    const before = turns.at(-2)?.node;
    const change = before && !before.speaker ? value - before.comfort : 0;
    head.hidden = Boolean(speaker);
    if (speaker) return;
    face.set(value);
    meter.set(value, reading(value));
    meter.node.setAttribute("aria-label", t(WORDS.comfort));
    meter.node.dataset.mood = face.node.dataset.mood;
    name.textContent = t(customer);
    mood.textContent = moodOf(value);
    trend.replaceChildren(...(change ? [icon(change > 0 ? "up" : "down"), t(change > 0 ? WORDS.rises : WORDS.falls)] : []));
  }

  function say() {
    if (!chosen) {
      reply.querySelector("input")?.focus();
      return announce(t(WORDS.first));
    }
    const next = [...path, chosen];
    chosen = null;
    moveFocus = true;
    send({ path: next });
  }

  // Enter first takes the reply under the focus and says it only when it is the chosen one.
  function onKey(event) {
    if (event.key !== "Enter" || event.target.type !== "radio") return;
    event.preventDefault();
    if (event.target.checked) say();
    else event.target.click();
  }

  function choicePanel({ choices }) {
    const button = h("button", { type: "button", class: "cs-button cs-primary", "data-key": "say", "aria-disabled": !chosen, onclick: say }, icon("speak"), t(WORDS.say));
    const group = ui.options({
      legend: t(WORDS.choose), value: chosen,
      options: choices.map((choice) => ({ id: choice.id, content: spoken(t(choice.text)) })),
      onchoose: (id) => { chosen = id; button.setAttribute("aria-disabled", "false"); },
    });
    group.addEventListener("keydown", onKey);
    return [group, h("div", { class: "cs-say" }, button)];
  }

  function closing(turns) {
    return h("div", { class: "cs-closing", tabindex: -1, "data-key": "closing" },
      h("h4", null, t(WORDS.over)), h("p", null, t(WORDS.journey, t(customer))),
      h("ol", { class: "cs-journey", role: "list" }, turns.filter(({ node }) => !node.speaker).map(({ node }) => {
        const small = ui.face();
        small.set(node.comfort);
        return h("li", null, small.node, h("span", { class: "cs-unseen" }, `${moodOf(node.comfort)}, `), node.comfort);
      })),
      h("p", { class: "cs-hint" }, t(WORDS.thanks, turns.length - 1)));
  }

  return {
    ended: () => walk().at(-1).node.choices.length === 0,
    update({ response, lang, locked }) {
      path = response?.path ?? [];
      const turns = walk();
      const { node } = turns.at(-1);
      drawMood(turns);
      const same = lang === shown.lang && path.join() === shown.path.join();
      if (!node.choices.some((choice) => choice.id === chosen)) chosen = null;
      const end = !node.choices.length;
      const first = moveFocus && (end ? "closing" : node.choices[0].id);
      if (!same || locked !== shown.locked) {
        swap(reply, end ? [closing(turns)] : choicePanel(node), first || undefined);
        drawLog(turns, lang);
      }
      if (moveFocus) announce(node.speaker ? `${t(node.speaker)}: ${t(node.says)}` : `${t(customer)}: ${t(node.says)} ${t(WORDS.comfort)}: ${reading(node.comfort)}`);
      moveFocus = false;
      shown = { lang, turns, path, locked };
    },
  };
}
