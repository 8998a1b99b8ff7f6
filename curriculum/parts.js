// Small parts that every card and every view is made of. This text is put before player.js and
// hand_in.js: anywidget loads each widget as one module, without a build step.

const ICONS = {
  check: '<path d="M4.5 10.5l3.6 3.6L15.5 6"/>',
  again: '<path d="M15.5 6.2A6.3 6.3 0 1 0 16.3 10"/><path d="M16 2.8v3.9h-3.9"/>',
  half: '<circle cx="10" cy="10" r="6.2"/><path d="M10 3.8a6.2 6.2 0 0 1 0 12.4z" style="fill: currentcolor"/>',
  open: '<circle cx="10" cy="10" r="6.2" stroke-dasharray="2.6 2.2"/>',
  warn: '<path d="M10 3.2l7 12.6H3z"/><path d="M10 8v3.6M10 13.6v.2"/>',
  cloud: '<path d="M6 15.2a3.4 3.4 0 0 1-.3-6.8 4.6 4.6 0 0 1 8.9 1 2.9 2.9 0 0 1-.4 5.8z"/>',
  up: '<path d="M10 16V4.5M5.2 9.2L10 4.4l4.8 4.8"/>',
  down: '<path d="M10 4v11.5M5.2 10.8l4.8 4.8 4.8-4.8"/>',
  back: '<path d="M7.6 5L3.8 8.8l3.8 3.8"/><path d="M4 8.8h7.6a4 4 0 0 1 0 8H9.4"/>',
  plus: '<path d="M10 4.5v11M4.5 10h11"/>',
  grip: '<path d="M7.5 5v.1M12.5 5v.1M7.5 10v.1M12.5 10v.1M7.5 15v.1M12.5 15v.1"/>',
  flag: '<path d="M5 17.2V3.2M5 4h9.6l-2 3.4 2 3.4H5"/>',
  speak: '<path d="M3.5 9.8c0-3.2 2.9-5.6 6.5-5.6s6.5 2.4 6.5 5.6-2.9 5.6-6.5 5.6c-.8 0-1.6-.1-2.3-.3L4.2 16.8l.9-3A5.2 5.2 0 0 1 3.5 9.8z"/>',
  book: '<path d="M4 4.2h4.4c1 0 1.6.7 1.6 1.6v10c0-.8-.6-1.4-1.6-1.4H4zM16 4.2h-4.4c-1 0-1.6.7-1.6 1.6"/><path d="M16 4.2v10.2h-4.4c-1 0-1.6.6-1.6 1.4"/>',
  star: '<path d="M10 2.9l2.2 4.5 5 .7-3.6 3.5.8 5-4.4-2.4-4.4 2.4.8-5L2.8 8.1l5-.7z"/>',
  ban: '<circle cx="10" cy="10" r="6.6"/><path d="M7.6 7.6l4.8 4.8M12.4 7.6l-4.8 4.8"/>',
  go: '<path d="M4 10h11.5M10.8 5.2l4.8 4.8-4.8 4.8"/>',
};

const LANG_KEY = "counterside.lang";

// Private browsing and strict policies make localStorage throw; the exercise must live on without it.
const storage = {
  has(key) { try { return localStorage.getItem(key) !== null; } catch { return false; } },
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* the queue in memory still holds it */ } },
  read(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  remove(key) { try { localStorage.removeItem(key); } catch { /* nothing was stored either */ } },
};

function readLang() {
  const fixed = document.documentElement.dataset.countersideLang;
  const stored = fixed ?? storage.get(LANG_KEY);
  if (stored === "zh" || stored === "en") return stored;
  return navigator.language?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"));
  hex[6] = "4" + hex[6][1];
  hex[8] = "a" + hex[8][1];
  return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value == null || (value === false && !name.startsWith("aria-"))) continue;
    if (typeof value === "function") node.addEventListener(name.replace(/^on/, ""), value);
    else node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

function svg(markup) {
  const box = document.createElement("template");
  box.innerHTML = markup;
  return box.content.firstChild;
}

const icon = (name) => svg(`<svg class="cs-icon" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" focusable="false">${ICONS[name]}</svg>`);

