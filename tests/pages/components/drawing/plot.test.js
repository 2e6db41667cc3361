import assert from "node:assert/strict";
import test from "node:test";

import { parent, sights, watchers, window } from "./browser.js";
import { Plot } from "../../../../pages/ui/components/drawing/plot.js";

const body = {
  data: [{ type: "scatter", x: [0, 1], y: [1, 0], textfont: { color: "#000037" } }],
  layout: { height: 200, dragmode: false },
  alt: "Two points",
  height: 200,
  name: "iclens-points",
  format: "png",
  modebar: true,
  clickable: false,
};
const turn = () => new Promise((done) => setImmediate(done));

/** plotly as far as a chart asks for it, and what it was asked. */
function plotly() {
  const calls = [];
  const react = (root, data, layout, config) => {
    root.on ??= (name, heard) => ((root.heard ??= {})[name] = heard);
    root._fullData = data;
    calls.push(["react", data, layout, config]);
  };
  return { calls, react, relayout: (_, size) => calls.push(["relayout", size]), purge: () => calls.push(["purge"]) };
}

/** A chart with room, in view or below it, that was handed a figure. */
async function chart(changes = {}, { seen = true, library = plotly() } = {}) {
  const made = new Plot(parent(), Promise.resolve(library));
  const [sight, watcher, sent] = [sights.at(-1), watchers.at(-1), []];
  const give = (figure) => made.update(JSON.stringify({ ...body, ...figure }), (...message) => sent.push(message));
  const look = (isIntersecting) => sight.see([{ isIntersecting }]);
  const size = (width, height) => watcher.see([{ contentRect: { width, height } }]);
  give(changes);
  await turn();
  size(400, 200);
  look(seen);
  return { made, root: made.root, calls: library.calls, sent, give, look, size, watchers: [sight, watcher] };
}

test("a figure is drawn once there is plotly, room, and somebody who looks", async () => {
  const { calls, look, root } = await chart({}, { seen: false });
  assert.deepEqual(calls, []);
  look(true);
  assert.equal(calls.length, 1);
  const [, data, layout, config] = calls[0];
  assert.deepEqual([layout.width, layout.height, layout.dragmode], [400, 200, false]);
  assert.equal(data[0].textfont.color, "#262730"); // the ink of a light page
  assert.equal(layout.template.layout.plot_bgcolor, "#ffffff");
  assert.ok(config.modeBarButtonsToRemove.includes("toImage")); // plotly's own would leave out title and key
  assert.deepEqual([root.getAttribute("role"), root.getAttribute("aria-label")], ["figure", "Two points"]);
  assert.equal(root.style.height, "200px");
});

test("the same figure is not drawn again; another is, in the same place", async () => {
  const { calls, give, root } = await chart();
  give({});
  assert.equal(calls.length, 1);
  give({ alt: "One point" });
  assert.equal(calls.length, 2);
  assert.equal(root.getAttribute("aria-label"), "One point");
  assert.equal(calls[0][3], calls[1][3]); // for another configuration plotly would start anew
});

test("a figure that comes while nobody looks waits, dimmed, and the last one is drawn", async () => {
  const { calls, give, look, root } = await chart();
  look(false);
  give({ alt: "One" });
  give({ alt: "Two", layout: { height: 200, title: "last" } });
  assert.equal(calls.length, 1);
  assert.ok(root.classList.contains("icl-due"));
  look(true);
  assert.equal(calls.length, 2);
  assert.equal(calls[1][2].title, "last");
  assert.ok(!root.classList.contains("icl-due"));
});

test("what is printed is drawn wherever it stands", async () => {
  const { calls } = await chart({}, { seen: false });
  window.dispatchEvent(new window.Event("beforeprint"));
  assert.equal(calls.length, 1);
});

test("another room draws at its size, the same room nothing", async () => {
  const { calls, size, give } = await chart();
  size(400, 200);
  assert.equal(calls.length, 1);
  size(300, 200);
  assert.deepEqual(calls[1], ["relayout", { width: 300, height: 200 }]);
  give({ height: 500 });
  assert.equal(calls[2][2].height, 500);
  size(300, 500);
  assert.equal(calls.length, 3);
});

