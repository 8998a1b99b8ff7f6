const WORDS = {
  facts: { zh: "你手上的情况", en: "What you know" },
  channel: {
    sms: { zh: "短信", en: "Text message" },
    chat: { zh: "会话消息", en: "Chat message" },
    "e-mail": { zh: "电子邮件", en: "E-mail" },
    letter: { zh: "信函", en: "Letter" },
  },
  yours: { zh: (channel) => `你写的${channel}`, en: (channel) => `Your ${channel.toLowerCase()}` },
  length: {
    zh: { zh: (now, least, most) => `${now} 字（${least}–${most}）`, en: (now, least, most) => `${now} characters (${least}–${most})` },
    en: { zh: (now, least, most) => `${now} 个英文词（${least}–${most}）`, en: (now, least, most) => `${now} words (${least}–${most})` },
  },
  inside: { zh: "篇幅合适", en: "within the limits" },
  personal: {
    zh: (what) => `里面好像有${what}。客户收到的消息，别人也可能看到，确认要写全吗？`,
    en: (what) => `This seems to hold ${what}. Others may see a message; does it have to be written in full?`,
  },
  id: { zh: "身份证号", en: "an ID card number" },
  card: { zh: "银行卡号", en: "a bank card number" },
  phone: { zh: "手机号码", en: "a mobile number" },
  mail: { zh: "电子邮箱", en: "an e-mail address" },
};

const LONGEST = 2000;

// The same rules as in wording.py and personal.py, so that nobody is told one thing here and another later.
const WORD = /[\p{L}\p{N}]+(?:['.,:/@-][\p{L}\p{N}]+)*/gu;
const NUMBER = /(?<![a-z\d])\+?\d(?:[ -]{0,2}\d){9,22}x?(?![a-z\d])/g;
const MAIL = /[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}/g;
const ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/[‘’]/g, "'").replace(/[‐‑−]/g, "-").replace(/[^\S\n]/g, " ");
const bare = (text) => plain(text).replace(/[ -]/g, "");
const languageOf = (text) => ((text.match(/[\u3400-\u4dbf\u4e00-\u9fff]/g) ?? []).length > (text.match(/[a-z]+/g) ?? []).length ? "zh" : "en");
const isId = (number) => "10x98765432"[ID_WEIGHTS.reduce((sum, weight, at) => sum + weight * number[at], 0) % 11] === number[17];

function passesLuhn(number) {
  const sum = [...number].reverse().map(Number).reduce((all, digit, at) => all + (at % 2 ? Math.floor(digit / 5) + (2 * digit) % 10 : digit), 0);
  return new Set(number).size > 1 && sum % 10 === 0;
}

function kindOf(number) {
  if (/^\d{17}[\dx]$/.test(number) && isId(number)) return "id";
  if (/^\d{8}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}$/.test(number)) return "id";
  if (/^((\+?86|0086)?1[3-9]\d{9}|\+[1-9]\d{9,14})$/.test(number)) return "phone";
  return /^\d{16,19}$/.test(number) && passesLuhn(number) ? "card" : null;
}

function personal(text, allowed) {
  const known = new Set(allowed.map(bare));
  const fresh = (found) => !known.has(bare(found));
  const kinds = (text.match(NUMBER) ?? []).filter(fresh).map((found) => kindOf(bare(found)));
  if ((text.match(MAIL) ?? []).some(fresh)) kinds.push("mail");
  return kinds.find(Boolean) ?? null;
}

export default function view({ host, item, ui, send }) {
  const { h, t, icon, newId, announce } = ui;
  const { channel, facts, length, allowed } = item.public;
  const id = newId();
  let saved = null;
  let shown = "en";
  let warned = null;

  const factsTitle = h("h4", { class: "cs-label" });
  const factsList = h("ul", { class: "cs-facts-list" });
  const label = h("label", { for: id, class: "cs-label" });
  const count = h("span", { class: "cs-length", id: `${id}-count` });
  const warning = h("p", { class: "cs-warning", id: `${id}-warning`, hidden: true });
  const writing = ui.typing(() => send({ text: area.value }));
  const area = writing.field(h("textarea", { id, class: "cs-message", rows: 6, maxlength: LONGEST, "aria-describedby": `${id}-count ${id}-warning` }),
    () => saved?.text, measure);
  host.append(h("div", { class: "cs-free_text" },
    facts.length ? h("section", { class: "cs-facts" }, factsTitle, factsList) : null,
    h("div", { class: "cs-writing", "data-channel": channel },
      h("div", { class: "cs-writing-head" }, icon("speak"), label), area,
      h("div", { class: "cs-writing-foot" }, warning, count))));

  function measure() {
    const text = plain(area.value);
    const written = text.trim() ? languageOf(text) : shown;
    const { least, most } = written === "zh" ? length.characters : length.words;
    const now = written === "zh" ? [...area.value.normalize("NFC").replace(/\s/g, "")].length : (text.match(WORD) ?? []).length;
    const inside = now >= least && now <= most;
    count.dataset.inside = String(inside);
    count.replaceChildren(...(inside ? [icon("check")] : []), t(WORDS.length[written], now, least, most), inside ? h("span", { class: "cs-unseen" }, `, ${t(WORDS.inside)}`) : "");
    warn(personal(text, allowed));
  }

  function warn(kind) {
    const words = kind ? t(WORDS.personal, t(WORDS[kind])) : "";
    if (warning.dataset.words === words) return;
    warning.dataset.words = words;
    warning.hidden = !kind;
    warning.replaceChildren(...(kind ? [icon("warn"), h("span", null, words)] : []));
    if (kind && kind !== warned) announce(words);
    warned = kind;
  }

  return {
    update({ response, lang, locked }) {
      saved = response;
      shown = lang;
      factsTitle.textContent = t(WORDS.facts);
      factsList.replaceChildren(...facts.map((fact) => h("li", null, t(fact))));
      label.textContent = t(WORDS.yours, t(WORDS.channel[channel]));
      writing.draw(locked);
    },
    destroy: writing.flush,
  };
}
