const WORDS = {
  pool: { zh: (n) => `还没有排的步骤（${n}）`, en: (n) => `Steps not yet placed (${n})` },
  order: { zh: (n, all) => `你的顺序（${n} / ${all}）`, en: (n, all) => `Your order (${n} of ${all})` },
  poolHint: { zh: "点一下，就排到最后。", en: "Choose a step to put it at the end of your order." },
  orderHint: { zh: "用箭头调整，也可以拖动；键盘：Alt+↑ 或 Alt+↓。", en: "Move steps with the arrows, or drag them. On the keyboard: Alt+↑ or Alt+↓." },
  poolEmpty: { zh: "所有步骤都排好了。", en: "All steps are placed." },
  orderEmpty: { zh: "这里还是空的。先选第一步。", en: "Nothing here yet. Choose the first step." },
  up: { zh: (step) => `上移：${step}`, en: (step) => `Move up: ${step}` },
  down: { zh: (step) => `下移：${step}`, en: (step) => `Move down: ${step}` },
  back: { zh: (step) => `放回：${step}`, en: (step) => `Put back: ${step}` },
  now: {
    zh: (step, place, all) => `“${step}”现在是第 ${place} 步，共 ${all} 步`,
    en: (step, place, all) => `Step “${step}” now ${place} of ${all}`,
  },
  returned: { zh: (step) => `“${step}”已放回`, en: (step) => `“${step}” put back` },
};

