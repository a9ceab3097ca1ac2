// Charts over time, drawn by uPlot from what the page holds: <figure class="chart" data-chart='{"begins":…,"step_s":…,"lines":[…]}'>
// with a place to draw in, [data-canvas]. `bars`: a bar for each step, not a line; `stacked`: one on top of the other; `utc`:
// the steps are days there. A line's `note` stands beside its name; a line that is a `limit` is drawn where it is near.
(() => {
  "use strict";
  const drawn = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const faded = (name, percent) => `color-mix(in srgb, ${colour(name)} ${percent}%, transparent)`;
  const many = (value) => (value == null ? "–" : value.toLocaleString(undefined, { maximumFractionDigits: 2 }));

  // What is drawn: of stacked bars those below are part of those above, which are drawn first.
  const read = (chart) => {
    const begins = Date.parse(chart.begins) / 1000;
    const x = chart.lines[0].values.map((_, place) => begins + place * chart.step_s);
    if (!chart.stacked) return [x, ...chart.lines.map((line) => line.values)];
    const above = (from, place) => chart.lines.slice(from).reduce((sum, line) => sum + line.values[place], 0);
    return [x, ...chart.lines.map((_, from) => x.map((_, place) => above(from, place)))];
  };

  const writer = (chart, options) =>
    new Intl.DateTimeFormat(undefined, { ...options, ...(chart.utc ? { timeZone: "UTC" } : {}) });
  const axisOf = (chart) => {
    const days = writer(chart, { month: "short", day: "numeric" });
    const hours = writer(chart, { hour: "numeric", minute: "2-digit" });
    return (_, ticks, __, ___, step) => ticks.map((at) => (step >= 86400 ? days : hours).format(at * 1000));
  };

  const square = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 1 1");
    svg.setAttribute("aria-hidden", "true");
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    rect.setAttribute("class", `fill-${name.replace("--", "")}`);
    rect.setAttribute("width", "1");
    rect.setAttribute("height", "1");
    svg.append(rect);
    return svg;
  };
  const words = (tag, text, name = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  // What the colours mean.
  const explain = (figure, chart) => {
    const old = figure.querySelector("ul.legend");
    const list = document.createElement("ul");
    list.className = "legend";
    for (const line of chart.lines) {
      const item = document.createElement("li");
      item.append(square(line.colour), ` ${line.name}`);
      if (line.note != null) item.append(" ", words("strong", many(line.note)));
      list.append(item);
    }
    if (old) old.replaceWith(list);
    else figure.append(list);
  };

  // What was at the instant under the pointer.
  const tips = (state) => {
    const tip = words("div", "", "tip");
    tip.hidden = true;
    const show = (plot) => {
      const { idx, left } = plot.cursor;
      const chart = state.chart;
      tip.hidden = idx == null || left < 0;
      if (tip.hidden) return;
      const isDay = chart.step_s >= 86400;
      const from = plot.data[0][idx] * 1000;
      const at = writer(chart, isDay ? { dateStyle: "medium" } : { hour: "2-digit", minute: "2-digit", ...(chart.step_s < 60 ? { second: "2-digit" } : {}) });
      const rows = chart.lines.flatMap((line) => {
        const name = words("span", "");
        name.append(square(line.colour), line.name);
        return [name, words("span", many(line.values[idx]), "many")];
      });
      tip.replaceChildren(words("span", at.format(from) + (chart.utc ? " UTC" : ""), "at"), ...rows);
      const place = plot.over.offsetLeft + left;
      const room = state.place.clientWidth - tip.offsetWidth;
      tip.style.left = `${Math.max(0, place + 14 <= room ? place + 14 : place - tip.offsetWidth - 14)}px`;
      tip.style.top = `${plot.over.offsetTop + 4}px`;
    };
    return { tip, show };
  };

  const series = (chart) =>
    chart.lines.map((line) => ({
      label: line.name,
      stroke: colour(line.colour),
      width: line.limit ? 1.5 : chart.bars ? 0 : 1.75,
      dash: line.limit ? [5, 4] : undefined,
      fill: line.limit ? undefined : chart.bars ? colour(line.colour) : line.fill ? faded(line.colour, 16) : undefined,
      paths: chart.bars && !line.limit ? uPlot.paths.bars({ size: [0.72, 34], align: 1, radius: 0.12 }) : undefined,
      points: { show: false },
    }));

  // From nothing up to a little above the most; a limit is in sight where it is not far.
  const range = (state) => () => {
    const most = (lines) => Math.max(0, ...lines.flatMap((line) => line.values));
    const { lines, stacked } = state.chart;
    const used = stacked ? Math.max(0, ...read(state.chart)[1]) : most(lines.filter((line) => !line.limit));
    const limit = most(lines.filter((line) => line.limit));
    return [0, Math.max(state.chart.least ?? 4, used * 1.12, limit <= Math.max(used * 6, 24) ? limit * 1.12 : 0)];
  };

  const draw = (figure) => {
    const place = figure.querySelector("[data-canvas]");
    const chart = JSON.parse(figure.dataset.chart);
    const isEmpty = figure.dataset.none != null && chart.lines.every((line) => !line.note && line.values.every((value) => !value));
    const none = figure.querySelector(".none");
    place.hidden = isEmpty;
    none?.remove();
    if (isEmpty) {
      figure.querySelector("ul.legend")?.remove();
      figure.append(words("p", figure.dataset.none, figure.classList.contains("low") ? "none faint small" : "none empty"));
      return;
    }
    explain(figure, chart);
    const old = drawn.get(figure.id);
    const names = (of) => of.lines.map((line) => line.name).join();
    if (old?.place === place && place.isConnected && names(old.chart) === names(chart)) {
      old.chart = chart;
      old.plot.setData(read(chart));
      if (old.plot.cursor.left >= 0) old.show(old.plot);
      return;
    }
    old?.plot.destroy();
    place.textContent = "";
    const state = { place, chart };
    const { tip, show } = tips(state);
    const size = () => ({ width: Math.max(200, place.clientWidth), height: chart.height ?? 200 });
    const axis = { stroke: colour("--faint"), font: "12px Inter, system-ui, sans-serif", ticks: { show: false } };
    const grid = { stroke: colour("--line"), width: 1 };
    const last = (x) => [x[0], x[x.length - 1] + (chart.bars ? chart.step_s : 0)];
    state.plot = new uPlot(
      {
        ...size(),
        padding: [8, 26, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6, show: !chart.bars }, sync: chart.sync ? { key: chart.sync } : undefined },
        scales: { x: { range: (plot) => last(plot.data[0]) }, y: { range: range(state) } },
        axes: [
          { ...axis, grid: { show: false }, space: 64, size: 30, values: axisOf(chart) },
          { ...axis, grid, size: 44, space: (chart.height ?? 200) < 120 ? 16 : 34, incrs: chart.whole ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000, 50000, 100000] : undefined },
        ],
        series: [{}, ...series(chart)],
        hooks: { setCursor: [show] },
      },
      read(chart),
      place,
    );
    place.append(tip);
    const observer = new ResizeObserver(() => state.plot.setSize(size()));
    observer.observe(place);
    drawn.set(figure.id, Object.assign(state, { show }));
  };

  const all = (within) => {
    for (const figure of within.querySelectorAll("figure[data-chart]")) draw(figure);
  };
  // New values for a chart that stays: <div data-values-of="id" data-values='…'>.
  const renew = (within) => {
    for (const values of within.querySelectorAll("[data-values-of]")) {
      const figure = document.getElementById(values.dataset.valuesOf);
      if (!figure) continue;
      figure.dataset.chart = values.dataset.values;
      draw(figure);
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    renew(document);
    all(document);
  });
  document.addEventListener("htmx:load", (event) => {
    const within = event.detail.elt.parentElement ?? document;
    renew(within);
    all(within);
  });
  const again = () => {
    for (const [id, old] of drawn) {
      old.plot.destroy();
      drawn.delete(id);
    }
    all(document);
  };
  document.addEventListener("theme", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
