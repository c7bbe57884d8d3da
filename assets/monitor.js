/* The live monitor in the browser: playback, and the gate that lets one request go at a time.
 *
 * The page keeps a view (source, model, anchor tick, anchor time, speed, playing, server); every control turns it into
 * the next one. The gate asks the server for a frame when one is due; the server alone decides which tick that is. */
(() => {
  "use strict";

  const LEASE_MS = 6000; // a request that has no answer by then is given up and asked again
  const STALE_MS = 4000; // a tick that is overdue by this much makes the page stale
  const RETRY_MS = { preparing: 700, error: 5000 };
  const WATCH_MS = 60000; // a generated recording is kept as long as a page tells that it is open

  const { theme: resolvedTheme, themeChoice, onTheme, nameThemeButton, address: appAddress, entry, entryName, clientside } = window.tftDash;
  const query = new URLSearchParams(window.location.search);

  // ---------------------------------------------------------------- the page's state

  let view = null; // what the viewer wants
  let about = null; // what the server said of the source and model that are drawn
  let drawn = null; // {key, tick, server, at}: what the page shows
  let flight = null; // {id, sent}: the request without an answer
  let answer = null; // the last answer
  let lost = 0; // requests given up in a row
  let lastStatus = "";
  let dragging = false;
  let notBefore = 0;
  let requests = 0;
  let inertSince = 0;
  let pickedServer = null; // what the list of servers shows
  let mounted = null; // the page's own element: another one means that the page was built anew

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const skip = () => window.dash_clientside.no_update;
  const onPage = () => document.getElementById("monitor-scrubber") !== null;

  function positionNow(now) {
    if (!about) return view.tick;
    const moved = view.playing ? Math.floor((Math.max(now - view.at, 0) / 1000) * view.speed / about.tick_seconds) : 0;
    return Math.max(0, Math.min(Math.floor(view.tick) + moved, about.ticks - 1));
  }

  const lastTick = () => (about ? about.ticks - 1 : 0);
  const atEnd = () => Boolean(about && drawn && drawn.tick >= about.ticks - 1);

  /** A number of the address; text that is none goes to the server as it is, which says what is wrong with it. */
  function number(text, fallback) {
    if (text === null || text === "") return fallback;
    const value = Number(text);
    return Number.isFinite(value) ? value : text;
  }

  const SWITCH = { 1: true, true: true, 0: false, false: false };

  /** The view that the page's address asks for, over the server's defaults. */
  function firstView(defaults) {
    const address = new URLSearchParams(window.location.search);
    const frozen = address.has("tick");
    return {
      ...defaults,
      source: address.get("source") || defaults.source,
      model: address.get("model") || defaults.model,
      tick: number(address.get("tick"), 0),
      speed: number(address.get("speed"), 1),
      playing: address.has("playing") ? (SWITCH[address.get("playing")] ?? address.get("playing")) : !frozen,
      server: address.get("server") || null,
      at: Date.now(),
    };
  }

  /** What of a view can be, so that any control mends an impossible address. */
  function mended(wish) {
    return {
      ...wish,
      tick: Number.isFinite(wish.tick) ? wish.tick : 0,
      speed: wish.speed >= 0.5 && wish.speed <= 60 ? wish.speed : 1,
      playing: wish.playing === true,
    };
  }

  function change(part, { moved = false } = {}) {
    if (!view) return;
    const now = Date.now();
    const anchored = moved ? {} : { tick: positionNow(now) };
    view = mended({ ...view, ...anchored, at: now, ...part });
    notBefore = 0;
    setProps("monitor-view", { data: view });
    reflectControls();
    writeAddress();
  }

  const seek = (tick, part = {}) =>
    change({ tick: Math.max(0, Math.min(Math.round(tick), lastTick())), ...part }, { moved: true });

  /** To the last tick, once it is known which that is. */
  function toEnd() {
    if (about) seek(lastTick());
  }

  function step(by) {
    const here = positionNow(Date.now());
    seek(here + by, { playing: false });
  }

  function togglePlay() {
    if (!view) return;
    if (!view.playing && about && positionNow(Date.now()) >= lastTick()) seek(0, { playing: true });
    else if (view.playing && atEnd()) seek(0, { playing: true });
    else change({ playing: !view.playing });
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
    "monitor-restart": () => seek(0, { playing: true }),
    "monitor-back": () => step(-1),
    "monitor-forward": () => step(1),
    "monitor-end": toEnd,
    "monitor-copy-link": copyLink,
    "monitor-server-close": () => openServer(null),
  };

  const CHANGES = {
    "monitor-source": (value) => change({ source: value, tick: 0, server: null, playing: true }, { moved: true }),
    "monitor-model": (value) => change({ model: value }),
    "monitor-speed": (value) => change({ speed: Number(value) }),
    "monitor-jump": (value) => value !== "" && seek(Number(value)),
  };

  const KEYS = {
    " ": togglePlay,
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => seek(0),
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
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => (dragging = false));

  document.addEventListener("keydown", (event) => {
    if (!onPage() || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
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
    address.search = addressOf(drawn ? drawn.tick : 0, false);
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

  function addressOf(tick, playing) {
    const parts = new URLSearchParams();
    parts.set("source", view.source);
    parts.set("model", view.model);
    parts.set("tick", String(tick));
    if (view.speed !== 1) parts.set("speed", String(view.speed));
    if (playing) parts.set("playing", "1");
    if (view.server) parts.set("server", view.server);
    for (const name of ["channel", "kiosk"]) if (query.get(name)) parts.set(name, query.get(name));
    if (themeChoice() !== "auto") parts.set("theme", themeChoice());
    return `?${parts}`;
  }

  function writeAddress() {
    if (!view || !onPage()) return;
    const tick = drawn && drawn.source === view.source ? drawn.tick : view.tick;
    const next = addressOf(view.playing ? tick : view.tick, view.playing);
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
      const on = view.playing && !atEnd();
      play.dataset.playing = on ? "1" : "0";
      const words = on ? "Pause" : atEnd() ? "Play again" : "Play";
      play.setAttribute("aria-label", words);
      play.title = `${words} (space)`;
    }
    const tick = view.playing && drawn ? drawn.tick : view.tick;
    const scrubber = document.getElementById("monitor-scrubber");
    if (scrubber && about) {
      if (scrubber.max !== String(lastTick())) scrubber.max = String(lastTick());
      if (!dragging && scrubber.value !== String(tick)) scrubber.value = String(tick);
      scrubber.style.setProperty("--done", `${(100 * tick) / Math.max(lastTick(), 1)}%`);
      scrubber.setAttribute("aria-valuetext", `tick ${tick} of ${lastTick()}`);
    }
    document.querySelectorAll("#monitor-phases [data-tick]").forEach((segment) => {
      const inside = tick >= Number(segment.dataset.tick) && tick <= Number(segment.dataset.last);
      segment.setAttribute("aria-current", inside ? "step" : "false");
    });
  }

  // ---------------------------------------------------------------- status and age

  function status(now) {
    if (lost > 0) return "lost";
    if (answer && answer.error) return "error";
    if (answer && answer.preparing) return "preparing";
    if (!drawn) return "loading";
    const due = positionNow(now);
    inertSince = due > drawn.tick ? inertSince || now : 0;
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
    const share = done > 0 ? ` ${done} %` : "";
    const text = WORDS[kind] + share;
    if (lastStatus !== kind + text) {
      lastStatus = kind + text;
      document.querySelectorAll(".status-pill").forEach((pill) => {
        pill.className = `status-pill status-${kind}`;
        pill.querySelector(".status-word").textContent = text;
      });
      document.documentElement.dataset.status = kind;
    }
    const age = document.getElementById("monitor-age");
    if (age && drawn) {
      const seconds = Math.max(0, Math.round((now - drawn.at) / 1000));
      const words = seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
      const shown = `updated ${words} ago`;
      if (age.textContent !== shown) age.textContent = shown;
    }
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
      drawn = about = answer = flight = null;
      lastStatus = "";
      notBefore = lost = 0;
      // A link from another page says what to show; who merely comes back finds the view as it was left.
      if (new URLSearchParams(window.location.search).has("source")) view = null;
    }
    if (!view) {
      view = firstView(defaults);
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
    const upToDate = drawn && drawn.wanted === wanted() && drawn.tick === positionNow(now);
    const settled = answer && !answer.preparing && !answer.error && lost === 0;
    if (upToDate && settled) return skip();
    requests += 1;
    flight = { id: requests, sent: now, wanted: wanted(), shows: shows() };
    return {
      id: requests, now, source: view.source, model: view.model, tick: view.tick, at: view.at, speed: view.speed,
      playing: view.playing, server: view.server, theme: resolvedTheme(),
      drawn: drawn
        ? { key: drawn.key, tick: drawn.tick, server: drawn.server, shows: drawn.shows, drift: drawn.drift }
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
    if (data.error || data.preparing) {
      notBefore = now + (data.error ? RETRY_MS.error : RETRY_MS.preparing);
      if (drawn && drawn.shows !== flight.shows) drawn = about = null; // the server has erased the page
    } else {
      drawn = {
        key: data.key, tick: data.tick, server: data.server, source: data.source, shows: flight.shows,
        wanted: flight.wanted, at: now, drift: data.drift,
      };
      if (!view.playing && view.tick > lastTick()) view.tick = lastTick();
      if (view.playing && atEnd()) view = { ...view, playing: false, tick: lastTick(), at: now };
    }
    flight = null;
    reflectControls();
    reflectStatus(now);
    writeAddress();
    window.requestAnimationFrame(keepHover);
  }

  // ---------------------------------------------------------------- clicks on figures; hover survives a redraw

  function pickCell(click) {
    const point = click && click.points && click.points[0];
    if (!point || !about) return;
    const place = Array.isArray(point.customdata) ? point.customdata[0] : point.customdata;
    const name = about.servers[Number(place)];
    if (name) openServer(name);
    // So that the same one can be clicked again.
    for (const id of ["monitor-top", "monitor-heatmap"]) setProps(id, { clickData: null });
  }

  function pickServer(value) {
    const name = entryName(value);
    if (!view || !drawn || (name || null) === pickedServer) return;
    pickedServer = name || null;
    openServer(name);
  }

  let pointer = null;
  document.addEventListener("mousemove", (event) => {
    if (event.isTrusted) pointer = { x: event.clientX, y: event.clientY };
  }, { passive: true });
  document.addEventListener("mouseleave", () => (pointer = null));

  function keepHover() {
    if (!pointer) return;
    const under = document.elementFromPoint(pointer.x, pointer.y);
    const plot = under && under.closest(".js-plotly-plot");
    if (!plot) return;
    const move = () => {
      if (!pointer || !plot.isConnected || !plot._fullLayout) return; // the page was left meanwhile
      const facts = { clientX: pointer.x, clientY: pointer.y, bubbles: true, view: window };
      under.dispatchEvent(new MouseEvent("mousemove", facts));
    };
    window.setTimeout(move, 60);
  }

  /** Tell the server that the recording is on somebody's page, paused or hidden as it may be. */
  function watch() {
    if (!onPage() || !drawn) return;
    const told = fetch(appAddress(`api/v1/sources/${encodeURIComponent(drawn.source)}/watching`), { method: "POST" });
    told.catch(() => {}); // the page notices a lost connection by itself
  }

  window.setInterval(watch, WATCH_MS);
  onTheme(writeAddress);
  clientside({ gate, land, pickCell, pickServer });
})();
