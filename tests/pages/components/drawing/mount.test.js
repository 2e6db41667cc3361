import assert from "node:assert/strict";
import test from "node:test";

import { parent } from "./browser.js";
import { Chart } from "../../../../pages/ui/components/drawing/chart.js";
import mount from "../../../../pages/ui/components/drawing/mount.js";

const encode = (figure) => new TextEncoder().encode(JSON.stringify(figure));
const figure = { data: [], layout: {}, alt: "first", height: "100px", format: "png", name: "x" };

test("a chart is made once, takes every figure that comes, and goes with its place", async () => {
  const parentElement = parent();
  const setTriggerValue = () => {};
  await mount({ data: encode(figure), parentElement, setTriggerValue });
  const chart = parentElement.icl;
  assert.ok(chart instanceof Chart);
  const leave = await mount({ data: encode({ ...figure, alt: "second" }), parentElement, setTriggerValue });
  assert.equal(parentElement.icl, chart);
  assert.equal(parentElement.querySelector("svg").getAttribute("aria-label"), "second");
  leave();
  assert.equal(parentElement.childElementCount, 0);
  assert.equal(parentElement.icl, undefined);
});
