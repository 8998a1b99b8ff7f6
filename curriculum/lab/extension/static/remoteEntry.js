/* Counterside in JupyterLab: a chapter opens ready to read and to play.
   A module-federation container written by hand, so that nothing has to be built. */
(() => {
  "use strict";
  const NAME = "counterside";
  const KERNEL = "counterside";
  const TAGS = { zh: "zh-CN", en: "en" };
  const SAYS = {
    opening: { zh: "正在打开练习……", en: "Opening the exercises…" },
    lost: { zh: "连接中断，正在恢复。若一直不恢复，请刷新本页。",
            en: "Connection lost, reconnecting. If this lasts, reload the page." },
    failed: { zh: "有练习未能打开。请刷新本页；若仍不行，请告诉培训老师。",
              en: "Some exercises did not open. Reload the page; if that does not help, tell your trainer." },
  };
  // A notebook that nobody trusted may run these two shapes on opening and nothing else.
  const OURS = [
    /^\s*from\s+curriculum\.player\s+import\s+play[^\S\n]*\n\s*play\s*\(\s*"[a-z0-9]+(-[a-z0-9]+)*"\s*\)\s*$/,
    /^\s*from\s+curriculum\.player\s+import\s+hand_in[^\S\n]*\n\s*hand_in\s*\(\s*\)\s*$/,
  ];
  const { src } = document.currentScript;
  const STYLE = new URL(`style.css${new URL(src).search}`, src).href;
  const pause = ms => new Promise(done => setTimeout(done, ms));

  let shared;
  const load = async name => {
    const versions = shared[name];
    if (!versions) throw new Error(`${NAME}: JupyterLab does not share ${name}`);
    return (await Object.values(versions)[0].get())();
  };

  // ---- language ---------------------------------------------------------------------------
  const stored = localStorage.getItem("counterside.lang");
  let lang = stored in TAGS ? stored : navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
  const open = new Set();
  const choose = value => {
    localStorage.setItem("counterside.lang", value);
    window.dispatchEvent(new CustomEvent("counterside:lang", { detail: value }));
  };
  window.addEventListener("counterside:lang", ({ detail }) => {
    if (!(detail in TAGS) || detail === lang) return;
    lang = detail;
    for (const chapter of open) keepPlace(chapter.panel.content, chapter.translate);
  });

  const langOf = cell => cell.model.getMetadata("counterside")?.lang;

  /* The two languages of a passage differ in height: without this a reader who switches loses the line. */
  const keepPlace = (notebook, change) => {
    const scroller = notebook.node.querySelector(".jp-WindowedPanel-outer") ?? notebook.node;
    const edge = scroller.getBoundingClientRect().top;
    const at = notebook.widgets.find(({ node }) => node.offsetHeight && node.getBoundingClientRect().bottom > edge + 1);
    if (!at) return change();
    const box = at.node.getBoundingClientRect();
    const share = (edge - box.top) / box.height;
    const from = langOf(at);
    const place = from && notebook.widgets.filter(cell => langOf(cell) === from).indexOf(at);
    change();
    const to = from ? notebook.widgets.filter(cell => langOf(cell) === lang)[place] : at;
    if (!to || scroller.scrollTop === 0) return;
    const settle = () => {
      const now = to.node.getBoundingClientRect();
      scroller.scrollTop += now.top + share * now.height - edge;
    };
    settle();
    requestAnimationFrame(settle);   // heights of passages never drawn before were estimates
  };

  // ---- what the reader sees ---------------------------------------------------------------
  const element = (tag, attributes, ...children) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  };

  const dress = ({ panel, title, Widget }) => {
    const notebook = panel.content;
    const heading = element("p", { className: "counterside-title" });
    const buttons = Object.entries({ zh: "中文", en: "English" }).map(([value, textContent]) =>
      element("button", { type: "button", textContent, value, lang: TAGS[value], onclick: () => choose(value) }));
    const switcher = element("div", { className: "counterside-languages" }, ...buttons);
    switcher.setAttribute("role", "group");
    switcher.setAttribute("aria-label", "语言 / Language");
    const bar = element("header", { className: "counterside-bar" }, heading, switcher);
    const status = element("p", { className: "counterside-status" });
    status.setAttribute("role", "status");
    let said = null;

    const sort = () => {
      for (const cell of notebook.widgets) {
        const own = langOf(cell);
        if (!(own in TAGS)) continue;
        cell.addClass(`counterside-${own}`);
        cell.node.lang = TAGS[own];
      }
    };
    const say = key => {
      said = key;
      status.textContent = key ? SAYS[key][lang] : "";
    };
    const translate = () => {
      panel.node.dataset.countersideLang = lang;
      for (const node of [notebook.node, bar, status]) node.lang = TAGS[lang];
      heading.textContent = title?.[lang] ?? "";
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.value === lang));
      say(said);
    };

    panel.toolbar.hide();
    panel.contentHeader.addWidget(new Widget({ node: bar }));
    panel.node.append(status);
    panel.addClass("counterside");
    sort();
    translate();
    return { translate, say };
  };

  // ---- what the reader cannot spoil -------------------------------------------------------
  const protect = panel => {
    const { model } = panel.context;
    const cells = model.sharedModel;
    for (const change of ["insertCells", "deleteCellRange", "moveCells"]) cells[change] = () => {};
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
  const enliven = ({ panel, say, CodeCell, request, serviceManager }) => {
    const context = panel.sessionContext;
    const exercises = () => panel.content.widgets.filter(cell =>
      cell.model.type === "code" && OURS.some(shape => shape.test(cell.model.sharedModel.getSource())));
    let current = false;      // the widgets on the page belong to the running kernel
    let complete = false;
    let tending = false;

    const run = async cell => {
      cell.node.style.minHeight = `${cell.node.offsetHeight}px`;   // the page must not jump while a widget is replaced
      try {
        // The tag keeps one broken exercise from cancelling those queued behind it.
        const reply = await CodeCell.execute(cell, context, { tags: ["raises-exception"] });
        const opened = reply?.content.status === "ok";
        cell.toggleClass("counterside-failed", !opened);
        return opened;
      } finally {
        setTimeout(() => { cell.node.style.minHeight = ""; }, 1500);
      }
    };

    const answers = kernel => kernel?.connectionStatus === "connected" && ["idle", "busy"].includes(kernel.status);

    const repair = async kernel => {
      const { status } = await request(kernel ? `api/kernels/${kernel.id}` : "api/status");
      if (kernel && status === 200) {
        if (kernel.connectionStatus === "disconnected") await kernel.reconnect();
      } else if (status === 200 || status === 404) {
        await serviceManager.sessions.refreshRunning();   // lets go of a session that the server no longer knows
        await context.changeKernel({ name: KERNEL });
      }
    };

    const tend = async () => {
      if (tending) return;
      tending = true;
      for (let turn = 1; !panel.isDisposed; turn++) {
        const kernel = context.session?.kernel;
        const installed = serviceManager.kernelspecs.specs?.kernelspecs[KERNEL];
        if (!installed || (answers(kernel) && kernel.name !== KERNEL)) { say("failed"); break; }
        try {
          if (answers(kernel)) {
            if (!current) {
              current = true;
              complete = (await Promise.all(exercises().map(run))).every(Boolean);
            }
            if (current && answers(kernel)) { say(complete ? null : "failed"); break; }
          } else if (turn % 5 === 0) {
            await repair(kernel);
          }
        } catch (error) {
          current = false;
          console.warn(`${NAME}: not yet`, error);
        }
        if (turn > 3 && !answers(context.session?.kernel)) say("lost");
        await pause(Math.min(300 + turn * 10, 3000));
      }
      tending = false;
    };

    context.statusChanged.connect((_, status) => {
      if (["restarting", "autorestarting", "dead"].includes(status)) { current = false; tend(); }
    });
    context.kernelChanged.connect(() => { current = false; tend(); });
    context.connectionStatusChanged.connect((_, status) => { if (status !== "connected") tend(); });
    say("opening");
    Promise.race([context.ready, pause(20000)]).then(tend);   // ready never comes for a kernel that can't start
    return { waiting: () => tending };
  };

  // ---- JupyterLab around it ---------------------------------------------------------------
  const AROUND = "#jp-top-panel, #jp-menu-panel, #jp-title-panel, #jp-bottom-panel, .jp-SideBar.jp-mod-right";
  const makeRoom = (shell, around) => {
    const away = new Set();
    const parts = function* (widget) {
      for (const part of widget.layout?.widgets ?? []) {
        if (part.node.matches(around)) yield part;
        else if (part.id === "jp-main-content-panel") yield* parts(part);
      }
    };
    return () => {
      for (const part of away) part.show();
      away.clear();
      if (![...open].some(({ panel }) => panel === shell.currentWidget)) return;
      shell.collapseLeft?.();
      shell.collapseRight?.();
      for (const part of parts(shell)) {
        if (part.isHidden) continue;
        part.hide();
        away.add(part);
      }
    };
  };

  const activate = async (app, tracker, lib) => {
    window.counterside = { extension: true };
    document.head.append(element("link", { rel: "stylesheet", href: STYLE }));
    const { serviceManager, shell } = app;
    const { baseUrl } = serviceManager.serverSettings;
    const request = path =>
      lib.ServerConnection.makeRequest(baseUrl + path, { cache: "no-store" }, serviceManager.serverSettings);
    // A /doc address is one chapter and nothing else; in /lab the file browser leads to the other chapters.
    const alone = location.href.startsWith(`${baseUrl}doc/`);
    const settle = makeRoom(shell, alone ? `${AROUND}, .jp-SideBar` : AROUND);

    const adopt = async panel => {
      await panel.context.ready;
      const { model } = panel.context;
      const about = model.getMetadata("counterside");
      if (!about || model.getMetadata("kernelspec")?.name !== KERNEL) return;
      const chapter = { panel, title: about.title, translate() {}, say() {}, ...lib };
      open.add(chapter);
      panel.disposed.connect(() => { open.delete(chapter); settle(); });
      // Each step stands alone: what JupyterLab changes one day must not take the others with it.
      for (const step of [
        () => protect(panel),
        () => Object.assign(chapter, dress(chapter)),
        settle,
        () => Object.assign(chapter, enliven({ ...chapter, request, serviceManager })),
      ]) {
        try { step(); } catch (error) { console.error(`${NAME}:`, error); }
      }
    };
    const welcome = panel => adopt(panel).catch(error => console.error(`${NAME}:`, error));
    tracker.widgetAdded.connect((_, panel) => { welcome(panel); });
    tracker.forEach(welcome);
    shell.currentChanged?.connect(settle);

    // The page mends a lost kernel or server by itself, so dialogs about it are only in the way.
    lib.Dialog.tracker.widgetAdded.connect((_, dialog) => setTimeout(() => {
      if ([...open].some(({ panel, waiting }) => panel === shell.currentWidget && waiting?.())) dialog.reject();
    }));
  };

  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB[NAME] = {
    init(scope) { shared = scope; },
    async get(module) {
      if (module !== "./extension") throw new Error(`${NAME}: no module ${module}`);
      const names = ["notebook", "apputils", "cells", "services"].map(name => `@jupyterlab/${name}`);
      const modules = await Promise.all([...names, "@lumino/widgets"].map(load));
      const lib = Object.assign({}, ...modules);
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
