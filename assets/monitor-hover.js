/* A label under the pointer survives the redraw of its figure. */
(() => {
  "use strict";

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

  window.tftMonitor = Object.assign(window.tftMonitor || {}, { keepHover });
})();
