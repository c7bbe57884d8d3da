/* The timeline's lanes, one per fault: whom, what, from, to, how strong, how much later, in words and as a bar.
 *
 * window.tftDash.timelineLanes */
(() => {
  "use strict";

  const { documents, timelineBoard } = window.tftDash;
  const { board, round, percent, length, across, clamp, box, put, picture, paint, handle } = timelineBoard;
  const { get, set, seconds, duration } = documents;

  const LANES = 40; // more would not be told apart; the fields have them all
  const METRICS = { cpu_pct: "CPU", mem_pct: "memory", latency_ms: "latency", error_rate: "errors", disk_io_mb_s: "disk", net_in_mb_s: "net in", net_out_mb_s: "net out", gc_pause_ms: "GC" };
  const NARROW = 120; // pixels: a bar below that has no room for the handles of its strength
  const REACH = 100; // pixels that the pointer goes from nothing to full strength; a lane is too low for that

  const listOf = (draft) => (Array.isArray(get(draft, "spec.faults")) ? get(draft, "spec.faults") : []);
  const isOwn = (fault) => ["from", "to", "intensity"].some((field) => fault[field] !== undefined);

  /** Every path of a fault that another duration of the drill changes. */
  const paths = (draft) => listOf(draft).flatMap((_, index) => ["from", "to", "lag"].map((field) => `spec.faults[${index}].${field}`));

  // ---------------------------------------------------------------- in words

  function whom(chosen) {
    if (!chosen || typeof chosen !== "object") return "nobody";
    if (Array.isArray(chosen.names)) return chosen.names.slice(0, 3).join(", ") + (chosen.names.length > 3 ? ` and ${chosen.names.length - 3} more` : "");
    const of = chosen.profile ?? "the fleet";
    if (typeof chosen.share === "number") return `${percent(chosen.share)} of ${of}`;
    if (chosen.profile) return chosen.first ? `first ${chosen.first} of ${of}` : `all ${of}`;
    return "first of each";
  }

  function effect(name, value) {
    const words = METRICS[name] ?? name;
    if (value === null || typeof value !== "object") return `${words} + ${value}`;
    if (value.to !== undefined) return `${words} to ${value.to}`;
    return value.times === undefined ? `${words} + ${value.add}` : `${words} × ${value.times}`;
  }

  function strength(fault) {
    const own = fault.strength && typeof fault.strength === "object" ? Object.entries(fault.strength) : [];
    const per = own.slice(0, 4).map(([name, value]) => effect(name, value)).join(", ") + (own.length > 4 ? ", …" : "");
    if (!isOwn(fault)) return per;
    const line = documents.line(fault.intensity ?? 1) ?? [];
    const values = line.map(([, value]) => percent(value));
    const course = !values.length ? "" : values.every((value) => value === values[0]) ? `at ${values[0]}` : values.length > 4 ? `${values[0]} … ${values.at(-1)}` : values.join(" → ");
    return [course, per].filter(Boolean).join(", ");
  }

  function words(fault, name, { from, to, lag }) {
    const when = !isOwn(fault) ? "with the phases" : from === null || to === null ? "" : `${duration(from)} to ${duration(to)}`;
    const later = lag ? `${duration(lag)} later` : "";
    return [fault.what ?? "", whom(fault.whom), when, later, strength(fault)].filter(Boolean).join(" · ");
  }

  // ---------------------------------------------------------------- drawing

  function draw(runs) {
    const lanes = box("lanes", board.place, "tl-lanes");
    const list = listOf(board.draft);
    list.slice(0, LANES).forEach((fault, index) => drawLane(lanes, fault && typeof fault === "object" ? fault : {}, index, runs));
    const rest = box("rest", lanes, "tl-note", "p");
    put(rest, {}, list.length > LANES ? `and ${list.length - LANES} more in the fields` : "");
    rest.hidden = list.length <= LANES;
    lanes.append(rest);
  }

  function drawLane(lanes, fault, index, runs) {
    const lane = box(`lane-${index}`, lanes, "tl-lane");
    const name = String(fault.id ?? `fault ${index + 1}`);
    const times = {
      from: fault.from === undefined ? 0 : seconds(fault.from),
      to: fault.to === undefined ? documents.whole(board.draft) : seconds(fault.to),
      lag: fault.lag === undefined ? 0 : seconds(fault.lag),
    };
    const label = box(`label-${index}`, lane, "tl-label", "button");
    label.dataset.open = `spec.faults[${index}]`;
    put(box(`name-${index}`, label, "tl-name", "span"), {}, name);
    put(box(`words-${index}`, label, "", "span"), {}, ` ${words(fault, name, times)}`);
    label.title = label.textContent;
    const track = box(`track-${index}`, lane, "tl-track");
    const { from, to, lag } = times;
    if (from === null || to === null || lag === null || to <= from) return;
    drawBar(track, fault, index, times, runs);
    if (lag > 0) put(box(`delay-${index}`, track, "tl-delay"), { left: across(from), width: across(Math.min(lag, length() - from)) });
    if (isOwn(fault)) drawOwn(track, fault, { index, name, ...times });
    drawLag(track, { index, name, ...times, isOwn: isOwn(fault) });
  }

  function drawBar(track, fault, index, { from, to, lag }, runs) {
    const bar = box(`bar-${index}`, track, "tl-bar");
    bar.classList.toggle("tl-follows", !isOwn(fault));
    put(bar, { left: across(from), width: across(Math.min(to, length()) - from) });
    paint(picture(`barcurve-${index}`, bar, "tl-curve"), isOwn(fault) ? [documents.line(fault.intensity ?? 1) ?? [[0, 1], [1, 1]]] : runs(lag));
  }

  const field = (index, name) => `spec.faults[${index}].${name}`;

  /** The handles of a fault with a time of its own: the whole bar, its ends, and how strong it is. */
  function drawOwn(track, fault, { index, name, from, to }) {
    const step = documents.tick(board.draft);
    const whole = documents.whole(board.draft);
    const write = (part) => (document_, time) => set(document_, field(index, part), duration(time));
    const both = (document_, time) => {
      set(document_, field(index, "from"), duration(time));
      set(document_, field(index, "to"), duration(round(time + to - from)));
    };
    const span = { label: `Time of ${name}`, now: from, low: 0, high: round(Math.max(whole - (to - from), 0)), words: `${duration(from)} to ${duration(to)}`, paths: [field(index, "from"), field(index, "to")], write: both };
    const start = { label: `Start of ${name}`, now: from, low: 0, high: round(to - step), words: duration(from), paths: [field(index, "from")], write: write("from") };
    const end = { label: `End of ${name}`, now: to, low: round(from + step), high: whole, words: duration(to), paths: [field(index, "to")], write: write("to") };
    put(handle(`span-${index}`, track, "tl-span", span), { left: across(from), width: across(Math.min(to, length()) - from) });
    put(handle(`from-${index}`, track, "tl-grip tl-from", start), { left: across(from) });
    put(handle(`to-${index}`, track, "tl-grip tl-to", end), { left: across(Math.min(to, length())) });
    drawStrength(track, fault, { index, name, from, to });
  }

  function drawStrength(track, fault, { index, name, from, to }) {
    const path = field(index, "intensity");
    const line = documents.line(fault.intensity ?? 1);
    const room = (board.place.clientWidth * (to - from)) / length();
    if (!line || line.length !== 2 || room < NARROW) return; // curves through points are written in the fields
    const isLine = Boolean(fault.intensity) && fault.intensity.end !== undefined;
    (isLine ? line : line.slice(0, 1)).forEach(([, value], place) => {
      const facts = {
        label: isLine ? `Strength of ${name} at its ${place ? "end" : "start"}` : `Strength of ${name}`,
        now: value, low: 0, high: 1, words: percent(value), upright: true, reach: REACH,
        isNewShape: !isLine && typeof fault.intensity !== "number",
        paths: [isLine ? `${path}.${place ? "end" : "start"}` : path],
        write: (document_, wanted) => set(document_, isLine ? `${path}.${place ? "end" : "start"}` : path, wanted),
      };
      const left = isLine && !place ? `calc(${across(from)} + 36px)` : `calc(${across(to)} - 36px)`; // the middle is for moving the whole
      put(handle(`strength-${index}-${place}`, track, "tl-point tl-strength", facts), { left, top: `calc(4px + ${round(1 - clamp(value, 0, 1))} * (100% - 8px))` });
    });
  }

  function drawLag(track, { index, name, from, lag, isOwn: isApart }) {
    const high = round(Math.max(documents.whole(board.draft) - documents.tick(board.draft), 0));
    const words_ = lag ? `shows ${duration(lag)} later` : "shows at once";
    const facts = { label: `Lag of ${name}`, now: lag, low: 0, high, words: words_, paths: [field(index, "lag")], write: (document_, time) => set(document_, field(index, "lag"), duration(time)) };
    const left = isApart && !lag ? `calc(${across(from)} + 16px)` : across(Math.min(from + lag, length())); // never on the start
    put(handle(`lag-${index}`, track, "tl-lag", facts), { left });
  }

  window.tftDash.timelineLanes = { draw, paths };
})();
