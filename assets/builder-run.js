/* A run that the builder has started: asked about until it is over, then opened in the live monitor.
 *
 * Its number stands in the page's address, so that it is found again after a reload.
 *
 * window.tftDash.builderRun */
(() => {
  "use strict";

  const { drafts, builderForm, address } = window.tftDash;
  const POLL_MS = 600;
  const LEASE_MS = 8000; // a request that has no answer by then is asked again
  const GOING = ["queued", "running"];

  let run = null; // {id, state, request, isAwaited}
  let number = 0;

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);

  function ask(act, parts = {}) {
    const request = (number += 1);
    run = { ...run, request };
    setProps("builder-run-task", { data: { id: request, act, run: run.id, author: drafts.author(), ...parts } });
    if (act === "start") return; // asking again would be another run
    window.setTimeout(() => run && run.request === request && run.isAsking && builderForm.page() && ask("poll"), LEASE_MS);
    run.isAsking = true;
  }

  /** The server's answer; ``refuse`` is told of mistakes in the document. */
  function landed(data, refuse) {
    if (!data || !run || data.id !== run.request || !builderForm.page()) return;
    const isAwaited = run.isAwaited || GOING.includes(run.state);
    if (data.mistakes) refuse(data.mistakes, "Not run");
    if (data.mistakes || data.error) {
      run = null;
      return;
    }
    run = { ...run, id: data.run, state: data.state, isAwaited, isAsking: false };
    inAddress(data.run);
    document.querySelector(".run-track").setAttribute("aria-valuenow", String(Math.round(100 * data.progress)));
    if (GOING.includes(data.state)) window.setTimeout(() => run && run.id === data.run && !run.isAsking && ask("poll"), POLL_MS);
    else if (data.state === "done" && isAwaited) open(data.source);
  }

  function open(source) {
    inAddress(null);
    window.location.assign(address(`?${new URLSearchParams({ source })}`));
  }

  function inAddress(id) {
    const query = new URLSearchParams(window.location.search);
    if (id) query.set("run", id);
    else query.delete("run");
    const tail = query.toString();
    window.history.replaceState(window.history.state, "", window.location.pathname + (tail ? `?${tail}` : ""));
  }

  function start(document_) {
    run = { isAwaited: true };
    ask("start", { document: document_ });
  }

  /** A run that the address names: one that is over already is told, not opened. */
  function resume(id) {
    run = id ? { id, isAwaited: false } : null;
    if (id) ask("poll");
  }

  function close() {
    run = null;
    inAddress(null);
    setProps("builder-run", { className: "run run-none" });
  }

  window.tftDash.builderRun = { start, resume, close, landed, cancel: () => ask("cancel"), id: () => run?.id };
})();
