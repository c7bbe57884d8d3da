/* What a viewer of the live monitor wants to see, as a value: from the page's address, and into it. */
(() => {
  "use strict";

  const SWITCH = { 1: true, true: true, 0: false, false: false };

  /** A number of the address; text that is none goes to the server as it is, which says what is wrong with it. */
  function number(text, fallback) {
    if (text === null || text === "") return fallback;
    const value = Number(text);
    return Number.isFinite(value) ? value : text;
  }

  /** The view that the page's address asks for, over the server's defaults. One without a tick follows a live source. */
  function first(defaults) {
    const address = new URLSearchParams(window.location.search);
    const frozen = address.has("tick");
    const playing = address.has("playing") ? (SWITCH[address.get("playing")] ?? address.get("playing")) : !frozen;
    return {
      ...defaults,
      source: address.get("source") || defaults.source,
      model: address.get("model") || defaults.model,
      tick: number(address.get("tick"), 0),
      speed: number(address.get("speed"), 1),
      playing,
      follow: !frozen && playing !== false,
      toward: 0,
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

  /** The query that shows a view again; without a tick (null) it is the newest one of a live source. */
  function query(view, tick, playing, theme) {
    const parts = new URLSearchParams();
    parts.set("source", view.source);
    parts.set("model", view.model);
    if (tick !== null) parts.set("tick", String(tick));
    if (view.speed !== 1) parts.set("speed", String(view.speed));
    if (playing) parts.set("playing", "1");
    if (view.server) parts.set("server", view.server);
    const kept = new URLSearchParams(window.location.search);
    for (const name of ["channel", "kiosk"]) if (kept.get(name)) parts.set(name, kept.get(name));
    if (theme !== "auto") parts.set("theme", theme);
    return `?${parts}`;
  }

  window.tftMonitor = Object.assign(window.tftMonitor || {}, { views: { first, mended, query } });
})();
