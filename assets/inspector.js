/* One dataset's inspection and the import step in the browser.
 *
 * The gate asks the server for the parts that the page lacks, one request at a time, and again while a scan runs. What
 * is picked (a server, a tick, a row) travels in stores; the rows' filters and order stand in the address. */
(() => {
  "use strict";

  const { theme, onTheme, address, entry, entryName, clientside } = window.tftDash;
  const LEASE_MS = 15000; // a request that has no answer by then is given up and asked again
  const POLL_MS = 400;
  const RETRY_MS = 5000;
  const COLUMNS_AT_A_TIME = 60;
  const NEIGHBOURS = 20; // rows that are shown before and after one that was asked for

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const skip = () => window.dash_clientside.no_update;
  const byId = (id) => document.getElementById(id);

  // ---------------------------------------------------------------- the gate

  let page = null;
  let flight = null;
  let drawn = {}; // part → what of it the page shows
  let wanted = {};
  let action = null;
  let over = false; // nothing more comes until somebody acts
  let notBefore = 0;
  let requests = 0;
  let map = null; // what the map's rows and columns stand for
  let columns = { words: "", limit: COLUMNS_AT_A_TIME };

  function begin(scan) {
    page = scan;
    flight = action = null;
    drawn = {};
    over = false;
    notBefore = 0;
    map = null;
    columns = { words: "", limit: COLUMNS_AT_A_TIME };
  }

  const wish = () => ({ report: "1", columns: `${columns.limit} ${columns.words}`, map: theme(), rows: "1" });
  const lacking = () => Object.entries(wish()).some(([part, key]) => drawn[part] !== key);

  /** Clientside callback: a request when the page lacks something, else nothing. */
  function gateDataset(_clock, about) {
    const scan = byId("dataset-scan");
    if (!scan || !about) return skip();
    if (scan !== page) begin(scan);
    const now = Date.now();
    if (document.hidden || now < notBefore || (flight && now - flight.sent < LEASE_MS)) return skip();
    if (!action && (over || !lacking())) return skip();
    requests += 1;
    wanted = wish();
    flight = { id: requests, sent: now };
    const request = { id: requests, name: about.name, view: about.view, action, wanted, drawn, columns, theme: theme() };
    action = null;
    return request;
  }

  /** Clientside callback: takes note of an answer and shows how far the scan is. */
  function landDataset(answer) {
    if (!answer || !flight || answer.id !== flight.id) return;
    flight = null;
    drawn = { ...drawn, ...answer.drawn };
    if (answer.map) map = answer.map;
    over = answer.state === "cancelled";
    notBefore = Date.now() + (["running", "copying"].includes(answer.state) ? POLL_MS : answer.state === "error" ? RETRY_MS : 0);
    showScan(answer);
  }

  function showScan({ state, share, words }) {
    setProps("dataset-scan", { hidden: !["running", "copying", "cancelled"].includes(state) });
    const bar = page.querySelector("progress");
    bar.value = share || 0;
    page.querySelector(".scan-words").textContent = words || "";
    page.querySelector("[data-scan=cancel]").hidden = state !== "running";
    page.querySelector("[data-scan=retry]").hidden = state !== "cancelled";
    page.dataset.state = state;
  }

  // ---------------------------------------------------------------- what is picked

  let pick = null;

  function choose(part, { show = false } = {}) {
    pick = { ...pick, ...part, theme: theme() };
    setProps("dataset-pick", { data: pick });
    if (part.server !== undefined) setProps("dataset-server", { value: entry(part.server) });
    if (show) byId("dataset-series-box").closest("section").scrollIntoView({ block: "start" });
  }

  /** Clientside callback: a click on the map picks the server and the time. */
  function pickGap(click) {
    const point = click && click.points && click.points[0];
    if (!point || !map) return;
    setProps("dataset-map", { clickData: null });
    const server = map.servers[map.names.indexOf(point.y)];
    const since = Date.parse(`${String(point.x).replace(" ", "T")}Z`) - map.start_ms;
    const bucket = Math.max(0, Math.min(Math.round(since / map.bucket_ms), map.ticks.length - 1));
    if (server !== undefined) choose({ server, tick: map.ticks[bucket] }, { show: true });
  }

  /** Clientside callback: a click on a server's course picks the time. */
  function pickTick(click) {
    const point = click && click.points && click.points[0];
    if (!point || point.customdata === undefined) return;
    setProps("dataset-series", { clickData: null });
    choose({ tick: Array.isArray(point.customdata) ? point.customdata[0] : point.customdata });
  }

  /** Clientside callback: the list of servers. */
  function pickListed(value) {
    const server = entryName(value);
    if (!byId("dataset-scan") || (pick && pick.server === server)) return;
    if (server || pick) choose({ server: server || null, tick: null });
  }

  onTheme(() => {
    if (pick && byId("dataset-scan")) choose({});
  });

  // ---------------------------------------------------------------- rows

  const grid = () => window.dash_ag_grid && window.dash_ag_grid.getApi("dataset-grid");

  /** The grid shows a row of a file among its neighbours, whatever was filtered and sorted before. */
  function jumpToRow(row, file) {
    const api = byId("dataset-grid") && grid();
    byId("dataset-grid-place").scrollIntoView({ block: "center" });
    if (!api) return;
    const near = { filterType: "number", type: "inRange", filter: Math.max(1, row - NEIGHBOURS), filterTo: row + NEIGHBOURS };
    const model = { row: near };
    if (api.getColumn("file")) model.file = { filterType: "text", type: "equals", filter: file };
    api.applyColumnState({ defaultState: { sort: null } });
    api.setFilterModel(model);
    let looks = 0;
    const find = () => {
      let found = null;
      api.forEachNode((node) => {
        if (node.data && node.data.row === row) found = node;
      });
      looks += 1;
      if (found) {
        found.setSelected(true, true);
        api.ensureIndexVisible(found.rowIndex, "middle");
        api.setFocusedCell(found.rowIndex, "row");
      } else if (looks < 50) {
        window.setTimeout(find, 100);
      }
    };
    window.setTimeout(find, 100);
  }

  /** Clientside callback: the rows' filters and order stand in the address, to be copied and to come back to. */
  function keepView(view) {
    if (!view || !byId("dataset-grid-place")) return;
    const parts = new URLSearchParams(window.location.search);
    if (view.plain) parts.set("view", view.plain);
    else parts.delete("view");
    const query = parts.toString();
    const next = window.location.pathname + (query ? `?${query}` : "");
    if (next !== window.location.pathname + window.location.search) {
      window.history.replaceState(window.history.state, "", next);
    }
  }

  let asking = 0;

  /** Clientside callback: the rows are still being put in order; says so over the grid and asks again. */
  function awaitRows(waiting) {
    window.clearTimeout(asking);
    const place = byId("dataset-grid-place");
    if (!place) return;
    if (!waiting) {
      delete place.dataset.waiting;
      return;
    }
    place.dataset.waiting = waiting.words;
    asking = window.setTimeout(() => {
      if (byId("dataset-grid-place") === place) setProps("dataset-again", { data: waiting.turn });
    }, POLL_MS);
  }

  async function copy(button, text) {
    try {
      await navigator.clipboard.writeText(text);
      button.dataset.note = "Copied";
      window.setTimeout(() => delete button.dataset.note, 1800);
    } catch {
      window.prompt("Copy this:", text);
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { scan, row, file, showServer, tick, copy: text, copyLink } = button.dataset;
    if (text !== undefined) copy(button, text);
    else if (copyLink !== undefined) copy(button, window.location.href);
    else if (!byId("dataset-scan")) return;
    else if (scan) {
      action = scan;
      over = false;
      if (scan === "retry") drawn = {};
    } else if (row !== undefined) {
      jumpToRow(Number(row), file);
    } else if (showServer !== undefined) {
      choose({ server: showServer, tick: tick ? Number(tick) : null }, { show: true });
    } else if (button.id === "dataset-columns-more") {
      columns = { ...columns, limit: columns.limit + COLUMNS_AT_A_TIME };
    }
  });

  /** Clientside callback: the search among the columns. */
  function findColumns(words) {
    columns = { words: words || "", limit: COLUMNS_AT_A_TIME };
  }

  clientside({ gateDataset, landDataset, pickGap, pickTick, pickListed, keepView, awaitRows, findColumns });
})();
