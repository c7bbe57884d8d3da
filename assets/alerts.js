/* The pages of alerts in the browser: they look again by themselves while somebody sees them, one look at a time; and
 * they remember who is at the screen, as the scenarios' pages do. */
(() => {
  "use strict";

  const { theme, onTheme, clientside } = window.tftDash;
  const AUTHOR = "tft-dash-author";
  const LEASE_MS = 15000; // a look that has no answer by then is given up

  let number = 0;
  let asked = null; // when the look that has no answer yet was sent
  let drawn = null; // what the chart shows
  let about = null; // which page this is
  let named = null; // the field that has been filled

  const noUpdate = () => window.dash_clientside.no_update;
  const set = (id, props) => window.dash_clientside.set_props(id, props);

  function kept() {
    try {
      return window.localStorage.getItem(AUTHOR) || "";
    } catch {
      return ""; // storage may be forbidden; the name is then asked anew
    }
  }

  function keep(name) {
    try {
      window.localStorage.setItem(AUTHOR, name);
    } catch {
      // see kept()
    }
  }

  /** Clientside callback: ask for what has changed. */
  function alertsLook(_ticks, page, seen) {
    if (!page || document.hidden) return noUpdate();
    if (asked !== null && Date.now() - asked < LEASE_MS) return noUpdate();
    asked = Date.now();
    return { ...page, seen, id: (number += 1) };
  }

  /** Clientside callback: the answer is there; the chart follows where the problem has moved on. */
  function alertsSeen(seen) {
    asked = null;
    if (!seen || !about || about.page !== "problem") return;
    if (drawn !== null && drawn !== seen.rest) set("alerts-draw", { data: { problem: about.problem, theme: theme() } });
    drawn = seen.rest;
  }

  /** Clientside callback: the chart, when the page opens. */
  function alertsDraw(page) {
    about = page;
    drawn = null;
    return page && page.page === "problem" ? { problem: page.problem, theme: theme() } : noUpdate();
  }

  /** Clientside callback: who was at this screen last. */
  function alertsName(_start) {
    named = null;
    return kept();
  }

  /** Clientside callback: remember who is at the screen. */
  function alertsKeepName(name) {
    if (typeof name === "string" && (name || named)) keep(name.trim());
    named = true;
  }

  /** Clientside callback: the theme in which the tuner's curve is drawn. */
  const alertsTheme = () => theme();

  onTheme(() => {
    if (document.getElementById("alerts-tune-curve")) set("alerts-tune-theme", { data: theme() });
    if (about && about.page === "problem" && document.getElementById("alerts-chart")) {
      set("alerts-draw", { data: { problem: about.problem, theme: theme() } });
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) asked = null; // look at once when the page is seen again
  });
  clientside({ alertsLook, alertsSeen, alertsDraw, alertsName, alertsKeepName, alertsTheme });
})();