// Stage directions stand in brackets, full-width or not.
const spoken = (text) => text.split(/(（[^）]*）|\([^)]*\))/).filter(Boolean)
  .map((part) => (/^[（(]/.test(part) ? h("em", { class: "cs-stage" }, part) : part));

// The old tree leaves only after the focus has moved on: when a focused element is removed,
// JupyterLab takes the focus for the notebook.
function swap(host, nodes, focusKey) {
  const old = [...host.childNodes];
  const key = focusKey ?? (host.contains(document.activeElement) ? document.activeElement.dataset.key : null);
  host.append(...[nodes].flat(Infinity));
  const target = key && [...host.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key && !old.some((gone) => gone.contains(node)));
  target?.focus();
  for (const node of old) node.remove();
}

const translator = (lang) => (text, ...args) => {
  const words = text?.[lang()] ?? "";
  return typeof words === "function" ? words(...args) : words;
};

// A change of the live region is read out only when it comes by itself.
function announcer() {
  const node = h("div", { class: "cs-live", role: "status" });
  let speaking = null;
  return {
    node,
    say(text) {
      clearTimeout(speaking);
      node.textContent = "";
      speaking = setTimeout(() => { node.textContent = text; }, 80);
    },
  };
}

// One of several, or with `values` any number of them. `keys` sets apart lists with the same ids.
function options({ legend, options: list, value, values, onchoose, keys = "", disabled = false }) {
  const name = newId();
  const type = values ? "checkbox" : "radio";
  return h("fieldset", { class: "cs-options" },
    h("legend", { class: "cs-label" }, legend),
    list.map((option) => h("label", { class: "cs-option" },
      h("input", {
        type, name, value: option.id, "data-key": keys + option.id, disabled,
        checked: values ? values.includes(option.id) : option.id === value,
        onchange: (event) => onchoose(option.id, event.target.checked),
      }),
      h("span", { class: "cs-option-text" }, option.content))));
}

// Texts that change with the language alone: `write` sets them all anew.
function captions(t) {
  const all = [];
  return {
    caption(node, text, ...args) {
      all.push(() => { node.textContent = typeof text === "function" ? text() : t(text, ...args); });
      return node;
    },
    write() { for (const one of all) one(); },
  };
}

const TYPING_PAUSE = 400;

// What is typed is sent when the hand rests or leaves the field, and never overwritten before that.
// What an input method has not finished yet is nobody's word, so it is neither sent nor judged.
function typing(send) {
  const fields = [];
  let touched = false;
  let composing = false;
  let timer = null;

  function taken() {
    clearTimeout(timer);
    touched = false;
  }

  function flush() {
    clearTimeout(timer);
    if (!touched || composing) return;
    taken();
    send();
  }

  return {
    flush,
    // For what sends all that is typed along with something else.
    taken,
    // `read` returns what is saved; `draw` is told whether the hand is still at it.
    field(input, read, draw = () => {}) {
      function typed() {
        touched = true;
        clearTimeout(timer);
        timer = setTimeout(flush, TYPING_PAUSE);
        if (!composing) draw(true);
      }
      function restore() {
        const value = read() ?? "";
        const here = document.activeElement === input;
        if (!touched && !composing && !here && input.value !== value) input.value = value;
        if (!composing) draw(touched && here);
      }
      input.addEventListener("input", typed);
      input.addEventListener("compositionstart", () => { composing = true; });
      input.addEventListener("compositionend", () => { composing = false; typed(); });
      input.addEventListener("blur", () => { composing = false; flush(); restore(); });
      fields.push({ input, restore });
      return input;
    },
    draw(locked) {
      for (const { input, restore } of fields) {
        input.readOnly = locked;
        restore();
      }
    },
  };
}

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const isWide = (char) => WIDE.test(char);

function iconButton(name, label, onclick, props) {
  return h("button", { type: "button", class: "cs-icon-button", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

function meter(label) {
  const bar = h("span", { class: "cs-meter-bar" });
  const node = h("div", { class: "cs-meter", role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 }, bar);
  return {
    node,
    set(value, text) {
      node.setAttribute("aria-valuenow", value);
      node.setAttribute("aria-valuetext", text);
      bar.style.inlineSize = `${value}%`;
    },
  };
}

function face() {
  const node = svg(`<svg class="cs-face" width="40" height="40" viewBox="0 0 48 48" aria-hidden="true" focusable="false">
    <circle class="cs-face-skin" cx="24" cy="24" r="21"/>
    <g class="cs-face-eyes"><ellipse cx="17" cy="22.5" rx="2.3" ry="2.7"/><ellipse cx="31" cy="22.5" rx="2.3" ry="2.7"/></g>
    <path class="cs-face-brow" d="M13 15.5q3.8-2.2 7.2-.4"/><path class="cs-face-brow" d="M27.8 15.1q3.4-1.8 7.2.4"/>
    <path class="cs-face-mouth"/></svg>`);
  const [left, right] = node.querySelectorAll(".cs-face-brow");
  const mouth = node.querySelector(".cs-face-mouth");
  return {
    node,
    set(value) {
      const mood = (value - 50) / 50;
      const curve = `M15 ${32.5 - mood * 2}Q24 ${32.5 + mood * 10} 33 ${32.5 - mood * 2}`;
      mouth.setAttribute("d", curve);
      mouth.style.setProperty("d", `path("${curve}")`);
      const tilt = Math.min(0, mood) * 20;
      left.style.transform = `translateY(${-mood * 1.2}px) rotate(${tilt}deg)`;
      right.style.transform = `translateY(${-mood * 1.2}px) rotate(${-tilt}deg)`;
      node.dataset.mood = value < 45 ? "low" : value < 60 ? "mid" : "high";
    },
  };
}

// Letters, arrows and the clipboard belong to the widget; JupyterLab would take them as notebook
// commands. Only the attribute on the focused element itself keeps its shortcuts away.
function keepToItself(root) {
  root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  for (const type of ["keydown", "keypress", "keyup", "copy", "cut", "paste", "dblclick"]) {
    root.addEventListener(type, (event) => event.stopPropagation());
  }
}
