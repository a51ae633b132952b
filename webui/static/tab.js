// Fills Locust's Gateway tab. React owns #root, so our part comes after it. It follows the server's
// run, even if that was started elsewhere.
"use strict";

(() => {
  const place = document.createElement("section");
  place.id = "gateway-tab";
  place.hidden = true;

  function add(kind, id, into = place) {
    const made = document.createElement(kind);
    made.id = id;
    into.append(made);
    return made;
  }

  function scrolled(id) {
    const box = document.createElement("div");
    box.className = "gateway-scroll";
    box.tabIndex = 0;
    add("table", id, box).className = "stacked";
    return box;
  }

  const lost = add("p", "gateway-lost");
  lost.setAttribute("role", "alert");
  lost.hidden = true;
  add("p", "gateway-run");
  add("dl", "gateway-facts").className = "facts";
  const errors = add("section", "gateway-errors");
  errors.hidden = true;
  const heading = add("h2", "gateway-errors-title", errors);
  errors.append(scrolled("gateway-said"));
  place.append(scrolled("gateway-table"));
  add("div", "gateway-charts");
  const link = add("a", "gateway-own-page");
  link.href = "./gateway";
  document.body.append(place);

  async function refresh() {
    place.hidden = new URLSearchParams(location.search).get("tab") !== "gateway";
    document.body.classList.toggle("gateway-shown", !place.hidden);
    if (place.hidden) return;
    const state = await gatewayCharts.state().catch(() => null);
    lost.hidden = state !== null;
    if (!state) return;
    lost.textContent = state.words.unreachable;
    heading.textContent = state.words.errors;
    link.textContent = state.words.own_page;
    gatewayRun.show(state);
  }

  setInterval(refresh, 1000);
})();
