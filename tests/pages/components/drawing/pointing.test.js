import assert from "node:assert/strict";
import test from "node:test";

import "./browser.js";
import { cellOf, pointedAt, targetsOf } from "../../../../pages/ui/components/drawing/pointing.js";
import { axesOf, placeAxes } from "../../../../pages/ui/components/drawing/scales.js";

function drawing(traces, xaxis, yaxis) {
  const layout = { margin: { l: 0, r: 0, t: 0, b: 0 }, xaxis, yaxis };
  const axes = axesOf(layout);
  placeAxes(layout, axes, [], 400, 300, "sans-serif");
  return { traces, axes, targets: targetsOf(traces) };
}

const map = {
  type: "heatmap",
  z: [[0.25, 0.75], [0, 1]],
  text: [["one", "two"], ["one", "two"]],
  customdata: [[[1], [2]], [[3], [4]]],
  hovertemplate: "%{text} %{y} %{z:.2f} %{customdata[0]}<extra></extra>",
};
const words = { type: "scatter", mode: "text", x: [0], y: [0], text: [".25"], hoverinfo: "skip" };
const targets = { type: "scatter", mode: "markers", x: [0, 1], y: [0, 1], customdata: [[1, 0, 0], [2, 1, 1]], marker: { opacity: 0 }, hoverinfo: "none" };
const cells = drawing([map, words, targets], { range: [-0.5, 1.5] }, { range: [1.5, -0.5], tickvals: [0, 1], ticktext: ["hidden", "exact"] });

test("a cell says what it is and where it ends", () => {
  const found = pointedAt(cells, 300, 40);
  assert.equal(found.text, "two hidden 0.75 2");
  assert.deepEqual(found.box, { left: 200, right: 400, top: 0, bottom: 150 });
  assert.equal(pointedAt(cells, 100, 200).text, "one exact 0.00 3");
});

test("a cell is clicked where a target lies on it", () => {
  assert.deepEqual(pointedAt(cells, 300, 200).click, [2, 1, 1]);
  assert.equal(pointedAt(cells, 300, 40).click, undefined);
});

test("beside the map there is nothing", () => {
  for (const [x, y] of [[-150, 10], [500, 10], [100, -100], [100, 400]]) assert.equal(pointedAt(cells, x, y), null);
  assert.equal(cellOf(map, cells.axes.x, cells.axes.y, 2, 0, cells.targets), null);
});

const bar = { type: "bar", x: [0.5, 0.2], y: [0, 1], width: 0.6, customdata: ["French", "copy"], hovertemplate: "%{customdata}: %{x:.2f}<extra></extra>" };

test("a bar is hit along its whole row, and not between rows or beside the panel", () => {
  const bars = drawing([bar], { range: [0, 1] }, { range: [1.5, -0.5] });
  assert.equal(pointedAt(bars, 350, 75).text, "French: 0.50");
  assert.deepEqual(pointedAt(bars, 350, 75).box, { left: 0, right: 200, top: 30, bottom: 120 });
  assert.equal(pointedAt(bars, 10, 225).text, "copy: 0.20");
  assert.equal(pointedAt(bars, 10, 150), null);
  assert.equal(pointedAt(bars, 410, 75), null);
});

test("bars side by side are those of the panel that is pointed at", () => {
  const second = { ...bar, xaxis: "x2", hovertemplate: "second %{customdata}" };
  const bars = drawing([bar, second], { range: [0, 1], domain: [0, 0.5] }, { range: [1.5, -0.5] });
  bars.axes.x2 = { ...bars.axes.x, start: 200, end: 400, at: (value) => 200 + 200 * value };
  assert.equal(pointedAt(bars, 300, 75).text, "second French");
});

test("of several lines the nearest dot counts, and none out of reach", () => {
  const line = (name, y) => ({ type: "scatter", mode: "lines+markers", x: [0, 100, 200], y, hovertemplate: `${name} %{x}: %{y}` });
  const lines = drawing([line("a", [0, 0, 0]), line("b", [20, 20, 20])], { range: [0, 400] }, { range: [300, 0] });
  assert.equal(pointedAt(lines, 104, 8).text, "a 100: 0");
  assert.equal(pointedAt(lines, 104, 13).text, "b 100: 20");
  assert.equal(pointedAt(lines, 150, 10), null);
  assert.equal(pointedAt(lines, 104, 13).click, undefined);
});

test("dots without a line are pointed at too", () => {
  const dots = { type: "scatter", mode: "markers", x: [50, 60], y: [50, 50], hovertemplate: "dot %{x}" };
  const found = drawing([dots], { range: [0, 400] }, { range: [300, 0] });
  assert.equal(pointedAt(found, 53, 47).text, "dot 50");
  assert.equal(pointedAt(found, 57, 47).text, "dot 60");
});