test("other colours of the page draw the same figure in them", async () => {
  const { calls, root } = await chart();
  root.style.setProperty("--st-background-color", "#101010");
  const change = (propertyName) => root.dispatchEvent(Object.assign(new window.Event("transitionrun"), { propertyName }));
  change("opacity");
  assert.equal(calls.length, 1);
  change("color");
  assert.equal(calls[1][2].template.layout.paper_bgcolor, "#101010");
  assert.equal(calls[1][1][0].textfont.color, "#fafafa");
});

test("a click sends what the mark stands for, where the page wants clicks", async () => {
  const quiet = await chart();
  quiet.root.heard.plotly_click({ points: [{ fullData: { type: "scatter" }, customdata: [3] }] });
  assert.deepEqual(quiet.sent, []);
  const { root, sent, calls } = await chart({ clickable: true });
  assert.deepEqual([calls[0][2].dragmode, calls[0][2].hovermode], ["pan", "closest"]);
  root.heard.plotly_click({ points: [{ fullData: { type: "scatter" } }, { fullData: { type: "bar" }, customdata: new Float32Array([2, 0]) }] });
  assert.deepEqual(sent, [["clicked", [2, 0]]]);
});

test("a click on a heatmap's cell is one on the target over it, and on none where none is", async () => {
  const map = { type: "heatmap", xaxis: "x2", yaxis: "y2" };
  const other = { type: "scatter", marker: { opacity: 0 }, xaxis: "x", yaxis: "y", x: [1], y: [0], customdata: [[9]] };
  const targets = { ...other, xaxis: "x2", yaxis: "y2", x: [0, 1], y: [0, 0], customdata: [[4], [5]] };
  const { root, sent } = await chart({ clickable: true, data: [map, other, targets] });
  const click = (x, y) => root.heard.plotly_click({ points: [{ fullData: map, x, y }] });
  click(1, 0);
  click(1, 1);
  assert.deepEqual(sent, [["clicked", [5]]]);
});

test("a saved picture has the title that the page has beside it, and its own name", async () => {
  const { calls, made } = await chart({ format: "svg" });
  made.Plotly.downloadImage = (figure, settings) => calls.push(["save", figure, settings]);
  calls[0][3].modeBarButtonsToAdd[1].click();
  const [, { layout }, settings] = calls.at(-1);
  assert.equal(layout.title.text, "Two points");
  assert.deepEqual([settings.format, settings.filename, settings.width], ["svg", "iclens-points", 400]);
  assert.equal(settings.height, layout.height);
  assert.ok(settings.height > 200);
});

test("another kind of image is another configuration, and clicks are still heard", async () => {
  const { calls, give, root, sent } = await chart({ clickable: true });
  delete root.heard; // as plotly forgets who listens
  give({ clickable: true, format: "svg" });
  assert.equal(calls[1][3].modeBarButtonsToAdd[1].title, "Save as SVG");
  root.heard.plotly_click({ points: [{ fullData: { type: "scatter" }, customdata: [1] }] });
  assert.deepEqual(sent, [["clicked", [1]]]);
});

test("the bar of tools is there where it is wanted, with full screen", async (t) => {
  const { calls } = await chart({ modebar: false });
  assert.equal(calls[0][3].displayModeBar, false);
  const { calls: others, root } = await chart();
  assert.equal(others[0][3].displayModeBar, "hover");
  const [tool] = others[0][3].modeBarButtonsToAdd;
  root.requestFullscreen = t.mock.fn();
  tool.click();
  assert.equal(root.requestFullscreen.mock.callCount(), 1);
  document.exitFullscreen = t.mock.fn();
  Object.defineProperty(document, "fullscreenElement", { value: root, configurable: true });
  tool.click();
  delete document.fullscreenElement;
  assert.equal(document.exitFullscreen.mock.callCount(), 1);
});

test("where plotly does not come, a sentence says so", async () => {
  const made = new Plot(parent(), Promise.reject(new Error("gone")));
  made.update(JSON.stringify(body), () => {});
  await turn();
  assert.match(made.root.textContent, /did not come/);
  made.close();
});

test("nothing is left of a chart that is gone", async () => {
  const { made, root, calls, watchers: both } = await chart();
  const place = root.parentElement;
  made.close();
  assert.deepEqual(calls.at(-1), ["purge"]);
  assert.ok(both.every((watcher) => watcher.gone));
  assert.equal(place.childElementCount, 0);
  window.dispatchEvent(new window.Event("beforeprint"));
  assert.equal(calls.at(-1)[0], "purge");
});
