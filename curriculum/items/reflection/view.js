const WORDS = {
  entry: { zh: (n, all) => `第 ${n} 则（共 ${all} 则）`, en: (n, all) => `Entry ${n} of ${all}` },
  enough: { zh: "字数够了", en: "long enough" },
  // A full-width character counts two, so Chinese readers are shown half the number.
  count: { zh: (now) => `${Math.ceil(now / 2)} 字`, en: (now) => `${now} characters` },
  short: { zh: (now, need) => `${Math.floor(now / 2)} 字，至少 ${Math.ceil(need / 2)} 字`, en: (now, need) => `${now} of at least ${need} characters` },
};

const LONGEST = 4000;

export default function view({ host, item, ui, send }) {
  const { h, t, icon, newId } = ui;
  const { entries, fields, note } = item.public;
  const { caption, write } = ui.captions();
  const writing = ui.typing(() => send(answer()));
  const width = (text) => [...text.trim()].reduce((sum, char) => sum + (ui.isWide(char) ? 2 : 1), 0);
  const boxes = [];
  let saved = null;

  function box({ label, hint, need, read }) {
    const id = newId();
    const count = need ? h("span", { class: "cs-length", id: `${id}-count` }) : null;
    const area = h("textarea", {
      id, class: "cs-input cs-text", rows: 2, maxlength: LONGEST,
      "aria-describedby": [hint && `${id}-hint`, count && `${id}-count`].filter(Boolean).join(" ") || null,
    });
    function drawCount() {
      if (!count) return;
      const now = width(area.value);
      count.dataset.enough = String(now >= need);
      count.replaceChildren(...(now >= need ? [icon("check")] : []), t(now >= need ? WORDS.count : WORDS.short, now, need), h("span", { class: "cs-unseen" }, now >= need ? ` ${t(WORDS.enough)}` : ""));
    }
    boxes.push(writing.field(area, () => read(saved), drawCount));
    return h("div", { class: "cs-field" },
      h("label", { for: id, class: "cs-label" }, label), hint && caption(h("p", { class: "cs-hint", id: `${id}-hint` }), hint), area, count);
  }

  const cards = Array.from({ length: entries }, (_, at) => h("fieldset", { class: "cs-entry" },
    caption(h("legend", null), WORDS.entry, at + 1, entries),
    fields.map((field) => box({
      label: caption(h("span", null), field.label), hint: field.hint, need: field.min_chars, read: (response) => response?.entries?.[at]?.[field.id],
    }))));
  const noteBox = note && h("div", { class: "cs-entry" }, box({ label: caption(h("span", null), note), read: (response) => response?.note }));
  host.append(h("div", { class: "cs-reflection" }, cards, noteBox));

  function answer() {
    const value = (at) => boxes[at].value;
    return {
      entries: cards.map((_, at) => Object.fromEntries(fields.map((field, place) => [field.id, value(at * fields.length + place)]))),
      ...(note ? { note: value(entries * fields.length) } : {}),
    };
  }

  return {
    update({ response, locked }) {
      saved = response;
      write();
      writing.draw(locked);
    },
    destroy: writing.flush,
  };
}
