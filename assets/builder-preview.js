/* The preview: what a document means is asked of the server, one request at a time, the latest winning.
 *
 * window.tftDash.builderPreview */
(() => {
  "use strict";

  const { desk, builderForm, theme, address, clientside } = window.tftDash;
  const page = builderForm.page;
  const PAUSE_MS = 20; // after a change, until the server is asked
  const LEASE_MS = 8000; // a request that has no answer by then is given up

  const NOTHING = { problems: [], outcomes: [], measured: [] };
  let answer = NOTHING;
  let flight = null; // the request without an answer
  let waiting = null; // the timer of the next one
  let dirty = false;
  let number = 0;

  function schedule(pause = PAUSE_MS) {
    dirty = true;
    window.clearTimeout(waiting);
    waiting = window.setTimeout(ask, pause);
  }

  function ask() {
    if (!desk.draft || !page() || !dirty) return;
    if (flight && Date.now() - flight.sent < LEASE_MS) return;
    dirty = false;
    flight = { id: (number += 1), sent: Date.now() };
    const model = document.getElementById("builder-model").value;
    window.dash_clientside.set_props("builder-request", { data: { id: flight.id, document: desk.draft, model, theme: theme() } });
    window.setTimeout(() => flight && Date.now() - flight.sent >= LEASE_MS && schedule(0), LEASE_MS + 50);
  }

  function builderPreviewed(data) {
    if (!data || !flight || data.id !== flight.id || !page()) return;
    flight = null;
    answer = { ...data, outcomes: data.problems.length || data.failed ? [] : data.outcomes };
    reflect();
    if (dirty) ask();
  }

  const counted = (count) => (count === 1 ? "1 mistake" : `${count} mistakes`);

  function reflect() {
    builderForm.showProblems(answer.problems);
    builderForm.showOutcomes(answer.outcomes ?? [], answer.measured ?? []);
    reflectProblems(answer.problems.length);
    const compare = page().querySelector("[data-shows=compare]");
    const model = document.getElementById("builder-model").value;
    const query = answer.recording ? `?${new URLSearchParams({ a: answer.recording, am: model })}` : "";
    compare.setAttribute("href", address(`compare${query}`));
    if (!answer.ticks) return;
    const [ticks, servers] = [answer.ticks.toLocaleString("en"), answer.servers.toLocaleString("en")];
    const size = `${servers} ${answer.servers === 1 ? "server" : "servers"} × ${ticks} ticks = ${(answer.ticks * answer.servers).toLocaleString("en")} rows.`;
    for (const note of page().querySelectorAll("[data-fleet-size], [data-clock-note]")) note.textContent = size;
  }

  /** How many mistakes there are; and that what needs a sound document waits for them, with the reason. */
  function reflectProblems(count) {
    const mistakes = page().querySelector(".mistakes");
    mistakes.hidden = !count;
    if (count) mistakes.textContent = `${counted(count)} to mend before it can run`;
    page().dataset.preview = count || answer.failed ? "stale" : "current";
    for (const button of page().querySelectorAll("[data-needs-sound]")) {
      button.dataset.usualTitle ??= button.title;
      button.setAttribute("aria-disabled", String(count > 0));
      button.title = count ? `${button.textContent.trim()} is not possible yet: ${counted(count)} to mend first. Press to go there.` : button.dataset.usualTitle;
    }
  }

  window.tftDash.builderPreview = {
    schedule, reflect, counted,
    problems: () => answer.problems.length,
    reset: () => {
      [answer, flight] = [NOTHING, null];
    },
  };
  clientside({ builderPreviewed });
})();
