/* The scenario builder in the browser. The document lives here: fields, timeline and text all change it, and what each
 * change means is asked of the server, one request at a time, the latest winning. What is not saved is kept locally. */
(() => {
  "use strict";

  const { documents, builderForm, builderRun, drafts, onTheme, theme, address, clientside } = window.tftDash;
  const { get, set, copy } = documents;

  const PARTS = ["story", "fleet", "timeline", "faults", "clock"]; // of the form, as the server calls them
  const REST_MS = 300; // after the open part of the form, until the others are drawn
  const PAUSE_MS = 20; // after a change, until the server is asked
  const LEASE_MS = 8000; // a request that has no answer by then is given up
  const MOST_UNDONE = 100;

  let draft = null; // the document
  let about = null; // {slot, key, version, preset, saved}: what it is a draft of; saved is the document's text as saved
  let undone = [];
  let redone = [];
  let pages = {};
  let answer = { problems: [], outcomes: [] };
  let flight = null; // the preview's request without an answer
  let waiting = null; // the timer of the next one
  let dirty = false;
  let tasks = []; // savings, exports, texts: the first one is without an answer, the others wait for it
  let number = 0;
  let typed = null; // the field that is being typed in, as it was
  let formed = {}; // what is drawn of the form: each part's digest, as the server drew it
  let forming = { id: 0, left: [], isAsked: false }; // the last request for parts of the form, and which come after it
  let focusNext = ""; // the entry to be looked at once the form is drawn
  let focusBack = ""; // else the field that had the focus
  let textDirty = false;
  let theirs = null; // what somebody else has saved meanwhile
  let mounted = null;
  let observer = null;

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const page = builderForm.page;
  const text = () => JSON.stringify(draft);
  const isChanged = () => text() !== about.saved;

  function keepDraft() {
    if (!draft) return;
    if (isChanged()) drafts.keep(about.slot, draft, about.version);
    else drafts.drop(about.slot);
  }

  // ---------------------------------------------------------------- beginning

  function begin(start) {
    about = { slot: start.slot, key: start.key, version: start.version, preset: start.preset, saved: JSON.stringify(start.document) };
    draft = copy(start.document);
    [undone, redone, pages, answer, flight, tasks, typed, textDirty] = [[], [], {}, { problems: [], outcomes: [] }, null, [], null, false];
    const kept = drafts.of(about.slot);
    if (kept && JSON.stringify(kept.document) !== about.saved) {
      draft = kept.document;
      offerDraft(kept, start.version);
      if (about.key && kept.version) about.version = kept.version; // so that saving tells of what was saved meanwhile
    }
    setProps("builder-author", { value: drafts.author() });
    if (observer) observer.disconnect();
    observer = new MutationObserver(drawn);
    observer.observe(builderForm.form(), { childList: true, subtree: true });
    builderForm.openTab("story");
    formed = {};
    redraw();
    builderRun.resume(start.run);
  }

  function offerDraft(kept, version) {
    const bar = document.getElementById("builder-draft");
    const when = new Date(kept.at);
    const today = when.toDateString() === new Date().toDateString();
    const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const words = document.createElement("span");
    words.textContent = `Unsaved changes from ${today ? "" : `${when.toLocaleDateString()}, `}${time}.`;
    if (about.key && kept.version && kept.version !== version) words.textContent += ` They are based on version ${kept.version}; version ${version} is saved by now.`;
    bar.replaceChildren(words, button("Keep", "keep-draft"), button("Discard", "discard-draft"));
  }

  function button(words, act) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className: "text-button", textContent: words });
    made.dataset.act = act;
    return made;
  }

  const closeDraftBar = () => document.getElementById("builder-draft").replaceChildren();

  // ---------------------------------------------------------------- changing the document

  /** Remember the document as it is, for undo. */
  function remember(was = text()) {
    if (undone.at(-1) === was) return;
    undone.push(was);
    if (undone.length > MOST_UNDONE) undone.shift();
    redone = [];
  }

  /** After any change: everything but the form's structure follows. */
  function changed() {
    reflect();
    schedule();
    window.clearTimeout(keepDraft.timer);
    keepDraft.timer = window.setTimeout(keepDraft, 250);
  }

  /** After a change of structure: what of the form differs is drawn anew, the open part before the others. */
  function redraw() {
    focusBack = document.activeElement?.id;
    typed = null; // it was another document's
    const first = PARTS.filter((part) => part === builderForm.tab());
    form(first.length ? first : PARTS, first.length ? PARTS.filter((part) => !first.includes(part)) : []);
    changed();
  }

  /** Have ``parts`` of the form drawn, and those ``left`` after them. */
  function form(parts, left = []) {
    forming = { id: (number += 1), left, isAsked: true };
    setProps("builder-structure", { data: { document: draft, pages, id: forming.id, parts, formed } });
  }

  /** The server has drawn the parts that it was asked for. */
  function builderFormed(data) {
    if (!data || data.id !== forming.id || !page()) return;
    Object.assign(formed, data.formed);
    forming.isAsked = false;
    settle();
    if (forming.left.length) window.setTimeout(() => data.id === forming.id && form(forming.left), REST_MS);
  }

  function restructure(change) {
    remember();
    const at = change();
    if (typeof at === "string") focusNext = at;
    redraw();
  }

  function travel(from, to) {
    if (!from.length) return;
    to.push(text());
    draft = JSON.parse(from.pop());
    redraw();
    if (builderForm.tab() === "document" && !textDirty) askTask("text");
  }

  function replace(document_) {
    remember();
    draft = copy(document_);
    redraw();
  }

  // ---------------------------------------------------------------- fields

  /** A time that two fields share: both sides of a border, or the drill's end. */
  function partnerOf(path) {
    const phase = /^spec\.phases\[(\d+)\]\.(from|to)$/.exec(path);
    const phases = get(draft, "spec.phases");
    if (!Array.isArray(phases)) return null;
    let other = null;
    if (phase && phase[2] === "to") other = `spec.phases[${Number(phase[1]) + 1}].from`;
    else if (phase) other = `spec.phases[${Number(phase[1]) - 1}].to`;
    else if (path === "spec.clock.duration") other = `spec.phases[${phases.length - 1}].to`;
    const [mine, theirs] = [documents.seconds(get(draft, path)), other && documents.seconds(get(draft, other))];
    return other && mine !== null && mine === theirs ? other : null;
  }

  function onFocus(event) {
    const place = event.target.closest("[data-path]");
    typed = place ? asItIs(place.dataset.path) : null;
  }

  const asItIs = (path) => ({ path, was: text(), value: get(draft, path), partner: partnerOf(path) });

  function onInput(event) {
    const place = event.target.closest("[data-path]");
    if (!place || !draft) return;
    const { path, kind } = place.dataset;
    const value = builderForm.valueOf(kind, event.target.value, event.target);
    if (JSON.stringify(value) === JSON.stringify(get(draft, path))) return;
    if (!typed || typed.path !== path) typed = asItIs(path);
    set(draft, path, value);
    const { partner } = typed;
    if (partner && documents.seconds(value) !== null) {
      set(draft, partner, value);
      builderForm.show(partner, draft);
    }
    changed();
  }

  function onChange(event) {
    const shape = event.target.closest("[data-shape]");
    if (shape) {
      const { shape: name, of } = shape.dataset;
      restructure(() => documents.shapes[name](draft, of, event.target.value));
      return;
    }
    const place = event.target.closest("[data-path]");
    if (!place || !typed || typed.path !== place.dataset.path) return;
    finishTyping();
  }

  /** A field was left or entered: the change is one step of undo, and what hangs on it follows. */
  function finishTyping() {
    const { path, was, value, partner } = typed;
    if (was === text()) return;
    remember(was);
    const now = get(draft, path);
    typed = asItIs(path);
    if (documents.follow(draft, path, value, now)) redraw();
    else if (path === "spec.clock.duration" && partner && endRule() === "scale") rescale(was, now);
  }

  function rescale(was, now) {
    const length = documents.seconds(now);
    if (!length) return;
    draft = JSON.parse(was);
    documents.setDuration(draft, length, true);
    redraw();
  }

  const endRule = () => document.getElementById("builder-end-rule")?.value ?? "extend";

  // ---------------------------------------------------------------- reflecting

  function reflect() {
    if (!page()) return;
    const title = get(draft, "metadata.title") || get(draft, "metadata.name") || "Drill without a name";
    const head = page().querySelector("[data-shows=title]");
    if (head.textContent !== String(title)) head.textContent = String(title);
    reflectState();
    window.tftDash.timeline.draw(document.getElementById("builder-timeline"), draft, hands);
    for (const [act, stack] of [["undo", undone], ["redo", redone]]) page().querySelector(`[data-act=${act}]`).disabled = !stack.length;
  }

  function reflectState(words) {
    const place = document.getElementById("builder-status");
    const usual = about.preset ? "Preset: saving makes your own copy" : about.key ? `Saved, version ${about.version}` : "Not saved yet";
    const said = words ?? (isChanged() ? "Unsaved changes" : usual);
    if (place.textContent !== said) place.textContent = said;
  }

  function reflectAnswer() {
    builderForm.showProblems(answer.problems);
    builderForm.showOutcomes(answer.outcomes ?? []);
    const count = answer.problems.length;
    const mistakes = page().querySelector(".mistakes");
    mistakes.hidden = !count;
    mistakes.textContent = count === 1 ? "1 mistake" : `${count} mistakes`;
    page().dataset.preview = count || answer.failed ? "stale" : "current";
    const compare = page().querySelector("[data-shows=compare]");
    const model = document.getElementById("builder-model").value;
    const query = answer.recording ? `?${new URLSearchParams({ a: answer.recording, am: model })}` : "";
    compare.setAttribute("href", address(`compare${query}`));
    if (!answer.ticks) return;
    const [ticks, servers] = [answer.ticks.toLocaleString("en"), answer.servers.toLocaleString("en")];
    const size = `${servers} ${answer.servers === 1 ? "server" : "servers"} × ${ticks} ticks = ${(answer.ticks * answer.servers).toLocaleString("en")} rows.`;
    for (const note of page().querySelectorAll("[data-fleet-size], [data-clock-note]")) note.textContent = size;
  }

  /** Parts of the form have been drawn anew. */
  function drawn(records) {
    if (records.some((record) => [...record.addedNodes].some((node) => node.nodeType === 1))) settle();
  }

  /** Have the form say what the document says and what is wrong with it, and give the focus where it belongs. */
  function settle() {
    if (!draft || settle.asked) return;
    settle.asked = window.requestAnimationFrame(() => {
      settle.asked = null;
      if (!page() || !builderForm.form().querySelector("[data-group]")) return;
      builderForm.showTab();
      builderForm.showTyped(draft);
      reflectAnswer();
      const isFound = Boolean(focusNext) && builderForm.focusItem(focusNext);
      if (!focusNext && focusBack && document.activeElement === document.body) document.getElementById(focusBack)?.focus();
      if (isFound || !forming.left.length) focusNext = "";
      focusBack = "";
      onFocus({ target: document.activeElement });
    });
  }

  // ---------------------------------------------------------------- the preview: one request at a time

  function schedule(pause = PAUSE_MS) {
    dirty = true;
    window.clearTimeout(waiting);
    waiting = window.setTimeout(ask, pause);
  }

  function ask() {
    if (!draft || !page() || !dirty) return;
    if (flight && Date.now() - flight.sent < LEASE_MS) return;
    dirty = false;
    flight = { id: (number += 1), sent: Date.now() };
    const model = document.getElementById("builder-model").value;
    setProps("builder-request", { data: { id: flight.id, document: draft, model, theme: theme() } });
    window.setTimeout(() => flight && Date.now() - flight.sent >= LEASE_MS && schedule(0), LEASE_MS + 50);
  }

  function builderPreviewed(data) {
    if (!data || !flight || data.id !== flight.id || !page()) return;
    flight = null;
    const outcomes = data.problems.length || data.failed ? [] : data.outcomes;
    answer = { ...data, outcomes };
    reflectAnswer();
    if (dirty) ask();
  }

  // ---------------------------------------------------------------- saving, text, export

  /** One after the other: Dash drops the answer to a request that another one follows. */
  function askTask(act, parts = {}) {
    tasks.push({ act, parts });
    if (tasks.length === 1 || Date.now() - tasks[0].sent >= LEASE_MS) sendTask();
  }

  function sendTask() {
    if (tasks[0]?.sent) tasks.shift(); // given up
    if (!tasks.length || !page()) return;
    const { act, parts } = tasks[0];
    Object.assign(tasks[0], { id: (number += 1), sent: Date.now(), said: text() });
    if (act === "save" || act === "copy") reflectState("Saving…");
    const { key, version, preset } = about;
    setProps("builder-task", { data: { id: number, act, key, version, preset, document: draft, author: drafts.author(), ...parts } });
  }

  function builderDone(data) {
    if (!data || !tasks.length || data.id !== tasks[0].id || !page()) return;
    const { said } = tasks.shift();
    if (data.error) reflectState(`Not done: ${data.error}`);
    else if (data.mistakes) refuse(data.mistakes, data.act === "export" ? "Not exported" : "Not saved");
    else if (data.saved) landSaved(data.saved, said);
    else if (data.conflict) landConflict(data.conflict);
    else if (data.document) {
      textDirty = false;
      replace(data.document);
    } else if (data.text !== undefined && !textDirty) setProps("builder-text", { value: data.text });
    if (tasks.length) sendTask();
  }

  function refuse(count, what) {
    const mistakes = count === 1 ? "1 mistake" : `${count} mistakes`;
    reflectState(`${what}: ${mistakes} to mend first. Your draft is kept in this browser.`);
    schedule(0);
  }

  function landSaved(entry, said) {
    const moved = entry.key !== about.key;
    drafts.drop(about.slot);
    about = { slot: entry.key, key: entry.key, version: entry.version, preset: false, saved: said };
    theirs = null;
    if (moved) window.history.replaceState(window.history.state, "", address(`scenarios/${entry.key}`) + (builderRun.id() ? `?${new URLSearchParams({ run: builderRun.id() })}` : ""));
    closeDraftBar();
    keepDraft();
    reflect();
  }

    function landConflict(entry) {
    theirs = entry;
    reflectState("Not saved: somebody else saved meanwhile.");
    window.requestAnimationFrame(() => document.querySelector(".conflict")?.focus());
  }

  function takeTheirs() {
    about = { ...about, version: theirs.version, saved: JSON.stringify(theirs.document) };
    replace(theirs.document); // mine is one step of undo away
    clearConflict();
  }

  function clearConflict() {
    setProps("builder-conflict", { children: [] });
    theirs = null;
  }

  // ---------------------------------------------------------------- buttons and keys

  const ACTS = {
    save: () => askTask("save"),
    copy: () => askTask("copy"),
    "save-copy": () => askTask("copy"),
    "save-over": () => {
      about.version = theirs.version;
      askTask("save");
    },
    "take-theirs": takeTheirs,
    "export-yaml": () => askTask("export", { format: "yaml" }),
    "export-json": () => askTask("export", { format: "json" }),
    run: () => builderRun.start(draft),
    "cancel-run": builderRun.cancel,
    "close-run": builderRun.close,
    undo: () => travel(undone, redone),
    redo: () => travel(redone, undone),
    mistakes: builderForm.toFirstProblem,
    "keep-draft": closeDraftBar,
    "discard-draft": () => {
      remember();
      draft = JSON.parse(about.saved);
      closeDraftBar();
      redraw();
    },
    "apply-text": () => askTask("apply", { text: document.getElementById("builder-text").value }),
    "revert-text": () => {
      textDirty = false;
      askTask("text");
    },
    seed: () => restructure(() => set(draft, "spec.seed", Math.floor(Math.random() * 1e6))),
    explicit: () => restructure(() => set(draft, "spec.phases", documents.usualPhases(documents.whole(draft) ?? 300))),
    usual: () => restructure(() => set(draft, "spec.phases", undefined)),
  };

  /** What the buttons of lists do; each answers which entry is to be looked at next. */
  const LIST_ACTS = {
    add: (of) => `${of}[${documents.add[of](draft)}]`,
    copy: (of, at) => `${of}[${documents.duplicate(draft, of, at)}]`,
    up: (of, at) => `${of}[${documents.move(draft, of, at, -1)}]`,
    down: (of, at) => `${of}[${documents.move(draft, of, at, 1)}]`,
    remove: (of, at) => {
      if (of === "spec.phases") documents.removePhase(draft, at);
      else set(draft, `${of}[${at}]`, undefined);
      return `${of}[${Math.max(at - 1, 0)}]`;
    },
    "add-point": (of) => {
      const points = get(draft, of);
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
    if (of && LIST_ACTS[act]) return restructure(() => LIST_ACTS[act](of, Number(at), Number(shown)));
    return ACTS[act]?.();
  }

  function openTab(name) {
    builderForm.openTab(name);
    if (forming.left.includes(name) && !forming.isAsked) form([name, ...forming.left.filter((part) => part !== name)]);
    if (name === "document" && !textDirty) askTask("text");
  }

  const isText = (target) => target.matches?.("textarea, select, input:not([type=checkbox])");

  function onKey(event) {
    if (!page() || !draft) return;
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
      change(draft);
      for (const path of paths) builderForm.show(path, draft);
      changed();
    },
    drop: (isNewShape) => {
      if (isNewShape) redraw();
    },
    open: (path) => {
      if (!builderForm.focusItem(path)) focusNext = path; // its part of the form is still to be drawn
    },
    endRule,
  };

  const within = (act) => (event) => {
    if (draft && page() && event.target.closest?.("#builder-page")) act(event);
  };

  document.addEventListener("focusin", within(onFocus));
  document.addEventListener("change", within(onChange));
  document.addEventListener("click", within(onClick));
  document.addEventListener("keydown", onKey);
  document.addEventListener("input", within((event) => {
    if (event.target.id === "builder-author") drafts.setAuthor(event.target.value);
    else if (event.target.id === "builder-text") textDirty = true;
    else onInput(event);
  }));
  window.addEventListener("pagehide", keepDraft);
  onTheme(() => draft && page() && schedule(0));

  /** Dash tells of the page and of the chosen model. */
  function builderStart(start) {
    if (start && mounted === page()) schedule(0);
    else if (start) {
      mounted = page();
      begin(start);
    }
    return window.dash_clientside.no_update;
  }

  const builderRan = (data) => builderRun.landed(data, refuse);

  clientside({ builderStart, builderFormed, builderPreviewed, builderDone, builderRan });
})();
