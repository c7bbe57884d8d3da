/* Files for the library of scenarios: chosen by the button, or dropped anywhere on its page.
 *
 * window.tftDash.libraryFiles
 *   onFiles(act)   has act([{name, content}]) called with what was chosen or dropped; the content as base64
 *   pick()         opens the browser's list of files */
(() => {
  "use strict";

  const READ_BYTES = 4 * 262144 + 1; // so much shows the server that a document is too long
  const PART = 32768; // so many bytes become text at a time

  let take = () => {};

  const page = () => document.getElementById("scenarios-page");

  function base64(bytes) {
    let text = "";
    for (let place = 0; place < bytes.length; place += PART) text += String.fromCharCode(...bytes.subarray(place, place + PART));
    return window.btoa(text);
  }

  async function read(file) {
    try {
      return { name: file.name, content: base64(new Uint8Array(await file.slice(0, READ_BYTES).arrayBuffer())) };
    } catch {
      return { name: file.name, content: null }; // a folder, or gone meanwhile; the server names it among the others
    }
  }

  async function load(files) {
    const all = await Promise.all([...files].map(read));
    if (all.length) take(all);
  }

  function pick() {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", multiple: true, accept: ".yaml,.yml,.json", id: "scenarios-file", hidden: true });
    input.addEventListener("change", () => {
      load(input.files);
      input.remove();
    });
    input.addEventListener("cancel", () => input.remove());
    document.getElementById("scenarios-file")?.remove();
    page().append(input);
    input.click();
  }

  const hasFiles = (event) => page() && [...(event.dataTransfer?.types ?? [])].includes("Files");

  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    page().classList.add("library-drop");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && page()?.classList.remove("library-drop"));
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    page().classList.remove("library-drop");
    load(event.dataTransfer.files);
  });

  window.tftDash.libraryFiles = { onFiles: (act) => (take = act), pick };
})();
