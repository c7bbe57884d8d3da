/* What the live monitor knows of a live source between two answers: the newest tick, and its age, which goes on. */
(() => {
  "use strict";

  const LEAST_WAIT_MS = 700;
  const MOST_WAIT_MS = 5000;
  const REPLAY_WAIT_MS = 10000;
  const SPREAD_MS = 300; // a tick is recorded, and noticed by the server, a moment after it is over
  const SPAN = 2000; // so many ticks the scrubber spans, as the trend does

  let facts = null; // {latest, oldest, age, due, stale} as the server said, and when

  const since = () => Math.max(performance.now() - facts.landed, Date.now() - facts.clock, 0) / 1000;

  /** Take note of what an answer says; null = the source is not live. */
  function note(said) {
    // Of two clocks the one that has gone on further: the first stops while a computer sleeps, the other can be set.
    facts = said ? { ...said, landed: performance.now(), clock: Date.now() } : null;
    if (facts) document.documentElement.dataset.live = "1";
    else delete document.documentElement.dataset.live;
  }

  const is = () => facts !== null;
  const latest = () => facts.latest;
  const oldest = () => facts.oldest;
  const age = () => facts.age + since();
  const stale = () => age() > facts.stale;

  /** When to ask again although nothing is known to be new. */
  function askAgainAfter(following) {
    if (!following) return REPLAY_WAIT_MS;
    return Math.min(Math.max((facts.due - facts.age) * 1000 + SPREAD_MS, LEAST_WAIT_MS), MOST_WAIT_MS);
  }

  /** The ticks that the scrubber spans: the last ones, or those around one that lies before them. */
  function span(tick) {
    const first = Math.max(facts.oldest, facts.latest - SPAN + 1);
    if (tick >= first) return [Math.min(first, facts.latest), facts.latest];
    const from = Math.max(Math.min(facts.oldest, tick), tick - SPAN / 2);
    return [from, Math.min(facts.latest, from + SPAN - 1)];
  }

  window.tftMonitor = Object.assign(window.tftMonitor || {}, {
    live: { note, is, latest, oldest, age, stale, askAgainAfter, span },
  });
})();
