// Line charts of a run over time. Text from the gateway only ever becomes textContent.
"use strict";

const gatewayCharts = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 560, HEIGHT = 210, LEFT = 66, RIGHT = 14, TOP = 12, BOTTOM = 26;
  // Each chart's key, and its lines'; their names are words of the state: chart_rpm, line_failed.
  const KINDS = [
    { key: "rpm", lines: ["rpm", "failed"] },
    { key: "tpm", lines: ["tpm"] },
    { key: "p95", lines: ["p95"] },
    { key: "cost", lines: ["cost"] },
  ];

  function element(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function label(value) {
    if (value >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
    if (value >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
    return String(+value.toPrecision(3));
  }

  // The least of 1, 2, 5, 10, 20, ... that splits the range into at most five steps.
  function step(top) {
    const power = 10 ** Math.floor(Math.log10(top / 5));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => top / n <= 5);
  }

  function axes(svg, top, seconds, x, y) {
    for (let value = 0; value <= top * 1.0001; value += step(top)) {
      svg.append(
        element("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: "grid" }),
        element("text", { x: LEFT - 8, y: y(value) + 4, class: "left" }, label(value)),
      );
    }
    for (let value = 0; value <= seconds * 1.0001; value += Math.max(1, step(seconds))) {
      svg.append(element("text", { x: x(value), y: HEIGHT - 8, class: "below" }, `${value} s`));
    }
  }

  function draw(kind, points, words) {
    const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words[`chart_${kind.key}`] });
    const values = points.flatMap((p) => kind.lines.map((key) => p[key] ?? 0));
    const top = Math.max(...values, 0) * 1.05 || 1;
    const seconds = points.length ? points[points.length - 1].second : 10;
    const x = (value) => LEFT + (value / seconds) * (WIDTH - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
    axes(svg, top, seconds, x, y);
    for (const key of kind.lines) {
      const known = points.filter((p) => p[key] !== null);
      const path = known.map((p) => `${x(p.second).toFixed(1)},${y(p[key]).toFixed(1)}`).join(" ");
      const line = element("polyline", { points: path, class: `line ${key}` });
      line.append(element("title", {}, words[`line_${key}`]));
      svg.append(line);
      if (known.length === 1) {
        svg.append(element("circle", { cx: x(known[0].second), cy: y(known[0][key]), r: 3, class: `dot ${key}` }));
      }
    }
    return svg;
  }

  // Draws every chart of `state` (what ./gateway/state answers) into `place`.
  function show(place, state) {
    const figures = KINDS.map((kind) => {
      const figure = document.createElement("figure");
      const caption = document.createElement("figcaption");
      const last = state.points.findLast((point) => point[kind.key] !== null);
      const failed = kind.key === "rpm" && last ? `, ${state.words.failed_red}: ${label(last.failed)}` : "";
      const unit = kind.key === "cost" && state.currency ? ` ${state.currency}` : "";
      caption.textContent = state.words[`chart_${kind.key}`] + (last ? `: ${label(last[kind.key])}${unit}${failed}` : "");
      figure.dataset.chart = kind.key;
      figure.append(caption, draw(kind, state.points, state.words));
      return figure;
    });
    place.replaceChildren(...figures);
  }

  function title(state) {
    const words = state.words;
    if (!state.run) return words.none;
    const simulated = state.simulated ? ` (${words.simulated})` : "";
    const why = state.ending ? `${words.because}${state.ending}` : "";
    return `${state.run} ${words.on} ${state.gateway}${simulated}, ${state.running ? words.running : words.ended}${why}`;
  }

  async function state() {
    const answer = await fetch("./gateway/state", { credentials: "same-origin" });
    return answer.ok && !answer.redirected ? answer.json() : null;
  }

  return { show, state, title };
})();
