/* What the scenarios' pages keep in this browser: drafts that are not saved, and what their reader calls themselves.
 *
 * Every tab keeps its own draft of a scenario, so that two tabs never overwrite one another's. A slot is what a draft is
 * of: a scenario's key, or a new one.
 *
 * window.tftDash.drafts */
(() => {
  "use strict";

  const DRAFT = "tft-dash-draft:";
  const AUTHOR = "tft-dash-author";
  const TAB = "tft-dash-tab";

  function stored(key) {
    try {
      return window.localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden; what is kept then lasts for the page
    }
  }

  /** Keep ``value`` under ``key``; null takes it away. Whether it worked: storage may be forbidden, or full. */
  function store(key, value) {
    try {
      if (value === null) window.localStorage.removeItem(key);
      else window.localStorage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  }

  /** What was kept as JSON under ``key``; ``fallback`` where there is nothing readable. */
  function read(key, fallback) {
    try {
      return JSON.parse(stored(key)) ?? fallback;
    } catch {
      return fallback;
    }
  }

  const made = () => Math.random().toString(36).slice(2, 10).padEnd(8, "0");

  /** This tab's own name; it outlives a reload, and is gone with the tab. */
  function tab() {
    try {
      const name = window.sessionStorage.getItem(TAB) || made();
      window.sessionStorage.setItem(TAB, name);
      return name;
    } catch {
      return "tab";
    }
  }

  const keyOf = (slot, name = tab()) => `${DRAFT}${slot}#${name}`;

  function keys() {
    try {
      return Object.keys(window.localStorage);
    } catch {
      return [];
    }
  }

  const isOf = (slot) => (key) => key.startsWith(`${DRAFT}${slot}#`) && !key.slice(DRAFT.length + slot.length + 1).includes("#");

  /** The drafts kept for ``slot``: {key, document, version, at, isLeft, isAside}; this tab's own first, then the newest. */
  function of(slot) {
    const own = keyOf(slot);
    return keys()
      .filter(isOf(slot))
      .map((key) => ({ ...read(key, {}), key, isOwn: key === own }))
      .filter((kept) => typeof kept.document === "object" && kept.document !== null)
      .sort((one, other) => other.isOwn - one.isOwn || other.at - one.at);
  }

  /** Keep a draft; ``isLeft`` says that its tab shows it no more. Whether it worked. */
  const keep = (slot, document_, version, isLeft = false) => store(keyOf(slot), JSON.stringify({ document: document_, version, isLeft, at: Date.now() }));

  /** Keep what its author has put aside in favour of another version, until it is fetched back or thrown away. */
  const putAside = (slot, document_, version) => store(keyOf(slot, made()), JSON.stringify({ document: document_, version, isAside: true, at: Date.now() }));

  window.tftDash.drafts = {
    of, keep, putAside, read, store,
    drop: (slot) => store(keyOf(slot), null),
    forget: (key) => store(key, null),
    isKept: (slot) => keys().some(isOf(slot)),
    author: () => stored(AUTHOR) || "",
    setAuthor: (name) => store(AUTHOR, name),
  };
})();
