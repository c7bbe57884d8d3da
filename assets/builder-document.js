/* A scenario document as the browser holds it: paths, durations, curves, and the changes of its structure. Pure: values
 * in, values out, save for the document that a change is made to.
 *
 * window.tftDash.documents */
(() => {
  "use strict";

  const USUAL = [
    { name: "stable", first: 0, last: 30, intensity: 0 },
    { name: "escalation", first: 30, last: 50, intensity: { start: 0.3, end: 0.7 } },
    { name: "peak", first: 50, last: 70, intensity: { start: 0.8, end: 1 } },
    { name: "recovery", first: 70, last: 100, intensity: { start: 0.7, end: 0 } },
  ];
  const UNITS = { d: 86400, h: 3600, m: 60, s: 1, ms: 0.001 };
  const PRUNED = ["chance", "baselines", "daily_rhythm", "strength"]; // groups that are left out rather than empty
  const REACHES = { cpu_pct: 96, mem_pct: 95, latency_ms: 900, error_rate: 0.4, gc_pause_ms: 300 };
  const KINDS = ["web", "api", "database", "cache", "generic"];

  const copy = (value) => JSON.parse(JSON.stringify(value));
  const isGroup = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const listed = (value) => (Array.isArray(value) ? value : []);

  // ---------------------------------------------------------------- paths

  function steps(path) {
    return path.split(/[.[]/).map((step) => (/^\d+\]$/.test(step) ? Number(step.slice(0, -1)) : step));
  }

  function get(document_, path) {
    return steps(path).reduce((here, step) => (here !== null && typeof here === "object" && Object.hasOwn(here, step) ? here[step] : undefined), document_);
  }

  /** Set the value at ``path``; ``undefined`` takes it out. Groups on the way are made where there are none. */
  function set(document_, path, value) {
    const way = steps(path);
    const last = way.pop();
    const parents = [document_];
    for (const [place, step] of way.entries()) {
      const here = parents[place];
      if (here[step] === null || typeof here[step] !== "object") {
        if (value === undefined) return;
        here[step] = typeof (way[place + 1] ?? last) === "number" ? [] : {};
      }
      parents.push(here[step]);
    }
    const parent = parents.at(-1);
    if (value !== undefined) parent[last] = value;
    else if (Array.isArray(parent)) parent.splice(last, 1);
    else delete parent[last];
    const name = way.at(-1);
    if (PRUNED.includes(name) && isGroup(parent) && !Object.keys(parent).length) delete parents.at(-2)[name];
  }

  // ---------------------------------------------------------------- durations, as the server reads them

  function seconds(value) {
    if (isNumber(value)) return value >= 0 ? Math.round(value * 1000) / 1000 : null;
    if (typeof value !== "string") return null;
    const text = value.trim().toLowerCase();
    const clock = /^(\d{1,6}):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
    if (clock) {
      const [first, second, third] = clock.slice(1).map(Number);
      return clock[3] === undefined ? first * 60 + second : first * 3600 + second * 60 + third;
    }
    const parts = [...text.matchAll(/(\d{1,12}(?:\.\d{1,6})?)\s*(ms|d|h|m|s)\s*/g)];
    if (parts.length && parts.map((part) => part[0]).join("") === text) {
      const sum = parts.reduce((total, [, count, unit]) => total + Number(count) * UNITS[unit], 0);
      return Math.round(sum * 1000) / 1000;
    }
    return /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) / 1000 : null;
  }

  function duration(length) {
    let left = Math.round(length * 1000);
    let words = "";
    for (const [unit, size] of [["d", 86400000], ["h", 3600000], ["m", 60000], ["s", 1000], ["ms", 1]]) {
      const count = Math.floor(left / size);
      left -= count * size;
      if (count) words += `${count}${unit}`;
    }
    return words || "0s";
  }

  const whole = (document_) => seconds(get(document_, "spec.clock.duration"));
  const tick = (document_) => seconds(get(document_, "spec.clock.tick") ?? "5s") || 5;

  // ---------------------------------------------------------------- the story

  /** A curve as [share of the span, intensity] pairs; null where it cannot be read. */
  function line(curve) {
    if (curve === undefined || curve === null) return [[0, 0], [1, 0]];
    if (isNumber(curve)) return [[0, curve], [1, curve]];
    if (!isGroup(curve)) return null;
    if (Array.isArray(curve.points)) {
      const points = curve.points.map((point) => [point?.at, point?.value]);
      return points.length && points.flat().every(isNumber) ? points : null;
    }
    const end = curve.end ?? curve.start;
    return isNumber(curve.start) && isNumber(end) ? [[0, curve.start], [1, end]] : null;
  }

  function usualPhases(length) {
    const at = (share) => duration(Math.floor((Math.round(length * 1000) * share) / 100) / 1000);
    return USUAL.map((phase) => ({ name: phase.name, from: at(phase.first), to: at(phase.last), intensity: copy(phase.intensity) }));
  }

  const isExplicit = (document_) => Array.isArray(get(document_, "spec.phases"));

  /** The document's own phases; where it tells the usual story, that becomes its own. */
  function ownPhases(document_) {
    if (!isExplicit(document_)) set(document_, "spec.phases", usualPhases(whole(document_) ?? 300));
    return document_.spec.phases;
  }

  /** The phases with their times in seconds; those that cannot be read are left out. */
  function story(document_) {
    const length = whole(document_);
    if (!length) return [];
    const phases = isExplicit(document_) ? document_.spec.phases : usualPhases(length);
    return phases
      .map((phase, place) => ({ place, name: String(phase?.name ?? ""), from: seconds(phase?.from), to: seconds(phase?.to), line: line(phase?.intensity) }))
      .filter((phase) => phase.from !== null && phase.to !== null && phase.to > phase.from);
  }

  // ---------------------------------------------------------------- changes of the structure

  function freeName(taken, wish) {
    if (!taken.includes(wish)) return wish;
    let number = 2;
    while (taken.includes(`${wish}-${number}`)) number += 1;
    return `${wish}-${number}`;
  }

  const names = (list, field) => listed(list).map((entry) => entry?.[field]);
  const snapped = (time, step) => Math.round(time / step) * step;

  /** Cut phase ``place`` in two; the second half is ``make(phase)``. */
  function splitPhase(document_, place, make) {
    const phases = document_.spec.phases;
    const phase = phases[place];
    const [from, to] = [seconds(phase?.from), seconds(phase?.to)];
    const middle = from === null || to === null ? null : snapped((from + to) / 2, tick(document_));
    const second = make(phase ?? {});
    second.name = freeName(names(phases, "name"), second.name);
    if (middle !== null && middle > from && middle < to) {
      second.from = duration(middle);
      second.to = phase.to;
      phase.to = duration(middle);
    } else {
      second.from = phase?.to ?? "0s";
      second.to = phase?.to ?? "1m";
    }
    phases.splice(place + 1, 0, second);
    return place + 1;
  }

  /** Lay the phases one after the other again, each as long as it was. */
  function relay(phases, lengths) {
    let at = 0;
    for (const [place, phase] of phases.entries()) {
      phase.from = duration(at);
      at += lengths[place];
      phase.to = duration(at);
    }
  }

  const lengthsOf = (phases) => phases.map((phase) => (seconds(phase?.to) ?? NaN) - (seconds(phase?.from) ?? NaN));

  function removePhase(document_, place) {
    const phases = document_.spec.phases;
    const [gone] = phases.splice(place, 1);
    if (!phases.length) delete document_.spec.phases;
    else if (place > 0 && isGroup(phases[place - 1])) phases[place - 1].to = gone?.to;
    else if (isGroup(phases[0])) phases[0].from = gone?.from;
  }

  /** The list at ``path``, made where the document has none. */
  function listIn(document_, path) {
    if (!Array.isArray(get(document_, path))) set(document_, path, []);
    return get(document_, path);
  }

  const ADD = {
    "spec.phases": (document_) => {
      const last = ownPhases(document_).length - 1;
      return splitPhase(document_, last, (phase) => ({ name: "phase", intensity: (line(phase.intensity) ?? [[0, 0]]).at(-1)[1] }));
    },
    "spec.faults": (document_) => {
      const faults = listIn(document_, "spec.faults");
      return faults.push({ id: freeName(names(faults, "id"), "fault"), what: "cpu", whom: { first_of_each: true } }) - 1;
    },
    "spec.fleet.profiles": (document_) => {
      const profiles = listIn(document_, "spec.fleet.profiles");
      const taken = names(profiles, "name");
      return profiles.push({ name: KINDS.find((kind) => !taken.includes(kind)) ?? freeName(taken, "profile"), count: 1 }) - 1;
    },
    "spec.expect": (document_) => {
      const phases = story(document_).map((phase) => phase.name);
      const during = phases.includes("peak") ? { phase: "peak" } : {};
      return listIn(document_, "spec.expect").push({ check: "prob_30m", ...during, statistic: "max", above: 0.6 }) - 1;
    },
  };

  function duplicate(document_, path, place) {
    const list = get(document_, path);
    if (path === "spec.phases") return splitPhase(document_, place, (phase) => copy(phase));
    const made = copy(list[place]);
    const field = path === "spec.faults" ? "id" : "name";
    if (isGroup(made) && typeof made[field] === "string") made[field] = freeName(names(list, field), made[field]);
    if (isGroup(made) && made.prefix) delete made.prefix;
    list.splice(place + 1, 0, made);
    return place + 1;
  }

  function move(document_, path, place, by) {
    const list = get(document_, path);
    const lengths = path === "spec.phases" ? lengthsOf(list) : null;
    for (const each of [list, lengths]) if (each) [each[place], each[place + by]] = [each[place + by], each[place]];
    if (lengths && lengths.every((length) => length > 0)) relay(list, lengths);
    return place + by;
  }

  // ---------------------------------------------------------------- how a part is written

  const SHAPES = {
    curve: (document_, path, kind) => {
      const held = get(document_, path);
      const isFull = held === undefined && !path.startsWith("spec.phases"); // what a fault without a curve has
      const points = (isFull ? null : line(held)) ?? [[0, 1], [1, 1]];
      const [start, end] = [points[0][1], points.at(-1)[1]];
      const made = {
        none: undefined,
        constant: start,
        line: { start, end },
        points: { points: points.map(([at, value]) => ({ at, value })) },
      };
      set(document_, path, made[kind]);
    },
    selector: (document_, path, kind) => {
      const first = listed(get(document_, "spec.fleet.profiles"))[0]?.name ?? "web";
      const made = { "first-of-each": { first_of_each: true }, profile: { profile: first }, share: { share: 0.5 }, names: { names: [`${first}-001`] } };
      set(document_, path, made[kind]);
    },
    effect: (document_, path, kind) => {
      const made = { none: undefined, to: { to: REACHES[path.split(".").at(-1)] ?? 100 }, times: { times: 3 }, add: { add: 10 } };
      set(document_, path, made[kind]);
    },
    metric: (document_, path, chosen) => {
      const [metric, usual] = chosen.split("=");
      if (metric.trim()) set(document_, `${path}.${metric}`, usual === undefined ? { to: REACHES[metric] ?? 100 } : Number(usual));
    },
    span: (document_, path, kind) => {
      const length = whole(document_) ?? 300;
      const at = (share) => duration(snapped(length * share, tick(document_)));
      set(document_, `${path}.from`, kind === "own" ? at(0.3) : undefined);
      set(document_, `${path}.to`, kind === "own" ? at(0.7) : undefined);
      if (kind !== "own") set(document_, `${path}.intensity`, undefined);
    },
    check: (document_, path, kind) => {
      const was = get(document_, path);
      const kept = isGroup(was) && was.phase !== undefined ? { phase: was.phase } : {};
      const made = { health: { never_worse_than: "YELLOW" }, state: { state: "online", whom: "unaffected", at_least: 0.95 }, risk: { above: 0.5 }, prob_30m: { above: 0.5 }, prob_8h: { above: 0.5 } };
      set(document_, path, { check: kind, ...kept, ...made[kind] });
    },
    top: (document_, path, kind) => {
      set(document_, `${path}.servers`, kind === "servers" ? ["web-001"] : undefined);
      set(document_, `${path}.fault`, kind === "fault" ? listed(get(document_, "spec.faults"))[0]?.id ?? "" : undefined);
    },
  };

  // ---------------------------------------------------------------- the drill's end

  /** Another duration: the last phase ends there, or, with ``scaled``, everything keeps its share of the drill. */
  function setDuration(document_, length, scaled) {
    const was = whole(document_);
    set(document_, "spec.clock.duration", duration(length));
    const phases = listed(document_.spec.phases).filter(isGroup);
    if (!was || !phases.length) return scaled && was ? scaleAll(document_, length / was, []) : undefined;
    if (scaled) scaleAll(document_, length / was, phases);
    phases.at(-1).to = duration(length);
  }

  function scaleAll(document_, factor, phases) {
    const step = tick(document_);
    const scale = (part, field) => {
      const time = seconds(part[field]);
      if (part[field] !== undefined && time !== null) part[field] = duration(snapped(time * factor, step) || time * factor);
    };
    for (const phase of phases) for (const field of ["from", "to"]) scale(phase, field);
    for (const fault of listed(document_.spec.faults).filter(isGroup)) for (const field of ["from", "to", "lag"]) scale(fault, field);
  }

  /** What names another part by its old name, after that part was given a new one. */
  function follow(document_, path, old, now) {
    const wanted = [
      [/^spec\.phases\[\d+\]\.name$/, "spec.phases", "name", "spec.expect", (entry) => entry, "phase"],
      [/^spec\.faults\[\d+\]\.id$/, "spec.faults", "id", "spec.expect", (entry) => entry, "fault"],
      [/^spec\.fleet\.profiles\[\d+\]\.name$/, "spec.fleet.profiles", "name", "spec.faults", (entry) => entry.whom, "profile"],
    ].find(([pattern]) => pattern.test(path));
    if (!wanted || !old || !now || old === now) return false;
    const [, list, field, users, holder, name] = wanted;
    if (names(get(document_, list), field).includes(old)) return false;
    const found = listed(get(document_, users)).filter(isGroup).map(holder).filter((part) => isGroup(part) && part[name] === old);
    for (const part of found) part[name] = now;
    return found.length > 0;
  }

  window.tftDash.documents = {
    get, set, copy, seconds, duration, whole, tick, line, story, usualPhases, ownPhases, isExplicit, removePhase, duplicate, move, setDuration,
    follow, add: ADD, shapes: SHAPES,
  };
})();
