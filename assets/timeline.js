/* The builder's timeline: phases as blocks on an axis of time, their intensity as a line with handles, faults as lanes.
 *
 * The usual story has the same handles: whoever moves one makes the phases the drill's own.
 *
 * window.tftDash.timeline.draw(place, document, hands) */
(() => {
  "use strict";

  const { documents, timelineBoard, timelineLanes } = window.tftDash;
  const { board, clamp, round, percent, length, across, box, put, picture, paint, handle, sweep } = timelineBoard;
  const { duration } = documents;
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

  function draw(where, document_, handlers) {
    if (!where) return;
    if (where !== board.place) {
      Object.assign(board, { place: where, kept: new Map(), drag: null });
      where.replaceChildren();
    }
    Object.assign(board, { draft: document_, hands: handlers, seen: new Set() });
    const isReadable = Boolean(length());
    const note = box("note", where, "tl-note", "p");
    put(note, {}, isReadable ? "" : "The timeline appears when the drill's duration can be read.");
    note.hidden = isReadable;
    if (isReadable) {
      drawStory(documents.story(document_));
      drawAxis();
      timelineLanes.draw(storyRuns);
    }
    drawAdds(where);
    sweep();
  }

  function drawAdds(where) {
    const adds = box("adds", where, "tl-adds");
    for (const [path, words] of [["spec.phases", "New phase"], ["spec.faults", "New fault"]]) {
      const add = box(`add-${path}`, adds, "text-button", "button");
      Object.assign(add.dataset, { act: "add", of: path });
      put(add, {}, words);
    }
    where.append(adds);
  }

  const along = (phase, lag) => phase.line.map(([at, value]) => [(phase.from + at * (phase.to - phase.from) + lag) / length(), value]);
  const storyRuns = (lag = 0) => documents.story(board.draft).filter((phase) => phase.line).map((phase) => along(phase, lag));

  // ---------------------------------------------------------------- phases

  function drawStory(phases) {
    const isOwn = documents.isExplicit(board.draft);
    const story = box("story", board.place, "tl-story");
    story.classList.toggle("tl-usual", !isOwn);
    for (const value of [0, 0.5, 1]) put(box(`grid-${value}`, story, "tl-grid"), { top: percent(1 - value) }, percent(value));
    paint(picture("curve", story, "tl-curve"), storyRuns());
    for (const phase of phases) drawPhase(story, phase);
    phases.slice(1).forEach((phase) => drawBorder(story, phases, phase));
    drawEnd(story, phases);
  }

  function drawPhase(story, phase) {
    const block = box(`phase-${phase.place}`, story, "tl-phase", "button");
    put(block, { left: across(phase.from), width: across(phase.to - phase.from) });
    put(box(`named-${phase.place}`, block, "tl-phase-name", "span"), {}, phase.name);
    block.title = `${phase.name}, ${duration(phase.from)} to ${duration(phase.to)}`;
    block.dataset.open = `spec.phases[${phase.place}]`;
    if (!phase.line) return;
    phase.line.forEach(([at, value], index) => drawPoint(story, phase, index, [at, value]));
  }

  const isUsual = () => !documents.isExplicit(board.draft);

  function drawBorder(story, phases, phase) {
    const before = phases.find((each) => each.place === phase.place - 1);
    if (!before) return;
    const step = documents.tick(board.draft);
    const facts = {
      label: `Border between ${before.name} and ${phase.name}`,
      now: phase.from,
      low: round(before.from + step),
      high: round(phase.to - step),
      words: duration(phase.from),
      isNewShape: isUsual(),
      paths: [`spec.phases[${before.place}].to`, `spec.phases[${phase.place}].from`],
      write: (document_, time) => {
        const own = documents.ownPhases(document_);
        own[before.place].to = duration(time);
        own[phase.place].from = duration(time);
      },
    };
    put(handle(`border-${phase.place}`, story, "tl-border", facts), { left: across(phase.from) });
  }

  function drawEnd(story, phases) {
    const { draft, hands } = board;
    const step = documents.tick(draft);
    const last = phases.at(-1);
    const isOwn = documents.isExplicit(draft);
    const [now, start] = [documents.whole(draft), documents.copy(draft)];
    const facts = {
      label: "End of the drill",
      now,
      low: round(isOwn && last && hands.endRule() === "extend" ? last.from + step : step * Math.max(phases.length, 1)),
      high: 10 * 366 * 86400,
      words: duration(now),
      isEnd: true,
      paths: ["spec.clock.duration", ...phases.flatMap((phase) => (isOwn ? [`spec.phases[${phase.place}].from`, `spec.phases[${phase.place}].to`] : [])), ...timelineLanes.paths(draft)],
      write: (document_, time) => {
        const from = board.drag ? board.drag.start : board.keyed ? board.keyed.start : start; // scaled from where it began: rounding does not add up
        document_.spec = documents.copy(from).spec;
        documents.setDuration(document_, time, hands.endRule() === "scale");
      },
    };
    put(handle("end", story, "tl-border tl-end", facts), { left: across(Math.min(now, length())) });
  }

  /** How a point of a phase's curve is called, and what moving it does to the document. */
  function pointFacts(phase, index, [at, value]) {
    const path = `spec.phases[${phase.place}].intensity`;
    const curve = documents.get(board.draft, path);
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
        const held = documents.ownPhases(document_)[phase.place];
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
    return facts;
  }

  function drawPoint(story, phase, index, [at, value]) {
    const last = phase.line.length - 1;
    const inset = index === 0 ? " + 7px" : index === last ? " - 7px" : "";
    const left = across(phase.from + at * (phase.to - phase.from));
    const node = handle(`point-${phase.place}-${index}`, story, "tl-point", pointFacts(phase, index, [at, value]));
    node.classList.toggle("tl-first", index === 0);
    node.classList.toggle("tl-last", index > 0 && index === last);
    put(node, { left: inset ? `calc(${left}${inset})` : left, top: percent(1 - clamp(value, 0, 1)) });
  }

  function drawAxis() {
    const axis = box("axis", board.place, "tl-axis");
    const whole = length();
    const marks = board.place.clientWidth && board.place.clientWidth < 520 ? 4 : 8;
    const step = STEPS.find((each) => whole / each <= marks) ?? Math.ceil(whole / marks / 86400) * 86400;
    for (let time = 0; time <= whole + 1e-6; time += step) put(box(`mark-${time}`, axis, "tl-mark"), { left: across(time) }, duration(time));
  }

  window.tftDash.timeline = { draw };
})();
