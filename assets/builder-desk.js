/* The document that the builder works on, what it is a draft of, and how it is kept in this browser until it is saved.
 *
 * window.tftDash.desk */
(() => {
  "use strict";

  const KEEP_MS = 250; // after a change, until the draft is kept
  const drafts = () => window.tftDash.drafts;

  /** draft: the document. about: {slot, key, version, current, preset, saved}: what it is a draft of; saved is the text
   * of version ``current``, as it was saved; version is the one that the draft began with. */
  const desk = { draft: null, about: null, isKept: true, offered: null };

  const text = () => JSON.stringify(desk.draft);
  const isChanged = () => text() !== desk.about.saved;

  function keep(isLeft = false) {
    if (!desk.draft) return;
    window.clearTimeout(keep.timer);
    const { slot, version } = desk.about;
    desk.isKept = isChanged() ? drafts().keep(slot, desk.draft, version, isLeft) : drafts().drop(slot);
  }

  function keepSoon(then) {
    window.clearTimeout(keep.timer);
    keep.timer = window.setTimeout(() => {
      keep();
      then();
    }, KEEP_MS);
  }

  // ---------------------------------------------------------------- beginning

  /** Lay out what the page starts from, or the draft of it that this browser keeps. */
  function begin(start) {
    keep(); // what was being written when the page was left for this one
    const known = desk.about;
    desk.about = { slot: start.slot, key: start.key, version: start.version, current: start.version, preset: start.preset, saved: JSON.stringify(start.document) };
    if (start.key && known?.key === start.key && known.current > start.version) desk.about = known; // saved since the page was asked for
    desk.draft = JSON.parse(desk.about.saved);
    closeBar();
    const others = drafts().of(start.slot).filter((kept) => JSON.stringify(kept.document) !== desk.about.saved);
    const [kept] = others;
    if (!kept) return;
    if (kept.isOwn || (kept.isLeft && !kept.isAside)) resume(kept);
    else offer(kept);
  }

  /** Go on with a draft: this tab's own, or one whose tab is closed. */
  function resume(kept) {
    desk.draft = kept.document;
    if (desk.about.key && kept.version) desk.about.version = kept.version; // so that saving tells of what was saved meanwhile
    keep();
    if (!kept.isOwn && desk.isKept) drafts().forget(kept.key);
    showBar(`Unsaved changes from ${timeOf(kept)}.${basedOn(kept)}`, [["Keep", "keep-draft"], ["Discard", "discard-draft"]]);
  }

  /** A draft that another tab may have open, or that was put aside: it waits to be fetched. */
  function offer(kept) {
    desk.offered = kept;
    const words = kept.isAside ? "Your own changes, put aside at" : "Other unsaved changes are kept in this browser, from";
    showBar(`${words} ${timeOf(kept)}.${basedOn(kept)}`, [["Bring them back", "fetch-draft"], ["Discard", "forget-draft"]]);
  }

  function basedOn({ version }) {
    const { key, current } = desk.about;
    return key && version && version !== current ? ` They are based on version ${version}; version ${current} is saved by now.` : "";
  }

  function timeOf({ at }) {
    const when = new Date(at);
    const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return when.toDateString() === new Date().toDateString() ? time : `${when.toLocaleDateString()}, ${time}`;
  }

  /** Put the document aside, so that another may take its place and nothing is lost. */
  function putAside() {
    if (!isChanged() || !drafts().putAside(desk.about.slot, desk.draft, desk.about.version)) return;
    offer(drafts().of(desk.about.slot).find((kept) => kept.isAside));
  }

  /** The offered draft, which is the page's from now on; null where there is none. */
  function fetch() {
    const kept = desk.offered;
    if (!kept) return null;
    desk.offered = null;
    if (desk.about.key && kept.version) desk.about.version = kept.version;
    if (kept.isAside) drafts().forget(kept.key);
    closeBar();
    return kept.document;
  }

  function forget() {
    if (desk.offered) drafts().forget(desk.offered.key);
    desk.offered = null;
    closeBar();
  }

  // ---------------------------------------------------------------- the bar that tells of drafts

  function showBar(said, acts) {
    const words = document.createElement("span");
    words.textContent = said;
    const buttons = acts.map(([label, act]) => {
      const made = document.createElement("button");
      Object.assign(made, { type: "button", className: "text-button", textContent: label });
      made.dataset.act = act;
      return made;
    });
    document.getElementById("builder-draft").replaceChildren(words, ...buttons);
  }

  const closeBar = () => document.getElementById("builder-draft").replaceChildren();

  window.tftDash.desk = Object.assign(desk, { text, isChanged, keep, keepSoon, begin, putAside, fetch, forget, closeBar });
})();
