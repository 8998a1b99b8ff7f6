const WORDS = {
  entry: { zh: (n, all) => `第 ${n} 则（共 ${all} 则）`, en: (n, all) => `Entry ${n} of ${all}` },
  enough: { zh: "字数够了", en: "long enough" },
  // A full-width character counts two, so Chinese readers are shown half the number.
  count: { zh: (now) => `${Math.ceil(now / 2)} 字`, en: (now) => `${now} characters` },
  short: { zh: (now, need) => `${Math.floor(now / 2)} 字，至少 ${Math.ceil(need / 2)} 字`, en: (now, need) => `${now} of at least ${need} characters` },
};

const PAUSE = 600;
const LONGEST = 4000;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const width = (text) => [...text.trim()].reduce((sum, char) => sum + (WIDE.test(char) ? 2 : 1), 0);

export default function view({ host, item, ui, send }) {
  const { h, t, icon, newId } = ui;
  const { entries, fields, note } = item.public;
  const boxes = [];
  const captions = [];
  let saved = null;
  let touched = false;
  let composing = false;
  let timer = null;

  function caption(node, text, ...args) {
    captions.push(() => { node.textContent = t(text, ...args); });
    return node;
  }

  function flush() {
    clearTimeout(timer);
    if (!touched || composing) return;
    touched = false;
    send(answer());
  }

  function later() {
    touched = true;
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE);
  }

  function box({ label, hint, need, read }) {
    const id = newId();
    const count = need ? h("span", { class: "cs-length", id: `${id}-count` }) : null;
    const area = h("textarea", {
      id, class: "cs-text", rows: 2, maxlength: LONGEST,
      "aria-describedby": [hint && `${id}-hint`, count && `${id}-count`].filter(Boolean).join(" ") || null,
      oninput: () => { drawCount(); later(); },
      oncompositionstart: () => { composing = true; },
      oncompositionend: () => { composing = false; later(); },
      onblur: () => { composing = false; flush(); restore(); },
    });
    function drawCount() {
      if (!count) return;
      const now = width(area.value);
      count.dataset.enough = String(now >= need);
      count.replaceChildren(...(now >= need ? [icon("check")] : []), t(now >= need ? WORDS.count : WORDS.short, now, need), h("span", { class: "cs-unseen" }, now >= need ? ` ${t(WORDS.enough)}` : ""));
    }
    // What is being written is never overwritten; it catches up on leaving the field.
    function restore() {
      const value = read(saved) ?? "";
      if (!touched && !composing && document.activeElement !== area && area.value !== value) area.value = value;
      drawCount();
    }
    captions.push(drawCount);
    boxes.push({ area, restore });
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
    const value = (at) => boxes[at].area.value;
    return {
      entries: cards.map((_, at) => Object.fromEntries(fields.map((field, place) => [field.id, value(at * fields.length + place)]))),
      ...(note ? { note: value(entries * fields.length) } : {}),
    };
  }

  return {
    update({ response, locked }) {
      saved = response;
      for (const { area, restore } of boxes) {
        area.readOnly = locked;
        restore();
      }
      for (const draw of captions) draw();
    },
    destroy() {
      flush();
    },
  };
}
