/* The cards of the library of scenarios: drawn from what the server tells of each, and found by what stands on them.
 *
 * window.tftDash.libraryCards
 *   draw(list, cards, isDraft)   makes the list's items those of the cards; what has not changed stays as it is
 *   matches(card, words)         whether every word of a search, folded, stands on the card
 *   fold(text)                   a text without case and accents
 *   showRenaming(item, isShown)  opens or closes an item's fields for a new name */
(() => {
  "use strict";

  const { address } = window.tftDash;
  const DESCRIBED = 180; // so many characters of a description stand on a card
  const MARKS = {
    preset: ["preset", "It comes with the app and stays as it is."],
    archived: ["archived", "It is put away. Take it out of the archive to have it among the others."],
    deleted: ["deleted", "It is kept with all its versions, and can be brought back."],
  };

  /** An element; every text is set as text. */
  function make(tag, className, ...content) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...content);
    return made;
  }

  const icon = (name) => {
    const made = make("span", `icon icon-${name}`);
    made.setAttribute("aria-hidden", "true");
    return made;
  };

  function button(act, words, content = words) {
    const made = make("button", typeof content === "string" ? "text-button" : "icon-button", content);
    made.type = "button";
    made.dataset.act = act;
    return made;
  }

  /** A button of one drawing; it says of which card it is. */
  function iconButton(act, words, drawing, card) {
    const made = button(act, words, icon(drawing));
    made.title = words;
    made.setAttribute("aria-label", `${words} ${card.title}`);
    return made;
  }

  function link(words, href, className) {
    const made = make("a", className, words);
    made.href = href;
    return made;
  }

  const isolated = (text) => make("bdi", "", text); // a title's direction must not turn what stands beside it

  const begun = (text) => (text.length <= DESCRIBED ? text : `${text.slice(0, DESCRIBED).replace(/\s+\S*$/, "")} …`);

  const page = (card) => address(`scenarios/${encodeURIComponent(card.key)}`);

  function picture(card) {
    const made = make("div", "library-picture");
    made.style.setProperty("--picture", `url("data:image/svg+xml,${encodeURIComponent(card.picture)}")`);
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", card.alt);
    return made;
  }

  function head(card) {
    const title = card.shelf === "deleted" ? isolated(card.title) : link(isolated(card.title), page(card));
    const draft = make("span", "tag tag-warning", "unsaved changes");
    draft.dataset.draftOf = card.key;
    draft.hidden = true;
    const marks = make("div", "library-marks", draft);
    if (card.shelf in MARKS) {
      const mark = make("span", "tag", MARKS[card.shelf][0]);
      mark.title = MARKS[card.shelf][1];
      marks.append(mark);
    }
    return make("div", "library-top", make("h2", "library-name", title), marks);
  }

  function facts(card) {
    const made = make("div", "library-facts", make("code", "", card.name), make("span", "", card.size));
    if (card.owner) made.append(make("span", "", "owner ", isolated(card.owner)));
    if (card.changed) made.append(make("span", "", isolated(card.changed)));
    return made;
  }

  function exporting(card) {
    const files = ["yaml", "json"].map((format) => {
      const file = link(format.toUpperCase(), address(`api/v1/scenarios/${encodeURIComponent(card.key)}?format=${format}`), "text-button");
      file.download = "";
      return file;
    });
    const summary = make("summary", "text-button", "Export");
    summary.setAttribute("aria-label", `Export ${card.title}`);
    return make("details", "menu-of", summary, make("div", "menu", ...files));
  }

  function buttons(card) {
    if (card.shelf === "deleted") {
      const back = button("restore", "Bring back");
      back.setAttribute("aria-label", `Bring back ${card.title}`);
      return make("div", "library-buttons", back);
    }
    const open = link("Open", page(card), "text-button");
    open.setAttribute("aria-label", `Open ${card.title}`);
    const made = make("div", "library-buttons", open, iconButton("duplicate", "Duplicate", "copy", card));
    if (card.shelf !== "preset") {
      const [act, words] = card.shelf === "archived" ? ["unarchive", "Take out of the archive:"] : ["archive", "Archive"];
      made.append(
        iconButton("rename", "Rename", "pen", card), iconButton(act, words, "box", card), iconButton("delete", "Delete", "bin", card),
      );
    }
    made.append(exporting(card));
    return made;
  }

  function renaming(card) {
    const fields = [["Title", card.title, 120], ["Name", card.name, 64]].map(([words, value, longest]) => {
      const input = make("input", "form-control");
      Object.assign(input, { type: "text", value, maxLength: longest, autocomplete: "off" });
      return make("label", "bf-name", make("span", "bf-label", words), input);
    });
    const fault = make("p", "library-fault");
    fault.setAttribute("role", "alert");
    return [...fields, fault, make("div", "bf-adds", button("rename-save", "Save"), button("rename-cancel", "Cancel"))];
  }

  function showRenaming(item, isShown) {
    const place = item.querySelector(".library-renaming");
    place.hidden = !isShown;
    place.replaceChildren(...(isShown ? renaming(item.card) : []));
    if (isShown) place.querySelector("input").select();
  }

  function item(card, text) {
    const tags = make("div", "library-tags", ...card.tags.map((tag) => make("span", "tag", tag)));
    const names = make("div", "library-renaming");
    names.hidden = true;
    const words = make("p", "library-words", begun(card.words));
    words.dir = "auto";
    const article = make("article", "library-card", picture(card), head(card), facts(card), words, tags, buttons(card), names);
    const made = make("li", "", article);
    Object.assign(made.dataset, { key: card.key, shelf: card.shelf, version: card.version });
    return Object.assign(made, { card, text });
  }

  /** Whoever types a new name, or has the menu open, is not disturbed by what others do. */
  const isBusy = (made) => !made.querySelector(".library-renaming").hidden;

  function draw(list, cards) {
    const there = new Map([...list.children].map((made) => [made.card.key, made]));
    const wanted = cards.map((card) => {
      const text = JSON.stringify(card);
      const known = there.get(card.key);
      return known && (known.text === text || isBusy(known)) ? known : item(card, text);
    });
    const kept = new Set(wanted);
    for (const made of [...list.children]) if (!kept.has(made)) made.remove();
    wanted.forEach((made, place) => {
      if (list.children[place] !== made) list.insertBefore(made, list.children[place] ?? null);
    });
  }

  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase().toLowerCase();

  function matches(card, words) {
    card.folded ??= fold([card.title, card.name, card.key, card.owner, ...card.tags, card.words].join("\n"));
    return words.every((word) => card.folded.includes(word));
  }

  window.tftDash.libraryCards = { draw, matches, fold, showRenaming, make, button };
})();
