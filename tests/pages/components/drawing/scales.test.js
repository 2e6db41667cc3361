import assert from "node:assert/strict";
import test from "node:test";

import "./browser.js";
import { BAR, axesOf, colourBar, colourOf, placeAxes, ticksOf } from "../../../../pages/ui/components/drawing/scales.js";

test("ticks are those named, or every dtick, or round numbers, of which there are at most nticks", () => {
  assert.deepEqual(ticksOf({ tickvals: [0, 1], ticktext: ["a", "b"] }), [[0, 1], ["a", "b"]]);
  assert.deepEqual(ticksOf({ tickvals: [0, 0.5] })[1], ["0", "0.5"]);
  assert.deepEqual(ticksOf({ range: [-0.2, 4.2], dtick: 2 })[1], ["0", "2", "4"]);
  assert.deepEqual(ticksOf({ range: [4.2, -0.2], dtick: 2 })[1], ["0", "2", "4"]);
  assert.deepEqual(ticksOf({ range: [0, 0.9], nticks: 4 })[1], ["0", "0.5"]);
  assert.deepEqual(ticksOf({ range: [-1, 1], nticks: 4 })[1], ["-1", "-0.5", "0", "0.5", "1"]);
});

test("axes go by the names that traces use, and stand against their partners", () => {
  const axes = axesOf({ xaxis2: { range: [0, 2], anchor: "y" }, yaxis2: { range: [0, 1] }, margin: {} });
  assert.deepEqual(Object.keys(axes).sort(), ["x", "x2", "y", "y2"]);
  assert.equal(axes.x2.partner, "y");
  assert.equal(axes.y2.partner, "x2");
  assert.deepEqual(axes.x.range, [0, 1]);
});

const place = (layout, traces = []) => {
  const axes = axesOf(layout);
  return [placeAxes(layout, axes, traces, 400, 300, "sans-serif"), axes];
};

test("an axis maps its range onto its part of the box, and back", () => {
  const [box, axes] = place({ margin: { l: 50, r: 10, t: 20, b: 30 }, xaxis: { range: [0, 2], domain: [0.5, 1] }, yaxis: { range: [3.5, -0.5] } });
  assert.deepEqual(box, { left: 50, top: 20, width: 340, height: 250 });
  assert.deepEqual([axes.x.at(0), axes.x.at(2)], [220, 390]);
  assert.deepEqual([axes.y.at(3.5), axes.y.at(-0.5)], [270, 20]); // reversed: the first row on top
  for (const value of [-1, 0.3, 2]) assert.ok(Math.abs(axes.y.back(axes.y.at(value)) - value) < 1e-9);
});

test("margins grow with words and titles, where an axis asks for it", () => {
  const named = { range: [0, 1], tickvals: [0], ticktext: ["a long name"], tickfont: { size: 10 } };
  const left = (axis) => place({ yaxis: axis })[0].left;
  assert.equal(left({ ...named, automargin: false }), 8);
  assert.equal(left({ ...named, automargin: true }), 11 * 5 + 10);
  assert.equal(left({ ...named, automargin: true, title: { text: "layer", standoff: 6, font: { size: 10 } } }), 11 * 5 + 10 + 6 + 12);
  const foot = (axis) => 300 - 8 - place({ xaxis: { ...axis, automargin: true } })[0].height;
  assert.equal(foot(named), 8 + 13);
  assert.equal(foot({ ...named, ticktext: ["<b>1</b><br>chat"] }), 8 + 2 * 13);
  assert.equal(foot({ ...named, tickangle: -90 }), 8 + 11 * 5);
});

test("a colour bar has its room at the right", () => {
  const map = { type: "heatmap", colorbar: { thickness: 8 } };
  const width = (trace) => place({}, [trace])[0].width;
  assert.equal(width({ ...map, showscale: false }) - width(map), BAR.gap + 8 + BAR.words);
  assert.equal(colourBar({ ...map, showscale: false }), undefined);
  assert.equal(colourBar({ ...map, colorbar: { len: 0.5 } }).len, 0.5);
});

test("colours lie between the stops, and beyond the range at its ends", () => {
  const colour = colourOf({ colorscale: [[0, "rgba(0,0,0,0)"], [0.5, "rgba(100,50,0,1)"], [1, "rgb(200,250,50)"]], zmin: -1, zmax: 1 });
  assert.equal(colour(-1), "rgba(0,0,0,0.000)");
  assert.equal(colour(-0.5), "rgba(50,25,0,0.500)");
  assert.equal(colour(0), "rgba(100,50,0,1.000)");
  assert.equal(colour(9), colour(1));
  assert.equal(colour(-9), colour(-1));
});

test("two stops at one place part the colours on either side of it", () => {
  const colour = colourOf({ colorscale: [[0, "rgba(213,94,0,0.85)"], [0.5, "rgba(213,94,0,0)"], [0.5, "rgba(0,114,178,0)"], [1, "rgba(0,114,178,0.85)"]], zmin: -1, zmax: 1 });
  assert.match(colour(-0.01), /^rgba\(213,94,0,/);
  assert.match(colour(0.01), /^rgba\(0,114,178,/);
});

test("a map of one value has a colour", () => {
  assert.match(colourOf({ colorscale: [[0, "rgba(1,2,3,0)"], [1, "rgba(1,2,3,0.8)"]], zmin: 0, zmax: 0 })(0), /^rgba\(1,2,3,0\.000\)$/);
});
