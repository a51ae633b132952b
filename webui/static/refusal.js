// Shows what the server refused where Locust's page does not: its Edit dialog closes as if the change
// had been made. What the page shows by itself is not repeated.
"use strict";

(() => {
  const LOCUST_SAYS_IT_IN_MS = 500;
  const place = document.createElement("div");
  const said = document.createElement("p");
  const close = document.createElement("button");
  place.id = "gateway-refusal";
  place.hidden = true;
  place.setAttribute("role", "alert");
  close.type = "button";
  close.setAttribute("aria-label", "OK");
  close.addEventListener("click", () => { place.hidden = true; });
  place.append(said, close);
  document.body.append(place);

  function say(message) {
    setTimeout(() => {
      place.hidden = true;
      if (document.body.innerText.includes(message)) return;
      said.textContent = message;
      place.hidden = false;
    }, LOCUST_SAYS_IT_IN_MS);
  }

  const ask = window.fetch.bind(window);
  window.fetch = async (...asked) => {
    const answer = await ask(...asked);
    const url = new URL(asked[0]?.url ?? asked[0], location.href);
    if (url.origin === location.origin && url.pathname.endsWith("/swarm")) {
      answer.clone().json().then((told) => {
        if (told.success === false && told.message) say(told.message);
        else place.hidden = true;
      }).catch(() => {});
    }
    return answer;
  };
})();
