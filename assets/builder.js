/* The scenario builder in the browser. The document lives here: fields, timeline and text all change it, the form and the
 * timeline follow it, and every change can be undone. */
(() => {
  "use strict";

  const { documents, desk, builderForm, builderPreview, builderRun, builderSaving, drafts, onTheme, clientside } = window.tftDash;
  const { get, set, copy } = documents;

  const PARTS = ["story", "fleet", "timeline", "faults", "clock"]; // of the form, as the server calls them
  const FORGET_MS = 1000; // after the form is drawn, until what was to be looked at and is not there is forgotten
  const MOST_UNDONE = 100;
  const PAGE = 20; // entries of a long list that the server draws at a time
  const LONG = /^(spec\.(?:fleet\.profiles|phases|faults))\[(\d+)\]/;

  let undone = [];
  let redone = [];
  let pages = {};
  let number = 0;
  let typed = null; // the field that is being typed in, as it was
  let formed = {}; // what is drawn of the form: each part's digest, as the server drew it
  let forming = { id: 0, isAsked: false }; // the last request for a part of the form
  let focusNext = ""; // the path that is to be looked at once the form is drawn
  let focusBack = ""; // else the field that had the focus
  let mounted = null;
  let observer = null;

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const page = builderForm.page;

  // ---------------------------------------------------------------- beginning

  function begin(start) {
    desk.begin(start);
    builderPreview.reset();
    builderSaving.reset();
    [undone, redone, pages, typed, formed] = [[], [], {}, null, {}];
    setProps("builder-author", { value: drafts.author() });
    if (observer) observer.disconnect();
    observer = new MutationObserver(drawn);
    observer.observe(builderForm.form(), { childList: true, subtree: true });
    builderForm.openTab("story");
    redraw();
    builderRun.resume(start.run);
    builderSaving.differ();
  }

  // ---------------------------------------------------------------- changing the document

  /** Remember the document as it is, for undo. */
  function remember(was = desk.text()) {
    if (undone.at(-1) === was) return;
    undone.push(was);
    if (undone.length > MOST_UNDONE) undone.shift();
    redone = [];
  }

  /** After any change: everything but the form's structure follows. */
  function changed() {
    reflect();
    builderPreview.schedule();
    desk.keepSoon(() => page() && !desk.isKept && builderSaving.say());
  }

  /** After a change of structure: what of the form differs is drawn anew. */
  function redraw() {
    focusBack = document.activeElement?.id;
    typed = null; // it was another document's
    form();
    changed();
  }

  /** Have the open part of the form drawn, and no other: every field costs time at every change. */
  function form() {
    const parts = PARTS.filter((part) => part === builderForm.tab());
    forming = { id: (number += 1), isAsked: true };
    setProps("builder-structure", { data: { document: desk.draft, pages, id: forming.id, parts, formed } });
  }

  /** The server has drawn the part that it was asked for. */
  function builderFormed(data) {
    if (!data || data.id !== forming.id || !page()) return;
    formed = data.formed;
    forming.isAsked = false;
    settle();
    window.setTimeout(() => data.id === forming.id && mend(), FORGET_MS);
  }

  /** Answers that crossed may have left the open part empty: it is drawn once more, from nothing. */
  function mend() {
    const name = builderForm.tab();
    if (!page() || !PARTS.includes(name) || document.getElementById(`builder-group-${name}`)) return;
    formed = {};
    form();
  }

  function restructure(change) {
    remember();
    const at = change();
    if (typeof at === "string") lookAt(at);
    redraw();
  }

  /** Have the entry or the mistake at ``path`` looked at, once its part of the form is drawn. */
  function lookAt(path) {
    focusNext = path;
    const part = builderForm.partOf(path);
    const [, list, place] = LONG.exec(path) ?? [];
    const isElsewhere = list !== undefined && (pages[list] ?? 0) !== Math.floor(place / PAGE);
    if (isElsewhere) pages = { ...pages, [list]: Math.floor(place / PAGE) };
    if (part && part !== builderForm.tab()) openTab(part);
    else if (isElsewhere) form();
  }

  function travel(from, to) {
    while (from.length && from.at(-1) === desk.text()) from.pop(); // a change that came to nothing is no step
    if (!from.length) return reflect();
    to.push(desk.text());
    desk.draft = JSON.parse(from.pop());
    redraw();
    if (builderForm.tab() === "document" && !builderSaving.isTextDirty()) builderSaving.ask("text");
  }

  function replace(document_) {
    remember();
    desk.draft = copy(document_);
    redraw();
  }

  // ---------------------------------------------------------------- fields

  /** A time that two fields share: both sides of a border, or the drill's end. */
  function partnerOf(path) {
    const phase = /^spec\.phases\[(\d+)\]\.(from|to)$/.exec(path);
    const phases = get(desk.draft, "spec.phases");
    if (!Array.isArray(phases)) return null;
    let other = null;
    if (phase && phase[2] === "to") other = `spec.phases[${Number(phase[1]) + 1}].from`;
    else if (phase) other = `spec.phases[${Number(phase[1]) - 1}].to`;
    else if (path === "spec.clock.duration") other = `spec.phases[${phases.length - 1}].to`;
    const [mine, theirs] = [documents.seconds(get(desk.draft, path)), other && documents.seconds(get(desk.draft, other))];
    return other && mine !== null && mine === theirs ? other : null;
  }

  function onFocus(event) {
    const place = event.target.closest("[data-path]");
    typed = place ? asItIs(place.dataset.path) : null;
  }

  const asItIs = (path) => ({ path, was: desk.text(), value: get(desk.draft, path), partner: partnerOf(path) });

  function onInput(event) {
    const place = event.target.closest("[data-path]");
    if (!place || !desk.draft) return;
    const { path, kind } = place.dataset;
    const value = builderForm.valueOf(kind, event.target.value, event.target);
    if (JSON.stringify(value) === JSON.stringify(get(desk.draft, path))) return;
    if (!typed || typed.path !== path) typed = asItIs(path);
    set(desk.draft, path, value);
    const { partner } = typed;
    if (partner && documents.seconds(value) !== null) {
      set(desk.draft, partner, value);
      builderForm.show(partner, desk.draft);
    }
    changed();
  }

  function onChange(event) {
    const shape = event.target.closest("[data-shape]");
    if (shape) {
      const { shape: name, of } = shape.dataset;
      restructure(() => documents.shapes[name](desk.draft, of, event.target.value));
      return;
    }
    const place = event.target.closest("[data-path]");
    if (!place || !typed || typed.path !== place.dataset.path) return;
    finishTyping();
  }

  /** A field was left or entered: the change is one step of undo, and what hangs on it follows. */
  function finishTyping() {
    const { path, was, value, partner } = typed;
    if (was === desk.text()) return;
    remember(was);
    const now = get(desk.draft, path);
    typed = asItIs(path);
    if (documents.follow(desk.draft, path, value, now)) redraw();
    else if (path === "spec.clock.duration" && partner && endRule() === "scale") rescale(was, now);
  }

  function rescale(was, now) {
    const length = documents.seconds(now);
    if (!length) return;
    desk.draft = JSON.parse(was);
    documents.setDuration(desk.draft, length, true);
    redraw();
  }

  const endRule = () => document.getElementById("builder-end-rule")?.value ?? "extend";

  // ---------------------------------------------------------------- reflecting

  function reflect() {
    if (!page()) return;
    const title = get(desk.draft, "metadata.title") || get(desk.draft, "metadata.name") || "Drill without a name";
    const head = page().querySelector("[data-shows=title]");
    if (head.textContent !== String(title)) head.textContent = String(title);
    builderSaving.say();
    window.tftDash.timeline.draw(document.getElementById("builder-timeline"), desk.draft, hands);
    for (const [act, stack] of [["undo", undone], ["redo", redone]]) page().querySelector(`[data-act=${act}]`).disabled = !stack.length;
  }

  /** Parts of the form have been drawn anew. */
  function drawn(records) {
    if (records.some((record) => [...record.addedNodes].some((node) => node.nodeType === 1))) settle();
  }

  /** Have the form say what the document says and what is wrong with it, and give the focus where it belongs. */
  function settle() {
    if (!desk.draft || settle.asked) return;
    settle.asked = window.requestAnimationFrame(() => {
      settle.asked = null;
      if (!page() || !builderForm.form().querySelector("[data-group]")) return;
      builderForm.showTab();
      builderForm.showTyped(desk.draft);
      builderPreview.reflect();
      if (focusNext) look();
      else if (focusBack && document.activeElement === document.body) document.getElementById(focusBack)?.focus();
      focusBack = "";
      onFocus({ target: document.activeElement });
    });
  }

  /** Give the focus to what is to be looked at, if it is drawn; what is not there is forgotten after a while. */
  function look() {
    const wanted = focusNext;
    if (builderForm.focusItem(wanted) || builderForm.focusProblem(wanted)) focusNext = "";
    else if (!forming.isAsked) window.setTimeout(() => focusNext === wanted && (focusNext = ""), FORGET_MS);
  }

  function toFirstProblem() {
    const path = builderForm.firstProblem();
    if (path === null) return;
    lookAt(path);
    settle();
  }

  // ---------------------------------------------------------------- buttons and keys

  const ACTS = {
    save: () => builderSaving.ask("save"),
    copy: () => builderSaving.ask("copy"),
    "save-copy": () => builderSaving.ask("copy"),
    "save-over": builderSaving.saveOver,
    "take-theirs": builderSaving.takeTheirs,
    "export-yaml": () => builderSaving.ask("export", { format: "yaml" }),
    "export-json": () => builderSaving.ask("export", { format: "json" }),
    run: () => builderRun.start(desk.draft),
    "cancel-run": builderRun.cancel,
    "close-run": builderRun.close,
    undo: () => travel(undone, redone),
    redo: () => travel(redone, undone),
    mistakes: toFirstProblem,
    "keep-draft": desk.closeBar,
    "discard-draft": builderSaving.discard,
    "fetch-draft": () => {
      const document_ = desk.fetch();
      if (document_) replace(document_);
      builderSaving.differ();
    },
    "forget-draft": desk.forget,
    "apply-text": () => builderSaving.ask("apply", { text: document.getElementById("builder-text").value }),
    "revert-text": () => {
      builderSaving.markText(false);
      builderSaving.ask("text");
    },
    seed: () => restructure(() => set(desk.draft, "spec.seed", Math.floor(Math.random() * 1e6))),
    explicit: () => restructure(() => void documents.ownPhases(desk.draft)),
    usual: () => restructure(() => set(desk.draft, "spec.phases", undefined)),
  };

  /** What the buttons of lists do; each answers which entry is to be looked at next. */
  const LIST_ACTS = {
    add: (of) => `${of}[${documents.add[of](desk.draft)}]`,
    copy: (of, at) => `${of}[${documents.duplicate(desk.draft, of, at)}]`,
    up: (of, at) => `${of}[${documents.move(desk.draft, of, at, -1)}]`,
    down: (of, at) => `${of}[${documents.move(desk.draft, of, at, 1)}]`,
    remove: (of, at) => {
      if (of === "spec.phases") documents.removePhase(desk.draft, at);
      else set(desk.draft, `${of}[${at}]`, undefined);
      return `${of}[${Math.max(at - 1, 0)}]`;
    },
    "add-point": (of) => {
      const points = get(desk.draft, of);
      const last = points.at(-1);
      points.push({ at: 1, value: typeof last?.value === "number" ? last.value : 1 });
    },
    page: (of, _at, shown) => {
      pages = { ...pages, [of]: shown };
    },
  };

  function onClick(event) {
    const tab = event.target.closest("[data-tab]");
    if (tab) return openTab(tab.dataset.tab);
    const pressed = event.target.closest("[data-act]");
    if (!pressed || !page()?.contains(pressed)) return undefined;
    const { act, of, at, page: shown } = pressed.dataset;
    if (pressed.getAttribute("aria-disabled") === "true") return refuse(act);
    if (of && LIST_ACTS[act]) return restructure(() => LIST_ACTS[act](of, Number(at), Number(shown)));
    return ACTS[act]?.();
  }

  /** What a document with mistakes cannot have done to it: why, and where to begin. */
  function refuse(act) {
    builderSaving.refuse(builderPreview.problems(), act === "run" ? "Not run" : "Not exported");
    toFirstProblem();
  }

  function openTab(name) {
    builderForm.openTab(name);
    if (PARTS.includes(name)) form();
    if (name === "document" && !builderSaving.isTextDirty()) builderSaving.ask("text");
  }

  const isText = (target) => target.matches?.("textarea, select, input:not([type=checkbox])");

  function onKey(event) {
    if (!page() || !desk.draft) return;
    if (event.target.matches?.("[data-tab]")) {
      const name = builderForm.tabKey(event);
      if (name) openTab(name);
    }
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const act = key === "s" ? "save" : isText(event.target) ? null : key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : null;
    if (!act) return;
    event.preventDefault();
    if (typed) finishTyping();
    ACTS[act]();
  }

  /** What the timeline may do to the document. */
  const hands = {
    take: () => remember(),
    move: (change, paths) => {
      change(desk.draft);
      for (const path of paths) builderForm.show(path, desk.draft);
      changed();
    },
    drop: (isNewShape) => {
      if (isNewShape) redraw();
    },
    open: (path, isExplicit) => {
      if (path.startsWith("spec.phases") && !isExplicit) openTab("timeline"); // the usual story has no entries
      else lookAt(path);
      settle();
    },
    endRule,
  };

  const within = (act) => (event) => {
    if (desk.draft && page() && event.target.closest?.("#builder-page")) act(event);
  };

  document.addEventListener("focusin", within(onFocus));
  document.addEventListener("change", within(onChange));
  document.addEventListener("click", within(onClick));
  document.addEventListener("keydown", onKey);
  document.addEventListener("input", within((event) => {
    if (event.target.id === "builder-author") drafts.setAuthor(event.target.value);
    else if (event.target.id === "builder-text") builderSaving.markText(true);
    else onInput(event);
  }));
  window.addEventListener("pagehide", () => desk.keep(true));
  window.addEventListener("pageshow", (event) => event.persisted && desk.keep());
  window.addEventListener("beforeunload", (event) => {
    if (page() && desk.draft && !desk.isKept && desk.isChanged()) event.preventDefault(); // it would be lost
  });
  onTheme(() => desk.draft && page() && builderPreview.schedule(0));

  /** Dash tells of the page and of the chosen model. */
  function builderStart(start) {
    if (start && mounted === page()) builderPreview.schedule(0);
    else if (start) {
      mounted = page();
      begin(start);
    }
    return window.dash_clientside.no_update;
  }

  const builderRan = (data) => builderRun.landed(data, builderSaving.refuse);

  builderSaving.attach({ replace, reflect });
  clientside({ builderStart, builderFormed, builderRan });
})();
