const WORDY = 30;   // characters
const WORDS = {
  given: { zh: "已知", en: "What you know" },
  answers: { zh: "你的计算", en: "Your figures" },
  decimals: {
    zh: (n) => (n ? `保留 ${n} 位小数` : "取整数"),
    en: (n) => (n ? `to ${n} ${n === 1 ? "decimal" : "decimals"}` : "a whole number"),
  },
  understood: { zh: (number) => `读作 ${number}`, en: (number) => `Understood as ${number}` },
  either: {
    zh: (first, second) => `读作 ${second} 或 ${first}；写上 % 更清楚`,
    en: (first, second) => `Understood as ${second} or ${first}; a % sign makes it clear`,
  },
  unread: { zh: "读不成数字，请改一下", en: "This can't be read as a number yet" },
  spoken: { zh: (label, echo) => `${label}：${echo}`, en: (label, echo) => `${label}: ${echo}` },
};

const LONGEST = 40;
const NOTHING = "";

// The rules of reading.py, so that learners see how they are understood. Both are tested against one list.
const COUNTERS = "条|个|次|笔|件|人|位|名|户|家|张|份|项|对|例|起|封|分|entry|entries|records?|rows?|items?|pieces?|pairs?"
  + "|times|cases?|calls?|complaints?|customers?|people|persons?|points?|marks?|号|日|天|分钟|minutes?|min";
const FORMS = {
  percent: { before: "百分之", power: NOTHING, behind: "%|percent|per cent", sign: { zh: "%", en: "%" }, shown: { zh: "{}%", en: "{} %" } },
  yuan: { before: "¥|rmb|cny|人民币", power: "万", behind: "元|圆|块|yuan|rmb|cny", sign: { zh: "元", en: "yuan" }, shown: { zh: "{} 元", en: "{} yuan" } },
  days: { before: NOTHING, power: NOTHING, behind: "天|日|days?", sign: { zh: "天", en: "days" }, shown: { zh: "{} 天", en: "{} days" } },
  months: { before: NOTHING, power: NOTHING, behind: "个月|月|months?", sign: { zh: "个月", en: "months" }, shown: { zh: "{} 个月", en: "{} months" } },
  years: { before: NOTHING, power: NOTHING, behind: "年|years?", sign: { zh: "年", en: "years" }, shown: { zh: "{} 年", en: "{} years" } },
  count: { before: NOTHING, power: "万", behind: COUNTERS, sign: { zh: "", en: "" }, shown: { zh: "{}", en: "{}" } },
};
const NUMBER = "(?<number>(?:[0-9]{1,3}(?<gap>[, ])[0-9]{3}(?:\\k<gap>[0-9]{3})*|[0-9]+)(?:\\.[0-9]*)?|\\.[0-9]+)";

export function readings(text, unit) {
  const { before, power, behind } = FORMS[unit];
  const shape = new RegExp(`^(?<sign>[+-]?) ?(?<before>${before})? ?(?<inner>[+-]?) ?${NUMBER} ?(?<power>${power})? ?(?<behind>${behind})?$`);
  const plain = text
    .replace(/[\uff01-\uff5e]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0))
    .replace(/[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, " ").replace(/[\u2010-\u2013\u2212]/g, "-")
    .replace(/\u3002/g, ".").replace(/\uffe5/g, "¥")
    .replace(/ +/g, " ").replace(/^ | $/g, "").toLowerCase();
  const found = shape.exec(plain)?.groups;
  if (!found || (found.sign && found.inner)) return [];
  const size = Number(found.number.replace(/[, ]/g, "")) * (found.power ? 10000 : 1);
  const value = found.sign === "-" || found.inner === "-" ? -size : size;
  const bare = unit === "percent" && !found.before && !found.behind && size > 0 && size < 1;
  return bare ? [value, value * 100] : [value];
}

export function shown(value, unit, lang) {
  const digits = (Number(value.toFixed(6)) + 0).toLocaleString("en-US", { maximumFractionDigits: 6 });
  const words = FORMS[unit].shown[lang].replace("{}", digits);
  return value === 1 && lang === "en" ? words.replace(/s$/, "") : words;
}

