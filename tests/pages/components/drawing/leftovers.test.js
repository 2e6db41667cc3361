import assert from "node:assert/strict";
import test from "node:test";

import { parent } from "./browser.js";
import mount, { partsLeft } from "../../../../pages/ui/components/drawing/leftovers.js";

const observed = () => new Promise((resolve) => setImmediate(resolve)); // watchers are told after the script's turn

/** A page at work, with these places in it; `rest` and `work` change its state. */
function page(html) {
  document.body.innerHTML = `<div data-testid="stApp" data-test-script-state="running">${html}</div>`;
  const app = document.body.firstChild;
  const turn = async (state) => {
    app.dataset.testScriptState = state;
    await observed();
  };
  return { app, rest: () => turn("notRunning"), work: () => turn("running") };
}

const left = (key) => `<div class="x st-key-${key} y"><div class="st-key-inner"><div><b data-retained="true"></b></div></div></div>`;

test("a replaced widget is found in its part, whatever that shows, and each part once", () => {
  page(left("body_page_query") + left("body_page_query") + left("dimmed_page_bar") + left("over_view_posterior_card_steps"));
  assert.deepEqual(partsLeft(), ["page_query", "page_bar", "posterior_card_steps"]);
});

test("nothing is found where nothing was replaced, or outside of every part", () => {
  page(`<div class="st-key-body_page_query"><b data-stale="true"></b></div>${left("another_page")}`);
  assert.deepEqual(partsLeft(), []);
});

test("the server is told at rest, ever more seldom while it does not help, and no more once it did", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { app, rest, work } = page(left("body_page_query"));
  const sent = [];
  const parentElement = parent();
  const leave = mount({ parentElement, setTriggerValue: (...what) => sent.push(what) });
  t.mock.timers.tick(10_000);
  assert.deepEqual(sent, [], "at work: its end may do");
  for (const wait of [100, 200, 400]) {
    await rest();
    t.mock.timers.tick(wait - 1);
    await work();
    t.mock.timers.tick(10_000);
    assert.equal(sent.length, 0, "a run came in between");
    await rest();
    t.mock.timers.tick(wait - 1);
    assert.equal(sent.length, 0);
    t.mock.timers.tick(1);
    assert.deepEqual(sent.splice(0), [["left", ["page_query"]]]);
    await work();
  }
  app.innerHTML = "";
  await rest();
  t.mock.timers.tick(10_000);
  assert.deepEqual(sent, []);
  app.innerHTML = left("body_page_bar");
  await work();
  await rest();
  t.mock.timers.tick(100);
  assert.deepEqual(sent.splice(0), [["left", ["page_bar"]]], "soon again");
  await work();
  await rest();
  leave();
  t.mock.timers.tick(10_000);
  await work();
  await rest();
  t.mock.timers.tick(10_000);
  assert.deepEqual(sent, [], "gone with its page");
  assert.equal(parentElement.icl, undefined);
});

test("a page keeps one watcher, which sends where it was told last", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { rest } = page(left("body_page_query"));
  const parentElement = parent();
  const sent = [];
  mount({ parentElement, setTriggerValue: () => sent.push("first") });
  const watcher = parentElement.icl;
  mount({ parentElement, setTriggerValue: () => sent.push("second") });
  assert.equal(parentElement.icl, watcher);
  await rest();
  t.mock.timers.tick(100);
  assert.deepEqual(sent, ["second"]);
  watcher.close();
});
