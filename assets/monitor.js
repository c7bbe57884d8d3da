/* The live monitor in the browser: playback, and the gate that lets one request go at a time.
 *
 * The page keeps a view (source, model, anchor tick, anchor time, speed, playing, follow, server); every control turns
 * it into the next one. The gate asks the server for a frame when one is due; the server alone decides which tick that
 * is. Of a live source the view follows the newest tick, or it replays what was issued before. */
(() => {
  "use strict";

  const LEASE_MS = 6000; // a request that has no answer by then is given up and asked again
  const STALE_MS = 4000; // a tick that is overdue by this much makes the page stale
  const RETRY_MS = { preparing: 700, error: 5000, waiting: 1500 };
  const WATCH_MS = 60000; // a generated recording is kept as long as a page tells that it is open

  const { theme: resolvedTheme, themeChoice, onTheme, nameThemeButton, address: appAddress, entry, entryName, clientside } = window.tftDash;
  const { times, views, status, live, keepHover } = window.tftMonitor;

  // ---------------------------------------------------------------- the page's state

  let view = null; // what the viewer wants
  let about = null; // what the server said of the source and model that are drawn
  let drawn = null; // {key, roster, tick, asked, server, at}: what the page shows
  let flight = null; // {id, sent}: the request without an answer
  let answer = null; // the last answer
  let lost = 0; // requests given up in a row
  let told = null; // names the banners and notes of a live source that the page shows
  let askAgain = 0; // when a live source is asked again although nothing is known to be new
  let dragging = false;
  let notBefore = 0;
  let requests = 0;
  let inertSince = 0;
  let pickedServer = null; // what the list of servers shows
  let mounted = null; // the page's own element: another one means that the page was built anew

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const skip = () => window.dash_clientside.no_update;
  const onPage = () => document.getElementById("monitor-scrubber") !== null;

  const following = () => Boolean(view && view.follow && live.is());

  function positionNow(now) {
    if (following()) return live.latest();
    if (!about) return view.tick;
    const moved = view.playing ? Math.floor((Math.max(now - view.at, 0) / 1000) * view.speed / about.tick_seconds) : 0;
    return Math.max(0, Math.min(Math.floor(view.tick) + moved, about.ticks - 1));
  }

  const lastTick = () => (about ? about.ticks - 1 : 0);
  const firstTick = () => (live.is() ? Math.min(live.oldest(), lastTick()) : 0);
  const atEnd = () => Boolean(about && drawn && !live.is() && drawn.tick >= about.ticks - 1);
  const timeOf = (tick) => about.start_ms + tick * about.step_ms;
  const newest = () => timeOf(lastTick()) + (live.is() ? live.age() * 1000 : 0);

  function change(part, { moved = false } = {}) {
    if (!view) return;
    const now = Date.now();
    const anchored = moved ? {} : { tick: positionNow(now) };
    view = views.mended({ ...view, toward: 0, ...anchored, at: now, ...part });
    notBefore = askAgain = 0;
    setProps("monitor-view", { data: view });
    reflectControls();
    writeAddress();
  }

  function seek(tick, part = {}) {
    if (live.is() && tick >= live.latest()) return goToNow();
    const stay = following() ? { playing: false } : {};
    const within = Math.max(firstTick(), Math.min(Math.round(tick), lastTick()));
    change({ tick: within, follow: false, ...stay, ...part }, { moved: true });
  }

  const goToNow = () => change({ follow: true, playing: true, tick: lastTick() }, { moved: true });

  /** To the last tick, once it is known which that is. */
  function toEnd() {
    if (about) seek(lastTick());
  }

  /** One tick on or back; of a live source to the next one that is kept. */
  function step(by) {
    const here = live.is() && !view.playing && drawn && !view.toward ? drawn.tick : positionNow(Date.now());
    seek(here + by, { playing: false, toward: by });
  }

  function togglePlay() {
    if (!view) return;
    if (following()) change({ follow: false, playing: false, tick: drawn ? drawn.tick : live.latest() }, { moved: true });
    else if (!view.playing && about && positionNow(Date.now()) >= lastTick()) live.is() ? goToNow() : seek(0, { playing: true });
    else if (view.playing && atEnd()) seek(0, { playing: true });
    else change({ playing: !view.playing });
  }

  /** Show what was said at the time that the viewer has written. */
  function jumpToTime(text) {
    const note = document.getElementById("monitor-at-note");
    if (!about || !note || text.trim() === "") return;
    const found = text.trim().toLowerCase() === "now" ? { ms: newest() } : times.parse(text, newest());
    const problem = found.problem || outside(found.ms);
    note.textContent = problem || "";
    note.hidden = !problem;
    if (problem) return;
    setProps("monitor-at", { value: "" });
    if (found.ms >= timeOf(lastTick()) && live.is()) goToNow();
    else seek(Math.floor((found.ms - about.start_ms) / about.step_ms), { playing: false });
  }

  function outside(ms) {
    if (ms < timeOf(firstTick())) return `${times.stamp(ms)} lies before the first tick that is kept, of ${times.stamp(timeOf(firstTick()))} UTC.`;
    const end = live.is() ? newest() : timeOf(lastTick()) + about.step_ms;
    return ms > end ? `${times.stamp(ms)} lies after the newest tick, of ${times.stamp(timeOf(lastTick()))} UTC.` : "";
  }

  function jumpToPhase(index) {
    const phase = about && about.phases[index];
    if (phase) seek(phase.first);
  }

  function openServer(name) {
    if (view && (name || null) !== view.server) change({ server: name || null });
  }

  // ---------------------------------------------------------------- controls

  const CLICKS = {
    "monitor-play": togglePlay,
    "monitor-now": goToNow,
    "monitor-restart": () => seek(firstTick(), { playing: true }),
    "monitor-back": () => step(-1),
    "monitor-forward": () => step(1),
    "monitor-end": toEnd,
    "monitor-copy-link": copyLink,
    "monitor-server-close": () => openServer(null),
  };

  const CHANGES = {
    "monitor-source": (value) => change({ source: value, tick: 0, follow: true, server: null, playing: true }, { moved: true }),
    "monitor-model": (value) => change({ model: value }),
    "monitor-speed": (value) => change({ speed: Number(value) }),
    "monitor-at": jumpToTime,
    "monitor-jump": (value) => value !== "" && seek(Number(value)),
  };

  const KEYS = {
    " ": togglePlay,
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => seek(firstTick()),
    End: toEnd,
    Escape: () => openServer(null),
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !onPage()) return;
    if (CLICKS[button.id]) CLICKS[button.id]();
    else if (button.dataset.tick !== undefined) seek(Number(button.dataset.tick));
    else return;
    // After a click by pointer the keys drive the playback again; who came by keyboard keeps the focus.
    if (event.detail > 0) button.blur();
  });

  let byPointer = false; // whether the last touch of a control was by pointer
  document.addEventListener("pointerdown", () => (byPointer = true), true);
  document.addEventListener("keydown", () => (byPointer = false), true);

  document.addEventListener("change", (event) => {
    const handle = CHANGES[event.target.id];
    if (!handle || !view) return;
    handle(event.target.value);
    if (event.target.id === "monitor-jump") setProps("monitor-jump", { value: "" }); // so that it can be chosen again
    if (byPointer) event.target.blur();
  });

  document.addEventListener("input", (event) => {
    if (event.target.id === "monitor-scrubber" && view) seek(Number(event.target.value));
  });

  document.addEventListener("pointerdown", (event) => {
    if (event.target.id === "monitor-scrubber") dragging = true;
  });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => {
      if (!dragging) return;
      dragging = false;
      reflectControls();
    });
  }

  document.addEventListener("keydown", (event) => {
    if (!onPage() || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target.id === "monitor-at" && event.key === "Enter") return jumpToTime(target.value);
    const scrubber = target.id === "monitor-scrubber";
    const typing = "input, select, textarea, [contenteditable], [role=listbox], [role=combobox], .dash-dropdown";
    if (target.closest(typing) && !scrubber) return;
    if (event.key === " " && target.closest("button, a, summary")) return; // the focused control has its own space
    const digit = "123456".indexOf(event.key);
    if (KEYS[event.key]) KEYS[event.key]();
    else if (digit >= 0 && event.key.length === 1) jumpToPhase(digit);
    else return;
    event.preventDefault();
  });

  async function copyLink() {
    const address = new URL(window.location.href);
    address.search = views.query(view, drawn ? drawn.tick : 0, false, themeChoice());
    try {
      await navigator.clipboard.writeText(address.href);
      note("Link to this moment copied");
    } catch {
      window.prompt("Copy the link to this moment:", address.href);
    }
  }

  function note(text) {
    const button = document.getElementById("monitor-copy-link");
    if (!button) return;
    button.dataset.note = text;
    window.setTimeout(() => delete button.dataset.note, 1800);
  }

  // ---------------------------------------------------------------- the address and what the controls show

  function writeAddress() {
    if (!view || !onPage()) return;
    const tick = drawn && drawn.source === view.source && view.playing ? drawn.tick : view.tick;
    const next = following()
      ? views.query(view, null, false, themeChoice())
      : views.query(view, tick, view.playing, themeChoice());
    if (next !== window.location.search) window.history.replaceState(window.history.state, "", next);
  }

  /** Have a list show ``value``; where it does not offer it, it shows nothing, so that any choice is a change. */
  function setValue(id, value) {
    const control = document.getElementById(id);
    if (!control) return;
    if (![...control.options].some((option) => option.value === value)) {
      control.selectedIndex = -1;
    } else if (control.value !== value) {
      control.value = value;
      setProps(id, { value });
    }
  }

  /** A speed that came with the address stands in the list beside the usual ones. */
  function offerSpeed() {
    const list = document.getElementById("monitor-speed");
    const speed = String(view.speed);
    const possible = view.speed >= 0.5 && view.speed <= 60;
    if (list && possible && ![...list.options].some((option) => option.value === speed)) {
      list.add(new Option(`${speed}×`, speed));
    }
  }

  function reflectControls() {
    if (!view) return;
    setValue("monitor-source", view.source);
    setValue("monitor-model", view.model);
    offerSpeed();
    setValue("monitor-speed", String(view.speed));
    const picked = about && about.servers.includes(view.server) ? view.server : null;
    if (about && picked !== pickedServer) {
      pickedServer = picked;
      setProps("monitor-server", { value: entry(picked) });
    }
    const play = document.getElementById("monitor-play");
    if (play) {
      const on = (view.playing || following()) && !atEnd();
      play.dataset.playing = on ? "1" : "0";
      const words = on ? "Pause" : atEnd() ? "Play again" : "Play";
      play.setAttribute("aria-label", words);
      play.title = `${words} (space)`;
    }
    const tick = (view.playing || following()) && drawn ? drawn.tick : view.tick;
    reflectScrubber(tick);
    const now = document.getElementById("monitor-now");
    if (now) now.hidden = !live.is() || following();
    document.querySelectorAll("#monitor-phases [data-tick]").forEach((segment) => {
      const inside = tick >= Number(segment.dataset.tick) && tick <= Number(segment.dataset.last);
      segment.setAttribute("aria-current", inside ? "step" : "false");
    });
  }

  function reflectScrubber(tick) {
    const scrubber = document.getElementById("monitor-scrubber");
    if (!scrubber || !about || dragging) return;
    const [from, to] = live.is() ? live.span(tick) : [0, lastTick()];
    // The bounds first, and the wider ones before the narrower: a value outside them would be moved.
    if (scrubber.min !== String(from)) scrubber.min = String(from);
    if (scrubber.max !== String(to)) scrubber.max = String(to);
    if (scrubber.value !== String(tick)) scrubber.value = String(tick);
    scrubber.style.setProperty("--done", `${(100 * (tick - from)) / Math.max(to - from, 1)}%`);
    const track = scrubber.closest(".track");
    if (live.is()) {
      scrubber.setAttribute("aria-valuetext", `${times.stamp(timeOf(tick))} UTC`);
      track.dataset.from = times.stamp(timeOf(from)).slice(5, 16);
      track.dataset.to = to === live.latest() ? "newest" : times.stamp(timeOf(to)).slice(5, 16);
    } else {
      scrubber.setAttribute("aria-valuetext", `tick ${tick} of ${lastTick()}`);
      delete track.dataset.from;
      delete track.dataset.to;
    }
  }

  // ---------------------------------------------------------------- status and age

  function kindNow(now) {
    if (lost > 0) return "lost";
    if (answer && answer.error) return "error";
    if (answer && answer.waiting) return "no-data";
    if (answer && answer.preparing) return "preparing";
    if (!drawn) return "loading";
    const due = positionNow(now);
    inertSince = due > drawn.asked ? inertSince || now : 0;
    if (following() ? live.stale() : inertSince && now - inertSince > STALE_MS) return "stale";
    if (live.is() && !following()) return "replaying";
    if (answer && answer.no_data) return "no-data";
    if (live.is()) return "live";
    if (atEnd()) return "ended";
    return view.playing ? "playing" : "paused";
  }

  function ageNow(now) {
    if (!drawn) return "";
    if (!live.is()) return `updated ${times.spanWords((now - drawn.at) / 1000)} ago`;
    if (following()) return `newest tick ${times.spanWords(live.age())} ago`;
    return `shows ${times.spanWords((newest() - timeOf(drawn.tick)) / 1000)} ago`;
  }

  function reflectStatus(now) {
    const kind = kindNow(now);
    const share = kind === "preparing" ? Math.round(100 * answer.preparing.progress) : 0;
    const seconds = live.is() && following() ? live.age() : inertSince ? (now - inertSince) / 1000 : null;
    status.show(kind, { share, age: ageNow(now), seconds });
  }

  // ---------------------------------------------------------------- the way of a tick

  const shows = () => `${view.source} ${view.model}`;
  const wanted = () => `${view.source} ${view.model} ${resolvedTheme()} ${view.server || ""}`;

  /** Clientside callback: a request when one is due, else nothing. */
  function gate(_clock, _view, defaults) {
    const page = document.getElementById("monitor-scrubber");
    if (!page || !defaults) return skip();
    const now = Date.now();
    if (page !== mounted) {
      mounted = page;
      drawn = about = answer = flight = told = null;
      status.forget();
      live.note(null);
      notBefore = lost = 0;
      // A link from another page says what to show; who merely comes back finds the view as it was left.
      if (new URLSearchParams(window.location.search).has("source")) view = null;
    }
    if (!view) {
      view = views.first(defaults);
      nameThemeButton();
      reflectControls();
    }
    if (document.hidden) {
      inertSince = 0; // nobody waits for a tick on a page that nobody sees
      return skip();
    }
    reflectStatus(now);
    if (now < notBefore) return skip();
    if (flight) {
      if (now - flight.sent < LEASE_MS) return skip();
      lost += 1;
      flight = null;
    }
    const upToDate = drawn && drawn.wanted === wanted() && drawn.asked === positionNow(now) && !view.toward;
    const settled = answer && !answer.preparing && !answer.error && !answer.waiting && lost === 0;
    if (upToDate && settled && !(live.is() && now >= askAgain)) return skip();
    requests += 1;
    flight = { id: requests, sent: now, wanted: wanted(), shows: shows(), toward: view.toward, at: view.at };
    return {
      id: requests, now, source: view.source, model: view.model, tick: view.tick, at: view.at, speed: view.speed,
      playing: view.playing, follow: view.follow, toward: view.toward, server: view.server, theme: resolvedTheme(),
      seen: live.is() ? live.latest() : -1, told,
      drawn: drawn
        ? { key: drawn.key, roster: drawn.roster, tick: drawn.tick, server: drawn.server, shows: drawn.shows,
          drift: drawn.drift }
        : null,
    };
  }

  /** Clientside callback: takes note of what the server drew. */
  function land(data) {
    if (!data || !flight || data.id !== flight.id) return;
    const now = Date.now();
    lost = 0;
    answer = data;
    if (data.about) about = data.about;
    if (data.error || data.preparing || data.waiting) {
      notBefore = now + RETRY_MS[["error", "preparing", "waiting"].find((kind) => data[kind])];
      told = null; // the banner says something else now
      if (data.waiting || (drawn && drawn.shows !== flight.shows)) {
        drawn = about = null; // the server has erased the page
        live.note(null);
      }
    } else {
      takeNote(data, now);
    }
    flight = null;
    reflectControls();
    reflectStatus(now);
    writeAddress();
    window.requestAnimationFrame(keepHover);
  }

  /** What the page shows from now on, and where the view is after that. */
  function takeNote(data, now) {
    live.note(data.live || null);
    told = data.live ? data.told : null;
    if (data.live) {
      about.ticks = data.live.latest + 1;
      askAgain = now + live.askAgainAfter(following());
    }
    drawn = {
      key: data.key, roster: data.roster, tick: data.tick, asked: data.asked, server: data.server, source: data.source,
      shows: flight.shows, wanted: flight.wanted, at: now, drift: data.drift,
    };
    if (flight.toward && view.at === flight.at) view = { ...view, tick: data.asked, toward: 0 };
    if (!view.playing && view.tick > lastTick()) view.tick = lastTick();
    if (live.is() && view.playing && !view.follow && positionNow(now) >= live.latest()) view = { ...view, follow: true };
    // Whoever has begun anew since this was asked is not taken back to the end.
    if (view.playing && atEnd() && view.at === flight.at) view = { ...view, playing: false, tick: lastTick(), at: now };
  }

  // ---------------------------------------------------------------- clicks on figures

  function pickCell(click) {
    const point = click && click.points && click.points[0];
    if (!point || !about) return;
    const place = Array.isArray(point.customdata) ? point.customdata[0] : point.customdata;
    const name = about.servers[Number(place)];
    if (name) openServer(name);
    // So that the same one can be clicked again.
    for (const id of ["monitor-top", "monitor-heatmap"]) setProps(id, { clickData: null });
  }

  /** A click on the trend shows that moment. */
  function pickTime(click) {
    const point = click && click.points && click.points[0];
    if (!point || !about) return;
    const ms = Date.parse(`${String(point.x).replace(" ", "T")}Z`);
    if (Number.isFinite(ms)) seek(Math.round((ms - about.start_ms) / about.step_ms), { playing: false });
    setProps("monitor-trend", { clickData: null });
  }

  function pickServer(value) {
    const name = entryName(value);
    if (!view || !drawn || (name || null) === pickedServer) return;
    pickedServer = name || null;
    openServer(name);
  }

  /** Tell the server that the recording is on somebody's page, paused or hidden as it may be. */
  function watch() {
    if (!onPage() || !drawn) return;
    const told = fetch(appAddress(`api/v1/sources/${encodeURIComponent(drawn.source)}/watching`), { method: "POST" });
    told.catch(() => {}); // the page notices a lost connection by itself
  }

  window.setInterval(watch, WATCH_MS);
  onTheme(writeAddress);
  clientside({ gate, land, pickCell, pickTime, pickServer });
})();
