import assert from "node:assert/strict";
import test from "node:test";

import { parent } from "./browser.js";
import { inked, isDark, templateOf, themeAt } from "../../../../pages/ui/components/drawing/theme.js";

/** An element of a page with these colours. */
function page(background, values = {}) {
  const node = parent();
  for (const [name, value] of Object.entries({ "background-color": background, ...values })) {
    if (value) node.style.setProperty(`--st-${name}`, value);
  }
  return node;
}

test("a page is dark where its background is", () => {
  assert.deepEqual(["#000000", "#0e1117", "#7f7f7f", "#ffffff", "#f5f4f2", "#0000ff", "#00ff00"].map(isDark), [true, true, true, false, false, true, false]);
});

test("greys and ink follow the page, the rest is the page's own", () => {
  const colours = { "text-color": "#1e2230", "border-color": "#dcdde8", font: '"Source Sans", sans-serif' };
  const light = themeAt(page("#ffffff", colours));
  assert.deepEqual([light.ink, light.words, light.line], ["#262730", "#808495", "#e6eaf1"]);
  assert.deepEqual([light.page, light.heading, light.border, light.family], ["#ffffff", "#1e2230", "#dcdde8", '"Source Sans", sans-serif']);
  const dark = themeAt(page("#0e1117", { ...colours, "heading-color": "#ffffff" }));
  assert.deepEqual([dark.ink, dark.words, dark.line, dark.heading], ["#fafafa", "#e6eaf1", "#31333f", "#ffffff"]);
  assert.equal(themeAt(page("")).page, "#ffffff");
});

test("letters take the ink of the page, wherever a figure names it", () => {
  assert.equal(inked('{"color":"#000037","x":["#000037","#0000370"]}', { ink: "#fafafa" }), '{"color":"#fafafa","x":["#fafafa","#fafafa0"]}');
});

test("what a figure leaves open has the page's sizes and colours", () => {
  const { layout, data } = templateOf({ ...themeAt(page("#ffffff")), rem: 16 });
  assert.equal(layout.font.size, 12);
  assert.equal(layout.xaxis.title.font.size, 14);
  assert.deepEqual([layout.xaxis.showgrid, layout.yaxis.showgrid], [false, undefined]);
  assert.equal(layout.xaxis.gridcolor, "#e6eaf1");
  assert.deepEqual(data.scatter, [{ type: "scatter", marker: { line: { width: 0 } } }]);
});
