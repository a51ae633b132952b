// Our page of the run: polls it, stops it, and changes its users by hand.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.body.dataset.root;

  async function refresh() {
    const state = await gatewayCharts.state().catch(() => null);
    byId("gateway-lost").hidden = state !== null;
    if (state) {
      gatewayRun.show(state);
      byId("gateway-do").hidden = !state.running;
      byId("gateway-users").hidden = !state.by_hand;
      byId("gateway-files").hidden = !state.run;
      byId("gateway-report").hidden = !state.report;
    }
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
