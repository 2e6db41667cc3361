import assert from "node:assert/strict";
import test from "node:test";

import { drawn, numbers } from "./browser.js";
import { drawAnnotation, drawAxes, drawBars, drawHeatmap, drawScale, drawScatter, drawShape } from "../../../../pages/ui/components/drawing/marks.js";
import { axesOf, placeAxes } from "../../../../pages/ui/components/drawing/scales.js";

/** Axes whose numbers are pixels: x from 0 to 400, y from 0 at the top to 300. */
function pixels(x = {}, y = {}) {
  const layout = { margin: { l: 0, r: 0, t: 0, b: 0 }, xaxis: { range: [0, 400], ...x }, yaxis: { range: [300, 0], ...y } };
  const axes = axesOf(layout);
  return { axes, box: placeAxes(layout, axes, [], 400, 300, "sans-serif") };
}

const { axes, box } = pixels();
const bars = { type: "bar", orientation: "h", x: [100, 0, 0.001], y: [10, 30, 50], width: 8, marker: { color: ["red", "green", "blue"] }, text: ["<b>1</b>", "", "0"] };

test("a bar is as long as its value, a small one can be seen, and words stand at its end", () => {
  const svg = drawn(drawBars(bars, axes.x, axes.y));
  const boxes = [...svg.querySelectorAll("rect")].map((bar) => numbers(bar, "x", "y", "width", "height"));
  assert.deepEqual(boxes, [
    [0, 6, 100, 8],
    [0, 26, 0, 8],
    [0, 46, 1, 8],
  ]);
  assert.deepEqual([...svg.querySelectorAll("rect")].map((bar) => bar.getAttribute("fill")), ["red", "green", "blue"]);
  const words = svg.querySelectorAll("text");
  assert.equal(words.length, 2);
  assert.ok(numbers(words[0].querySelector("tspan"), "x")[0] > 100);
  assert.equal(drawn(drawBars({ ...bars, marker: { color: "red" } }, axes.x, axes.y)).querySelectorAll("[fill=red]").length, 3);
});

const map = { type: "heatmap", z: [[1, 0, NaN], [0.5, -1, 2]], zmin: 0, zmax: 1, colorscale: [[0, "rgba(9,9,9,0)"], [1, "rgba(9,9,9,1)"]] };
const cells = pixels({ range: [-0.5, 2.5] }, { range: [1.5, -0.5] });

test("a cell has its place, its colour and a gap around it; one that is nothing is not drawn", () => {
  const svg = drawn(drawHeatmap({ ...map, xgap: 4, ygap: 2 }, cells.axes.x, cells.axes.y));
  const found = svg.querySelectorAll("rect");
  assert.equal(found.length, 4);
  const [x, y, width, height] = numbers(found[0], "x", "y", "width", "height");
  assert.deepEqual([x, y, width, height], [2, 1, 129.33, 148]);
  assert.equal(found[1].getAttribute("fill"), "rgba(9,9,9,0.500)");
});

test("a large map is one image, the first row on top", () => {
  const z = Array.from({ length: 70 }, () => Array(70).fill(1));
  const large = pixels({ range: [-0.5, 69.5] }, { range: [69.5, -0.5] });
  const svg = drawn(drawHeatmap({ ...map, z }, large.axes.x, large.axes.y));
  assert.equal(svg.querySelectorAll("rect").length, 0);
  const image = svg.querySelector("image");
  assert.deepEqual(numbers(image, "x", "y", "width", "height"), [0, 0, 400, 300]);
  assert.equal(image.getAttribute("transform"), null);
  const upwards = pixels({ range: [-0.5, 69.5] }, { range: [-0.5, 69.5] });
  assert.match(drawHeatmap({ ...map, z }, upwards.axes.x, upwards.axes.y), /scale\(1 -1\)/);
});

test("a colour bar is as thick and as long as it says, with round numbers", () => {
  const svg = drawn(drawScale({ ...map, colorbar: { thickness: 8, len: 0.9, nticks: 4, tickfont: { size: 10 } } }, box));
  const steps = [...svg.querySelectorAll("rect")].map((step) => numbers(step, "y", "width", "height"));
  assert.equal(steps[0][0], 15);
  assert.equal(steps[0][1], 8);
  assert.ok(Math.abs(steps.reduce((sum, [, , height]) => sum + height, 0) - 270) < 0.5);
  assert.deepEqual([...svg.querySelectorAll("text")].map((word) => word.textContent), ["0", "0.5", "1"]);
  assert.equal(svg.querySelector("tspan tspan").getAttribute("font-size"), "10");
});

test("a line passes through its points, with a dot on each", () => {
  const trace = { type: "scatter", mode: "lines+markers", x: [0, 10, 20], y: [5, 6, 7], line: { color: "teal", width: 2.5 }, marker: { size: 6 } };
  const svg = drawn(drawScatter(trace, axes.x, axes.y));
  const path = svg.querySelector("path");
  assert.equal(path.getAttribute("d"), "M0 5L10 6L20 7");
  assert.deepEqual([path.getAttribute("stroke"), path.getAttribute("stroke-width")], ["teal", "2.5"]);
  const dots = [...svg.querySelectorAll("circle")];
  assert.deepEqual(dots.map((dot) => numbers(dot, "cx", "cy", "r")), [[0, 5, 3], [10, 6, 3], [20, 7, 3]]);
  assert.equal(dots[0].getAttribute("fill"), "teal");
  assert.equal(drawn(drawScatter({ ...trace, mode: "lines" }, axes.x, axes.y)).querySelectorAll("circle").length, 0);
  assert.equal(drawScatter({ ...trace, mode: "markers", marker: { opacity: 0 } }, axes.x, axes.y), "");
});

