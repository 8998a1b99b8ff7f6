const WORDS = {
  holds: { zh: "必须守住", en: "What has to hold" },
  goals: { zh: "最好做到", en: "What would be good" },
  red: { zh: "红线", en: "Red line" },
  counted: { zh: "随你的安排变化", en: "Changes as you plan" },
  checked: { zh: "这几条守没守住，要你自己对照。", en: "Whether these hold is for you to check." },
  legend: { zh: "各个选项是什么意思", en: "What the choices mean" },
  progress: { zh: (done, all) => `已排好 ${done} / ${all}`, en: (done, all) => `${done} of ${all} planned` },
  planned: { zh: "已排好", en: "planned" },
  open: { zh: "请选择…", en: "Choose…" },
  most: { zh: (now, limit) => `${now} / ${limit}`, en: (now, limit) => `${now} of ${limit}` },
  least: { zh: (now, limit) => `${now} / 至少 ${limit}`, en: (now, limit) => `${now} of at least ${limit}` },
  exact: { zh: (now, limit) => `${now} / 应为 ${limit}`, en: (now, limit) => `${now}, should be ${limit}` },
  between: { zh: (now, low, high) => `${now} / ${low} 至 ${high}`, en: (now, low, high) => `${now}, should be ${low} to ${high}` },
  over: { zh: (by) => `，超出 ${by}`, en: (by) => `, ${by} too many` },
  sum: { zh: "合计", en: "In all" },
};

const TINY = 1e-9;
const round = (value) => Math.round(value * 100) / 100;

