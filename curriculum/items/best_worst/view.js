const SIDES = ["best", "worst"];
const ICON = { best: "star", worst: "ban" };
const WORDS = {
  best: { zh: "最好", en: "Best" },
  worst: { zh: "最差", en: "Worst" },
  group: {
    best: { zh: "最好的回应", en: "The best reply" },
    worst: { zh: "最差的回应", en: "The worst reply" },
  },
  replies: { zh: "回应", en: "Replies" },
  hint: {
    zh: "各选一个，随时可以改。",
    en: "One of each. You can change your mind at any time.",
  },
  freed: {
    best: { zh: "同一种回应不能既最好又最差，请另选最好的。", en: "One reply can't be both; choose another as the best." },
    worst: { zh: "同一种回应不能既最好又最差，请另选最差的。", en: "One reply can't be both; choose another as the worst." },
  },
};

export default function view({ host, item, ui, send }) {
  const { h, t, icon, spoken, newId, announce } = ui;
  const ids = item.public.replies.map((reply) => reply.id);
  let chosen = { best: null, worst: null };
  let drawn = false;
  let locked = false;

  const hint = h("p", { class: "cs-hint" });
  const rows = item.public.replies.map((reply, at) => {
    const text = h("p", { class: "cs-candidate-text", id: newId() });
    const place = `--row: ${at + 1}`;
    return { reply, text, card: h("span", { class: "cs-candidate-card", style: place, "aria-hidden": "true" }), node: h("li", { class: "cs-candidate", style: place }, text) };
  });
  const list = h("ul", { class: "cs-candidates", role: "list" }, rows.map(({ node }) => node));
  const groups = SIDES.map(group);
  host.append(hint, h("div", { class: "cs-best-worst" },
    rows.map(({ card }) => card), list, groups.map(({ ribbon, node }) => [ribbon, node])));

  // Two groups of radios, side by side with the replies: each is one stop of the Tab key.
  function group(side) {
    const name = newId();
    const title = h("span", { class: "cs-unseen", id: newId() });
    const choices = rows.map(({ reply, text }, at) => {
      const word = h("span", { id: newId() });
      const input = h("input", { type: "radio", name, value: reply.id, "aria-labelledby": `${word.id} ${text.id}`, onchange: () => choose(side, reply.id) });
      const node = h("label", { class: "cs-side", "data-side": side, "data-reply": reply.id, style: `--row: ${at + 1}`, onclick: () => input.disabled && choose(side, reply.id) }, input, icon(ICON[side]), word);
      return { id: reply.id, input, word, node };
    });
    const ribbon = h("span", { class: "cs-ribbon", "data-side": side, "aria-hidden": "true" });
    return { side, title, choices, ribbon, node: h("div", { class: "cs-side-group", role: "radiogroup", "aria-labelledby": title.id }, title, choices.map(({ node }) => node)) };
  }

  // Arrow keys pass over the reply that the other group holds; a pointer takes it from there.
  function choose(side, id) {
    if (locked) return;
    const other = SIDES.find((name) => name !== side);
    const taken = chosen[other] === id;
    if (taken) announce(t(WORDS.freed[other]));
    send({ ...chosen, [side]: id, ...(taken && { [other]: null }) });
  }

  function moveRibbon({ side, ribbon }) {
    const at = ids.indexOf(chosen[side]);
    const before = ribbon.hidden ? null : ribbon.getBoundingClientRect().top;
    ribbon.hidden = at < 0;
    ribbon.style.setProperty("--row", at + 1);
    if (!drawn || before === null || at < 0 || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const way = before - ribbon.getBoundingClientRect().top;
    if (way) ribbon.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }], { duration: 260, easing: "cubic-bezier(.3, .9, .3, 1)" });
  }

  return {
    update({ response, locked: isLocked }) {
      locked = isLocked;
      chosen = Object.fromEntries(SIDES.map((side) => [side, ids.includes(response?.[side]) ? response[side] : null]));
      hint.textContent = t(WORDS.hint);
      hint.hidden = locked;
      list.setAttribute("aria-label", t(WORDS.replies));
      rows.forEach(({ reply, text, card }) => {
        text.replaceChildren(...spoken(t(reply.text)));
        card.dataset.side = SIDES.find((side) => chosen[side] === reply.id) ?? "";
      });
      for (const one of groups) {
        const other = SIDES.find((name) => name !== one.side);
        one.title.textContent = t(WORDS.group[one.side]);
        for (const { id, input, word } of one.choices) {
          word.textContent = t(WORDS[one.side]);
          input.checked = chosen[one.side] === id;
          input.disabled = locked || chosen[other] === id;
        }
        moveRibbon(one);
      }
      drawn = true;
    },
  };
}
