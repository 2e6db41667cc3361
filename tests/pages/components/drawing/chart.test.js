import assert from "node:assert/strict";
import test from "node:test";

import { parent, watchers, window } from "./browser.js";
import { Chart } from "../../../../pages/ui/components/drawing/chart.js";

const sides = { l: 0, r: 0, t: 0, b: 0 };
const map = {
  data: [
    { type: "heatmap", z: [[0.25, 0.75], [0.5, 1]], zmin: 0, zmax: 1, showscale: false, colorscale: [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,1)"]], hovertemplate: "<b>%{z:.2f}</b><br>of 1" },
    { type: "scatter", mode: "markers", x: [0, 1], y: [0, 0], customdata: [[1, 0, 0], [2, 1, 0]], marker: { opacity: 0 }, hoverinfo: "none" },
  ],
  layout: {
    margin: sides,
    xaxis: { range: [-0.5, 1.5], showgrid: false },
    yaxis: { range: [1.5, -0.5], showgrid: false },
    shapes: [
      { type: "rect", x0: -0.5, x1: 0.5, y0: -0.5, y1: 1.5, line: { color: "red", width: 2 }, layer: "above" },
      { type: "line", x0: 0, x1: 1, y0: 0, y1: 0, line: { color: "grey", width: 1 }, layer: "below" },
    ],
  },
};
const page = { alt: "A map", height: "300px", name: "iclens-map", format: "svg", clickable: true };

function chart(figure, size = { width: 400, height: 300 }) {
  const sent = [];
  const made = new Chart(parent());
  made.update({ ...page, ...figure }, (...message) => sent.push(message));
  if (size) watchers.at(-1).see([{ contentRect: size }]);
  made.svg.getBoundingClientRect = () => ({ left: 0, top: 0, width: 400, height: 300 });
  return { made, sent, data: made.layers.data, over: made.layers.over };
}

const mouse = (target, type, clientX, clientY) => target.dispatchEvent(new window.MouseEvent(type, { bubbles: true, clientX, clientY }));
const press = (made, key) => made.svg.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true }));

test("nothing is drawn before there is room, and all of it then, as large as the room", () => {
  const { made, data } = chart(map, null);
  assert.equal(data.childElementCount, 0);
  watchers.at(-1).see([{ contentRect: { width: 400, height: 300 } }]);
  assert.equal(data.querySelectorAll("rect").length, 4);
  assert.equal(data.querySelector("rect").getAttribute("width"), "200");
  watchers.at(-1).see([{ contentRect: { width: 800, height: 300 } }]);
  assert.equal(data.querySelector("rect").getAttribute("width"), "400");
  assert.equal(made.svg.getAttribute("aria-label"), "A map");
  assert.equal(made.root.style.height, "300px");
});

test("what lies below is drawn first, what lies above last", () => {
  const { made, over } = chart(map);
  assert.equal(over.querySelectorAll("rect[stroke=red]").length, 1);
  assert.equal(made.layers.axes.querySelectorAll("line[stroke=grey]").length, 1);
});

test("a layer that stays the same is left alone", () => {
  const { made, data } = chart(map);
  const before = data.firstChild;
  made.update({ ...page, ...map, layout: { ...map.layout, shapes: [] } }, () => {});
  assert.equal(data.firstChild, before);
  assert.equal(made.layers.over.childElementCount, 0);
});

test("the mouse shows what a cell is and frames it; leaving hides both", () => {
  const { made } = chart(map);
  mouse(made.svg, "mousemove", 300, 40);
  assert.equal(made.tip.hidden, false);
  assert.deepEqual([...made.tip.children].map((row) => row.textContent), ["0.75", "of 1"]);
  assert.equal(made.tip.querySelector("b").textContent, "0.75");
  assert.equal(made.point.getAttribute("x"), "200");
  assert.equal(made.svg.style.cursor, "pointer");
  mouse(made.svg, "mouseleave");
  assert.equal(made.tip.hidden, true);
});

test("a click sends the data of a cell that has some, where the page wants clicks", () => {
  const { made, sent } = chart(map);
  mouse(made.svg, "click", 300, 40);
  mouse(made.svg, "click", 300, 200); // no target lies there
  assert.deepEqual(sent, [["clicked", [2, 1, 0]]]);
  const quiet = chart({ ...map, clickable: false });
  mouse(quiet.made.svg, "click", 300, 40);
  assert.deepEqual(quiet.sent, []);
});

test("arrows walk over the cells and stop at the border, Enter clicks, Escape leaves", () => {
  const { made, sent } = chart(map);
  press(made, "ArrowDown");
  assert.deepEqual(made.found.cell, [0, 0]);
  for (const key of ["ArrowRight", "ArrowRight", "Enter"]) press(made, key);
  assert.deepEqual(made.found.cell, [1, 0]);
  assert.deepEqual(sent, [["clicked", [2, 1, 0]]]);
  press(made, "Escape");
  assert.equal(made.tip.hidden, true);
});

const line = (name, y) => ({ type: "scatter", mode: "lines", name, legendgroup: name, showlegend: true, x: [0, 1], y, line: { color: "teal", width: 2 }, hovertemplate: "%{y}" });
const lines = { data: [line("French", [0, 1]), line("a < b", [1, 0])], layout: { margin: sides, showlegend: true, legend: { font: { size: 11 } }, xaxis: { showgrid: false }, yaxis: { showgrid: false } } };

test("a name in the legend hides its lines and shows them again", () => {
  const { made, data, over } = chart(lines);
  assert.deepEqual([...over.querySelectorAll(".icl-entry")].map((entry) => entry.textContent), ["French", "a < b"]);
  mouse(over.querySelector(".icl-entry"), "click", 0, 0);
  assert.equal(data.querySelectorAll("path").length, 1);
  assert.equal(over.querySelector(".icl-entry").getAttribute("opacity"), "0.35");
  mouse(over.querySelector(".icl-entry"), "click", 0, 0);
  assert.equal(data.querySelectorAll("path").length, 2);
  assert.equal(made.drawing.traces.length, 2);
});

test("names that do not fit one line of the legend go on in the next", () => {
  const { over } = chart(lines, { width: 90, height: 300 });
  const [first, second] = [...over.querySelectorAll(".icl-entry line")].map((entry) => Number(entry.getAttribute("y1")));
  assert.equal(second - first, 16);
});

test("a picture is saved under its name, as SVG with its own background", async (t) => {
  const { made } = chart(map);
  const saved = [];
  let picture = "";
  t.mock.method(URL, "createObjectURL", (blob) => ((picture = blob), "blob:x"));
  t.mock.method(URL, "revokeObjectURL", () => {});
  t.mock.method(window.HTMLAnchorElement.prototype, "click", function () {
    saved.push(this.download);
  });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await made.save();
  assert.deepEqual(saved, ["iclens-map.svg"]);
  const text = await picture.text();
  assert.match(text, /^<svg[^>]*viewBox="0 0 400 327"/);
  assert.match(text, /<rect[^>]*width="100%"[^>]*fill="white"/);
  assert.doesNotMatch(text, /icl-point/);
  assert.equal(made.root.querySelector("[data-tool=save]").title, "Save as SVG");
});

test("a closed chart is gone and watches nothing", () => {
  const { made } = chart(map);
  made.close();
  assert.equal(made.root.isConnected, false);
  assert.equal(watchers.at(-1).gone, true);
});
