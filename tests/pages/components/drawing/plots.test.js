import assert from "node:assert/strict";
import test from "node:test";

import { parent } from "./browser.js";
import { Plot } from "../../../../pages/ui/components/drawing/plot.js";
import mount from "../../../../pages/ui/components/drawing/plots.js";

test("a chart is made once for its place, and goes with it", async () => {
  globalThis["iclens plotly"] = Promise.resolve({ react() {}, purge() {} });
  const [parentElement, setTriggerValue] = [parent(), () => {}];
  const give = (alt) => mount({ data: new TextEncoder().encode(JSON.stringify({ data: [], layout: {}, alt, height: 100 })), parentElement, setTriggerValue });
  give("first");
  const made = parentElement.iclPlot;
  assert.ok(made instanceof Plot);
  const leave = give("second");
  assert.equal(parentElement.iclPlot, made);
  assert.equal(parentElement.firstChild.getAttribute("aria-label"), "second");
  leave();
  assert.equal(parentElement.childElementCount, 0);
  assert.equal(parentElement.iclPlot, undefined);
  delete globalThis["iclens plotly"];
});
