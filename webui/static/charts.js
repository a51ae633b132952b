// Line charts of a run over time. Text from the gateway only ever becomes textContent.
"use strict";

const gatewayCharts = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 230, LEFT = 58, RIGHT = 16, TOP = 26, BOTTOM = 26, CHARACTER = 7;
  // The key of each chart and of its lines; their names are in the state's words: chart_rpm, line_failed.
  const KINDS = [
    { key: "rpm", lines: ["rpm", "failed"] },
    { key: "tpm", lines: ["tpm"] },
    { key: "p95", lines: ["p95"] },
    { key: "cost", lines: ["cost"] },
  ];
  const DIGITS = { rpm: [0, 1], tpm: [0, 0], cost: [6, 6], p95: [3, 3] };
  let drawn = "";

  function element(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Formats a number for the table and the titles, the same way within a column.
  function written(key, value) {
    if (typeof value !== "number") return value ?? "";
    const [least, most] = DIGITS[/^(p|ttft)\d/.test(key) ? "p95" : key] ?? [0, 6];
    return value.toLocaleString("en-US", { minimumFractionDigits: least, maximumFractionDigits: most });
  }

  function label(value) {
    if (value >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
    if (value >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
    return String(+value.toPrecision(3));
  }

  // The least of 1, 2, 5, 10, 20, ... that splits the range into at most `most` steps.
  function step(top, most) {
    const power = 10 ** Math.floor(Math.log10(top / most));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => top / n <= most);
  }

  const unit = (seconds) => (seconds > 3 * 3600 ? ["h", 3600] : seconds > 300 ? ["min", 60] : ["s", 1]);

  function axes(svg, chart, width) {
    const { x, y, top, seconds } = chart, [name, one] = unit(seconds);
    for (let value = 0, by = step(top, 5); value <= top * 1.0001; value += by) {
      svg.append(
        element("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "grid" }),
        element("text", { x: LEFT - 8, y: y(value) + 4, class: "left" }, label(value)),
      );
    }
    const by = Math.max(seconds > 300 || seconds < 5 ? 0 : 1, step(seconds / one, width / 80));
    for (let value = 0; value * one <= seconds; value += by) {
      const end = x(value * one) > width - RIGHT - 20 ? "end" : "below";
      svg.append(element("text", { x: x(value * one), y: HEIGHT - 8, class: end }, `${label(value)} ${name}`));
    }
  }

  // Where each phase begins, with the last part of its name where there is room for it.
  function phases(svg, chart, marks, width) {
    marks.forEach((mark, place) => {
      const at = chart.x(mark.second), until = marks[place + 1] ? chart.x(marks[place + 1].second) : width - RIGHT;
      const line = element("line", { x1: at, x2: at, y1: TOP - 8, y2: HEIGHT - BOTTOM, class: "mark" });
      line.append(element("title", {}, mark.phase));
      svg.append(line);
      const short = mark.phase.split("/").pop();
      if (short.length * CHARACTER + 4 > until - at) return;
      const text = element("text", { x: at + 4, y: TOP - 10, class: "phase" }, short);
      text.append(element("title", {}, mark.phase));
      svg.append(text);
    });
  }

  // A line ends with its phase, and where a value is unknown; a single point is a dot. The cost stays
  // constant until the next point.
  function line(svg, chart, points, key, name) {
    const runs = [];
    let before = null;
    for (const point of points) {
      const joined = before && (key === "cost" || (before.phase === point.phase && point[key] !== null && before[key] !== null));
      if (point[key] !== null) {
        if (joined && runs.length) runs.at(-1).push(point);
        else runs.push([point]);
      }
      before = point;
    }
    const at = (point) => `${chart.x(point.second).toFixed(1)},${chart.y(point[key]).toFixed(1)}`;
    const path = runs.map((run) => "M" + run.map((point, place) => {
      if (key !== "cost" || !place) return at(point);
      return `${chart.x(point.second).toFixed(1)},${chart.y(run[place - 1][key]).toFixed(1)} L${at(point)}`;
    }).join(" L")).join(" ");
    const drawing = element("path", { d: path, class: `line ${key}` });
    drawing.append(element("title", {}, name));
    svg.append(drawing);
    for (const [point] of runs.filter((run) => run.length === 1)) {
      svg.append(element("circle", { cx: chart.x(point.second), cy: chart.y(point[key]), r: 3, class: `dot ${key}` }));
    }
  }

  function draw(kind, state, title, width) {
    const svg = element("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": title });
    const { points, marks, words } = state;
    const top = Math.max(...points.flatMap((p) => kind.lines.map((key) => p[key] ?? 0)), 0) * 1.05 || 1;
    const seconds = Math.max(...points.map((p) => p.second), ...marks.map((m) => m.second), 0) || 10;
    const chart = {
      top, seconds,
      x: (value) => LEFT + (value / seconds) * (width - LEFT - RIGHT),
      y: (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM),
    };
    axes(svg, chart, width);
    phases(svg, chart, marks, width);
    for (const key of kind.lines) {
      if (key !== "failed" || points.some((p) => p.failed)) line(svg, chart, points, key, words[`line_${key}`]);
    }
    return svg;
  }

  // The title shows the table's numbers: those of the latest phase, and the cost of all phases.
  function caption(kind, state) {
    const { rows, words } = state, row = rows.at(-1), title = words[`chart_${kind.key}`];
    if (!row) return title;
    if (kind.key === "cost") {
      const known = rows.map((each) => each.cost).filter((cost) => typeof cost === "number");
      if (!known.length) return row.cost === "" ? title : `${title}${words.colon}${words.unknown}`;
      return `${title}${words.colon}${written("cost", known.reduce((sum, cost) => sum + cost))} ${state.currency}`.trim();
    }
    const value = written(kind.key, row[kind.key]);
    const whose = rows.length > 1 ? words.aside.replace("{}", row.phase) : "";
    const failed = kind.key === "rpm" && state.points.some((point) => point.failed) ? `${words.semicolon}${words.failed_red}` : "";
    return title + (value === "" ? "" : `${words.colon}${value}${whose}`) + failed;
  }

  // Draws every chart of `state` (the answer of ./gateway/state) into `place`, if anything is new.
  function show(place, state) {
    const told = JSON.stringify([place.clientWidth, state.points, state.marks, state.rows]);
    if (told === drawn && place.childElementCount) return;
    drawn = told;
    const titles = KINDS.map((kind) => caption(kind, state));
    const figures = KINDS.map((kind, which) => {
      const figure = document.createElement("figure"), said = document.createElement("figcaption");
      figure.dataset.chart = kind.key;
      said.textContent = titles[which];
      figure.append(said);
      return figure;
    });
    const note = document.createElement("p");
    note.textContent = state.points.length ? state.words.point.replace("{}", state.point_s) : "";
    place.replaceChildren(...figures, note);
    const widths = figures.map((figure) => Math.max(240, figure.firstElementChild.clientWidth));
    figures.forEach((figure, which) => figure.append(draw(KINDS[which], state, titles[which], widths[which])));
  }

  async function state() {
    const answer = await fetch("./gateway/state", { credentials: "same-origin" });
    return answer.ok && !answer.redirected ? answer.json() : null;
  }

  return { show, state, written };
})();
