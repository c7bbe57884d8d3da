/* The compare page in the browser: one clock for two sides, and the gate that lets one request go at a time.
 *
 * The page keeps a view (both sides' source and model, the anchor in seconds since the start, anchor time, speed,
 * playing, horizon); every control turns it into the next one. The server decides which instant that is and sends what
 * stands there. The lines come once, whole; they are drawn up to the instant that the rest of the page shows. */
(() => {
  "use strict";

  const LEASE_MS = 6000; // a request that has no answer by then is given up and asked again
  const STALE_MS = 4000; // an instant that is overdue by this much makes the page stale
  const RETRY_MS = { preparing: 700, error: 5000 };
  const WATCH_MS = 60000; // a generated recording is kept as long as a page tells that it is open
  const FIGURES_KEPT = 4; // both horizons in both themes

  const { theme, themeChoice, onTheme, address: appAddress, clientside } = window.tftDash;

  // ---------------------------------------------------------------- the page's state

  let view = null; // what the viewer wants
  let about = null; // the clock of what is drawn: {instants, step, wall}
  let drawn = null; // {key, instant, wanted, at, seconds}: what the page shows
  let figures = new Map(); // key → the figures with their whole lines
  let flight = null; // {id, sent, wanted}: the request without an answer
  let answer = null; // the last answer
  let lost = 0; // requests given up in a row
  let requests = 0;
  let notBefore = 0;
  let inertSince = 0;
  let lastStatus = "";
  let dragging = false;
  let mounted = null; // the page's own element: another one means that the page was built anew

  const byId = (id) => document.getElementById(`compare-${id}`);
  const setProps = (id, props) => window.dash_clientside.set_props(`compare-${id}`, props);
  const skip = () => window.dash_clientside.no_update;
  const onPage = () => byId("scrubber") !== null;
  const last = () => (about ? about.instants - 1 : 0);
  const atEnd = () => Boolean(about && drawn && drawn.instant >= last());
  const instantOf = (seconds) => Math.floor(seconds / about.step + 1e-6);

  function positionNow(now) {
    if (!about) return 0;
    const moved = view.playing ? Math.floor((Math.max(now - view.at, 0) / 1000) * view.speed / about.wall) : 0;
    return Math.max(0, Math.min(instantOf(view.seconds) + moved, last()));
  }

  const secondsNow = (now) => (about ? positionNow(now) * about.step : view.seconds);

  // ---------------------------------------------------------------- the view

  /** A number of the address; text that is none goes to the server as it is, which says what is wrong with it. */
  function number(text, fallback) {
    if (text === null || text === "") return fallback;
    const value = Number(text);
    return Number.isFinite(value) ? value : text;
  }

  const SWITCH = { 1: true, true: true, 0: false, false: false };

  /** The view that the page's address asks for, over the server's defaults. */
  function firstView(defaults) {
    const asked = new URLSearchParams(window.location.search);
    const a = asked.get("a") || defaults.a;
    const am = asked.get("am") || defaults.am;
    const alone = asked.has("a") && !asked.has("b"); // one drill is asked for: it is shown under two models
    const another = defaults.models.find((name) => name !== am) || am;
    return {
      a, am,
      b: asked.get("b") || (alone ? a : defaults.b),
      bm: asked.get("bm") || (alone ? another : defaults.bm),
      seconds: number(asked.get("at"), 0),
      speed: number(asked.get("speed"), 1),
      playing: asked.has("playing") ? (SWITCH[asked.get("playing")] ?? asked.get("playing")) : !asked.has("at"),
      horizon: asked.get("horizon") || "30m",
      at: Date.now(),
    };
  }

  /** What of a view can be, so that any control mends an impossible address. */
  function mended(wish) {
    return {
      ...wish,
      seconds: Number.isFinite(wish.seconds) && wish.seconds >= 0 ? wish.seconds : 0,
      speed: wish.speed >= 0.5 && wish.speed <= 60 ? wish.speed : 1,
      playing: wish.playing === true,
      horizon: ["30m", "8h"].includes(wish.horizon) ? wish.horizon : "30m",
    };
  }

  function change(part, { moved = false } = {}) {
    if (!view) return;
    const now = Date.now();
    const anchored = moved ? {} : { seconds: secondsNow(now) };
    view = mended({ ...view, ...anchored, at: now, ...part });
    notBefore = 0;
    setProps("view", { data: view });
    reflectControls();
    writeAddress();
  }

  function seek(instant, part = {}) {
    if (!about) return;
    const place = Math.max(0, Math.min(Math.round(instant), last()));
    change({ seconds: place * about.step, ...part }, { moved: true });
  }

  const step = (by) => view && seek(positionNow(Date.now()) + by, { playing: false });
  const sides = (part) => change({ ...part, seconds: 0, playing: true }, { moved: true });

  function togglePlay() {
    if (!view) return;
    if (about && positionNow(Date.now()) >= last()) seek(0, { playing: true });
    else change({ playing: !view.playing });
  }

  // ---------------------------------------------------------------- controls

  const CLICKS = {
    "compare-play": togglePlay,
    "compare-restart": () => seek(0, { playing: true }),
    "compare-back": () => step(-1),
    "compare-forward": () => step(1),
    "compare-end": () => seek(last()),
    "compare-swap": () => view && change({ a: view.b, am: view.bm, b: view.a, bm: view.am }),
    "compare-copy-link": copyLink,
  };

  const CHANGES = {
    "compare-a": (value) => sides({ a: value }),
    "compare-b": (value) => sides({ b: value }),
    "compare-a-model": (value) => change({ am: value }),
    "compare-b-model": (value) => change({ bm: value }),
    "compare-speed": (value) => change({ speed: Number(value) }),
  };

  const KEYS = {
    " ": togglePlay,
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => seek(0),
    End: () => seek(last()),
  };

  let byPointer = false; // whether the last touch of a control was by pointer
  document.addEventListener("pointerdown", () => (byPointer = true), true);
  document.addEventListener("keydown", () => (byPointer = false), true);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !onPage()) return;
    if (CLICKS[button.id]) CLICKS[button.id]();
    else if (button.dataset.instant !== undefined) seek(Number(button.dataset.instant));
    else return;
    // After a click by pointer the keys drive the playback again; who came by keyboard keeps the focus.
    if (event.detail > 0) button.blur();
  });

  document.addEventListener("change", (event) => {
    if (!view || !onPage()) return;
    const handle = CHANGES[event.target.id];
    if (handle) handle(event.target.value);
    else if (event.target.closest("#compare-horizon")) change({ horizon: event.target.value });
    else return;
    if (byPointer) event.target.blur();
  });

  document.addEventListener("input", (event) => {
    if (event.target.id === "compare-scrubber" && view) seek(Number(event.target.value));
  });

  document.addEventListener("pointerdown", (event) => {
    if (event.target.id === "compare-scrubber") dragging = true;
  });
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => (dragging = false));

  document.addEventListener("keydown", (event) => {
    if (!onPage() || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target.closest("input, select, textarea, [contenteditable]") && target.id !== "compare-scrubber") return;
    if (event.key === " " && target.closest("button, a, summary")) return; // the focused control has its own space
    const digit = event.key.length === 1 ? "123456".indexOf(event.key) : -1;
    if (KEYS[event.key]) KEYS[event.key]();
    else if (digit >= 0) jump(digit);
    else return;
    event.preventDefault();
  });

  function jump(digit) {
    const phase = document.querySelectorAll("#compare-phases .phases:first-child [data-instant]")[digit];
    if (phase) seek(Number(phase.dataset.instant));
  }

  async function copyLink() {
    if (!view) return;
    const link = new URL(window.location.href);
    link.search = addressOf(drawn ? drawn.seconds : view.seconds, false);
    try {
      await navigator.clipboard.writeText(link.href);
      note("Link to this moment copied");
    } catch {
      window.prompt("Copy the link to this moment:", link.href);
    }
  }

  function note(text) {
    const button = byId("copy-link");
    if (!button) return;
    button.dataset.note = text;
    window.setTimeout(() => delete button.dataset.note, 1800);
  }

  // ---------------------------------------------------------------- the address and what the controls show

  function addressOf(seconds, playing) {
    const parts = new URLSearchParams();
    for (const name of ["a", "am", "b", "bm"]) parts.set(name, view[name]);
    parts.set("at", String(seconds));
    if (view.horizon !== "30m") parts.set("horizon", view.horizon);
    if (view.speed !== 1) parts.set("speed", String(view.speed));
    if (playing) parts.set("playing", "1");
    if (themeChoice() !== "auto") parts.set("theme", themeChoice());
    return `?${parts}`;
  }

  function writeAddress() {
    if (!view || !onPage()) return;
    const seconds = view.playing && drawn && drawn.wanted === wanted() ? drawn.seconds : view.seconds;
    const next = addressOf(seconds, view.playing);
    if (next !== window.location.search) window.history.replaceState(window.history.state, "", next);
  }

  /** Have a list show ``value``; where it does not offer it, it shows nothing, so that any choice is a change. */
  function setValue(id, value) {
    const control = byId(id);
    if (!control) return;
    if (![...control.options].some((option) => option.value === value)) {
      control.selectedIndex = -1;
    } else if (control.value !== value) {
      control.value = value;
      setProps(id, { value });
    }
  }

  /** What came with the address and is possible stands in its list beside what was there when the page was made. */
  function offer(id, value, words = value) {
    const list = byId(id);
    if (list && ![...list.options].some((option) => option.value === value)) list.add(new Option(words, value));
  }

  function reflectControls() {
    if (!view || !onPage()) return;
    if (drawn && drawn.wanted === wanted()) ["a", "b"].forEach((name) => offer(name, view[name]));
    if (view.speed >= 0.5 && view.speed <= 60) offer("speed", String(view.speed), `${view.speed}×`);
    setValue("a", view.a);
    setValue("a-model", view.am);
    setValue("b", view.b);
    setValue("b-model", view.bm);
    setValue("speed", String(view.speed));
    const chosen = document.querySelector("#compare-horizon input:checked");
    if (["30m", "8h"].includes(view.horizon) && chosen && chosen.value !== view.horizon) {
      setProps("horizon", { value: view.horizon });
    }
    reflectPlay();
    reflectPlace();
  }

  function reflectPlay() {
    const play = byId("play");
    const on = view.playing && !atEnd();
    const words = on ? "Pause" : atEnd() ? "Play again" : "Play";
    play.dataset.playing = on ? "1" : "0";
    play.setAttribute("aria-label", words);
    play.title = `${words} (space)`;
  }

  function reflectPlace() {
    const scrubber = byId("scrubber");
    if (!about) return;
    const instant = view.playing && drawn ? drawn.instant : positionNow(Date.now());
    if (scrubber.max !== String(last())) scrubber.max = String(last());
    if (!dragging && scrubber.value !== String(instant)) scrubber.value = String(instant);
    scrubber.style.setProperty("--done", `${(100 * instant) / Math.max(last(), 1)}%`);
    scrubber.setAttribute("aria-valuetext", `${instant * about.step} of ${last() * about.step} seconds`);
    document.querySelectorAll("#compare-phases [data-instant]").forEach((segment) => {
      const inside = instant >= Number(segment.dataset.instant) && instant <= Number(segment.dataset.last);
      segment.setAttribute("aria-current", inside ? "step" : "false");
    });
  }

  // ---------------------------------------------------------------- status

  function status(now) {
    if (lost > 0) return "lost";
    if (answer && answer.error) return "error";
    if (answer && answer.preparing) return "preparing";
    if (!drawn) return "loading";
    inertSince = positionNow(now) > drawn.instant ? inertSince || now : 0;
    if (inertSince && now - inertSince > STALE_MS) return "stale";
    if (answer && answer.no_data) return "no-data";
    if (atEnd()) return "ended";
    return view.playing ? "playing" : "paused";
  }

  const WORDS = {
    loading: "Loading", preparing: "Preparing", playing: "Playing", paused: "Paused", ended: "Ended", stale: "Stale",
    "no-data": "No data", error: "Error", lost: "Connection lost",
  };

  function reflectStatus(now) {
    const kind = status(now);
    const done = kind === "preparing" ? Math.round(100 * answer.preparing.progress) : 0;
    const text = WORDS[kind] + (done > 0 ? ` ${done} %` : "");
    const pill = byId("status");
    if (!pill || lastStatus === kind + text) return;
    lastStatus = kind + text;
    pill.className = `status-pill status-${kind}`;
    pill.querySelector(".status-word").textContent = text;
    document.documentElement.dataset.status = kind;
  }

  // ---------------------------------------------------------------- the way of an instant

  const wanted = () => JSON.stringify([view.a, view.am, view.b, view.bm, view.horizon, theme()]);

  function forget() {
    drawn = about = answer = flight = null;
    figures = new Map();
    lastStatus = "";
    notBefore = lost = 0;
  }

  /** Clientside callback: a request when one is due, else nothing. */
  function compareGate(_clock, _view, defaults) {
    const page = byId("scrubber");
    if (!page || !defaults) return skip();
    const now = Date.now();
    if (page !== mounted) {
      mounted = page;
      forget();
      // A link from another page says what to show; who merely comes back finds the view as it was left.
      if (new URLSearchParams(window.location.search).has("a")) view = null;
    }
    if (!view) {
      view = firstView(defaults);
      reflectControls();
    }
    if (document.hidden) {
      inertSince = 0; // nobody waits for an instant on a page that nobody sees
      return skip();
    }
    reflectStatus(now);
    if (now < notBefore) return skip();
    if (flight) {
      if (now - flight.sent < LEASE_MS) return skip();
      lost += 1;
      flight = null;
    }
    const upToDate = drawn && drawn.wanted === wanted() && drawn.instant === positionNow(now);
    if (upToDate && answer && !answer.preparing && !answer.error && lost === 0) return skip();
    requests += 1;
    flight = { id: requests, sent: now, wanted: wanted() };
    return {
      id: requests, now, a: view.a, am: view.am, b: view.b, bm: view.bm, seconds: view.seconds, at: view.at,
      speed: view.speed, playing: view.playing, horizon: view.horizon, theme: theme(),
      known: [...figures.keys()], drawn: drawn ? drawn.key : null,
    };
  }

  /** Clientside callback: draws the lines up to the instant that the server has drawn the rest of. */
  function compareLand(data) {
    if (!data || !flight || data.id !== flight.id) return;
    const now = Date.now();
    lost = 0;
    answer = data;
    if (data.error || data.preparing) {
      notBefore = now + (data.error ? RETRY_MS.error : RETRY_MS.preparing);
      drawn = about = null; // the server has erased the page
    } else {
      about = { instants: data.instants, step: data.step_seconds, wall: data.tick_seconds };
      if (data.figures) remember(data.key, data.figures);
      drawn = {
        key: data.key, instant: data.instant, wanted: flight.wanted, at: now,
        seconds: data.instant * data.step_seconds,
      };
      drawFigures(data);
      if (!view.playing && instantOf(view.seconds) > last()) view.seconds = last() * about.step;
      if (view.playing && atEnd()) view = { ...view, playing: false, seconds: last() * about.step, at: now };
    }
    flight = null;
    reflectControls();
    reflectStatus(now);
    writeAddress();
  }

  function remember(key, made) {
    figures.set(key, made);
    if (figures.size > FIGURES_KEPT) figures.delete(figures.keys().next().value);
  }

  function drawFigures(data) {
    for (const [id, whole] of Object.entries(figures.get(data.key))) {
      const marks = data.marks[id];
      const traces = whole.data.map((trace, place) =>
        place in marks.open
          ? { ...trace, y: [...trace.y.slice(0, marks.opened), marks.open[place]] }
          : { ...trace, ...marks.parts[place] });
      const layout = { ...whole.layout, yaxis: { ...whole.layout.yaxis, ...marks.axis } };
      window.dash_clientside.set_props(id, { figure: { data: traces, layout } });
    }
  }

  /** Tell the server that the recordings are on somebody's page, paused or hidden as it may be. */
  function watch() {
    if (!onPage() || !drawn) return;
    for (const source of new Set([view.a, view.b])) {
      const told = fetch(appAddress(`api/v1/sources/${encodeURIComponent(source)}/watching`), { method: "POST" });
      told.catch(() => {}); // the page notices a lost connection by itself
    }
  }

  window.setInterval(watch, WATCH_MS);
  onTheme(writeAddress);
  clientside({ compareGate, compareLand });
})();
