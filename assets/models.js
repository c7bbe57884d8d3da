/* The models' page in the browser: asks for its figures in the theme that is shown, and again when that changes. */
(() => {
  "use strict";

  const { theme, onTheme, clientside } = window.tftDash;
  let model = null; // whose evidence the page shows

  /** Clientside callback: what the server needs to draw the figures. */
  function modelsAsk(name) {
    model = name;
    return { model: name, theme: theme() };
  }

  /** Clientside callback: the theme in which the figures of the drift watch are drawn at first. */
  function driftTheme() {
    return theme();
  }

  /** The drift watch needs no evidence: its figures follow the theme by a store of their own. */
  function tellTheme() {
    if (document.getElementById("models-drift-source")) {
      window.dash_clientside.set_props("models-drift-theme", { data: theme() });
    }
  }

  onTheme(() => {
    tellTheme();
    if (!model || !document.getElementById("models-reliability-30m")) return;
    window.dash_clientside.set_props("models-request", { data: { model, theme: theme() } });
  });
  clientside({ modelsAsk, driftTheme });
})();
