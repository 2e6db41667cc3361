// supported.json is true: what it lists as read, the drawing reads, and what the drawing reads stands there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { parent, watchers, window } from "./browser.js";
import { Chart } from "../../../../pages/ui/components/drawing/chart.js";
import { pointedAt } from "../../../../pages/ui/components/drawing/pointing.js";

const supported = JSON.parse(readFileSync(new URL("../../../../pages/ui/components/drawing/supported.json", import.meta.url), "utf-8"));
const two = { x: [0.1, 0.4], y: [0, 1], text: ["a", "b"], customdata: [["c"], ["d"]], hovertemplate: "%{customdata[0]} %{x}<extra></extra>" };
const cells = [["a", "b"], ["c", "d"]];
const line = { color: "red", width: 2 };

// A figure with every attribute of the list, and each kind of thing in it.
const figure = {
  data: [
    { ...two, type: "bar", orientation: "h", width: 0.5, xaxis: "x", yaxis: "y", marker: { color: ["red", "blue"] } },
    {
      type: "heatmap", z: [[0.5, 1], [1, 0.5]], zmin: 0, zmax: 1, colorscale: [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,1)"]],
      xgap: 1, ygap: 1, xaxis: "x2", yaxis: "y2", text: cells, customdata: cells, hovertemplate: "%{text}", showscale: true,
      colorbar: { thickness: 8, len: 0.9, nticks: 4, tickfont: { size: 10 } },
    },
    ...["lines+markers", "text"].map((mode) => (
      { ...two, y: [0.5, 0.5], type: "scatter", mode, xaxis: "x", yaxis: "y", line, marker: { color: "red", size: 6 }, textfont: { size: 10 }, name: mode, legendgroup: mode, showlegend: true, hoverinfo: mode === "text" ? "skip" : undefined }
    )),
    { type: "scatter", mode: "markers", x: [0], y: [0], customdata: [[1]], marker: { opacity: 0 }, hoverinfo: "none", xaxis: "x2", yaxis: "y2" },
  ],
  layout: {
    margin: { l: 8, r: 8, t: 8, b: 8 },
    showlegend: true,
    legend: { font: { size: 11 } },
    ...Object.fromEntries(["xaxis", "yaxis", "xaxis2", "yaxis2"].map((name, i) => [name, {
      range: [-0.5, 1.5], domain: i < 2 ? [0, 0.5] : [0.5, 1], anchor: `${"yx"[i % 2]}${i < 2 ? "" : 2}`, ...(i % 2 ? { tickvals: [0, 1], ticktext: ["a", "b"] } : { dtick: 1 }),
      tickangle: -90, tickfont: { size: 11 }, automargin: true, showgrid: true, title: { text: "t", font: { size: 12 }, standoff: 4 },
    }])),
    shapes: ["line", "rect"].map((type) => ({ type, x0: 0, x1: 1, y0: 0, y1: 1, xref: "x", yref: "paper", layer: "above", line })),
    annotations: [{ text: "n", hovertext: "h", x: 0, y: 0, xref: "x", yref: "y", xshift: 1, yshift: 1, yanchor: "top" }],
  },
};

const TRACES = ["bar", "heatmap", "scatter", "targets"];
const PARTS = { shapes: "shape", annotations: "annotation" };

/** The kind and the path, as the list has them, of a place in the figure. */
function named([part, first, ...rest]) {
  if (part === "data") {
    const trace = figure.data[first];
    return [trace.marker?.opacity === 0 ? "targets" : trace.type, rest];
  }
  if (part !== "layout" || first === undefined) return [undefined, []];
  if (/^[xy]axis\d*$/.test(first)) return ["axis", rest];
  return first in PARTS ? [PARTS[first], rest.slice(1)] : ["layout", [first, ...rest]];
}

/** The figure, and what has been read of it by kind. */
function watched() {
  const read = {};
  const watch = (value, path) => {
    if (value === null || typeof value !== "object") return value;
    return new Proxy(value, {
      get(target, name, receiver) {
        const found = Reflect.get(target, name, receiver);
        if (typeof name !== "string" || typeof found === "function" || (Array.isArray(target) && name === "length")) return found;
        const here = [...path, name];
        const [kind, place] = named(here);
        if (kind && place.length) (read[kind] ??= new Set()).add(place.join("."));
        // Numbers within a list are no attributes.
        return Array.isArray(found) && !(here.length === 1 || (here[0] === "layout" && here[1] in PARTS)) ? found : watch(found, here);
      },
    });
  };
  const page = { alt: "", height: "300px", name: "x", format: "png", clickable: true };
  return [{ ...page, data: watch(figure.data, ["data"]), layout: watch(figure.layout, ["layout"]) }, read];
}

/** Draw, point at every place, and walk over the cells. */
function use(whole) {
  const made = new Chart(parent());
  made.update(whole, () => {});
  watchers.at(-1).see([{ contentRect: { width: 400, height: 300 } }]);
  for (let x = 0; x < 400; x += 5) {
    for (let y = 0; y < 300; y += 5) pointedAt(made.drawing, x, y);
  }
  made.svg.dispatchEvent(new window.KeyboardEvent("keydown", { key: "ArrowDown" }));
}

const [whole, read] = watched();
use(whole);

for (const [kind, { attributes }] of Object.entries(supported)) {
  test(`what the list says is read of a ${kind} is read`, () => {
    const chosen = (values) => values === true || (Array.isArray(values) && values.length > 1);
    const unread = Object.entries(attributes).filter(([name, values]) => chosen(values) && !read[kind].has(name));
    assert.deepEqual(unread.map(([name]) => name), []);
  });

  test(`what is read of a ${kind} stands in the list`, () => {
    // Of a trace anything may be asked that some trace has, to tell what it is.
    const kinds = TRACES.includes(kind) ? TRACES : [kind];
    const names = kinds.flatMap((one) => Object.keys(supported[one].attributes));
    const known = (name) => names.some((listed) => listed === name || listed.startsWith(`${name}.`));
    assert.deepEqual([...read[kind]].filter((name) => !known(name)), []);
  });

  test(`what is required of a ${kind} stands in the list`, () => {
    assert.deepEqual(supported[kind].required.filter((name) => !(name in attributes)), []);
  });
}
