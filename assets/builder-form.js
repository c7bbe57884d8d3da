/* The builder's form in the browser: what its fields say, what is wrong beside them, and which group is shown.
 *
 * window.tftDash.builderForm */
(() => {
  "use strict";

  const { documents } = window.tftDash;
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;
  const LEFT_OUT = " "; // what a list says for a field that is left out
  const VERDICTS = { true: ["green", "holds"], false: ["red", "broken"], null: ["unknown", "not judged"] };

  const page = () => document.getElementById("builder-page");
  const form = () => document.getElementById("builder-form");
  const fieldId = (path) => ({ type: "builder-field", path });
  const domId = (path) => JSON.stringify({ path, type: "builder-field" });
  const controlOf = (place) => place.querySelector("input, select, textarea");

  /** The place of the field at ``path``, if the form shows it. */
  function placeOf(path) {
    const control = document.getElementById(domId(path));
    return control && control.closest("[data-path]");
  }

  // ---------------------------------------------------------------- values

  /** What the document holds for what stands in a field; ``undefined`` for nothing. */
  function valueOf(kind, text, control) {
    const words = control.tagName === "TEXTAREA" ? text : text.trim();
    if (words.trim() === "") return undefined;
    if (kind === "list") return words.split(",").map((word) => word.trim()).filter(Boolean);
    if (kind !== "number" || !NUMBER.test(words)) return words;
    const number = Number(words);
    return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : words;
  }

  function written(value) {
    if (value === undefined || value === null || (typeof value === "object" && !Array.isArray(value))) return "";
    return Array.isArray(value) ? value.map(written).join(", ") : String(value);
  }

  /** Write the document's value into a field, through Dash so that its component knows of it too. */
  function show(path, draft) {
    const control = document.getElementById(domId(path));
    const held = written(documents.get(draft, path));
    const value = control?.tagName === "SELECT" ? held || LEFT_OUT : held;
    if (control && control.value !== value) window.dash_clientside.set_props(fieldId(path), { value });
  }

  /** After the form was drawn anew: whatever was typed meanwhile stands in it again. */
  function showTyped(draft) {
    for (const place of form().querySelectorAll("[data-path]")) {
      const control = controlOf(place);
      const value = documents.get(draft, place.dataset.path);
      const says = valueOf(place.dataset.kind, control.value, control);
      if (JSON.stringify(says) !== JSON.stringify(value) && written(says) !== written(value)) show(place.dataset.path, draft);
    }
  }

  // ---------------------------------------------------------------- what is wrong

  const PLACES = { "metadata": "story", "spec.expect": "story", "spec.fleet": "fleet", "spec.phases": "timeline", "spec.faults": "faults", "spec.clock": "clock", "spec.seed": "clock" };

  /** The part of the form that has the field at ``path``; null for what concerns the whole document. */
  function partOf(path) {
    const place = Object.keys(PLACES).find((each) => path === each || path.startsWith(`${each}.`) || path.startsWith(`${each}[`));
    return place ? PLACES[place] : null;
  }

  let known = []; // the mistakes as the server told them: [path, words]

  /** The nearest place at or above ``path`` where something can be written, and what of the path it does not name. */
  function nearest(path) {
    for (let here = path; here; here = here.replace(/(\.[^.[]*|\[[^\]]*\]|^[^.[]+)$/, "")) {
      const place = document.getElementById(`builder-problem-${here}`);
      if (place) return [place, path.slice(here.length).replace(/^\./, "")];
    }
    return [document.getElementById("builder-problem-document"), path];
  }

  function clearProblems() {
    for (const place of form().querySelectorAll("[data-problem]")) if (place.textContent) place.textContent = "";
    for (const control of form().querySelectorAll("[aria-invalid]")) {
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
    }
  }

  /** Every mistake beside its field, all at once; those of parts that are not open are counted at their tabs. */
  function showProblems(problems) {
    known = problems;
    countProblems();
    if (!form() || !form().firstElementChild) return;
    clearProblems();
    for (const [path, words] of problems) {
      const part = partOf(path);
      const [place, rest] = part === null || document.getElementById(`builder-group-${part}`) ? nearest(path) : [null, ""];
      if (!place) continue;
      const said = rest ? `${rest} ${words}` : words;
      place.textContent = place.textContent ? `${place.textContent} ${said}` : said;
      const field = place.closest("[data-path]");
      if (!field) continue;
      controlOf(field).setAttribute("aria-invalid", "true");
      controlOf(field).setAttribute("aria-describedby", place.id);
    }
  }

  function countProblems() {
    for (const button of page().querySelectorAll("[data-tab]")) {
      const found = known.filter(([path]) => partOf(path) === button.dataset.tab).length;
      const count = button.querySelector(".tab-count");
      const words = found ? String(found) : "";
      if (count.textContent !== words) count.textContent = words;
      count.title = found ? (found === 1 ? "1 mistake" : `${found} mistakes`) : "";
    }
  }

  /** The path of the mistake to begin with: the first one of the open part, else the first of all; null for none. */
  function firstProblem() {
    const [path] = known.find(([each]) => partOf(each) === tab) ?? known[0] ?? [null];
    return path;
  }

  /** Go to the mistake at ``path``; false where the form does not show it. */
  function focusProblem(path) {
    if (!known.some(([each]) => each === path)) return false;
    const part = partOf(path);
    if (part && !document.getElementById(`builder-group-${part}`)) return false;
    const [place] = nearest(path);
    if (!place) return false;
    for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    const field = place.closest("[data-path]");
    if (!field) place.tabIndex = -1;
    (field ? controlOf(field) : place).focus();
    place.scrollIntoView({ block: "center" });
    return true;
  }

  /** What became of each expectation, and what was measured, at the expectation itself. */
  function showOutcomes(outcomes, measured) {
    for (const mark of form().querySelectorAll("[data-outcome]")) {
      const place = Number(mark.dataset.outcome);
      const found = outcomes[place];
      const [band, word] = found === undefined ? ["none", ""] : VERDICTS[found];
      const said = word && measured[place] ? `${word}, ${measured[place]}` : word;
      mark.className = `outcome-mark judged judged-${band}`;
      if (mark.textContent === said) continue;
      const icon = document.createElement("span");
      icon.className = `icon icon-health-${band}`;
      icon.setAttribute("aria-hidden", "true");
      mark.replaceChildren(...(said ? [icon, said] : []));
    }
  }

  // ---------------------------------------------------------------- groups

  let tab = "story";

  function openTab(name) {
    tab = name;
    showTab();
  }

  function showTab() {
    for (const button of page().querySelectorAll("[data-tab]")) {
      const chosen = button.dataset.tab === tab;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    if (!document.getElementById(`builder-group-${tab}`)) return; // until it is drawn, the last one stays
    for (const group of page().querySelectorAll("[data-group]")) group.hidden = group.dataset.group !== tab;
  }

  /** Arrows go from tab to tab. */
  function tabKey(event) {
    const tabs = [...page().querySelectorAll("[data-tab]")];
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : by ? (tabs.indexOf(event.target) + by + tabs.length) % tabs.length : null;
    if (to === null) return null;
    event.preventDefault();
    tabs[to].focus();
    return tabs[to].dataset.tab;
  }

  /** The first field of the entry at ``path``, opened and focused; false where the form does not show it. */
  function focusItem(path) {
    const item = form().querySelector(`[data-item="${CSS.escape(path)}"]`);
    if (!item) return false;
    const control = item.querySelector("input, select, textarea");
    if (control) control.focus();
    item.scrollIntoView({ block: "nearest" });
    return true;
  }

  window.tftDash.builderForm = {
    page, form, placeOf, valueOf, show, showTyped, showProblems, partOf, firstProblem, focusProblem, showOutcomes, openTab, showTab, tabKey, focusItem,
    tab: () => tab,
  };
})();
