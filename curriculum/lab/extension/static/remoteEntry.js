/* Counterside in JupyterLab: a chapter opens ready to read and to play.
   A module-federation container written by hand, so that nothing has to be built. */
(() => {
  "use strict";
  const NAME = "counterside";
  const KERNEL = "counterside";
  const TAGS = { zh: "zh-CN", en: "en" };
  const SAYS = {
    exercise: { zh: "练习", en: "Exercise" },
    chapters: { zh: "各章", en: "Chapters" },
    opening: { zh: "正在打开练习……", en: "Opening the exercises…" },
    lost: { zh: "连接中断，正在恢复。若一直不恢复，请刷新本页。",
            en: "Connection lost, reconnecting. If this lasts, reload the page." },
    failed: { zh: "有练习未能打开。请刷新本页；若仍不行，请告诉培训老师。",
              en: "Some exercises did not open. Reload the page; if that does not help, tell your trainer." },
  };
  // The auditor's desk is opened in the same way, and is no exercise.
  const DESK_SAYS = {
    opening: { zh: "正在读取成绩册……", en: "Reading the gradebook…" },
    failed: { zh: "审计台未能打开。请在终端运行 counterside audit report，它会说明原因。",
              en: "The desk did not open. In a terminal “counterside audit report” says why." },
  };
  // A notebook that nobody trusted may run these three shapes on opening and nothing else.
  const OURS = [
    /^\s*from\s+curriculum\.player\s+import\s+play[^\S\n]*\n\s*play\s*\(\s*"[a-z0-9]+(-[a-z0-9]+)*"\s*\)\s*$/,
    /^\s*from\s+curriculum\.player\s+import\s+hand_in[^\S\n]*\n\s*hand_in\s*\(\s*\)\s*$/,
    /^\s*from\s+autograde\.audit\.desk\s+import\s+desk[^\S\n]*\n\s*desk\s*\(\s*\)\s*$/,
  ];
  const { src } = document.currentScript;
  const STYLE = new URL(`style.css${new URL(src).search}`, src).href;
  const pause = ms => new Promise(done => setTimeout(done, ms));
  const open = new Set();

  // ---- language ---------------------------------------------------------------------------
  const stored = localStorage.getItem("counterside.lang");
  let lang = stored in TAGS ? stored : navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
  const choose = detail => {
    localStorage.setItem("counterside.lang", detail);
    window.dispatchEvent(new CustomEvent("counterside:lang", { detail }));
  };
  const langOf = cell => cell.model.getMetadata("counterside")?.lang;
  const isShown = cell => [undefined, lang].includes(langOf(cell));

  /* The two languages of a passage differ in height: without this a reader who switches loses the line. */
  const holdPlace = ({ node, widgets }) => {
    const scroller = node.querySelector(".jp-WindowedPanel-outer") ?? node;
    const edge = scroller.getBoundingClientRect().top;
    const at = widgets.find(cell => isShown(cell) && cell.node.getBoundingClientRect().bottom > edge + 1);
    if (!at || scroller.scrollTop === 0) return () => {};
    const box = at.node.getBoundingClientRect();
    const passages = own => widgets.filter(cell => langOf(cell) === own);
    return () => {
      const to = isShown(at) ? at : passages(lang)[passages(langOf(at)).indexOf(at)];
      const settle = () => {
        const now = to?.node.getBoundingClientRect();
        if (now) scroller.scrollTop += now.top + now.height * (edge - box.top) / box.height - edge;
      };
      settle();
      requestAnimationFrame(settle);   // the exercises redraw on the same event, some of them after us
    };
  };
  window.addEventListener("counterside:lang", ({ detail }) => {
    if (!(detail in TAGS) || detail === lang) return;
    const returns = [...open].map(({ panel }) => holdPlace(panel.content));
    lang = detail;
    for (const { translate } of open) translate();
    for (const back of returns) back();
  });

  // ---- what the reader sees ---------------------------------------------------------------
  const element = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };

  /* The chapters that lie beside this one, as links; nothing where it lies alone. */
  const beside = async ({ panel, chapters, serviceManager }) => {
    const folder = panel.context.path.split("/").slice(0, -2);
    const { content } = await serviceManager.contents.get(folder.join("/"), { content: true });
    const there = new Set(content.filter(({ type }) => type === "directory").map(({ name }) => name));
    const found = (chapters ?? []).filter(({ id }) => there.has(id));
    const tree = location.href.startsWith(`${serviceManager.serverSettings.baseUrl}doc/`) ? "doc/tree" : "lab/tree";
    const address = id => [...folder, id, `${id}.ipynb`].map(encodeURIComponent).join("/");
    return found.length < 2 ? [] : found.map(({ id, title }) => {
      const link = element("a", { href: `${serviceManager.serverSettings.baseUrl}${tree}/${address(id)}` });
      if (panel.context.path.endsWith(`${id}/${id}.ipynb`)) link.setAttribute("aria-current", "page");
      return { link, title };
    });
  };

  const dress = ({ panel, title, chapters, isDesk, serviceManager, Widget }) => {
    const notebook = panel.content;
    const name = element("span", {});
    const heading = element("p", { class: "counterside-title" }, name);
    // A popover: JupyterLab cuts off whatever sticks out of a header.
    const menu = element("nav", { class: "counterside-chapters", id: `counterside-chapters-${panel.id}`, popover: "" }, element("ul", { role: "list" }));
    const opener = element("button", { type: "button", class: "counterside-title", popovertarget: menu.id });
    menu.addEventListener("beforetoggle", () => {
      const { left, bottom } = opener.getBoundingClientRect();
      Object.assign(menu.style, { left: `${left}px`, top: `${bottom + 6}px` });
    });
    const sections = element("ul", { role: "list", class: "counterside-sections" });
    let links = [];
    const buttons = Object.entries({ zh: "中文", en: "English" }).map(([value, name]) =>
      element("button", { type: "button", value, lang: TAGS[value] }, name));
    const switcher = element("div", { role: "group", class: "counterside-languages", "aria-label": "语言 / Language" }, ...buttons);
    switcher.addEventListener("click", ({ target }) => { if (target.value) choose(target.value); });
    const bar = element("header", { role: "group", class: "counterside-bar" }, heading, switcher);
    const status = element("p", { role: "status", class: "counterside-status" });
    let said = null;

    const say = key => {
      said = key;
      status.textContent = key ? ((isDesk && DESK_SAYS[key]) || SAYS[key])[lang] : "";
    };
    const label = () => {
      for (const { model, node } of notebook.widgets) {
        if (model.type === "code") node.setAttribute("aria-label", (isDesk ? title : SAYS.exercise)[lang]);
      }
    };
    const translate = () => {
      panel.node.dataset.countersideLang = lang;
      for (const node of [notebook.node, bar, status]) node.lang = TAGS[lang];
      name.textContent = title?.[lang] ?? "";
      bar.setAttribute("aria-label", name.textContent);
      menu.setAttribute("aria-label", SAYS.chapters[lang]);
      for (const { link, title: words } of links) link.textContent = words[lang];
      sections.replaceChildren(...headings(panel).map(([heading]) =>
        element("li", {}, element("a", { href: `#${encodeURIComponent(addressOf(heading))}` }, heading))));
      for (const button of buttons) button.setAttribute("aria-pressed", button.value === lang);
      label();
      say(said);
      // The keyboard scrolls from the active cell, which must not be one that has just been hidden.
      const { activeCellIndex: at, widgets } = notebook;
      if (widgets[at] && !isShown(widgets[at])) {
        notebook.activeCellIndex = widgets.findIndex((cell, index) => index >= at - 1 && isShown(cell));
      }
    };

    panel.contentHeader.addWidget(new Widget({ node: bar }));
    panel.node.append(status);
    panel.addClass("counterside");
    panel.toggleClass("counterside-desk", isDesk);
    // JupyterLab focuses a cell by itself; the mark belongs to those who came there by keyboard.
    panel.node.addEventListener("keydown", () => panel.addClass("counterside-keyboard"), { once: true });
    panel.toolbar.hide();
    // To a screen reader JupyterLab's cells are a feed of "cell contents"; here they are one text with exercises.
    for (const attribute of ["role", "aria-label"]) notebook.viewportNode?.removeAttribute(attribute);
    for (const cell of notebook.widgets) {
      const own = langOf(cell);
      if (own in TAGS) {
        cell.addClass(`counterside-${own}`);
        cell.node.lang = TAGS[own];
      }
      if (cell.model.getMetadata("counterside")?.role === "trainer") cell.addClass("counterside-trainer");
      if (cell.model.type === "code") cell.node.setAttribute("role", "group");
      else cell.node.removeAttribute("aria-label");
    }
    translate();
    beside({ panel, chapters, serviceManager }).then(found => {
      if (!found.length) return;
      links = found;
      menu.firstChild.append(...links.map(({ link }) =>
        element("li", {}, link, ...(link.hasAttribute("aria-current") ? [sections] : []))));
      opener.append(name);
      heading.replaceWith(opener, menu);
      translate();
    }, error => console.warn(`${NAME}: no list of chapters`, error));
    return { translate, label, say };
  };

  const addressOf = heading => heading.replaceAll(" ", "-");
  const markdown = panel => panel.content.widgets.filter(cell => cell.model.type === "markdown" && isShown(cell));
  /* The sections of a chapter in the language that is shown: what their first line says, and their cell. */
  const headings = panel => markdown(panel)
    .map(cell => [/^# (.+)/.exec(cell.model.sharedModel.getSource())?.[1], cell]).filter(([heading]) => heading);

  /* JupyterLab leads links within a notebook nowhere once the cells can't be edited. */
  const jump = (panel, id) => {
    const [, cell] = headings(panel).find(([heading]) => addressOf(heading) === id) ?? [];
    if (!cell) return false;
    panel.content.activeCellIndex = panel.content.widgets.indexOf(cell);
    cell.node.scrollIntoView({ block: "start" });
    const heading = cell.node.querySelector("h1") ?? cell.node;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    return true;
  };

  /* A term's meaning opens beside it: a jump to the glossary, which JupyterLab can't do either, would lose the line. */
  const explain = panel => {
    const note = element("div", { role: "dialog", class: "counterside-term", popover: "", tabindex: "-1" });
    panel.node.append(note);
    const meaning = id => {
      for (const { model } of markdown(panel)) {
        const entries = model.sharedModel.getSource().split(/^### /m).slice(1).map(entry => entry.split("\n"));
        const found = entries.find(([heading]) => heading.replaceAll(" ", "-") === id);
        if (found) return [found[0], found.slice(1).join("\n").trim()];
      }
    };
    panel.node.addEventListener("click", event => {
      const link = event.target.closest(':is(.jp-MarkdownCell, .counterside-sections) a[href^="#"]');
      const id = link && decodeURIComponent(link.hash.slice(1));
      const found = link && meaning(id);
      if (link && !found) {
        event.preventDefault();
        link.closest("[popover]")?.hidePopover();
        jump(panel, id);
      }
      if (!found) return;
      event.preventDefault();
      note.lang = TAGS[lang];
      note.setAttribute("aria-label", found[0]);
      note.replaceChildren(element("strong", {}, found[0]), element("p", {}, found[1]));
      link.focus();      // where the keyboard returns to
      note.showPopover();
      const { left, top, bottom } = link.getBoundingClientRect();
      const below = bottom + note.offsetHeight + 12 < window.innerHeight;
      Object.assign(note.style, {
        left: `${Math.max(8, Math.min(left, window.innerWidth - note.offsetWidth - 24))}px`,
        top: `${below ? bottom + 6 : top - note.offsetHeight - 6}px`,
      });
      note.focus({ preventScroll: true });
    });
  };

  // ---- what the reader cannot spoil -------------------------------------------------------
  const protect = panel => {
    const { model } = panel.context;
    for (const change of ["insertCells", "deleteCellRange", "moveCells"]) model.sharedModel[change] = () => {};
    const opened = model.toJSON();
    model.toJSON = () => opened;          // outputs belong to this visit: a save must not keep them
    model.stateChanged.connect((_, { name, newValue }) => {
      if (name === "dirty" && newValue) queueMicrotask(() => { model.dirty = false; });
    });

    // JupyterLab's shortcuts and menus listen further up: a letter typed here would edit the notebook.
    panel.node.addEventListener("keydown", event => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") event.preventDefault();
      event.stopPropagation();
    });
    panel.node.addEventListener("contextmenu", event => event.stopPropagation());
    panel.node.addEventListener("dblclick", event => {
      if (event.target.closest(".jp-MarkdownCell")) event.stopPropagation();
    }, true);
  };

  // ---- keeping the exercises alive --------------------------------------------------------
  const enliven = ({ panel, label, say, CodeCell, ServerConnection, serviceManager }) => {
    const { sessions, kernelspecs, serverSettings } = serviceManager;
    const context = panel.sessionContext;
    let current = false;      // the widgets on the page belong to the running kernel
    let complete = null;
    let tending = false;

    const run = async cell => {
      cell.node.style.minHeight = `${cell.node.offsetHeight}px`;   // the page must not jump while a widget is replaced
      setTimeout(() => { cell.node.style.minHeight = ""; }, 3000);
      // The tag keeps one broken exercise from cancelling those queued behind it.
      const reply = await CodeCell.execute(cell, context, { tags: ["raises-exception"] });
      const opened = reply?.content.status === "ok";
      cell.toggleClass("counterside-failed", !opened);
      label();
      return opened;
    };
    const drawn = async cell => {
      for (let turn = 0; turn < 40 && !cell.node.querySelector(".cs-host > *"); turn++) await pause(25);
    };
    // The first is there to be read while the others queue for the page: however many they are, it waits for none.
    const runAll = async () => {
      const [first, ...others] = panel.content.widgets.filter(({ model }) =>
        model.type === "code" && OURS.some(shape => shape.test(model.sharedModel.getSource())));
      if (!first) return [];
      const opened = await run(first);
      if (opened) await drawn(first);
      return [opened, ...await Promise.all(others.map(run))];
    };

    const answers = kernel => kernel?.connectionStatus === "connected" && ["idle", "busy"].includes(kernel.status);

    const repair = async kernel => {
      const url = serverSettings.baseUrl + (kernel ? `api/kernels/${kernel.id}` : "api/status");
      const { status } = await ServerConnection.makeRequest(url, { cache: "no-store" }, serverSettings);
      if (kernel && status === 200) {
        if (kernel.connectionStatus === "disconnected") await kernel.reconnect();
      } else if (status === 200 || status === 404) {
        await sessions.refreshRunning();     // lets go of a session that the server no longer knows
        await context.changeKernel({ name: KERNEL });
      }
    };

    const tend = async () => {
      if (tending) return;
      tending = true;
      for (let turn = 1; !panel.isDisposed; turn++) {
        const kernel = context.session?.kernel;
        if (!kernelspecs.specs?.kernelspecs[KERNEL] || (answers(kernel) && kernel.name !== KERNEL)) { say("failed"); break; }
        try {
          if (answers(kernel)) {
            if (!current) {
              current = true;
              complete = (await runAll()).every(Boolean);
            }
            if (current && answers(kernel)) { say(complete ? null : "failed"); break; }
          } else if (turn > 30 && turn % 5 === 0) {
            await repair(kernel);
          }
        } catch (error) {
          current = false;
          console.warn(`${NAME}: not yet`, error);
        }
        if (turn > 30 && complete !== null) say("lost");
        await pause(turn > 30 ? Math.min(turn * 10, 3000) : 50);   // most kernels come by themselves within 1.5 s
      }
      tending = false;
    };

    const renew = () => { current = false; tend(); };
    context.kernelChanged.connect(renew);
    context.statusChanged.connect((_, status) => {
      if (["restarting", "autorestarting", "dead"].includes(status)) renew();
    });
    context.connectionStatusChanged.connect((_, status) => { if (status !== "connected") tend(); });
    say("opening");
    Promise.race([context.ready, pause(20000)]).then(tend);   // ready never comes for a kernel that can't start
    return { isTending: () => tending };
  };

  // ---- JupyterLab around it ---------------------------------------------------------------
  const AROUND = "#jp-top-panel, #jp-menu-panel, #jp-title-panel, #jp-bottom-panel, .jp-SideBar.jp-mod-right";
  const makeRoom = (shell, around) => {
    const away = new Set();
    const parts = widget => [...widget.layout?.widgets ?? []].flatMap(part =>
      part.node.matches(around) ? [part] : part.id === "jp-main-content-panel" ? parts(part) : []);
    return () => {
      for (const part of away) part.show();
      away.clear();
      if (!shell.currentWidget?.hasClass("counterside")) return;
      shell.collapseLeft?.();
      shell.collapseRight?.();
      for (const part of parts(shell).filter(part => !part.isHidden)) {
        part.hide();
        away.add(part);
      }
    };
  };

  const activate = ({ serviceManager, shell }, tracker, lib) => {
    window.counterside = { extension: true };
    document.head.append(element("link", { rel: "stylesheet", href: STYLE }));
    // A /doc address is one chapter and nothing else; in /lab the file browser leads to the other chapters.
    const alone = location.href.startsWith(`${serviceManager.serverSettings.baseUrl}doc/`);
    const settle = makeRoom(shell, alone ? `${AROUND}, .jp-SideBar` : AROUND);

    // JupyterLab calls the browser's tab after the file. A panel's own title is no way out: to change that renames the file.
    const entitle = () => {
      const title = [...open].find(({ panel }) => panel === shell.currentWidget)?.title?.[lang];
      if (title && document.title !== title) document.title = title;
    };
    new MutationObserver(entitle).observe(document.head, { subtree: true, childList: true, characterData: true });
    window.addEventListener("counterside:lang", entitle);

    const adopt = async panel => {
      await panel.context.ready;
      const { model } = panel.context;
      const about = model.getMetadata("counterside");
      if (!about || model.getMetadata("kernelspec")?.name !== KERNEL) return;
      const { title, chapters, desk: isDesk = false } = about;
      const chapter = { ...lib, panel, serviceManager, title, chapters, isDesk, translate() {}, label() {}, say() {}, isTending() {} };
      open.add(chapter);
      entitle();
      panel.disposed.connect(() => { open.delete(chapter); settle(); });
      // Each step stands alone: what JupyterLab changes one day must not take the others with it.
      const steps = [() => protect(panel), () => Object.assign(chapter, dress(chapter)), () => explain(panel), settle,
                     () => Object.assign(chapter, enliven(chapter))];
      for (const step of steps) {
        try { step(); } catch (error) { console.error(`${NAME}:`, error); }
      }
    };
    const welcome = panel => adopt(panel).catch(error => console.error(`${NAME}:`, error));
    tracker.forEach(welcome);
    tracker.widgetAdded.connect((_, panel) => { welcome(panel); });
    shell.currentChanged?.connect(settle);

    // The page mends a lost kernel or server by itself, so dialogs about it are only in the way.
    lib.Dialog.tracker.widgetAdded.connect((_, dialog) => setTimeout(() => {
      if ([...open].some(({ panel, isTending }) => panel === shell.currentWidget && isTending())) dialog.reject();
    }));
  };

  // ---- the container that JupyterLab loads ------------------------------------------------
  let shared;
  const load = async name => {
    const [version] = Object.values(shared[name] ?? {});
    if (!version) throw new Error(`${NAME}: JupyterLab does not share ${name}`);
    return (await version.get())();
  };
  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB[NAME] = {
    init(scope) { shared = scope; },
    async get() {
      const names = ["@jupyterlab/notebook", "@jupyterlab/apputils", "@jupyterlab/cells", "@jupyterlab/services", "@lumino/widgets"];
      const lib = Object.assign({}, ...await Promise.all(names.map(load)));
      const plugin = {
        id: `${NAME}:plugin`,
        description: "Opens Counterside chapters ready to read and to play.",
        autoStart: true,
        requires: [lib.INotebookTracker],
        activate: (app, tracker) => activate(app, tracker, lib),
      };
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
