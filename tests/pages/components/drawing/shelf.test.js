import assert from "node:assert/strict";
import test from "node:test";

test("whoever asks first, all charts of a page get the one class that was given", async () => {
  const { shelf } = await import("../../../../pages/ui/components/drawing/shelf.js?first");
  const asked = shelf.chart;
  const again = (await import("../../../../pages/ui/components/drawing/shelf.js?second")).shelf;
  assert.equal(again, shelf);
  class Chart {}
  again.give(Chart);
  assert.equal(await asked, Chart);
});
