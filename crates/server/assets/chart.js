// Charts over time, drawn by uPlot from what the page holds: <figure data-chart='{"begins":…,"step_s":…,"lines":[…]}'>.
(() => {
  "use strict";
  const drawn = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const read = (figure) => {
    const chart = JSON.parse(figure.dataset.chart);
    const begins = Date.parse(chart.begins) / 1000;
    const many = chart.lines[0].values.length;
    const x = Array.from({ length: many }, (_, place) => begins + place * chart.step_s);
    return { chart, data: [x, ...chart.lines.map((line) => line.values)] };
  };

  const draw = (figure) => {
    const place = figure.querySelector("[data-canvas]") ?? figure;
    const { chart, data } = read(figure);
    const old = drawn.get(figure.id);
    if (old?.place === place && place.isConnected) {
      old.plot.setData(data);
      return;
    }
    old?.plot.destroy();
    place.textContent = "";
    const size = () => ({ width: Math.max(200, place.clientWidth), height: chart.height ?? 220 });
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const plot = new uPlot(
      {
        ...size(),
        cursor: { points: { size: 6 } },
        legend: { live: true },
        scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
        axes: [axis, { ...axis, size: 48 }],
        series: [
          { label: "Time" },
          ...chart.lines.map((line) => ({
            label: line.name,
            stroke: colour(line.colour),
            width: 1.75,
            fill: line.fill ? `color-mix(in srgb, ${colour(line.colour)} 18%, transparent)` : undefined,
            points: { show: false },
            value: (_, value) => (value == null ? "–" : value.toLocaleString(undefined, { maximumFractionDigits: 2 })),
          })),
        ],
      },
      data,
      place,
    );
    const observer = new ResizeObserver(() => plot.setSize(size()));
    observer.observe(place);
    drawn.set(figure.id, { plot, place });
  };

  const all = (within) => {
    const figures = within.querySelectorAll("[data-chart]");
    for (const figure of figures) draw(figure);
  };
  // New values for a chart that stays: <div data-values-of="id" data-chart='…'>.
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
  document.addEventListener("theme", () => {
    for (const [id, old] of drawn) {
      old.plot.destroy();
      drawn.delete(id);
    }
    all(document);
  });
})();
