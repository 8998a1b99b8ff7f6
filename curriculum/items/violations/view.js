const WORDS = {
  hint: {
    zh: "读一读这段记录，点一下你认为不妥的地方；再点一下，就取消。",
    en: "Read the transcript and mark each part that you find at fault. Choose it again to take the mark away.",
  },
  marked: { zh: (n, all) => `已标记 ${n} / ${all}`, en: (n, all) => `${n} of ${all} marked` },
  transcript: { zh: "对话记录", en: "Transcript" },
};

export default function view({ host, item, ui, send }) {
  const { h, t, icon, swap, spoken, announce } = ui;
  const ids = item.public.lines.flatMap((line) => line.spans.map((span) => span.id));
  let marked = new Set();
  let locked = false;
  let drawnIn = null;

  const hint = h("p", { class: "cs-hint" });
  const { seeded } = item.public;
  const count = h("p", { class: "cs-tally" });
  const transcript = h("div", { class: "cs-transcript", role: "group" });
  host.append(hint, transcript, count);

  function toggle(id) {
    if (locked) return;
    const next = ids.filter((other) => (other === id) !== marked.has(other));
    announce(t(WORDS.marked, next.length, seeded));
    send({ marked: next });
  }

  function onKey(event, id) {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) toggle(id);
  }

  // A real button never breaks across lines, so it would tear the sentence apart.
  const mark = (span) => h("span", {
    class: "cs-span", role: "button", tabindex: 0, "data-key": span.id, "data-span": span.id,
    onclick: () => getSelection().isCollapsed && toggle(span.id), onkeydown: (event) => onKey(event, span.id),
  }, h("span", { class: "cs-flag" }, icon("flag")), spoken(t(span.text)));

  function drawText(lang) {
    const gap = lang === "en" ? " " : "";
    swap(transcript, item.public.lines.map((line) => h("div", { class: "cs-line" },
      h("span", { class: "cs-speaker" }, t(line.speaker)),
      h("p", { class: "cs-speech" }, line.spans.flatMap((span) => [mark(span), gap])))));
    transcript.setAttribute("aria-label", t(WORDS.transcript));
    hint.textContent = t(WORDS.hint);
    drawnIn = lang;
  }

  return {
    update({ response, lang, locked: isLocked }) {
      locked = isLocked;
      marked = new Set((response?.marked ?? []).filter((id) => ids.includes(id)));
      if (lang !== drawnIn) drawText(lang);
      for (const node of transcript.querySelectorAll(".cs-span")) {
        node.setAttribute("aria-pressed", String(marked.has(node.dataset.span)));
        node.setAttribute("aria-disabled", String(locked));
      }
      const full = marked.size === seeded;
      count.dataset.full = String(full);
      count.replaceChildren(icon(full ? "check" : "open"), h("span", null, t(WORDS.marked, marked.size, seeded)));
      hint.hidden = locked;
    },
  };
}
