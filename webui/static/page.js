// The charts' own page: what the Gateway tab shows, with room for it.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);

  function cell(kind, value) {
    const made = document.createElement(kind);
    made.textContent = value ?? "";
    return made;
  }

  function table(columns, rows) {
    const keys = Object.keys(columns);
    const head = document.createElement("tr");
    head.append(...keys.map((key) => cell("th", columns[key])));
    const body = rows.map((row) => {
      const made = document.createElement("tr");
      made.append(...keys.map((key) => cell("td", row[key])));
      return made;
    });
    byId("gateway-table").replaceChildren(head, ...body);
  }

  async function refresh() {
    const state = await gatewayCharts.state().catch(() => null);
    if (state) {
      byId("gateway-run").textContent = gatewayCharts.title(state);
      byId("gateway-report").hidden = !state.report;
      gatewayCharts.show(byId("gateway-charts"), state);
      if (state.run) table(state.columns, state.rows);
    }
    setTimeout(refresh, 1000);
  }

  refresh();
})();
