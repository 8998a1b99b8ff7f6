const LEVELS = [
  { level: 1, mood: 6, name: { zh: "有害", en: "Harmful" }, anchor: { zh: "会伤害客户，或者违规。", en: "Hurts the customer or breaks a rule." } },
  { level: 2, mood: 34, name: { zh: "不太合适", en: "Hardly suitable" }, anchor: { zh: "没有帮到点子上。", en: "Misses what the customer needs." } },
  { level: 3, mood: 66, name: { zh: "比较合适", en: "Fairly suitable" }, anchor: { zh: "方向对，还缺一点。", en: "The right way, but something is missing." } },
  { level: 4, mood: 98, name: { zh: "很合适", en: "Very suitable" }, anchor: { zh: "就可以这样做。", en: "Just what one should do." } },
];
const WORDS = {
  scale: { zh: "四级标准", en: "The four levels" },
  rated: { zh: (n, all) => `已评 ${n} / ${all}`, en: (n, all) => `${n} of ${all} rated` },
};

export default function view({ host, item, ui, send }) {
  const { h, t, icon, spoken, newId, announce } = ui;
  const ids = item.public.replies.map((reply) => reply.id);
  let ratings = {};

  const scale = LEVELS.map(({ mood }) => {
    const face = ui.face();
    face.set(mood);
    const id = newId();
    const name = h("dt", { class: "cs-label" });
    const anchor = h("dd", { id });
    return { id, name, anchor, node: h("div", { class: "cs-level" }, face.node, name, anchor) };
  });
  const scaleTitle = newId();
  const scaleName = h("span", { class: "cs-unseen", id: scaleTitle });
  const tally = h("p", { class: "cs-tally" });
  const cards = item.public.replies.map(card);
  host.append(h("div", { class: "cs-rating" },
    scaleName, h("dl", { class: "cs-scale", "aria-labelledby": scaleTitle }, scale.map(({ node }) => node)),
    cards.map(({ node }) => node), tally));

  function card(reply) {
    const group = newId();
    const text = h("legend", { class: "cs-rated-text" });
    const face = ui.face();
    const steps = LEVELS.map(({ level }, at) => {
      const input = h("input", { type: "radio", name: group, value: level, "aria-describedby": scale[at].id, onchange: () => rate(reply.id, level) });
      const name = h("span");
      return { level, input, name, node: h("label", { class: "cs-segment", "data-level": level }, input, icon("check"), name) };
    });
    const node = h("fieldset", { class: "cs-rated", "data-reply": reply.id }, text,
      h("div", { class: "cs-judge" }, face.node, h("div", { class: "cs-segments" }, steps.map((step) => step.node))));
    return { reply, node, text, face, steps };
  }

  function rate(id, level) {
    const next = Object.fromEntries(ids.filter((other) => other === id || ratings[other]).map((other) => [other, other === id ? level : ratings[other]]));
    // Arrow keys pass over levels; only a reply that was open is news.
    if (!ratings[id]) announce(t(WORDS.rated, Object.keys(next).length, ids.length));
    send({ ratings: next });
  }

  return {
    update({ response, locked }) {
      ratings = response?.ratings ?? {};
      scaleName.textContent = t(WORDS.scale);
      scale.forEach(({ name, anchor }, at) => {
        name.textContent = t(LEVELS[at].name);
        anchor.textContent = t(LEVELS[at].anchor);
      });
      for (const { reply, node, text, face, steps } of cards) {
        const given = LEVELS.find(({ level }) => level === ratings[reply.id]);
        text.replaceChildren(...spoken(t(reply.text)));
        node.dataset.open = String(!given);
        face.set(given?.mood ?? 50);
        steps.forEach(({ level, input, name }, at) => {
          name.textContent = t(LEVELS[at].name);
          input.checked = level === given?.level;
          input.disabled = locked;
        });
      }
      const done = ids.filter((id) => ratings[id]).length;
      tally.dataset.full = String(done === ids.length);
      tally.replaceChildren(icon(done === ids.length ? "check" : "open"), h("span", null, t(WORDS.rated, done, ids.length)));
    },
  };
}
