// The run while it goes on: where it is, what is left, what failed and why, the table, the charts.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.body.dataset.root;
  const NUMBERS = new Set(["planned", "sent", "flight", "ok", "rpm", "tpm", "cost", "times"]);

  function element(kind, text, name) {
    const made = document.createElement(kind);
    made.textContent = text ?? "";
    if (name) made.className = name;
    return made;
  }

  const written = (value, digits = 6) => (typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: digits }) : value);

  // Only the columns in which something stands; the first names the row.
  function table(place, columns, rows, wrapped) {
    const named = (row) => row.model && row.phase.includes(row.model); // then the model is told twice
    const stands = (key) => (key === "model" ? !rows.every(named) : rows.some((row) => (row[key] ?? "") !== ""));
    const keys = Object.keys(columns).filter(stands);
    const kind = (key) => (NUMBERS.has(key) || /^(p|ttft)\d/.test(key) ? "number" : wrapped.has(key) ? "words" : "");
    const head = document.createElement("thead"), body = document.createElement("tbody");
    const titles = document.createElement("tr");
    for (const key of keys) {
      const title = element("th", columns[key], kind(key));
      title.scope = "col";
      titles.append(title);
    }
    head.append(titles);
    for (const row of rows) {
      const line = document.createElement("tr");
      for (const key of keys) {
        const cell = element(key === "phase" ? "th" : "td", written(row[key], key === "cost" ? 6 : 3), kind(key));
        if (key === "phase") cell.scope = "row";
        else cell.dataset.title = columns[key];
        line.append(cell);
      }
      body.append(line);
    }
    place.replaceChildren(head, body);
  }

  function lasting(seconds) {
    const whole = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
    const minutes = `${Math.floor(whole / 60) % 60}`;
    return whole < 3600 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(whole / 3600)}:${two(minutes)}:${two(whole % 60)}`;
  }

  function facts(state) {
    const words = state.words, made = [];
    const fact = (title, text, share) => {
      const box = document.createElement("div"), value = element("dd", text);
      if (share !== undefined) {
        const bar = document.createElement("progress");
        bar.max = 1;
        bar.value = Math.min(1, share);
        bar.setAttribute("aria-label", title);
        value.append(document.createElement("br"), bar);
      }
      box.append(element("dt", title), value);
      made.push(box);
    };
    if (state.now) fact(words.phase_now, state.now);
    if (state.next.length) fact(words.phase_next, state.next.join(", "));
    if (state.running && state.by_hand) fact(words.left_time, words.until_stopped);
    else if (state.left_s !== null) fact(words.left_time, `${words.about} ${lasting(state.left_s)}`);
    for (const { unit, limit, used } of state.budget) {
      fact(words.spent, `${written(used)} ${words.of} ${written(limit)} ${unit}`, used / limit);
    }
    byId("gateway-facts").replaceChildren(...made);
  }

  function show(state) {
    const said = gatewayCharts.title(state);
    if (byId("gateway-run").textContent !== said) byId("gateway-run").textContent = said;
    if (!state.run) return;
    const words = state.words;
    facts(state);
    byId("gateway-do").hidden = !state.running;
    byId("gateway-users").hidden = !state.by_hand;
    byId("gateway-files").hidden = false;
    byId("gateway-report").hidden = !state.report;
    byId("gateway-errors").hidden = !state.failures.length;
    const titles = { times: words.times, outcome: words.outcome, phase: words.phase, said: words.said };
    table(byId("gateway-said"), titles, state.failures, new Set(["said"]));
    const { left, ...columns } = state.columns; // the budget stands above, of the whole run
    table(byId("gateway-table"), columns, state.rows, new Set());
    gatewayCharts.show(byId("gateway-charts"), state);
  }

  async function refresh() {
    const state = await gatewayCharts.state().catch(() => null);
    byId("gateway-lost").hidden = state !== null;
    if (state) show(state);
    setTimeout(refresh, 1000);
  }

  async function post(path, body) {
    const answer = await fetch(root + path, { method: "POST", body, credentials: "same-origin" });
    const told = await answer.json();
    const place = byId("gateway-refusal-here");
    place.hidden = told.success;
    place.textContent = told.success ? "" : told.message;
  }

  byId("gateway-stop").addEventListener("click", () => post("stop", new URLSearchParams()).catch(() => {}));
  byId("gateway-users").addEventListener("submit", (event) => {
    event.preventDefault();
    post("swarm", new URLSearchParams(new FormData(event.target))).catch(() => {});
  });
  refresh();
})();