export default function view({ host, item, ui, send }) {
  const { h, t, icon, newId, swap, announce } = ui;
  const { given, fields, conclusion } = item.public;
  const { caption, write } = ui.captions();
  const writing = ui.typing(() => send(answer()));
  let saved = null;
  let language = null;
  let locked = false;
  let choice = null;

  const answer = () => ({
    values: Object.fromEntries(rows.filter((row) => row.input.value).map((row) => [row.id, row.input.value])),
    choice,
  });

  function echoed(text, unit) {
    if (!text.trim()) return "";
    const found = readings(text, unit).map((value) => shown(value, unit, language));
    return found.length ? t(found.length > 1 ? WORDS.either : WORDS.understood, ...found) : t(WORDS.unread);
  }

  function fieldRow(field) {
    const id = newId();
    const echo = h("p", { class: "cs-echo", id: `${id}-echo` });
    const hint = (field.basis || field.decimals != null) && caption(h("span", { class: "cs-hint", id: `${id}-hint` }),
      () => [field.basis && t(field.basis), field.decimals != null && t(WORDS.decimals, field.decimals)].filter(Boolean).join(" · "));
    const input = h("input", {
      id, class: "cs-input cs-number", type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", maxlength: LONGEST,
      "data-key": `field:${field.id}`, "aria-describedby": [hint && `${id}-hint`, `${id}-echo`].filter(Boolean).join(" "),
      onchange: () => input.value.trim() && announce(t(WORDS.spoken, t(field.label), echoed(input.value, field.unit))),
    });
    // What may yet become a number isn't called unreadable while it is being typed.
    function draw(typing) {
      const readable = !input.value.trim() || readings(input.value, field.unit).length > 0;
      const wait = typing && !readable;
      echo.textContent = wait ? "" : echoed(input.value, field.unit);
      echo.dataset.readable = String(readable || wait);
      input.setAttribute("aria-invalid", String(!readable && !wait));
      if (!readable && !wait) echo.prepend(icon("open"));
    }
    writing.field(input, () => saved?.values?.[field.id], draw);
    const node = h("div", { class: "cs-figure" },
      h("label", { for: id }, caption(h("span", { class: "cs-label" }), field.label)), hint,
      h("span", { class: "cs-entry-box" }, input, caption(h("span", { class: "cs-unit", "aria-hidden": "true" }), FORMS[field.unit].sign)), echo);
    return { id: field.id, node, input };
  }

  const rows = fields.map(fieldRow);
  const question = conclusion && h("div", { class: "cs-conclusion" });
  const title = newId();
  host.append(h("div", { class: "cs-numeric" },
    h("div", { class: "cs-work" },
      h("div", null, h("table", { class: "cs-given", "data-wordy": String(given.some(({ value }) => value.en.length > WORDY)) }, caption(h("caption"), WORDS.given),
        h("tbody", null, given.map((row) => h("tr", null, caption(h("th", { scope: "row" }), row.label), caption(h("td"), row.value)))))),
      h("div", { class: "cs-figures", role: "group", "aria-labelledby": title }, caption(h("h4", { id: title }), WORDS.answers), rows.map((row) => row.node))),
    question));

  function choose(id) {
    choice = id;
    writing.taken();
    send(answer());
  }

  function drawQuestion() {
    const picture = JSON.stringify([language, locked, choice]);
    if (!question || question.dataset.picture === picture) return;
    question.dataset.picture = picture;
    swap(question, ui.options({
      legend: t(conclusion.question), value: choice, disabled: locked, onchoose: choose,
      options: conclusion.choices.map((one) => ({ id: one.id, content: t(one.text) })),
    }));
  }

  return {
    update({ response, lang, locked: isLocked }) {
      saved = response;
      language = lang;
      locked = isLocked;
      choice = response?.choice ?? null;
      write();
      writing.draw(locked);
      drawQuestion();
    },
    destroy: writing.flush,
  };
}