test("words stand on their cells where there is room for them", () => {
  const trace = { type: "scatter", mode: "text", x: [0, 1], y: [0, 1], text: ["a", ""], textfont: { size: 10 } };
  const svg = drawn(drawScatter(trace, cells.axes.x, cells.axes.y));
  assert.equal(svg.textContent, "a");
  assert.equal(svg.querySelector("tspan tspan").getAttribute("font-size"), "10");
  assert.equal(drawScatter(trace, axes.x, axes.y), ""); // rows of one pixel
});

test("shapes go by axes or by shares of the plot", () => {
  const frame = { type: "rect", x0: 30, x1: 10, y0: 5, y1: 25, line: { color: "red", width: 2.5 } };
  assert.deepEqual(numbers(drawn(drawShape(frame, axes, box)).querySelector("rect"), "x", "y", "width", "height"), [10, 5, 20, 20]);
  const line = { type: "line", x0: 7, x1: 7, y0: 0, y1: 1, yref: "paper", line: { color: "red", width: 6 } };
  assert.deepEqual(numbers(drawn(drawShape(line, axes, box)).querySelector("line"), "x1", "x2", "y1", "y2", "stroke-width"), [7, 7, 300, 0, 6]);
});

test("numbers below many columns are left out where they would run together", () => {
  const ticktext = Array.from({ length: 40 }, (_, i) => `<b>${i + 1}</b>`);
  const tickvals = ticktext.map((_, i) => i);
  const below = (columns) => {
    const many = pixels({ range: [-0.5, columns - 0.5], tickvals, ticktext, tickfont: { size: 12 } });
    return [...drawn(drawAxes(many.axes)).querySelectorAll("text")].map((word) => word.textContent);
  };
  const numbersOf = (columns) => below(columns).map(Number).filter((n) => n >= 1 && n <= columns); // and not those of y
  assert.deepEqual(numbersOf(16), tickvals.slice(0, 16).map((i) => i + 1)); // 25 pixels a column
  const found = numbersOf(40); // 10 pixels a column, and two digits take 12.5
  assert.deepEqual(found.slice(0, 3), [1, 2, 3]);
  assert.ok(found.filter((n) => n >= 10).every((n, i, all) => i === 0 || n - all[i - 1] === 2), `${found}`);
});

test("words that would run into the next cell are left out, all of them", () => {
  const trace = { type: "scatter", mode: "text", x: [0, 1], y: [0, 0], text: ["<b>.06</b>", "1"], textfont: { size: 12 } };
  const across = (columns) => pixels({ range: [-0.5, columns - 0.5] }, { range: [1.5, -0.5] }).axes;
  const words = (columns) => drawn(drawScatter(trace, across(columns).x, across(columns).y)).textContent;
  assert.equal(words(16), ".061"); // 25 pixels a column
  assert.equal(words(24), ""); // 16.7, and three letters take 18.7
});

test("an annotation stands beside its place and has its own hover text", () => {
  const note = { text: "✓ chat", x: 1, y: 10, xref: "paper", yref: "y", xanchor: "left", yanchor: "middle", xshift: 6, yshift: 11 };
  const svg = drawn(drawAnnotation({ ...note, hovertext: "<b>ŷ</b><br>chat" }, axes, box));
  assert.equal(svg.querySelector("text").getAttribute("text-anchor"), "start");
  const [x, y] = numbers(svg.querySelector("tspan"), "x", "y");
  assert.equal(x, 406);
  assert.ok(y < 10);
  assert.equal(svg.querySelector("title").textContent, "ŷ\nchat");
  assert.equal(drawn(drawAnnotation(note, axes, box)).querySelector("title"), null);
});

test("an axis draws a grid line, a word a tick, and its title beyond them", () => {
  const ticks = { tickvals: [0, 200, 999], ticktext: ["a", "", "beyond"], tickfont: { size: 11 }, title: { text: "head", standoff: 4, font: { size: 12 } } };
  const flat = pixels(ticks, { showgrid: false });
  const svg = drawn(drawAxes({ x: flat.axes.x, y: { ...flat.axes.y, showgrid: false } }));
  assert.deepEqual([...svg.querySelectorAll(".icl-grid")].map((line) => numbers(line, "x1", "x2")), [[0, 0], [200, 200]]);
  const [word, title] = [...svg.querySelectorAll("text")].filter((text) => ["a", "head"].includes(text.textContent));
  assert.equal(word.querySelector("tspan tspan").getAttribute("font-size"), "11");
  assert.ok(numbers(title.querySelector("tspan"), "y")[0] > numbers(word.querySelector("tspan"), "y")[0]);
  assert.equal(numbers(title.querySelector("tspan"), "x")[0], 200);
  const upright = pixels({}, { ...ticks, showgrid: false });
  assert.match(drawAxes({ x: { ...upright.axes.x, showgrid: false }, y: upright.axes.y }), /rotate\(-90 /);
  const turned = pixels({ ...ticks, tickangle: -90 });
  assert.match(drawAxes(turned.axes), /rotate\(-90 0 /);
});
