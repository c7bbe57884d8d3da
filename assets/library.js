/* The library of scenarios in the browser: search, the cards' buttons, import, undo, and what others do meanwhile. */
(() => {
  "use strict";

  const { clientside, drafts, libraryCards, libraryFiles } = window.tftDash;
  const { button, showRenaming } = libraryCards;
  const { tell } = window.tftDash.libraryToast;
  const KEPT = "tft-dash-library";
  const LOOK_MS = 4000; // between looks at what others have done
  const LEASE_MS = 10000; // a request without an answer by then is given up
  const LOST = "The server does not answer. The cards are as they were; the page goes on asking.";
  const UNSURE = "The server has not answered, and the change may not have been made. The page goes on asking.";
  const NOTHING = {
    own: "The team has saved no drill yet. Begin a new one, or duplicate a preset.",
    archived: "Nothing is archived.",
    deleted: "Nothing was deleted.",
  };

  let number = 0;
  // Kept for who comes back from a scenario to the same tab.
  let { shelf, search } = { shelf: "all", search: "", ...kept() };
  let mounted = null;
  let shown = null; // {stamp, cards} as they were drawn
  let waiting = []; // what was asked for, one after the other: nothing overtakes, and no answer is lost
  let flight = null;
  let looked = 0;

  const page = () => document.getElementById("scenarios-page");
  const list = () => document.getElementById("scenarios-list");
  const items = () => [...(list()?.children ?? [])];
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);

  function kept() {
    try {
      return JSON.parse(window.sessionStorage.getItem(KEPT)) ?? {};
    } catch {
      return {}; // storage may be forbidden, or another version's; the search then lasts for the page
    }
  }

  function keep() {
    try {
      window.sessionStorage.setItem(KEPT, JSON.stringify({ shelf, search }));
    } catch {
      // see kept()
    }
  }

  // ---------------------------------------------------------------- what is shown

  function filter() {
    const words = libraryCards.fold(search).split(/\s+/).filter(Boolean);
    const counts = { all: 0, own: 0, preset: 0, archived: 0, deleted: 0 };
    let found = 0;
    for (const item of items()) {
      const isOn = (name) => (name === "all" ? ["own", "preset"].includes(item.card.shelf) : item.card.shelf === name);
      const isMatch = libraryCards.matches(item.card, words);
      for (const name of Object.keys(counts)) if (isMatch && isOn(name)) counts[name] += 1;
      item.hidden = !(isMatch && isOn(shelf));
      found += item.hidden ? 0 : 1;
      item.querySelector("[data-draft-of]").hidden = !drafts.isKept(item.card.key);
    }
    for (const tab of page().querySelectorAll("#scenarios-filter [data-shelf]")) {
      tab.setAttribute("aria-pressed", String(tab.dataset.shelf === shelf));
      tab.querySelector(".tab-count").textContent = String(counts[tab.dataset.shelf]);
    }
    tellFound(found, counts);
  }

  /** What the search has found, read out too; where it is nothing, the way on. */
  function tellFound(found, counts) {
    const place = document.getElementById("scenarios-found");
    const elsewhere = found ? [] : [...page().querySelectorAll("#scenarios-filter [data-shelf]")].filter(
      (tab) => tab.dataset.shelf !== shelf && counts[tab.dataset.shelf] && search);
    const words = search
      ? found ? `${found} found.` : `Nothing here matches “${search}”.`
      : found ? "" : NOTHING[shelf];
    place.replaceChildren(words);
    place.classList.toggle("visually-hidden", found > 0);
    if (search && !found) {
      for (const tab of elsewhere.slice(0, 1)) {
        const go = button("shelf", `${counts[tab.dataset.shelf]} under ${tab.firstChild.textContent}`);
        go.dataset.shelf = tab.dataset.shelf;
        place.append(" ", go);
      }
      place.append(" ", button("clear", "Clear the search"));
    }
  }

  // ---------------------------------------------------------------- requests, one at a time

  function ask(act, parts = {}) {
    waiting.push({ act, parts });
    send();
  }

  function send() {
    if (flight || !waiting.length || !page()) return;
    const { act, parts } = waiting.shift();
    number += 1;
    flight = { id: number, act, parts, sent: Date.now() };
    setProps("scenarios-request", { data: { id: number, act, author: drafts.author(), ...parts } });
  }

  /** Look after what others have done, and after a request that has no answer. */
  function watch() {
    if (!page() || document.hidden) return;
    const now = Date.now();
    if (flight && now - flight.sent > LEASE_MS) {
      const { act } = flight;
      flight = null;
      tell(act === "look" ? LOST : UNSURE, { isFault: true });
      send();
    }
    if (!flight && !waiting.length && now - looked > LOOK_MS) ask("look", { stamp: shown?.stamp ?? "" });
  }

  const DONE = {
    delete: ({ key }, title) => tell(`${title} was deleted.`, { undo: { act: "restore", key } }),
    restore: (_data, title) => tell(`${title} is back.`),
    duplicate: ({ key }, title) => tell(`Duplicated as ${title}.`, { href: window.tftDash.address(`scenarios/${encodeURIComponent(key)}`) }),
    archive: ({ key }, title) => tell(`${title} was put into the archive.`, { undo: { act: "unarchive", key } }),
    unarchive: (_data, title) => tell(`${title} was taken out of the archive.`),
    rename: (_data, title) => tell(`It is called ${title} now.`),
    import: ({ added }) => {
      if (added.length) tell(added.length === 1 ? "1 scenario was imported." : `${added.length} scenarios were imported.`);
      window.setTimeout(() => document.getElementById("scenarios-note")?.firstElementChild?.scrollIntoView({ block: "nearest" }));
    },
  };

  function libraryDone(data) {
    if (!data || !flight || data.id !== flight.id || !page()) return;
    const { act, parts } = flight;
    flight = null;
    looked = Date.now();
    window.tftDash.libraryToast.take(LOST);
    if (data.error) fail(act, parts, data.error);
    else if (act === "rename") closeRenaming(parts.key);
    if (!data.error && DONE[act]) DONE[act](data, `“${data.title}”`);
    send();
  }

  function fail(act, parts, words) {
    const item = items().find((each) => each.card.key === parts.key);
    const fault = act === "rename" && item?.querySelector(".library-fault");
    if (fault) fault.textContent = words;
    else if (act !== "look") tell(words, { isFault: true });
  }

  function closeRenaming(key) {
    const item = items().find((each) => each.card.key === key);
    if (!item) return;
    showRenaming(item, false);
    redraw();
    items().find((each) => each.card.key === key)?.querySelector("[data-act=rename]")?.focus();
  }

  // ---------------------------------------------------------------- buttons and keys

  function saveName(item) {
    const [title, name] = [...item.querySelectorAll(".library-renaming input")].map((input) => input.value);
    item.querySelector(".library-fault").textContent = "";
    ask("rename", { key: item.card.key, version: item.card.version, title, name });
  }

  /** Who works by keyboard goes on at the card beside the one that leaves. */
  function leave(item) {
    const visible = items().filter((each) => !each.hidden);
    const place = visible.indexOf(item);
    const next = visible[place + 1] ?? visible[place - 1];
    next?.querySelector("a, button")?.focus({ preventScroll: true });
  }

  const ACTS = {
    shelf: (_item, pressed) => choose(pressed.dataset.shelf),
    clear: () => {
      search = "";
      keep();
      setProps("scenarios-search", { value: "" });
      document.getElementById("scenarios-search").focus();
      filter();
    },
    dismiss: (_item, pressed) => {
      const box = pressed.closest(".toast-box");
      if (box) box.remove();
      else setProps("scenarios-note", { children: [] });
    },
    rename: (item) => {
      const isOpen = !item.querySelector(".library-renaming").hidden;
      showRenaming(item, !isOpen);
      if (isOpen) redraw();
    },
    "rename-cancel": (item) => closeRenaming(item.card.key),
    "rename-save": saveName,
  };

  function choose(name) {
    shelf = name;
    keep();
    filter();
  }

  function onClick(event) {
    const open = event.target.closest?.("#scenarios-list details");
    document.querySelectorAll("#scenarios-list details[open]").forEach((menu) => menu !== open && menu.removeAttribute("open"));
    if (!page()?.contains(event.target)) return;
    const tab = event.target.closest("#scenarios-filter [data-shelf]");
    if (tab) choose(tab.dataset.shelf);
    if (event.target.closest("#scenarios-import")) libraryFiles.pick();
    const pressed = event.target.closest("[data-act]");
    if (!pressed) return;
    const item = pressed.closest("li[data-key]");
    const { act } = pressed.dataset;
    if (ACTS[act]) return ACTS[act](item, pressed);
    if (item && ["delete", "archive", "unarchive", "restore"].includes(act)) leave(item);
    return ask(act, { key: pressed.dataset.key ?? item.card.key });
  }

  function onKey(event) {
    if (event.key === "Escape") {
      const menu = event.target.closest?.("#scenarios-list details[open]");
      menu?.removeAttribute("open");
      menu?.querySelector("summary").focus();
    }
    const undo = page()?.querySelector(".toast-box [data-key]");
    const isUndo = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (undo && isUndo && !event.target.matches?.("input, textarea")) {
      event.preventDefault();
      undo.click();
    }
    const renamed = event.target.closest?.(".library-renaming")?.closest("li[data-key]");
    if (!renamed) return;
    if (event.key === "Enter" && event.target.matches("input")) saveName(renamed);
    if (event.key === "Escape") closeRenaming(renamed.card.key);
  }

  function onInput(event) {
    if (!page()) return;
    if (event.target.id === "scenarios-search") {
      search = event.target.value.trim();
      keep();
      filter();
    }
    if (event.target.id === "scenarios-author") drafts.setAuthor(event.target.value);
  }

  const lookSoon = () => {
    looked = 0;
    watch();
  };

  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("input", onInput);
  libraryFiles.onFiles((files) => ask("import", { files }));
  document.addEventListener("visibilitychange", lookSoon);
  window.addEventListener("focus", lookSoon);
  window.addEventListener("storage", () => page() && filter());
  window.setInterval(watch, LOOK_MS / 4);

  // ---------------------------------------------------------------- the page

  function redraw() {
    libraryCards.draw(list(), shown.cards);
    filter();
  }

  /** Dash tells of the page, and of every change of its cards. */
  function libraryShow(cards) {
    if (!page() || !cards) return window.dash_clientside.no_update;
    shown = cards;
    if (mounted !== page()) begin();
    redraw();
    return window.dash_clientside.no_update;
  }

  function begin() {
    mounted = page();
    waiting = [];
    flight = null;
    looked = Date.now();
    setProps("scenarios-author", { value: drafts.author() });
    setProps("scenarios-search", { value: search });
  }

  clientside({ libraryShow, libraryDone });
})();
