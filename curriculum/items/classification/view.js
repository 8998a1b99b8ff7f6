const WORDS = {
  left: { zh: (n) => `还剩 ${n} 张`, en: (n) => (n === 1 ? "1 card left" : `${n} cards left`) },
  where: { zh: "归入哪一类？", en: "Where does it belong?" },
  hint: {
    zh: (n) => `点一个类别，或把卡片拖过去；键盘：1–${n} 归类，←→ 换一张。`,
    en: (n) => `Choose a category, or drag the card there. On the keyboard: 1–${n} to sort, ←→ for another card.`,
  },
  card: { zh: "卡片", en: "Card" },
  later: { zh: "先放一放，看下一张", en: "Leave for later, show the next card" },
  sorted: { zh: "所有卡片都分好了。想改，点一下卡片，就拿回来。", en: "All cards are sorted. To change your mind, choose a card and it comes back." },
  heap: { zh: (label, n) => `${label}：${n} 张`, en: (label, n) => `${label}: ${n === 1 ? "1 card" : `${n} cards`}` },
  unsorted: { zh: "没有分类", en: "Not sorted" },
  takeBack: { zh: "拿回来：", en: "Take back: " },
  put: { zh: (card, label, left) => `“${card}”归入“${label}”。${left}`, en: (card, label, left) => `“${card}” is now under “${label}”. ${left}.` },
  next: { zh: (said, card) => `${said}下一张：“${card}”`, en: (said, card) => `${said} Next: “${card}”` },
};

const DRAG_FROM = 6;

