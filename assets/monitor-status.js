/* The state of the live monitor in words: what is shown, and how old it is. Old data never passes for current. */
(() => {
  "use strict";

  const WORDS = {
    loading: "Loading", preparing: "Preparing", playing: "Playing", paused: "Paused", ended: "Ended", live: "Live",
    replaying: "Replaying", stale: "Stale", "no-data": "No data", error: "Error", lost: "Connection lost",
  };

  let shown = "";

  function showAge(text, inPill) {
    const age = document.getElementById("monitor-age");
    if (age && age.textContent !== text) age.textContent = text;
    document.querySelectorAll(".monitor .status-age").forEach((part) => {
      if (part.textContent !== inPill) part.textContent = inPill;
    });
  }

  /** Show a state: its kind, the share that is done, what is said of its age, and the age itself where it counts. */
  function show(kind, { share = 0, age = "", seconds = null } = {}) {
    const text = WORDS[kind] + (share > 0 ? ` ${share} %` : "");
    if (shown !== kind + text) {
      shown = kind + text;
      document.querySelectorAll(".status-pill").forEach((pill) => {
        pill.className = `status-pill status-${kind}`;
        pill.querySelector(".status-word").textContent = text;
      });
      document.documentElement.dataset.status = kind;
    }
    showAge(age, kind === "stale" && seconds !== null ? window.tftMonitor.times.spanWords(seconds) : "");
  }

  const forget = () => (shown = "");

  window.tftMonitor = Object.assign(window.tftMonitor || {}, { status: { show, forget } });
})();
