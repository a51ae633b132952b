// Puts the charts below the table of Locust's Gateway tab; React owns #root, so they stand after it.
"use strict";

(() => {
  const place = document.createElement("section");
  const heading = document.createElement("p");
  const link = document.createElement("a");
  const charts = document.createElement("div");
  place.id = "gateway-tab";
  place.hidden = true;
  link.href = "./gateway";
  charts.id = "gateway-charts";
  place.append(heading, charts, link);
  document.body.append(place);

  async function refresh() {
    place.hidden = new URLSearchParams(location.search).get("tab") !== "gateway";
    document.body.classList.toggle("gateway-shown", !place.hidden);
    if (!place.hidden) {
      const state = await gatewayCharts.state().catch(() => null);
      if (state) {
        heading.textContent = gatewayCharts.title(state);
        link.textContent = state.words.own_page;
        gatewayCharts.show(charts, state);
      }
    }
  }

  setInterval(refresh, 1000);
})();
