/* Instants and spans of time on the live monitor: how they are written, and what a viewer may write. All UTC. */
(() => {
  "use strict";

  const HINT = "Write a time as 03:10, 03:10:30, 2026-11-27 03:10 or -15m; all times are UTC.";
  const UNITS = { s: 1, m: 60, min: 60, h: 3600, d: 86400 };

  /** A span in the one or two units that read best: 7 s, 12 min, 3 h 5 min, 4 d 2 h. */
  function spanWords(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 90) return `${whole} s`;
    const minutes = Math.round(whole / 60);
    if (minutes < 90) return `${minutes} min`;
    if (minutes < 2880) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
    return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
  }

  const stamp = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

  /** The instant of a day's beginning and hours, minutes, seconds; NaN where there is no such one. */
  function instant(day, hours, minutes, seconds) {
    const begin = Date.parse(`${day}T00:00:00Z`);
    if (!Number.isFinite(begin) || stamp(begin).slice(0, 10) !== day) return NaN;
    if (hours > 23 || minutes > 59 || seconds > 59) return NaN;
    return begin + ((hours * 60 + minutes) * 60 + seconds) * 1000;
  }

  /** The instant that a viewer means: {ms} or {problem}. A time without a day is the last such one before ``now``. */
  function parse(text, now) {
    const written = text.trim().toLowerCase().replace(/(\d)t(\d)/, "$1 $2").replace(/\s*(utc|z)$/, "");
    const back = /^[-−]\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|d)$/.exec(written);
    if (back) return { ms: now - Number(back[1]) * UNITS[back[2]] * 1000 };
    const parts = /^(?:(\d{4}-\d{2}-\d{2})\s*)?(?:(\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(written);
    if (!parts || (!parts[1] && !parts[2])) return { problem: `'${text.trim().slice(0, 40)}' is no time. ${HINT}` };
    const clock = [parts[2], parts[3], parts[4]].map((part) => Number(part || 0));
    const ms = instant(parts[1] || stamp(now).slice(0, 10), ...clock);
    if (Number.isNaN(ms)) return { problem: `There is no such time as '${text.trim()}'. ${HINT}` };
    return { ms: !parts[1] && ms > now ? ms - 86400000 : ms };
  }

  window.tftMonitor = Object.assign(window.tftMonitor || {}, { times: { spanWords, stamp, parse } });
})();