export default function view({ host, item, ui, send }) {
  const { h, t, icon, iconButton, swap, announce } = ui;
  const steps = new Map(item.public.steps.map((step) => [step.id, step]));
  let order = [];
  let locked = false;
  let drag = null;
  let focusKey = null;

  const poolTitle = h("h4", { class: "cs-label" });
  const pool = h("ul", { class: "cs-pool", role: "list" });
  const poolHint = h("p", { class: "cs-hint" });
  const orderTitle = h("h4", { class: "cs-label", tabindex: -1, "data-key": "order" });
  const list = h("ol", { class: "cs-order", role: "list" });
  const orderHint = h("p", { class: "cs-hint" });
  const poolPart = h("div", { class: "cs-ordering-part" }, poolTitle, poolHint, pool);
  host.append(h("div", { class: "cs-ordering" },
    poolPart,
    h("div", { class: "cs-ordering-part" }, orderTitle, orderHint, list)));

  const text = (id) => t(steps.get(id).text);

  function change(next, focus) {
    focusKey = focus;
    send({ order: next });
  }

  function place(id) {
    const waiting = [...steps.keys()].filter((other) => !order.includes(other));
    const neighbour = waiting[waiting.indexOf(id) + 1] ?? waiting[waiting.indexOf(id) - 1];
    announce(t(WORDS.now, text(id), order.length + 1, steps.size));
    change([...order, id], neighbour ? `pool:${neighbour}` : "order");
  }

  function move(id, to, focus) {
    if (to < 0 || to >= order.length || to === order.indexOf(id)) return;
    const next = order.filter((other) => other !== id);
    next.splice(to, 0, id);
    announce(t(WORDS.now, text(id), to + 1, steps.size));
    change(next, focus);
  }

  function putBack(id) {
    const at = order.indexOf(id);
    const neighbour = order[at + 1] ?? order[at - 1];
    announce(t(WORDS.returned, text(id)));
    change(order.filter((other) => other !== id), neighbour ? `back:${neighbour}` : `pool:${id}`);
  }

  function startDrag(event, id, row) {
    if (locked || event.button !== 0) return;
    event.preventDefault();
    row.setPointerCapture(event.pointerId);
    const rows = [...list.children];
    drag = { id, row, y: event.clientY, from: order.indexOf(id), to: order.indexOf(id), rows, boxes: rows.map((node) => node.getBoundingClientRect()) };
    row.classList.add("cs-dragged");
  }

  function followDrag(event) {
    if (!drag) return;
    const { row, rows, boxes, from } = drag;
    const shift = event.clientY - drag.y;
    const middle = boxes[from].top + boxes[from].height / 2 + shift;
    drag.to = boxes.filter((box, index) => index !== from && box.top + box.height / 2 < middle).length;
    row.style.transform = `translateY(${shift}px)`;
    const room = boxes[from].height + (boxes[1] ? boxes[1].top - boxes[0].bottom : 0);
    rows.forEach((node, index) => {
      if (node === row) return;
      const up = index > from && index <= drag.to;
      const down = index < from && index >= drag.to;
      node.style.transform = up ? `translateY(${-room}px)` : down ? `translateY(${room}px)` : "";
    });
  }

  function endDrag(event) {
    if (!drag) return;
    const { id, to, from, rows, row } = drag;
    drag = null;
    row.classList.remove("cs-dragged");
    for (const node of rows) node.style.transform = "";
    if (event.type === "pointerup" && to !== from) move(id, to, `step:${id}`);
    else draw();
  }

  function onKey(event, id) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || !event.altKey) return;
    event.preventDefault();
    if (!locked) move(id, order.indexOf(id) + by, event.target.dataset.key);
  }

  // aria-disabled and not disabled: a focused button that becomes disabled loses the focus.
  const moveButton = (way, id, to) => iconButton(way, t(WORDS[way], text(id)), () => move(id, to, `${way}:${id}`),
    { "data-key": `${way}:${id}`, "aria-disabled": to < 0 || to >= order.length });

  function orderRow(id, index) {
    const row = h("li", { class: "cs-step", onkeydown: (event) => onKey(event, id) },
      h("span", { class: "cs-place", "aria-hidden": "true" }, index + 1),
      h("span", { class: "cs-step-text", tabindex: locked ? null : 0, "data-key": `step:${id}` }, text(id)),
      !locked && h("span", { class: "cs-step-tools" },
        moveButton("up", id, index - 1), moveButton("down", id, index + 1),
        iconButton("back", t(WORDS.back, text(id)), () => putBack(id), { "data-key": `back:${id}` })));
    if (!locked) {
      const grip = h("span", { class: "cs-grip", "aria-hidden": "true", onpointerdown: (event) => startDrag(event, id, row) }, icon("grip"));
      row.addEventListener("pointermove", followDrag);
      row.addEventListener("pointerup", endDrag);
      row.addEventListener("pointercancel", endDrag);
      row.prepend(grip);
    }
    return row;
  }

  const poolStep = (id) => h("li", null, h("button", {
    type: "button", class: "cs-pool-step", "data-key": `pool:${id}`, "aria-disabled": locked, onclick: () => locked || place(id),
  }, h("span", null, text(id)), icon("plus")));

  function draw() {
    if (drag) return;
    const waiting = [...steps.keys()].filter((id) => !order.includes(id));
    poolTitle.textContent = t(WORDS.pool, waiting.length);
    orderTitle.textContent = t(WORDS.order, order.length, steps.size);
    poolHint.textContent = t(waiting.length ? WORDS.poolHint : WORDS.poolEmpty);
    orderHint.textContent = t(order.length ? WORDS.orderHint : WORDS.orderEmpty);
    orderHint.hidden = locked;
    poolPart.hidden = !waiting.length;
    const inPool = focusKey?.startsWith("pool:");
    // The list that will hold the focus is drawn first, so that the focus never rests on nothing.
    const parts = [[list, order.map(orderRow)], [pool, waiting.map(poolStep)]];
    for (const [part, nodes] of inPool ? parts.reverse() : parts) swap(part, nodes, focusKey);
    if (focusKey === "order") orderTitle.focus();
    focusKey = null;
  }

  return {
    update({ response, locked: isLocked }) {
      locked = isLocked;
      order = (response?.order ?? []).filter((id) => steps.has(id));
      draw();
    },
  };
}
