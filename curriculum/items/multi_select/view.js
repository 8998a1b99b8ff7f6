const WORDS = {
  choose: { zh: (k) => `请选 ${k} 项`, en: (k) => `Choose ${k}` },
  chosen: { zh: (n, k) => `已选 ${n} / ${k}`, en: (n, k) => `${n} of ${k} chosen` },
  full: {
    zh: (k) => `已经选了 ${k} 项。想换一项，先取消一个。`,
    en: (k) => `You have chosen ${k}. To change your mind, take one away first.`,
  },
};

export default function view({ host, item, ui, send }) {
  const { h, t, icon, swap, spoken, announce } = ui;
  const { choose: k, options: list } = item.public;
  const ids = list.map((option) => option.id);
  let chosen = [];
  let drawnIn = null;

  const group = h("div", { class: "cs-multi-select" });
  const count = h("p", { class: "cs-tally" });
  const full = h("p", { class: "cs-hint" });
  host.append(group, h("div", { class: "cs-multi-select-foot" }, count, full));

  const boxes = () => [...group.querySelectorAll("input")];

  function choose(id, wanted) {
    if (wanted && chosen.length >= k) {
      boxes().find((box) => box.value === id).checked = false;
      announce(t(WORDS.full, k));
      // A short nod at the sentence that says why nothing happened.
      full.classList.remove("cs-nudge");
      void full.offsetWidth;
      full.classList.add("cs-nudge");
      return;
    }
    const next = ids.filter((other) => (other === id ? wanted : chosen.includes(other)));
    announce(t(WORDS.chosen, next.length, k));
    send({ chosen: next });
  }

  function drawOptions(lang) {
    swap(group, ui.options({
      legend: t(WORDS.choose, k), values: [], onchoose: choose,
      options: list.map((option) => ({ id: option.id, content: spoken(t(option.text)) })),
    }));
    drawnIn = lang;
  }

  return {
    update({ response, lang, locked }) {
      chosen = (response?.chosen ?? []).filter((id) => ids.includes(id));
      if (lang !== drawnIn) drawOptions(lang);
      const isFull = chosen.length >= k;
      group.dataset.full = String(isFull);
      for (const box of boxes()) {
        box.checked = chosen.includes(box.value);
        box.disabled = locked;
      }
      count.dataset.full = String(isFull);
      count.replaceChildren(icon(isFull ? "check" : "open"), h("span", null, t(WORDS.chosen, chosen.length, k)));
      full.hidden = locked || !isFull;
      full.textContent = t(WORDS.full, k);
    },
  };
}