export default function view({ host, item, ui, send }) {
  const { h, t, icon, newId, swap, announce, isWide } = ui;
  const { columns, rows, fields, constraints } = item.public;
  const field = (id) => fields.find((other) => other.id === id);
  const optionOf = (name, id) => field(name)?.options.find((option) => option.id === id);
  let plan = {};
  let legendOpen = true;
  let drawnIn = null;
  let parts = null;

  const root = h("div", { class: "cs-plan" });
  host.append(root);

  const known = (raw) => Object.fromEntries(rows.map(({ id }) => [id, Object.fromEntries(
    Object.entries(raw?.[id] ?? {}).filter(([name, option]) => optionOf(name, option)))]));
  const skippedBy = (id) => fields.find(({ id: name }) => optionOf(name, plan[id][name])?.skips)?.id;
  const chosen = (id, name) => ((skippedBy(id) ?? name) === name ? plan[id][name] : undefined);
  const isPlanned = ({ id }) => Boolean(skippedBy(id)) || fields.every(({ id: name }) => plan[id][name]);

  // As in standing.py: learners watch the same count that is graded.
  function count(test) {
    const here = rows.filter((row) => (!test.rows.length || test.rows.includes(row.id))
      && Object.entries(test.where).every(([column, values]) => values.includes(row.facts[column])));
    const amount = (row) => (test.amount == null ? 1 : field(test.amount) ? optionOf(test.amount, chosen(row.id, test.amount))?.amount ?? 0 : row.facts[test.amount] ?? 0);
    const named = test.options.length ? test.options : field(test.field).options.filter((option) => !option.skips).map((option) => option.id);
    const groups = (test.each ? named.map((id) => [id]) : [named]).map((ids) => {
      const total = here.filter((row) => ids.includes(chosen(row.id, test.field))).reduce((sum, row) => sum + amount(row), 0);
      return { ids, total, over: test.at_most != null && total > test.at_most + TINY, under: test.at_least != null && total < test.at_least - TINY };
    });
    const settled = here.every((row) => skippedBy(row.id) || (chosen(row.id, test.field) && (!field(test.amount) || chosen(row.id, test.amount))));
    return { groups, settled };
  }

  function reading({ at_least: low, at_most: high }, { total, over }) {
    const now = round(total);
    const text = low == null ? t(WORDS.most, now, high) : high == null ? t(WORDS.least, now, low)
      : low === high ? t(WORDS.exact, now, low) : t(WORDS.between, now, low, high);
    return over ? `${text}${t(WORDS.over, round(total - high))}` : text;
  }

  const groupName = (test, { ids }) => (test.options.length || test.each
    ? ids.map((id) => t(optionOf(test.field, id).text)).join(" / ") : t(WORDS.sum));

  function choose(row, name, option) {
    const before = readings();
    const next = { ...plan, [row.id]: { ...plan[row.id], [name]: option || undefined } };
    if (!option) delete next[row.id][name];
    plan = next;
    const news = readings().filter((line, at) => line !== before[at]);
    announce([t(WORDS.progress, rows.filter(isPlanned).length, rows.length), ...news].join(". "));
    send({ plan: Object.fromEntries(Object.entries(next).filter(([, fields]) => Object.keys(fields).length)) });
  }

  const readings = () => constraints.filter(({ shown }) => shown)
    .flatMap(({ shown }) => count(shown).groups.map((group) => `${groupName(shown, group)}: ${reading(shown, group)}`));

  // The panel may be far away; what is too much is also said where it was chosen.
  function tooMuch(id, name) {
    const option = chosen(id, name);
    for (const { shown } of constraints) {
      const group = shown?.field === name && count(shown).groups.find(({ ids, over }) => over && ids.includes(option));
      if (group) return reading(shown, group);
    }
    return null;
  }

  function countPart(test) {
    const lines = count(test).groups.map((group) => {
      const bar = h("span", { class: "cs-meter-bar" });
      const value = h("span", { class: "cs-count-value" });
      const node = h("li", { class: "cs-count-line" }, h("span", { class: "cs-count-name" }, groupName(test, group)), value,
        h("span", { class: "cs-meter", "aria-hidden": "true" }, bar));
      return { node, bar, value };
    });
    return {
      node: h("ul", { class: "cs-counts", role: "list" }, lines.map(({ node }) => node)),
      draw(groups) {
        groups.forEach((group, at) => {
          const { node, bar, value } = lines[at];
          const limit = test.at_most ?? test.at_least;
          node.dataset.over = String(group.over);
          value.replaceChildren(...(group.over ? [icon("warn")] : []), reading(test, group));
          bar.style.inlineSize = `${limit ? Math.min(100, (group.total / limit) * 100) : group.total ? 100 : 0}%`;
        });
      },
    };
  }

  function constraintPart(constraint) {
    const mark = h("span", { class: "cs-rule-mark" });
    const counts = constraint.shown && countPart(constraint.shown);
    const node = h("li", { class: "cs-rule", "data-level": constraint.level }, mark,
      h("div", null, constraint.level === "red" && h("strong", { class: "cs-red" }, t(WORDS.red)), h("span", null, t(constraint.text)), counts?.node));
    return {
      node,
      draw() {
        const { groups, settled } = counts ? count(constraint.shown) : { groups: [], settled: false };
        const over = groups.some((group) => group.over);
        const kept = settled && !groups.some((group) => group.over || group.under);
        const name = over ? "warn" : kept ? "check" : "dot";
        if (node.dataset.state !== name) mark.replaceChildren(name === "dot" ? h("span", { class: "cs-dot" }) : icon(name));
        node.dataset.state = name;
        counts?.draw(groups);
      },
    };
  }

  const fact = (row, { id, label, values }) => {
    const held = row.facts[id];
    if (held == null) return null;
    const text = typeof held === "object" ? t(held) : typeof held === "number" ? held : t(values.find((value) => value.id === held)?.text);
    return h("div", { class: "cs-fact" }, h("dt", null, t(label)), h("dd", null, text));
  };

  function rowPart(row) {
    const facts = newId();
    const done = h("span", { class: "cs-done" });
    const choices = fields.map(({ id: name, label, options }) => {
      const select = h("select", { class: "cs-select", "data-key": `${row.id}.${name}`, onchange: () => choose(row, name, select.value) },
        h("option", { value: "" }, t(WORDS.open)), options.map((option) => h("option", { value: option.id }, t(option.text))));
      const widest = Math.max(...options.map((option) => [...t(option.text)].reduce((sum, char) => sum + (isWide(char) ? 1 : 0.5), 0)));
      const note = h("span", { class: "cs-choice-note", "aria-hidden": "true", hidden: true });
      return { name, select, note, node: h("label", { class: "cs-choice", style: `--cs-widest: ${widest}em` }, h("span", { class: "cs-choice-label" }, t(label)), select, note) };
    });
    const node = h("div", { class: "cs-plan-row", role: "group", "aria-describedby": facts, "aria-label": t(row.label) },
      h("div", { class: "cs-plan-name" }, h("span", { class: "cs-plan-label" }, t(row.label)), done),
      h("dl", { class: "cs-plan-facts", id: facts }, columns.map((column) => fact(row, column))),
      h("div", { class: "cs-choices" }, choices.map((choice) => choice.node)));
    return {
      node,
      draw(locked) {
        const skipped = skippedBy(row.id);
        for (const { name, select, note, node: box } of choices) {
          const value = plan[row.id][name] ?? "";
          if (select.value !== value) select.value = value;
          select.disabled = locked;
          select.title = value ? t(optionOf(name, value).text) : "";
          box.hidden = Boolean(skipped) && skipped !== name;
          box.dataset.open = String(!value);
          const over = tooMuch(row.id, name);
          note.hidden = !over;
          note.replaceChildren(...(over ? [icon("warn"), h("span", null, over)] : []));
        }
        const planned = isPlanned(row);
        node.dataset.skipped = String(Boolean(skipped));
        if (node.dataset.planned !== String(planned)) done.replaceChildren(...(planned ? [icon("check"), h("span", { class: "cs-unseen" }, t(WORDS.planned))] : []));
        node.dataset.planned = String(planned);
      },
    };
  }

  function legend() {
    const noted = fields.filter(({ options }) => options.some((option) => option.note));
    if (!noted.length) return null;
    return h("details", { class: "cs-legend", open: legendOpen, ontoggle: (event) => { legendOpen = event.target.open; } },
      h("summary", { "data-key": "legend" }, t(WORDS.legend)),
      noted.map(({ label, options }) => h("div", { class: "cs-legend-field" }, h("span", { class: "cs-choice-label" }, t(label)),
        h("dl", null, options.filter((option) => option.note).map((option) => h("div", null, h("dt", null, t(option.text)), h("dd", null, t(option.note))))))));
  }

  function build() {
    const bar = ui.meter("");
    const progress = h("p", { class: "cs-plan-progress" });
    const hard = ({ level }) => level !== "soft";
    const listed = (some) => [[WORDS.holds, some.filter(hard)], [WORDS.goals, some.filter((one) => !hard(one))]]
      .filter(([, list]) => list.length).map(([words, list]) => [words, list.map(constraintPart)]);
    const lists = (levels) => levels.map(([words, list]) => h("div", null, h("h4", { class: "cs-label" }, t(words)), h("ul", { class: "cs-rules", role: "list" }, list.map(({ node }) => node))));
    const fixed = listed(constraints.filter(({ shown }) => !shown));
    // What follows stays in sight and must be short enough for that; the rest is read once, before.
    const counted = listed(constraints.filter(({ shown }) => shown));
    const levels = [...fixed, ...counted];
    const rowParts = rows.map(rowPart);
    swap(root, [
      fixed.length > 0 && h("div", { class: "cs-plan-brief" }, h("div", { class: "cs-plan-levels" }, lists(fixed)), h("p", { class: "cs-hint" }, t(WORDS.checked))),
      h("div", { class: "cs-plan-panel", role: "group", "aria-label": t(WORDS.counted) },
        h("div", { class: "cs-progress-part" }, progress, bar.node),
        lists(counted)),
      h("div", { class: "cs-plan-main" }, legend(), h("div", { class: "cs-plan-rows" }, rowParts.map(({ node }) => node)))].filter(Boolean));
    parts = {
      draw(locked) {
        const done = rows.filter(isPlanned).length;
        progress.textContent = t(WORDS.progress, done, rows.length);
        bar.node.setAttribute("aria-label", progress.textContent);
        bar.set(Math.round((done / rows.length) * 100), progress.textContent);
        for (const [, list] of levels) for (const part of list) part.draw();
        for (const part of rowParts) part.draw(locked);
      },
    };
  }

  return {
    update({ response, lang, locked }) {
      plan = known(response?.plan);
      if (lang !== drawnIn) build();
      drawnIn = lang;
      parts.draw(locked);
    },
  };
}
