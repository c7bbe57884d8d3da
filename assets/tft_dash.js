/* What every page shares in the browser: the theme, applied before the first paint, and a place for the pages' scripts.
 *
 * window.tftDash
 *   theme()          "light" or "dark", as it is applied now
 *   themeChoice()    "auto", "light" or "dark", as the viewer chose it
 *   onTheme(act)     has act() called whenever the theme changes
 *   address(path)    an address of the app, below the path that it is served under
 *   entry(name)      a name as the option of a searchable list, whose index must never see __proto__
 *   entryName(value) the name behind such an option
 *   clientside(fns)  adds functions that Dash's clientside callbacks call */
(() => {
  "use strict";

  const THEME_KEY = "tft-dash-theme";
  const THEMES = ["auto", "light", "dark"];

  const query = new URLSearchParams(window.location.search);
  const darkQuery = window.matchMedia("(prefers-color-scheme: dark)");
  const listeners = [];

  function stored(key) {
    try {
      return window.localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden; the theme then lasts for the page
    }
  }

  let themeChoice = [query.get("theme"), stored(THEME_KEY)].find((name) => THEMES.includes(name)) || "auto";

  // Kept, because Chromium tells no change of a query whose new state has been read before the telling.
  let isDark = darkQuery.matches;

  const resolvedTheme = () => (themeChoice === "auto" ? (isDark ? "dark" : "light") : themeChoice);

  function nameButton() {
    const button = document.getElementById("shell-theme");
    if (!button) return;
    const words = { auto: "system", light: "light", dark: "dark" }[themeChoice];
    button.title = `Theme: ${words}. Press for the next one.`;
    button.setAttribute("aria-label", button.title);
  }

  function applyTheme() {
    document.documentElement.dataset.bsTheme = resolvedTheme();
    document.documentElement.dataset.themeChoice = themeChoice;
    nameButton();
    for (const act of listeners) act();
  }

  function cycleTheme() {
    themeChoice = THEMES[(THEMES.indexOf(themeChoice) + 1) % THEMES.length];
    try {
      window.localStorage.setItem(THEME_KEY, themeChoice);
    } catch {
      // see stored()
    }
    applyTheme();
  }

  applyTheme();
  darkQuery.addEventListener("change", (event) => {
    isDark = event.matches;
    applyTheme();
  });
  if (["1", "true"].includes(query.get("kiosk"))) document.documentElement.dataset.kiosk = "1";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.id !== "shell-theme") return;
    cycleTheme();
    // After a click by pointer the keys drive the page again; who came by keyboard keeps the focus.
    if (event.detail > 0) button.blur();
  });

  // ---------------------------------------------------------------- the navigation, and the way from page to page

  /** Say to a screen reader, too, which page of the navigation is open. */
  function markCurrent() {
    document.querySelectorAll(".nav-pages .nav-page").forEach((link) => {
      if (link.classList.contains("active")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  }

  let shownPath = window.location.pathname;

  /** A page that was come to is read from its heading on, and starts at its top; nothing of the last one's state stays. */
  function arrive(content) {
    if (window.location.pathname === shownPath) return;
    shownPath = window.location.pathname;
    delete document.documentElement.dataset.status;
    window.scrollTo({ top: 0, behavior: "instant" });
    if (content.contains(document.activeElement)) return; // the page has chosen where to begin
    const heading = content.querySelector("h1") || document.getElementById("main");
    if (!heading) return;
    heading.setAttribute("tabindex", "-1");
    heading.focus({ preventScroll: true });
  }

  /** Once the frame is there: watch its navigation and its content. */
  function attend() {
    const navigation = document.querySelector(".nav-pages");
    const content = document.getElementById("_pages_content");
    if (!navigation || !content) return false;
    nameButton();
    markCurrent();
    new MutationObserver(markCurrent).observe(navigation, { subtree: true, attributeFilter: ["class"] });
    new MutationObserver(() => arrive(content)).observe(content, { childList: true });
    return true;
  }

  // Dash's lists leave the tab key's stop to a hidden stand-in, which is nothing to a screen reader. They take it here.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    for (const list of document.querySelectorAll(".dash-dropdown[tabindex='-1']")) list.tabIndex = 0;
  }, true);

  document.addEventListener("DOMContentLoaded", () => {
    if (attend()) return;
    const waiting = new MutationObserver(() => attend() && waiting.disconnect());
    waiting.observe(document.body, { childList: true, subtree: true });
  });

  /** ``path`` without a slash in front, below the app's base path. */
  // A joiner, which is not seen, makes another word of it; components.entry does the same for the options.
  const entry = (name) => name && name.replace(/__(?=proto__)/gi, "_\u2060_");
  const entryName = (value) => value && value.replace(/_\u2060_(?=proto__)/gi, "__");

  function address(path) {
    const config = document.getElementById("_dash-config");
    return (config ? JSON.parse(config.textContent).requests_pathname_prefix : "/") + path;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.tft_dash = window.dash_clientside.tft_dash || {};
  window.tftDash = {
    theme: resolvedTheme,
    themeChoice: () => themeChoice,
    onTheme: (act) => listeners.push(act),
    nameThemeButton: nameButton,
    address,
    entry,
    entryName,
    clientside: (functions) => Object.assign(window.dash_clientside.tft_dash, functions),
  };
})();
