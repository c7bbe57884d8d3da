/* What every page shares in the browser: the theme, applied before the first paint, and a place for the pages' scripts.
 *
 * window.tftDash
 *   theme()          "light" or "dark", as it is applied now
 *   themeChoice()    "auto", "light" or "dark", as the viewer chose it
 *   onTheme(act)     has act() called whenever the theme changes
 *   clientside(fns)  adds functions that Dash's clientside callbacks call */
(() => {
  "use strict";

  const THEME_KEY = "tft-dash-theme";
  const THEMES = ["auto", "light", "dark"];

  const query = new URLSearchParams(window.location.search);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const listeners = [];

  function stored(key) {
    try {
      return window.localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden; the theme then lasts for the page
    }
  }

  let themeChoice = [query.get("theme"), stored(THEME_KEY)].find((name) => THEMES.includes(name)) || "auto";

  const resolvedTheme = () => (themeChoice === "auto" ? (dark.matches ? "dark" : "light") : themeChoice);

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
  dark.addEventListener("change", applyTheme);
  if (["1", "true"].includes(query.get("kiosk"))) document.documentElement.dataset.kiosk = "1";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.id !== "shell-theme") return;
    cycleTheme();
    // After a click by pointer the keys drive the page again; who came by keyboard keeps the focus.
    if (event.detail > 0) button.blur();
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.tft_dash = window.dash_clientside.tft_dash || {};
  window.tftDash = {
    theme: resolvedTheme,
    themeChoice: () => themeChoice,
    onTheme: (act) => listeners.push(act),
    nameThemeButton: nameButton,
    clientside: (functions) => Object.assign(window.dash_clientside.tft_dash, functions),
  };
})();
