// Plots: draws each canvas[data-plot] with Chart.js. The same numbers stand in a table beside it.
// spec: {labels, series: [{name, values, pale?}], kind: "line" | "bar", across: bars from left to right,
// format: "number" | "percent" (of 100) | a currency code}
"use strict";

(() => {
  const language = document.documentElement.lang || "en";
  // Never colour alone: each line has its own dash and mark as well.
  const COLOURS = ["#0b62d6", "#b4540a", "#0f6b54", "#8a2b8f", "#a8201a", "#3f4a5a"];
  const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 4]];
  const MARKS = ["circle", "rect", "triangle", "rectRot", "cross", "star"];
  const POINTS_MAX = 60;
  const LABEL_MAX = 18;

  const writer = (format, notation) => {
    const options = { notation, maximumFractionDigits: notation === "compact" ? 1 : 2 };
    if (format === "percent") {
      const plain = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
      return { format: (value) => `${plain.format(value)}%` };
    }
    if (format !== "number") Object.assign(options, { style: "currency", currency: format });
    if (format !== "number" && notation !== "compact") delete options.maximumFractionDigits;
    return new Intl.NumberFormat(language, options);
  };

  // Days that are not fully known: bars grow pale, lines pale and dotted.
  const pale = (marks, colour, kind) => {
    if (!marks.some(Boolean)) return {};
    if (kind === "bar") return { backgroundColor: marks.map((mark) => (mark ? `${colour}55` : `${colour}cc`)) };
    const of = (mark, plain) => (context) => (marks[context.p1DataIndex] ? mark : plain);
    return { segment: { borderColor: of(`${colour}77`, undefined), borderDash: of([2, 4], undefined) } };
  };

  const dataset = (series, place, kind) => {
    const colour = COLOURS[place % COLOURS.length];
    return {
      label: series.name,
      data: series.values,
      borderColor: colour,
      backgroundColor: kind === "bar" ? `${colour}cc` : colour,
      borderWidth: kind === "bar" ? 0 : 2,
      borderRadius: kind === "bar" ? 3 : 0,
      borderDash: DASHES[place % DASHES.length],
      pointStyle: MARKS[place % MARKS.length],
      pointRadius: series.values.length <= POINTS_MAX ? 3 : 0,
      tension: 0,
      spanGaps: false,
      maxBarThickness: 36,
      ...pale(series.pale ?? [], colour, kind),
    };
  };

  // Names of segments may be long: beside the plot they are cut, in the tooltip they are whole.
  const cut = (text) => (text.length > LABEL_MAX ? `${text.slice(0, LABEL_MAX - 1)}…` : text);

  const draw = (canvas) => {
    globalThis.Chart.getChart(canvas)?.destroy();
    const spec = JSON.parse(canvas.dataset.plot);
    const whole = writer(spec.format, "standard");
    const short = writer(spec.format, "compact");
    new globalThis.Chart(canvas, {
      type: spec.kind,
      data: {
        labels: spec.labels,
        datasets: spec.series.map((series, place) => dataset(series, place, spec.kind)),
      },
      options: {
        indexAxis: spec.across ? "y" : "x",
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", axis: spec.across ? "y" : "x", intersect: false },
        plugins: {
          legend: { display: spec.series.length > 1, labels: { usePointStyle: true } },
          tooltip: {
            callbacks: {
              label: (item) => `${item.dataset.label}: ${item.raw === null ? "–" : whole.format(item.raw)}`,
            },
          },
        },
        scales: {
          [spec.across ? "y" : "x"]: { grid: { display: false }, ticks: { callback: (place) => cut(spec.labels[place]), maxRotation: 0, autoSkipPadding: spec.across ? 2 : 16 } },
          [spec.across ? "x" : "y"]: { beginAtZero: true, ticks: { callback: (value) => short.format(value), precision: 0 } },
        },
      },
    });
  };

  globalThis.regularsPlots = (from) => {
    if (!globalThis.Chart) return;
    for (const canvas of from.querySelectorAll("canvas[data-plot]")) draw(canvas);
  };
  document.addEventListener("DOMContentLoaded", () => globalThis.regularsPlots(document));
})();
