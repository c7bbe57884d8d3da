/* The list of datasets in the browser: its requests, uploads by drag and drop with a bar, and removal with a question. */
(() => {
  "use strict";

  const { address, clientside } = window.tftDash;
  const LEASE_MS = 10000; // a request that has no answer by then is given up and asked again
  const BUSY_MS = 800; // between looks while something is being scanned
  const IDLE_MS = 8000;
  const LOOK_MS = 200; // between looks whether a request is due
  const POLL_MS = 500;

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const byId = (id) => document.getElementById(id);

  // ---------------------------------------------------------------- the list: one request at a time

  const order = { sort: "", descending: false };
  let page = null;
  let flight = null;
  let landed = 0;
  let busy = false;
  let stale = true;
  let requests = 0;
  let stamps = null; // of the rows that the page shows: only others are sent
  const LOST = "The server does not answer. The list is as it was; the page goes on asking.";

  /** Ask for the list when it is due. Not by a clock of Dash's: each of its ticks goes through every row of a long list. */
  function refresh() {
    const table = byId("datasets-table");
    if (!table) return;
    if (table !== page) {
      page = table;
      flight = stamps = null;
      stale = true;
    }
    const now = Date.now();
    const search = byId("datasets-search").value.trim();
    const wanted = JSON.stringify([search, order]);
    if (document.hidden || (flight && now - flight.sent < LEASE_MS)) return;
    if (flight) {
      complain(LOST);
      stamps = null; // whatever the late answer may draw
    }
    if (!stale && wanted === page.dataset.drawn && now - landed < (busy ? BUSY_MS : IDLE_MS)) return;
    requests += 1;
    stale = false;
    flight = { id: requests, sent: now, wanted };
    const known = [...document.querySelectorAll("#datasets-uploads [data-upload]")].map((line) => line.dataset.upload);
    setProps("datasets-request", { data: { id: requests, search, known, stamps, ...order } });
  }

  /** Clientside callback: takes note of an answer. */
  function landDatasets(answer) {
    if (!answer || !flight || answer.id !== flight.id) return;
    if (byId("datasets-banner")?.textContent === LOST) complain("");
    busy = answer.busy;
    stamps = answer.stamps;
    landed = Date.now();
    if (page) page.dataset.drawn = flight.wanted;
    flight = null;
  }

  // ---------------------------------------------------------------- uploads

  const queue = [];
  let sending = false;

  const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;

  function element(tag, className, text = "") {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  }

  /** One line of the list of uploads; everything of the file's is set as text. */
  function line(file) {
    const item = element("li", "upload");
    const words = element("span", "upload-words");
    const name = document.createElement("strong");
    name.append(Object.assign(document.createElement("bdi"), { textContent: file.name }));
    const state = element("span", "upload-state");
    words.append(name, " ", state);
    const bar = Object.assign(element("progress", "progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", `Upload of ${file.name}`);
    const button = Object.assign(element("button", "button", "Cancel"), { type: "button" });
    item.append(words, bar, button);
    byId("datasets-uploads").append(item);
    return { item, state, bar, button };
  }

  function end(shown, kind, words, link) {
    shown.item.className = `upload upload-${kind}`;
    shown.state.textContent = words;
    shown.bar.remove();
    if (link) {
      const go = Object.assign(element("a", "button button-main", link.text), { href: link.href });
      shown.button.before(go);
    }
    shown.button.textContent = "Dismiss";
    shown.button.onclick = () => shown.item.remove();
    stale = true;
  }

  function take(files) {
    const drop = byId("datasets-drop");
    if (!drop) return;
    const limit = Number(drop.dataset.limitMb) * 1e6;
    for (const file of files) {
      const shown = line(file);
      if (file.size > limit) {
        end(shown, "refused", `is ${megabytes(file.size)}; files up to ${megabytes(limit)} can be uploaded. Split it, or write it as Parquet.`);
      } else if (file.size === 0) {
        end(shown, "refused", "is empty. Choose another file.");
      } else {
        shown.state.textContent = "waits for the one before";
        const entry = { file, shown };
        shown.button.onclick = () => {
          queue.splice(queue.indexOf(entry), 1);
          end(shown, "refused", "was not sent.");
        };
        queue.push(entry);
      }
    }
    next();
  }

  function next() {
    if (sending || !queue.length) return;
    sending = true;
    const { file, shown } = queue.shift();
    const request = new XMLHttpRequest();
    request.open("POST", address(`api/v1/datasets?filename=${encodeURIComponent(file.name)}`));
    request.upload.onprogress = (event) => {
      const total = event.total || file.size;
      shown.bar.value = event.loaded / total;
      shown.state.textContent = `${megabytes(event.loaded)} of ${megabytes(total)}`;
    };
    const done = (kind, words) => {
      sending = false;
      if (kind) end(shown, kind, words);
      next();
    };
    shown.state.textContent = "is being sent";
    shown.button.onclick = () => request.abort();
    request.onabort = () => done("refused", "was cancelled; nothing is kept.");
    request.onerror = () => done("refused", "could not be sent: the connection was lost. Try again.");
    request.onload = () => {
      const said = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300 && said.id) {
        done();
        follow(said, shown);
      } else {
        done("refused", said.error || `was refused with status ${request.status}.`);
      }
    };
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(file);
  }

  function parsed(text) {
    try {
      return JSON.parse(text) || {};
    } catch {
      return {};
    }
  }

  /** Ask after an upload until it is a dataset, needs somebody, or is refused. */
  function follow(upload, shown) {
    if (!shown.item.isConnected) return;
    shown.item.dataset.upload = upload.id;
    const path = `api/v1/uploads/${encodeURIComponent(upload.id)}`;
    if (upload.state === "received") {
      admit(upload).then((next) => follow(next, shown));
    } else if (upload.state === "ready") {
      const href = address(`datasets/${encodeURIComponent(upload.name)}`);
      end(shown, "ready", `is ready as ${upload.name}.`, { text: "Inspect it", href });
    } else if (upload.state === "needs-mapping") {
      const href = address(`datasets/import/${encodeURIComponent(upload.id)}`);
      end(shown, "mapping", "needs its columns mapped.", { text: "Map its columns", href });
    } else if (upload.state === "refused") {
      const words = upload.message || "was refused.";
      end(shown, "refused", words.startsWith(upload.filename) ? words.slice(upload.filename.length) : words);
      shown.button.onclick = () => {
        shown.item.remove();
        discard(upload.id).catch(() => {}); // it is forgotten after some days anyway
      };
    } else {
      const share = upload.progress || 0;
      shown.bar.value = share;
      shown.state.textContent = `${upload.message || "is being checked"} ${Math.round(100 * share)} %`;
      shown.button.onclick = () => discard(upload.id).then(() => end(shown, "refused", "was cancelled; nothing is kept."));
      window.setTimeout(async () => follow(await look(path, upload), shown), POLL_MS);
    }
  }

  /** Have the server look at what it received: as it is, if it keeps the contract, else it asks for a mapping. */
  async function admit(upload) {
    try {
      const answer = await fetch(address(`api/v1/uploads/${encodeURIComponent(upload.id)}/admit`), { method: "POST" });
      const said = parsed(await answer.text());
      return answer.ok ? said : { ...upload, state: "refused", message: said.error || `Status ${answer.status}.` };
    } catch {
      return { ...upload, state: "refused", message: "The connection was lost. Find it under “waiting to be imported”." };
    }
  }

  async function look(path, before) {
    try {
      const answer = await fetch(address(path));
      const said = parsed(await answer.text());
      return answer.ok ? said : { ...before, state: "refused", message: said.error || `Status ${answer.status}.` };
    } catch {
      return before; // the connection is gone for the moment; the next look tells
    }
  }

  const discard = (id) => fetch(address(`api/v1/uploads/${encodeURIComponent(id)}`), { method: "DELETE" });

  function choose() {
    const drop = byId("datasets-drop");
    const input = Object.assign(document.createElement("input"), { type: "file", multiple: true });
    input.accept = drop.dataset.formats;
    input.onchange = () => take(input.files);
    input.click();
  }

  const carriesFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");

  // The whole page takes the file: one dropped beside the box would replace the page.
  document.addEventListener("dragover", (event) => {
    const drop = byId("datasets-drop");
    if (!drop || !carriesFiles(event)) return;
    event.preventDefault();
    drop.dataset.over = "1";
  });
  document.addEventListener("dragleave", (event) => {
    const drop = byId("datasets-drop");
    if (drop && !event.relatedTarget) delete drop.dataset.over;
  });
  document.addEventListener("drop", (event) => {
    const drop = byId("datasets-drop");
    if (!drop || !carriesFiles(event)) return;
    event.preventDefault();
    delete drop.dataset.over;
    take(event.dataTransfer.files);
  });
  window.addEventListener("beforeunload", (event) => {
    if (sending) event.preventDefault(); // leaving would end the upload
  });

  // ---------------------------------------------------------------- removing

  let removing = null;

  function ask(name) {
    removing = name;
    byId("datasets-remove-words").textContent = `“${name}” is deleted from the server for everybody. This cannot be undone.`;
    byId("datasets-remove").showModal();
  }

  async function remove() {
    const name = removing;
    byId("datasets-remove").close();
    try {
      const answer = await fetch(address(`api/v1/datasets/${encodeURIComponent(name)}`), { method: "DELETE" });
      complain(answer.ok ? "" : parsed(await answer.text()).error || `${name} was not removed: status ${answer.status}.`);
    } catch {
      complain(`${name} was not removed: the connection was lost. Try again.`);
    }
    stale = true;
  }

  /** A sentence in the page's place for what went wrong; none clears it. */
  function complain(words) {
    const place = byId("datasets-banner");
    if (place) place.replaceChildren(...(words ? [element("div", "banner banner-error", words)] : []));
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button || !byId("datasets-table")) return;
    if (button.id === "datasets-choose") choose();
    else if (button.id === "datasets-remove-yes") remove();
    else if (button.id === "datasets-remove-no") byId("datasets-remove").close();
    else if (button.dataset.remove) ask(button.dataset.remove);
    else if (button.dataset.discard) {
      await discard(button.dataset.discard).catch(() => complain("The connection was lost. Try again."));
      stale = true;
    } else if (button.dataset.admit) {
      const said = await admit({ id: button.dataset.admit });
      complain(said.state === "refused" ? said.message : "");
      stale = true;
    } else if (button.dataset.sort) {
      order.descending = order.sort === button.dataset.sort && !order.descending;
      order.sort = button.dataset.sort;
    }
  });

  window.setInterval(refresh, LOOK_MS);
  clientside({ landDatasets });
})();
