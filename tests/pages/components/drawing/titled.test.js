import assert from "node:assert/strict";
import test from "node:test";

import { window } from "./browser.js";
import { entries, framed, titled, wrapped } from "../../../../pages/ui/components/drawing/titled.js";

const bars = (name, color) => ({ type: "bar", name, marker: { color }, x: [1], y: [0] });
const data = [bars("model", "#111111"), bars("exact Bayes", "#222222"), bars("model", "#111111"), { type: "scatter", hoverinfo: "none", name: "targets" }];
const layout = { showlegend: false, margin: { l: 8, r: 8, t: 4, b: 24 } };

test("a sentence is cut between words, and no word is lost", () => {
  const text = "Accuracy and probability of the repeated label by ratio; it falls by 0.30 from even to all";
  const lines = wrapped(text, 200);
  assert.ok(lines.length > 2);
  assert.equal(lines.join(" "), text);
  assert.deepEqual(wrapped("short", 900), ["short"]);
});

test("a key names what is drawn once, and nothing that cannot be seen", () => {
  assert.deepEqual(entries(data), [
    { name: "model", colour: "#111111" },
    { name: "exact Bayes", colour: "#222222" },
  ]);
  assert.deepEqual(entries([bars("model", "#111111")]), []);
});

test("a saved picture has its title above and its key below, and the drawing keeps its size", () => {
  const found = titled(data, layout, "Probabilities of <b>", { width: 400, height: 200 });
  assert.equal(found.layout.title.text, "Probabilities of &lt;b&gt;");
  assert.equal(found.layout.showlegend, true);
  assert.deepEqual(found.data.map(({ showlegend }) => showlegend), [true, true, false, false]);
  assert.equal(found.height - found.layout.margin.t - found.layout.margin.b, 200 - 4 - 24);
  assert.deepEqual([found.layout.margin.l, found.layout.margin.r], [8, 8]);
});

test("a title of several lines begins lower, since plotly sets it higher, and still ends above the drawing", () => {
  const one = titled(data, layout, "Two words", { width: 400, height: 200 }).layout;
  const { title, margin } = titled(data, layout, "Share of the attention of the answer position on a demonstration", { width: 260, height: 200 }).layout;
  const lines = title.text.split("<br>").length;
  assert.ok(lines > 1);
  assert.deepEqual([one.title.pad.t, title.pad.t], [8, 18]);
  assert.ok(title.pad.t - 13 + 34.2 + 18.2 * (lines - 2) < margin.t); // as plotly 3 draws lines of 14 pixels, measured
});

test("a key that is there stays as it is", () => {
  const own = { ...layout, showlegend: true, legend: { y: 1 } };
  const found = titled(data, own, "Two", { width: 400, height: 200 });
  assert.deepEqual(found.layout.legend, { y: 1 });
  assert.equal(found.data, data);
  assert.equal(found.layout.margin.b, 24);
});

test("a picture of our own gets the same, and keeps its size below the title", () => {
  const picture = window.document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.innerHTML = `<path class="mine"/>`;
  const high = framed(picture, { data, layout, alt: "A & B" }, { width: 400, height: 200 });
  assert.ok(high > 200 + 30);
  assert.equal(picture.getAttribute("viewBox"), `0 0 400 ${high}`);
  assert.deepEqual([...picture.querySelectorAll("text")].map((text) => text.textContent), ["A & B", "model", "exact Bayes"]);
  assert.match(picture.querySelector(".mine").parentNode.getAttribute("transform"), /translate\(0 \d+\)/);
  assert.equal(picture.querySelectorAll("rect")[1].getAttribute("fill"), "#222222");
});