export default function view({ host, item, ui, send }) {
  const { h, t, icon, iconButton, swap, announce, newId } = ui;
  const { categories } = item.public;
  const cards = new Map(item.public.cards.map((card) => [card.id, card]));
  let placed = {};
  let pile = [];
  let locked = false;
  let focusKey = null;
  let fresh = null;
  let drag = null;

  const text = (id) => t(cards.get(id).text);
  const whereId = newId();

  const table = h("div", { class: "cs-classification", "data-categories": categories.length, onkeydown: onKey });
  const deck = h("div", { class: "cs-deck" });
  const where = h("p", { class: "cs-unseen", id: whereId });
  const bins = categories.map((category, at) => {
    const label = h("span", { class: "cs-bin-label" });
    const hint = h("span", { class: "cs-hint" });
    const count = h("span", { class: "cs-bin-count", "aria-hidden": "true" });
    const node = h("button", {
      type: "button", class: "cs-bin", "data-key": `into:${category.id}`, "data-into": category.id, "aria-keyshortcuts": at + 1,
      onclick: () => pile.length && put(pile[0], category.id, `into:${category.id}`),
    }, h("span", { class: "cs-digit", "aria-hidden": "true" }, at + 1), h("span", { class: "cs-bin-words" }, label, category.hint && hint), count);
    return { category, node, label, hint, count };
  });
  const heaps = h("div", { class: "cs-heaps" });
  const hint = h("p", { class: "cs-hint" });
  const choices = h("div", { class: "cs-bins", role: "group", "aria-labelledby": whereId }, bins.map((bin) => bin.node));
  table.append(deck, where, choices, heaps, hint);
  host.append(table);

  function put(id, category, focus) {
    if (locked || placed[id] === category) return;
    const rest = pile.filter((other) => other !== id);
    const said = t(WORDS.put, text(id), t(categories.find((one) => one.id === category).label), t(WORDS.left, rest.length));
    // On the deck the next card takes the focus and is read out by that.
    announce(focus !== "card" && rest.length && pile.includes(id) ? t(WORDS.next, said, text(rest[0])) : said);
    focusKey = focus;
    fresh = id;
    send({ placed: { ...placed, [id]: category } });
  }

  function takeBack(id) {
    if (locked) return;
    const { [id]: _category, ...rest } = placed;
    pile.unshift(id);
    focusKey = "card";
    send({ placed: rest });
  }

  function turn(by, focus) {
    if (pile.length < 2) return;
    if (by > 0) pile.push(pile.shift());
    else pile.unshift(pile.pop());
    if (focus !== "card") announce(text(pile[0]));
    drawDeck(focus);
  }

  function onKey(event) {
    if (locked || event.altKey || event.ctrlKey || event.metaKey) return;
    const category = categories[Number(event.key) - 1];
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const sorted = event.target.dataset.sorted;
    if (category && !event.repeat) {
      event.preventDefault();
      if (sorted) put(sorted, category.id, `sorted:${sorted}`);
      else if (pile.length) put(pile[0], category.id, event.target.dataset.key);
    } else if (by && event.target.dataset.key === "card") {
      event.preventDefault();
      turn(by, "card");
    }
  }

  function startDrag(event, id, node) {
    if (locked || event.button !== 0 || (event.pointerType !== "mouse" && !event.target.closest(".cs-grip"))) return;
    drag = { id, node, x: event.clientX, y: event.clientY, moved: false };
    node.setPointerCapture(event.pointerId);
  }

  const target = (event) => document.elementsFromPoint(event.clientX, event.clientY)
    .map((node) => node.closest("[data-into]")).find((node) => node && table.contains(node));

  function mark(over) {
    for (const node of table.querySelectorAll("[data-into]")) node.classList.toggle("cs-over", node.dataset.into === over?.dataset.into);
  }

  function followDrag(event) {
    if (!drag) return;
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved ||= Math.hypot(x, y) >= DRAG_FROM;
    if (!drag.moved) return;
    drag.node.classList.add("cs-dragged");
    drag.node.style.transform = `translate(${x}px, ${y}px)`;
    mark(target(event));
  }

  function endDrag(event) {
    if (!drag) return;
    const { id, node, moved } = drag;
    drag = null;
    node.classList.remove("cs-dragged");
    node.style.transform = "";
    mark(null);
    const into = moved && event.type === "pointerup" && target(event);
    if (into) put(id, into.dataset.into, placed[id] ? `sorted:${id}` : "card");
    // The click that ends a drag must not take the card back.
    if (moved) node.addEventListener("click", (click) => click.stopImmediatePropagation(), { once: true, capture: true });
  }

  function draggable(node, id) {
    node.addEventListener("pointerdown", (event) => startDrag(event, id, node));
    node.addEventListener("pointermove", followDrag);
    node.addEventListener("pointerup", endDrag);
    node.addEventListener("pointercancel", endDrag);
    return node;
  }

  function drawDeck(focus) {
    const [id] = pile;
    if (!id) return swap(deck, h("p", { class: "cs-all-sorted", tabindex: -1, "data-key": "card" }, icon("check"), t(WORDS.sorted)), focus);
    const textId = newId();
    // The button that leaves a card for later goes with the last card but one, and must not take the focus along.
    if (pile.length < 2 && (focus === "later" || deck.contains(document.activeElement))) focus = "card";
    swap(deck, [
      h("div", { class: "cs-deck-head" },
        h("span", { class: "cs-deck-left" }, t(WORDS.left, pile.length)),
        pile.length > 1 && iconButton("go", t(WORDS.later), () => turn(1, "later"), { "data-key": "later" })),
      draggable(h("div", {
        class: "cs-current", tabindex: 0, role: "group", "aria-roledescription": t(WORDS.card), "aria-labelledby": textId,
        "data-key": "card", "data-behind": Math.min(pile.length - 1, 2),
      }, h("span", { class: "cs-grip", "aria-hidden": "true" }, icon("grip")), h("span", { id: textId }, text(id))), id),
    ], focus);
  }

  const sortedCard = (id) => h("li", null, locked
    ? h("span", { class: "cs-sorted" }, text(id))
    : draggable(h("button", {
      type: "button", class: id === fresh ? "cs-sorted cs-fresh" : "cs-sorted", "data-key": `sorted:${id}`, "data-sorted": id, onclick: () => takeBack(id),
    }, h("span", { class: "cs-unseen" }, t(WORDS.takeBack)), h("span", null, text(id)), icon("back")), id));

  function heap(category, label, ids) {
    return h("div", { class: "cs-heap", "data-into": category },
      h("h4", null, t(WORDS.heap, label, ids.length)),
      ids.length > 0 && h("ul", { role: "list" }, ids.map(sortedCard)));
  }

  function draw() {
    const inHeap = (id) => [...cards.keys()].filter((card) => placed[card] === id);
    deck.hidden = choices.hidden = hint.hidden = locked;
    where.textContent = t(WORDS.where);
    hint.textContent = t(WORDS.hint, categories.length);
    for (const bin of bins) {
      bin.label.textContent = t(bin.category.label);
      bin.hint.textContent = bin.category.hint ? t(bin.category.hint) : "";
      bin.count.textContent = inHeap(bin.category.id).length;
      bin.node.setAttribute("aria-disabled", String(!pile.length));
    }
    const columns = categories.map(({ id, label }) => heap(id, t(label), inHeap(id)));
    if (locked && pile.length) columns.push(heap(null, t(WORDS.unsorted), pile));
    // What will hold the focus is drawn first, so that the focus never rests on nothing.
    const parts = [() => drawDeck(focusKey), () => swap(heaps, columns, focusKey)];
    for (const part of focusKey?.startsWith("sorted:") ? parts.reverse() : parts) part();
    focusKey = fresh = null;
  }

  return {
    update({ response, locked: isLocked }) {
      locked = isLocked;
      const known = new Set(categories.map((category) => category.id));
      placed = Object.fromEntries(Object.entries(response?.placed ?? {}).filter(([card, category]) => cards.has(card) && known.has(category)));
      pile = [...new Set([...pile, ...cards.keys()])].filter((id) => !(id in placed));
      draw();
    },
  };
}
