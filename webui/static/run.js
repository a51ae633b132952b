// Shows the live run: where it is, what is left, what failed and why, one row per phase, and the
// charts. It fills the elements with these ids, on Locust's page or ours.
"use strict";

const gatewayRun = (() => {
  const byId = (id) => document.getElementById(id);
  const NUMBERS = /^(planned|sent|flight|ok|rpm|tpm|cost|times|(p|ttft)\d+)$/;

  function element(kind, text, name) {
    const made = document.createElement(kind);
    made.textContent = text ?? "";
    if (name) made.className = name;
    return made;
  }

  function title(state) {
    const words = state.words;
    if (!state.run) return words.none;
    const simulated = state.simulated ? words.aside.replace("{}", words.simulated) : "";
    const why = state.ending ? `${words.because}${state.ending}` : "";
    return `${state.run} ${words.on} ${state.gateway}${simulated}${words.comma}${state.running ? words.running : words.ended}${why}`;
  }

  // Only the columns that have a value in some row; the phase is the header of its row.
  function table(place, columns, rows, wrapped) {
    const named = (row) => row.model && row.phase.includes(row.model); // then the model is told twice
    const stands = (key) => (key === "model" ? !rows.every(named) : rows.some((row) => (row[key] ?? "") !== ""));
    const keys = Object.keys(columns).filter(stands);
    const kind = (key) => (NUMBERS.test(key) ? "number" : wrapped.has(key) ? "words" : "");
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
        const cell = element(key === "phase" ? "th" : "td", gatewayCharts.written(key, row[key]), kind(key));
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
    if (state.next.length) fact(words.phase_next, state.next.join(words.comma));
    if (state.running && state.by_hand) fact(words.left_time, words.until_stopped);
    else if (state.left_s !== null) fact(words.left_time, `${words.about} ${lasting(state.left_s)}`);
    for (const { unit, limit, used } of state.budget) {
      const [first, second] = [used, limit].map((amount) => gatewayCharts.written("", amount));
      fact(words.spent, `${first} ${words.of} ${second} ${unit}`, used / limit);
    }
    byId("gateway-facts").replaceChildren(...made);
  }

  function show(state) {
    const said = title(state);
    if (byId("gateway-run").textContent !== said) byId("gateway-run").textContent = said;
    // Trouble of a run that goes on, such as a lost worker, must not look like its name.
    byId("gateway-run").classList.toggle("alert", state.running === true && Boolean(state.ending));
    if (!state.run) return;
    const words = state.words;
    facts(state);
    byId("gateway-errors").hidden = !state.failures.length;
    const titles = { times: words.times, outcome: words.outcome, phase: words.phase, said: words.said };
    table(byId("gateway-said"), titles, state.failures, new Set(["said"]));
    table(byId("gateway-table"), state.columns, state.rows, new Set(["outcomes"]));
    gatewayCharts.show(byId("gateway-charts"), state);
  }

  return { show };
})();
