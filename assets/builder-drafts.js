/* What the scenarios' pages keep in this browser: drafts that are not saved, and what their reader calls themselves.
 *
 * window.tftDash.drafts */
(() => {
  "use strict";

  const DRAFT = "tft-dash-draft:";
  const AUTHOR = "tft-dash-author";

  function stored(key) {
    try {
      return window.localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden; what is kept then lasts for the page
    }
  }

  function store(key, value) {
    try {
      if (value === null) window.localStorage.removeItem(key);
      else window.localStorage.setItem(key, value);
    } catch {
      // see stored()
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

  /** The draft kept for ``slot``: {document, version, at}; null where there is none. */
  function of(slot) {
    const kept = read(DRAFT + slot, null);
    return kept && typeof kept.document === "object" && kept.document !== null ? kept : null;
  }

  const keep = (slot, document_, version) => store(DRAFT + slot, JSON.stringify({ document: document_, version, at: Date.now() }));

  window.tftDash.drafts = {
    of, keep, read, store,
    drop: (slot) => store(DRAFT + slot, null),
    isKept: (slot) => stored(DRAFT + slot) !== null,
    author: () => stored(AUTHOR) || "",
    setAuthor: (name) => store(AUTHOR, name),
  };
})();
