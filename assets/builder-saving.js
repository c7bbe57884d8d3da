/* Saving, exporting and the document's text; and what happens when somebody else has saved meanwhile.
 *
 * window.tftDash.builderSaving */
(() => {
  "use strict";

  const { desk, drafts, builderForm, builderPreview, builderRun, address, clientside } = window.tftDash;
  const page = builderForm.page;
  const LEASE_MS = 8000; // a request that has no answer by then is given up

  let tasks = []; // the first one is without an answer, the others wait for it
  let number = 0;
  let theirs = null; // what somebody else has saved meanwhile
  let textDirty = false;
  let host = null; // {replace(document), reflect()} of the page's script

  const isSaving = (task) => task?.act === "save" || task?.act === "copy";
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);

  // ---------------------------------------------------------------- requests

  /** One after the other: Dash drops the answer to a request that another one follows. */
  function ask(act, parts = {}) {
    tasks.push({ act, parts });
    if (tasks.length === 1 || Date.now() - tasks[0].sent >= LEASE_MS) send();
  }

  function send() {
    if (tasks[0]?.sent) tasks.shift(); // given up
    if (!tasks.length || !page()) return;
    const { act, parts } = tasks[0];
    const { slot, key, version, preset } = desk.about;
    const sent = Object.assign(tasks[0], { id: (number += 1), sent: Date.now(), said: tasks[0].said ?? desk.text(), slot, version, isSafe: key && act === "save" });
    if (isSaving(sent)) say();
    setTimeout(() => tasks[0] === sent && giveUp(sent), LEASE_MS);
    setProps("builder-task", { data: { id: number, act, key, version, preset, document: desk.draft, author: drafts.author(), ...parts } });
  }

  /** No answer has come. Whoever waits has his turn; saving what has a key is done once more, for that is the same twice. */
  function giveUp(task) {
    task.isLost = true;
    if (task.isSafe && !task.isRepeated) tasks.splice(1, 0, { act: task.act, said: task.said, parts: { document: JSON.parse(task.said), version: task.version }, isRepeated: true });
    if (tasks.length > 1) send();
    else if (isSaving(task) && page()) say();
  }

  function builderDone(data) {
    if (!data || !tasks.length || data.id !== tasks[0].id || !page()) return;
    const { said } = tasks.shift();
    if (data.error) say(`Not done: ${data.error}`);
    else if (data.mistakes) refuse(data.mistakes, data.act === "export" ? "Not exported" : "Not saved");
    else if (data.saved) landSaved(data.saved, said);
    else if (data.conflict) landConflict(data.conflict, data.act);
    else if (data.document) {
      textDirty = false;
      host.replace(data.document);
    } else if (data.text !== undefined && !textDirty) setProps("builder-text", { value: data.text });
    if (tasks.length) send();
  }

  /** What the page says of its state; without words, the usual. */
  function say(words) {
    const { about } = desk;
    const place = document.getElementById("builder-status");
    const usual = about.preset ? "Preset: saving makes your own copy" : about.key ? `Saved, version ${about.version}` : "Not saved yet";
    const unsaved = desk.isKept ? "Unsaved changes" : "Unsaved changes, which this browser cannot keep: save before you leave";
    const saving = isSaving(tasks[0]) && tasks[0].sent && (tasks[0].isLost ? "No answer to saving: see in the library whether it is there, or save again" : "Saving…");
    const said = words ?? (saving || (desk.isChanged() ? unsaved : usual));
    if (place.textContent !== said) place.textContent = said;
  }

  function refuse(count, what) {
    say(`${what}: ${builderPreview.counted(count)} to mend first. Your draft is kept in this browser.`);
    builderPreview.schedule(0);
  }

  // ---------------------------------------------------------------- what becomes of saving

  function landSaved(entry, said) {
    const moved = entry.key !== desk.about.key;
    drafts.drop(desk.about.slot);
    desk.about = { slot: entry.key, key: entry.key, version: entry.version, current: entry.version, preset: false, saved: said };
    theirs = null;
    if (moved) window.history.replaceState(window.history.state, "", address(`scenarios/${entry.key}`) + (builderRun.id() ? `?${new URLSearchParams({ run: builderRun.id() })}` : ""));
    if (!desk.offered) desk.closeBar();
    desk.keep();
    host.reflect();
  }

  /** Somebody else was faster: told after a save, and when a draft is opened again. */
  function landConflict(entry, act) {
    theirs = entry;
    say(act === "save" ? "Not saved: somebody else saved meanwhile." : "Somebody else saved meanwhile.");
    if (act === "save") window.requestAnimationFrame(() => document.querySelector(".conflict")?.focus());
  }

  function saveOver() {
    Object.assign(desk.about, { version: theirs.version });
    ask("save");
  }

  /** Theirs from now on; mine is put aside in this browser, and one step of undo away. */
  function takeTheirs() {
    desk.putAside();
    Object.assign(desk.about, { version: theirs.version, current: theirs.version, saved: JSON.stringify(theirs.document) });
    host.replace(theirs.document);
    clearConflict();
    desk.keep();
  }

  function clearConflict() {
    setProps("builder-conflict", { children: [] });
    theirs = null;
  }

  /** What is on the page is version ``current`` again. */
  function discard() {
    desk.about.version = desk.about.current;
    if (!desk.offered) desk.closeBar();
    clearConflict();
    host.replace(JSON.parse(desk.about.saved));
  }

  /** The page is drawn: what was asked for another one is forgotten, but the answer to a save of this one is still awaited. */
  function reset() {
    tasks = tasks.slice(0, 1).filter((task) => task.sent && isSaving(task) && task.slot === desk.about.slot);
    [textDirty, theirs] = [false, null];
  }

  window.tftDash.builderSaving = {
    ask, say, refuse, saveOver, takeTheirs, discard,
    attach: (hosting) => (host = hosting),
    reset,
    isTextDirty: () => textDirty,
    markText: (isDirty) => (textDirty = isDirty),
    /** A draft that began with an older version than the one in force: show at once what has changed. */
    differ: () => desk.about.key && desk.about.version !== desk.about.current && ask("differ"),
  };
  clientside({ builderDone });
})();
