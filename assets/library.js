/* The library of scenarios in the browser: search, the cards' buttons, import, undo of a deletion. */
(() => {
  "use strict";

  const { clientside, drafts } = window.tftDash;
  const DELETED = "tft-dash-deleted";
  const UNDO_MS = 10000;
  const MOST_DELETED = 10;
  const READ_BYTES = 4 * 262144 + 1; // so much shows the server that a document is too long

  let number = 0;
  let shelf = "all";
  let mounted = null;
  let observer = null;
  let toast = null;
  let last = null; // the request without an answer

  const page = () => document.getElementById("scenarios-page");
  const cards = () => [...document.querySelectorAll("#scenarios-list [data-key]")];
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);

  function deleted() {
    const kept = drafts.read(DELETED, []);
    return Array.isArray(kept) ? kept.filter((each) => each && typeof each.key === "string") : [];
  }

  function ask(act, parts = {}) {
    last = { id: (number += 1), act };
    setProps("scenarios-request", { data: { id: last.id, act, author: drafts.author(), ...parts } });
  }

  // ---------------------------------------------------------------- what is shown

  function filter() {
    const words = (document.getElementById("scenarios-search").value || "").toLowerCase().split(/\s+/).filter(Boolean);
    const counts = { all: 0, own: 0, preset: 0, archived: 0 };
    let shown = 0;
    for (const card of cards()) {
      const matches = words.every((word) => card.dataset.search.includes(word));
      const isOn = (name) => (name === "all" ? card.dataset.shelf !== "archived" : card.dataset.shelf === name);
      for (const name of Object.keys(counts)) if (matches && isOn(name)) counts[name] += 1;
      card.hidden = !(matches && isOn(shelf));
      if (!card.hidden) shown += 1;
    }
    page().querySelector(".library-empty").hidden = shown > 0;
    for (const tab of page().querySelectorAll("#scenarios-filter [data-shelf]")) {
      tab.setAttribute("aria-pressed", String(tab.dataset.shelf === shelf));
      const count = tab.querySelector(".tab-count");
      if (count.textContent !== String(counts[tab.dataset.shelf])) count.textContent = String(counts[tab.dataset.shelf]);
    }
    for (const mark of page().querySelectorAll("[data-draft-of]")) mark.hidden = !drafts.isKept(mark.dataset.draftOf);
  }

  function button(words, act, key) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className: "text-button", textContent: words });
    Object.assign(made.dataset, { act, key });
    return made;
  }

  function showDeleted() {
    const place = document.getElementById("scenarios-deleted");
    const list = deleted();
    if (!list.length) return place.replaceChildren();
    const head = document.createElement("h2");
    head.className = "group-part";
    head.textContent = "Recently deleted by you";
    const items = document.createElement("ul");
    for (const { key, title } of list) {
      const item = document.createElement("li");
      const name = document.createElement("span");
      name.textContent = title || key;
      item.append(name, button("Bring back", "restore", key));
      items.append(item);
    }
    return place.replaceChildren(head, items);
  }

  function tell(words, undo) {
    const place = document.getElementById("scenarios-toast");
    const text = document.createElement("span");
    text.textContent = words;
    const box = document.createElement("div");
    box.className = "toast-box";
    box.append(text, ...(undo ? [button("Undo", "restore", undo)] : []));
    place.replaceChildren(box);
    window.clearTimeout(toast);
    toast = window.setTimeout(() => place.replaceChildren(), UNDO_MS);
  }

  // ---------------------------------------------------------------- answers

  function libraryDone(data) {
    if (!data || !last || data.id !== last.id || !page()) return;
    const { act } = last;
    last = null;
    if (data.error) return;
    if (act === "delete") {
      const kept = [{ key: data.key, title: data.title }, ...deleted().filter((each) => each.key !== data.key)];
      drafts.store(DELETED, JSON.stringify(kept.slice(0, MOST_DELETED)));
      tell(`${data.title} was deleted.`, data.key);
    }
    if (act === "restore") {
      drafts.store(DELETED, JSON.stringify(deleted().filter((each) => each.key !== data.key)));
      tell("It is back.");
    }
    if (act === "duplicate") tell("Duplicated.");
    if (act === "archive") tell("Put into the archive.");
    if (act === "unarchive") tell("Taken out of the archive.");
    if (act === "import" && data.added.length) tell(data.added.length === 1 ? "1 scenario was imported." : `${data.added.length} scenarios were imported.`);
    showDeleted();
  }

  // ---------------------------------------------------------------- import

  function base64(bytes) {
    let text = "";
    for (let place = 0; place < bytes.length; place += 32768) text += String.fromCharCode(...bytes.subarray(place, place + 32768));
    return window.btoa(text);
  }

  async function load(files) {
    const read = await Promise.all(
      [...files].map(async (file) => ({ name: file.name, content: base64(new Uint8Array(await file.slice(0, READ_BYTES).arrayBuffer())) })),
    );
    if (read.length) ask("import", { files: read });
  }

  function pick() {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", multiple: true, accept: ".yaml,.yml,.json", id: "scenarios-file" });
    input.hidden = true;
    input.addEventListener("change", () => {
      load(input.files);
      input.remove();
    });
    input.addEventListener("cancel", () => input.remove());
    document.getElementById("scenarios-file")?.remove();
    page().append(input);
    input.click();
  }

  const hasFiles = (event) => page() && [...(event.dataTransfer?.types ?? [])].includes("Files");

  function onDragOver(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    page().classList.add("library-drop");
  }

  function onDrop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    page().classList.remove("library-drop");
    load(event.dataTransfer.files);
  }

  // ---------------------------------------------------------------- buttons

  function showRenaming(card, isShown) {
    card.querySelector(".library-renaming").hidden = !isShown;
    if (isShown) card.querySelector(".library-renaming input").focus();
    else card.querySelector("[data-act=rename]").focus();
  }

  function saveName(card) {
    const [title, name] = [...card.querySelectorAll(".library-renaming input")].map((input) => input.value);
    ask("rename", { key: card.dataset.key, version: Number(card.dataset.version), title, name });
  }

  function onClick(event) {
    if (!page()?.contains(event.target)) return;
    const tab = event.target.closest("#scenarios-filter [data-shelf]");
    if (tab) {
      shelf = tab.dataset.shelf;
      filter();
    }
    if (event.target.closest("#scenarios-import")) pick();
    const pressed = event.target.closest("[data-act]");
    if (!pressed) return;
    const { act } = pressed.dataset;
    const card = pressed.closest("[data-version]");
    if (act === "rename") showRenaming(card, card.querySelector(".library-renaming").hidden);
    else if (act === "rename-cancel") showRenaming(card, false);
    else if (act === "rename-save") saveName(card);
    else ask(act, { key: pressed.dataset.key ?? card.dataset.key });
  }

  function onKey(event) {
    const card = event.target.closest?.(".library-renaming")?.closest("[data-version]");
    if (!card) return;
    if (event.key === "Enter" && event.target.matches("input")) saveName(card);
    if (event.key === "Escape") showRenaming(card, false);
  }

  function onInput(event) {
    if (!page()) return;
    if (event.target.id === "scenarios-search") filter();
    if (event.target.id === "scenarios-author") drafts.setAuthor(event.target.value);
  }

  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("input", onInput);
  document.addEventListener("dragover", onDragOver);
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && page()?.classList.remove("library-drop"));
  document.addEventListener("drop", onDrop);

  /** Dash tells of the page. */
  function libraryStart() {
    if (page() && mounted !== page()) begin();
    return window.dash_clientside.no_update;
  }

  function begin() {
    mounted = page();
    shelf = "all";
    setProps("scenarios-author", { value: drafts.author() });
    if (observer) observer.disconnect();
    observer = new MutationObserver((records) => records.some((record) => record.target.closest?.("#scenarios-list")) && page() && filter());
    observer.observe(document.getElementById("scenarios-list"), { childList: true, subtree: true });
    filter();
    showDeleted();
  }

  clientside({ libraryStart, libraryDone });
})();
