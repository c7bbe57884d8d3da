/* What the builder's timeline is drawn on: what stands there already, by key, and where a time or a share lies on it.
 *
 * window.tftDash.timelineBoard */
(() => {
  "use strict";

  const { documents } = window.tftDash;
  const SVG = "http://www.w3.org/2000/svg";

  /** The drawing's place and what it shows; nothing is made anew while it is dragged or has the focus. */
  const board = { place: null, draft: null, hands: null, kept: new Map(), seen: null, drag: null, keyed: null };

  const clamp = (value, low, high) => Math.max(low, Math.min(value, high));
  const round = (value) => Math.round(value * 1000) / 1000;
  const percent = (share) => `${round(100 * share)}%`;
  const length = () => (board.drag && board.drag.length) || documents.whole(board.draft);
  const across = (time) => percent(time / length());

  function part(key, parent, make) {
    let node = board.kept.get(key);
    if (!node || node.parentNode !== parent) {
      if (node) node.remove();
      node = make();
      board.kept.set(key, node);
      parent.append(node);
    }
    board.seen.add(key);
    return node;
  }

  function box(key, parent, className, tag = "div") {
    return part(key, parent, () => {
      const node = document.createElement(tag);
      node.className = className;
      if (tag === "button") node.type = "button";
      return node;
    });
  }

  function put(node, style, words) {
    for (const [name, value] of Object.entries(style)) if (node.style[name] !== value) node.style[name] = value;
    if (words !== undefined && node.textContent !== words) node.textContent = words;
    return node;
  }

  function picture(key, parent, className) {
    return part(key, parent, () => {
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("viewBox", "0 0 1000 100");
      svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("class", className);
      svg.setAttribute("aria-hidden", "true");
      for (const kind of ["tl-fill", "tl-line"]) {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("class", kind);
        svg.append(path);
      }
      return svg;
    });
  }

  /** ``runs``: lists of [share of the width, value] pairs. */
  function paint(svg, runs) {
    const at = ([share, value]) => `${round(1000 * share)} ${round(100 * (1 - clamp(value, 0, 1)))}`;
    const fill = runs.map((run) => `M${round(1000 * run[0][0])} 100L${run.map(at).join("L")}L${round(1000 * run.at(-1)[0])} 100Z`);
    const line = runs.map((run) => `M${run.map(at).join("L")}`);
    svg.children[0].setAttribute("d", fill.join(""));
    svg.children[1].setAttribute("d", line.join(""));
  }

  /** A slider: ``facts`` say what it is called, where it stands and may go, and what moving it writes. */
  function handle(key, parent, className, facts) {
    const node = box(key, parent, `tl-handle ${className}`);
    node.tabIndex = 0;
    node.setAttribute("role", "slider");
    const said = { label: facts.label, valuemin: facts.low, valuemax: facts.high, valuenow: facts.now, valuetext: facts.words, orientation: facts.upright ? "vertical" : "horizontal" };
    for (const [name, value] of Object.entries(said)) if (node.getAttribute(`aria-${name}`) !== String(value)) node.setAttribute(`aria-${name}`, value);
    node.dataset.words = facts.words;
    node.title = `${facts.label}: ${facts.words}`;
    node.facts = facts;
    return node;
  }

  /** Take away what was not drawn this time. */
  function sweep() {
    for (const [key, node] of board.kept) {
      if (board.seen.has(key)) continue;
      node.remove();
      board.kept.delete(key);
    }
  }

  window.tftDash.timelineBoard = { board, clamp, round, percent, length, across, box, put, picture, paint, handle, sweep };
})();
