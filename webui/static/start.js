// The start form: shows only the fields of the chosen mode, what it would send, and any refusal.
"use strict";

(() => {
  const ASK_AFTER_MS = 400;
  const byId = (id) => document.getElementById(id);
  const form = byId("ask"), first = byId("first"), refusal = byId("refusal");
  const root = document.body.dataset.root;
  const groups = [...form.querySelectorAll("details.group")];
  const homes = [...form.querySelectorAll(".field[data-modes]")].map((field) => [field, field.parentElement]);
  const has = (field, list, mode) => field.dataset[list].split(" ").includes(mode);
  const inputs = (field) => field.querySelectorAll("input, select");
  let waits = 0, asked = 0;

  function mode() {
    return form.querySelector("[name=mode]:checked")?.value ?? "";
  }

  // Moves fields between the top and their folded groups; they stay in the order of the options.
  function choose() {
    const chosen = mode();
    for (const [field, home] of homes) {
      (has(field, "first", chosen) ? first : home).append(field);
      field.hidden = !has(field, "modes", chosen);
      for (const input of inputs(field)) {
        input.disabled = field.hidden;
        const example = input.dataset.examples?.split(" ").find((one) => one.startsWith(`${chosen}=`));
        if (example) input.placeholder = example.slice(chosen.length + 1);
        else input.removeAttribute("placeholder");
      }
    }
    for (const group of groups) group.hidden = !group.querySelector(".field:not([hidden])");
    byId("more").hidden = groups.every((group) => group.hidden);
    for (const about of form.querySelectorAll(".about")) about.hidden = about.dataset.about !== chosen;
    refusal.hidden = true;
    look();
  }

  function filled() {
    const body = new URLSearchParams({ mode: mode() });
    for (const input of form.querySelectorAll(".field input, .field select")) {
      if (!input.disabled) body.set(input.name, input.type === "checkbox" ? String(input.checked) : input.value);
    }
    return body;
  }

  async function post(path) {
    const answer = await fetch(root + path, { method: "POST", body: filled(), credentials: "same-origin" });
    return answer.json();
  }

  // The field that a sentence is about: it names it, `“Target” takes ...`.
  function mark(sentence) {
    for (const [field] of homes) {
      const said = !field.hidden && sentence.includes(`“${field.dataset.label}”`);
      for (const input of inputs(field)) {
        if (said) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
      }
    }
  }

  function look() {
    clearTimeout(waits);
    waits = setTimeout(async () => {
      const turn = ++asked;
      const told = await post("gateway/outlook").catch(() => null);
      if (!told || turn !== asked) return;
      const place = byId("outlook");
      place.textContent = (told.success ? place.dataset.would : place.dataset.wrong) + told.message;
      if (told.success) mark("");
    }, ASK_AFTER_MS);
  }

  function refuse(sentence) {
    refusal.textContent = sentence;
    refusal.hidden = false;
    mark(sentence);
    const wrong = form.querySelector("[aria-invalid]");
    wrong?.closest("details")?.setAttribute("open", "");
    (wrong ?? refusal).focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = byId("go"), words = button.textContent;
    refusal.hidden = true;
    button.disabled = true;
    button.textContent = button.dataset.going;
    try {
      const told = await post("swarm");
      if (told.success) location.assign(`${root}gateway`);
      else refuse(told.message);
    } catch (error) {
      refuse(String(error));
    }
    button.disabled = false;
    button.textContent = words;
  });
  form.addEventListener("change", (event) => (event.target.name === "mode" ? choose() : look()));
  form.addEventListener("input", look);
  choose();
})();
