/* The builder's timeline: phases as blocks on an axis of time, their intensity as a line with handles, faults as lanes.
 *
 * Every handle is a slider: dragged by mouse, pen or finger, moved by the arrow keys (a tick at a time, ten by Page Up and
 * Page Down), and read out in words. Times snap to the drill's tick, save with Shift.
 *
 * window.tftDash.timeline.draw(place, document, hands) */
(() => {
  "use strict";

  const { documents } = window.tftDash;
  const { seconds, duration } = documents;
  const LANES = 40; // more would not be told apart; the fields have them all
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
  const SVG = "http://www.w3.org/2000/svg";
  const VALUE_STEP = 0.05;

  let place = null;
  let draft = null;
  let hands = null;
  let kept = new Map(); // what is drawn, by key: nothing is made anew while it is dragged or has the focus
  let seen = null;
  let drag = null;
  let keyed = null; // {start, last}: the drill before the end was moved by keys, and as the last key left it

  const clamp = (value, low, high) => Math.max(low, Math.min(value, high));
  const round = (value) => Math.round(value * 1000) / 1000;
  const percent = (share) => `${round(100 * share)}%`;
  const length = () => (drag && drag.length) || documents.whole(draft);
  const across = (time) => percent(time / length());

  // ---------------------------------------------------------------- drawing

  function part(key, parent, make) {
    let node = kept.get(key);
    if (!node || node.parentNode !== parent) {
      if (node) node.remove();
      node = make();
      kept.set(key, node);
      parent.append(node);
    }
    seen.add(key);
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

  function draw(where, document_, handlers) {
    if (!where) return;
    if (where !== place) {
      place = where;
      kept = new Map();
      place.replaceChildren();
      drag = null;
    }
    [draft, hands, seen] = [document_, handlers, new Set()];
    const isReadable = Boolean(length());
    const note = box("note", place, "tl-note", "p");
    put(note, {}, isReadable ? "" : "The timeline appears when the drill's duration can be read.");
    note.hidden = isReadable;
    if (isReadable) {
      const phases = documents.story(draft);
      drawStory(phases);
      drawAxis();
      drawLanes();
    }
    for (const [key, node] of kept) {
      if (seen.has(key)) continue;
      node.remove();
      kept.delete(key);
    }
  }

  function drawStory(phases) {
    const isOwn = documents.isExplicit(draft);
    const story = box("story", place, "tl-story");
    story.classList.toggle("tl-usual", !isOwn);
    for (const value of [0, 0.5, 1]) put(box(`grid-${value}`, story, "tl-grid"), { top: percent(1 - value) }, percent(value));
    const svg = picture("curve", story, "tl-curve");
    paint(svg, storyRuns());
    for (const phase of phases) drawPhase(story, phase, isOwn);
    if (isOwn) phases.slice(1).forEach((phase) => drawBorder(story, phases, phase));
    drawEnd(story, phases);
    if (!isOwn) {
      const make = box("explicit", story, "text-button tl-explicit", "button");
      make.dataset.act = "explicit";
      put(make, {}, "Make the phases my own");
    }
  }

  function drawPhase(story, phase, isOwn) {
    const block = box(`phase-${phase.place}`, story, "tl-phase", isOwn ? "button" : "span");
    put(block, { left: across(phase.from), width: across(phase.to - phase.from) }, phase.name);
    block.title = `${phase.name}, ${duration(phase.from)} to ${duration(phase.to)}`;
    block.dataset.open = `spec.phases[${phase.place}]`;
    if (!isOwn || !phase.line) return;
    phase.line.forEach(([at, value], index) => drawPoint(story, phase, index, [at, value]));
  }

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

  function drawBorder(story, phases, phase) {
    const before = phases.find((each) => each.place === phase.place - 1);
    if (!before) return;
    const step = documents.tick(draft);
    const facts = {
      label: `Border between ${before.name} and ${phase.name}`,
      now: phase.from,
      low: round(before.from + step),
      high: round(phase.to - step),
      words: duration(phase.from),
      paths: [`spec.phases[${before.place}].to`, `spec.phases[${phase.place}].from`],
      write: (document_, time) => {
        document_.spec.phases[before.place].to = duration(time);
        document_.spec.phases[phase.place].from = duration(time);
      },
    };
    put(handle(`border-${phase.place}`, story, "tl-border", facts), { left: across(phase.from) });
  }

  function drawEnd(story, phases) {
    const step = documents.tick(draft);
    const last = phases.at(-1);
    const isOwn = documents.isExplicit(draft);
    const [now, start] = [documents.whole(draft), copyOf(draft)];
    const facts = {
      label: "End of the drill",
      now,
      low: round(isOwn && last && hands.endRule() === "extend" ? last.from + step : step * Math.max(phases.length, 1)),
      high: 10 * 366 * 86400,
      words: duration(now),
      isEnd: true,
      paths: ["spec.clock.duration", ...phases.flatMap((phase) => (isOwn ? [`spec.phases[${phase.place}].from`, `spec.phases[${phase.place}].to`] : [])), ...faultPaths()],
      write: (document_, time) => {
        const from = drag ? drag.start : keyed ? keyed.start : start; // scaled from where it began: rounding does not add up
        document_.spec = copyOf(from).spec;
        documents.setDuration(document_, time, hands.endRule() === "scale");
      },
    };
    put(handle("end", story, "tl-border tl-end", facts), { left: across(Math.min(now, length())) });
  }

  const copyOf = (value) => documents.copy(value);
  const faults = () => documents.get(draft, "spec.faults");
  const faultPaths = () => (Array.isArray(faults()) ? faults().flatMap((_, index) => ["from", "to", "lag"].map((field) => `spec.faults[${index}].${field}`)) : []);

  /** How a point of a phase's curve is called, and what moving it does to the document. */
  function drawPoint(story, phase, index, [at, value]) {
    const path = `spec.phases[${phase.place}].intensity`;
    const curve = documents.get(draft, path);
    const isPoints = Boolean(curve && Array.isArray(curve.points));
    const last = phase.line.length - 1;
    const where = index === 0 ? "at the start of" : index === last ? "at the end of" : `at point ${index + 1} of`;
    const facts = {
      label: `Intensity ${where} ${phase.name}`,
      now: value,
      low: 0,
      high: 1,
      words: percent(value),
      upright: true,
      isNewShape: !isPoints && !(curve && curve.end !== undefined),
      paths: isPoints ? [`${path}.points[${index}].value`, `${path}.points[${index}].at`] : [path, `${path}.start`, `${path}.end`],
      write: (document_, wanted) => {
        const held = document_.spec.phases[phase.place];
        if (isPoints) held.intensity.points[index].value = wanted;
        else {
          const ends = documents.line(held.intensity).map((point) => point[1]);
          ends[index ? 1 : 0] = wanted;
          held.intensity = { start: ends[0], end: ends[1] };
        }
      },
    };
    if (isPoints && index > 0 && index < last) {
      const [left, right] = [phase.line[index - 1][0], phase.line[index + 1][0]];
      facts.sideways = { now: at, low: left, high: right, span: phase.to - phase.from, write: (document_, wanted) => (document_.spec.phases[phase.place].intensity.points[index].at = wanted) };
    }
    const inset = index === 0 ? " + 7px" : index === last ? " - 7px" : "";
    const left = across(phase.from + at * (phase.to - phase.from));
    const node = handle(`point-${phase.place}-${index}`, story, "tl-point", facts);
    node.classList.toggle("tl-first", index === 0);
    node.classList.toggle("tl-last", index > 0 && index === last);
    put(node, { left: inset ? `calc(${left}${inset})` : left, top: percent(1 - clamp(value, 0, 1)) });
  }

  function drawAxis() {
    const axis = box("axis", place, "tl-axis");
    const whole = length();
    const marks = place.clientWidth && place.clientWidth < 520 ? 4 : 8;
    const step = STEPS.find((each) => whole / each <= marks) ?? Math.ceil(whole / marks / 86400) * 86400;
    for (let time = 0; time <= whole + 1e-6; time += step) put(box(`mark-${time}`, axis, "tl-mark"), { left: across(time) }, duration(time));
  }

  // ---------------------------------------------------------------- faults

  function drawLanes() {
    const lanes = box("lanes", place, "tl-lanes");
    const list = Array.isArray(faults()) ? faults() : [];
    list.slice(0, LANES).forEach((fault, index) => drawLane(lanes, fault && typeof fault === "object" ? fault : {}, index));
    const rest = box("rest", lanes, "tl-note", "p");
    put(rest, {}, list.length > LANES ? `and ${list.length - LANES} more in the fields` : "");
    rest.hidden = list.length <= LANES;
    lanes.append(rest);
  }

  function whomWords(whom) {
    if (!whom || typeof whom !== "object") return "";
    if (Array.isArray(whom.names)) return whom.names.slice(0, 3).join(", ");
    const of = whom.profile ?? "the fleet";
    if (typeof whom.share === "number") return `${percent(whom.share)} of ${of}`;
    if (whom.profile) return whom.first ? `first ${whom.first} of ${of}` : String(of);
    return "first of each";
  }

  function drawLane(lanes, fault, index) {
    const lane = box(`lane-${index}`, lanes, "tl-lane");
    const name = String(fault.id ?? `fault ${index + 1}`);
    const label = box(`label-${index}`, lane, "tl-label", "button");
    label.dataset.open = `spec.faults[${index}]`;
    put(label, {}, `${name}: ${fault.what ?? ""}, ${whomWords(fault.whom)}`);
    label.title = label.textContent;
    const track = box(`track-${index}`, lane, "tl-track");
    const isOwn = ["from", "to", "intensity"].some((field) => fault[field] !== undefined);
    const from = fault.from === undefined ? 0 : seconds(fault.from);
    const to = fault.to === undefined ? documents.whole(draft) : seconds(fault.to);
    const lag = fault.lag === undefined ? 0 : seconds(fault.lag);
    if (from === null || to === null || lag === null || to <= from) return;
    const bar = box(`bar-${index}`, track, "tl-bar");
    bar.classList.toggle("tl-follows", !isOwn);
    put(bar, { left: across(from), width: across(Math.min(to, length()) - from) });
    paint(picture(`barcurve-${index}`, bar, "tl-curve"), isOwn ? [documents.line(fault.intensity ?? 1) ?? [[0, 1], [1, 1]]] : storyRuns(lag));
    if (lag > 0) put(box(`delay-${index}`, track, "tl-delay"), { left: across(from), width: across(lag) });
    drawFaultHandles(track, { index, name, from, to, lag, isOwn });
  }

  const along = (phase, lag) => phase.line.map(([at, value]) => [(phase.from + at * (phase.to - phase.from) + lag) / length(), value]);
  const storyRuns = (lag = 0) => documents.story(draft).filter((phase) => phase.line).map((phase) => along(phase, lag));

  function drawFaultHandles(track, { index, name, from, to, lag, isOwn }) {
    const step = documents.tick(draft);
    const whole = documents.whole(draft);
    const write = (field) => (document_, time) => (document_.spec.faults[index][field] = duration(time));
    const path = (field) => [`spec.faults[${index}].${field}`];
    if (isOwn) {
      const start = { label: `Start of ${name}`, now: from, low: 0, high: round(to - step), words: duration(from), paths: path("from"), write: write("from") };
      const end = { label: `End of ${name}`, now: to, low: round(from + step), high: whole, words: duration(to), paths: path("to"), write: write("to") };
      put(handle(`from-${index}`, track, "tl-grip", start), { left: across(from) });
      put(handle(`to-${index}`, track, "tl-grip", end), { left: across(to) });
    }
    const facts = { label: `Lag of ${name}`, now: lag, low: 0, high: round(whole - step), words: lag ? `shows ${duration(lag)} later` : "shows at once", paths: path("lag"), write: write("lag") };
    put(handle(`lag-${index}`, track, "tl-lag", facts), { left: isOwn && !lag ? `calc(${across(from)} + 16px)` : across(Math.min(from + lag, length())) }); // never on the start
  }

  // ---------------------------------------------------------------- moving

  /** Where a slider goes, held to its bounds and, unless it is free, to the tick. */
  function settled(facts, wanted, isFree) {
    if (facts.upright) return clamp(Math.round(wanted / (isFree ? 0.01 : VALUE_STEP)) * (isFree ? 0.01 : VALUE_STEP), facts.low, facts.high);
    const step = documents.tick(draft);
    return clamp(isFree ? wanted : Math.round(wanted / step) * step, facts.low, Math.max(facts.high, facts.low));
  }

  function moveTo(facts, wanted, isFree, write = facts.write) {
    const to = write === facts.write ? round(settled(facts, wanted, isFree)) : round(wanted);
    hands.move((document_) => write(document_, to), facts.paths);
  }

  function onDown(event) {
    const node = event.target.closest(".tl-handle");
    if (!node || event.button > 0) return;
    event.preventDefault();
    node.focus();
    node.setPointerCapture(event.pointerId);
    const room = node.parentNode.getBoundingClientRect();
    const { facts } = node;
    keyed = null;
    drag = { node, id: event.pointerId, x: event.clientX, y: event.clientY, room, now: facts.now, side: facts.sideways?.now, isMoved: false, start: copyOf(draft) };
    if (facts.isEnd) drag.length = documents.whole(draft);
    node.classList.add("tl-dragged");
  }

  function onMove(event) {
    if (!drag || event.pointerId !== drag.id) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.isMoved && Math.hypot(dx, dy) < 3) return;
    if (!drag.isMoved) hands.take();
    drag.isMoved = true;
    const { facts } = drag.node;
    if (!drag.node.isConnected) return;
    drag.isNewShape = drag.isNewShape || facts.isNewShape;
    if (facts.upright) moveTo(facts, drag.now - dy / drag.room.height, event.shiftKey);
    else moveTo(facts, drag.now + (dx / drag.room.width) * length(), event.shiftKey);
    if (facts.sideways) sideways(facts, drag.side + ((dx / drag.room.width) * length()) / facts.sideways.span);
  }

  function moveEnd(facts, wanted, isFree) {
    const now = JSON.stringify(draft);
    if (facts.isEnd && (!keyed || keyed.last !== now)) keyed = { start: copyOf(draft) };
    moveTo(facts, wanted, isFree);
    if (facts.isEnd) keyed.last = JSON.stringify(draft);
  }

  function sideways(facts, wanted) {
    const { low, high, write } = facts.sideways;
    moveTo(facts, Math.round(clamp(wanted, low, high) * 100) / 100, true, write);
  }

  function onUp(event) {
    if (!drag || event.pointerId !== drag.id) return;
    const { node, isMoved, isNewShape, length: frozen } = drag;
    drag = null;
    node.classList.remove("tl-dragged");
    if (isMoved && frozen) draw(place, draft, hands);
    if (isMoved) hands.drop(Boolean(isNewShape));
  }

  const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };

  function onKey(event) {
    const node = event.target.closest?.(".tl-handle");
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const { facts } = node;
    const by = KEYS[event.key];
    const isEnd = event.key === "Home" || (event.key === "End" && !facts.isEnd);
    if (!by && !isEnd) return;
    event.preventDefault();
    hands.take();
    const aside = facts.sideways && ["ArrowLeft", "ArrowRight"].includes(event.key);
    const { isNewShape } = facts;
    if (aside) sideways(facts, facts.sideways.now + by * 0.01);
    else if (isEnd) moveTo(facts, event.key === "Home" ? facts.low : facts.high, true);
    else if (facts.upright) moveTo(facts, facts.now + (Math.abs(by) > 1 ? Math.sign(by) * 0.25 : by * (event.shiftKey ? 0.01 : VALUE_STEP)), true);
    else moveEnd(facts, facts.now + by * documents.tick(draft), event.shiftKey);
    hands.drop(Boolean(isNewShape));
  }

  function onClick(event) {
    const block = event.target.closest?.("[data-open]");
    if (block && place && place.contains(block) && hands) hands.open(block.dataset.open);
  }

  document.addEventListener("pointerdown", onDown);
  document.addEventListener("pointermove", onMove);
  document.addEventListener("pointerup", onUp);
  document.addEventListener("pointercancel", onUp);
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);

  window.tftDash.timeline = { draw };
})();
