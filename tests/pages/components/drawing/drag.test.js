import assert from "node:assert/strict";
import test from "node:test";

import { parent, window } from "./browser.js";
import mount, { Bars, LOW, place, said, times } from "../../../../pages/ui/components/drawing/drag.js";

const rows = () => [
  { task: "French", weight: 0.5, own: 0.5, colour: "teal" },
  { task: "copy", weight: 0.25, own: 0.25, colour: "plum" },
];

function bars() {
  const sent = [];
  const made = new Bars(parent());
  made.root.setPointerCapture = () => {};
  made.update({ rows: rows(), rest: 0.25, alt: "Prior" }, (...message) => sent.push(message));
  for (const track of made.root.querySelectorAll(".icl-track")) track.getBoundingClientRect = () => ({ left: 0, width: 100 });
  return { made, sent, line: (i) => made.root.children[i] };
}

const fire = (target, type, init = {}) => target.dispatchEvent(new window.MouseEvent(type, { bubbles: true, cancelable: true, ...init }));
const press = (target, key) => target.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true }));
const share = (made, i) => made.rows[i].weight / made.total();

test("the scale is logarithmic, from what is ruled out to certainty", () => {
  assert.equal(place(0), 0);
  assert.equal(place(LOW), 0);
  assert.equal(place(1), 1);
  assert.ok(Math.abs(place(0.01) - 0.5) < 1e-9);
});

test("probabilities and factors are written shortly", () => {
  assert.deepEqual([0, 0.5, 0.05, 0.00002].map(said), ["0", ".50", ".050", "2e-5"]);
  const row = (weight) => ({ weight, own: 0.1 });
  assert.deepEqual([0.1, 0.25, 100, 0].map((weight) => times(row(weight))), ["", "× 2.5", "× 1e3", ""]);
});

test("a line says its task, its share and what of it is its own", () => {
  const { line } = bars();
  assert.equal(line(0).querySelector(".icl-name").textContent, "French");
  assert.equal(line(0).querySelector(".icl-said").textContent, ".50");
  assert.equal(line(0).ariaValueNow, "0.5");
  assert.equal(parseFloat(line(1).querySelector(".icl-own").style.left).toFixed(2), (100 * place(0.25)).toFixed(2));
});

test("dragging gives a bar its share, and the others keep theirs among themselves", () => {
  const { made, sent, line } = bars();
  fire(line(0), "pointerdown", { clientX: 80 });
  fire(line(0), "pointermove", { clientX: 50 });
  assert.ok(Math.abs(share(made, 0) - 0.01) < 1e-9);
  assert.equal(made.rows[1].weight, made.rest);
  fire(line(0), "pointermove", { clientX: -20 });
  assert.equal(made.rows[0].weight, 0);
  fire(window, "pointerup");
  assert.equal(made.held, null);
  assert.equal(sent[0][0], "moved");
  assert.equal(sent[0][1][0], "French");
  made.close();
});

test("a click is no drag", () => {
  const { made, sent, line } = bars();
  fire(line(0), "pointerdown", { clientX: 80 });
  fire(line(0), "pointermove", { clientX: 81 });
  fire(window, "pointerup");
  assert.equal(share(made, 0), 0.5);
  assert.deepEqual(sent, []);
});

test("what the server says waits until the bar is let go", () => {
  const { made, line } = bars();
  fire(line(0), "pointerdown", { clientX: 80 });
  made.update({ rows: rows().map((row) => ({ ...row, weight: 9 })), rest: 0, alt: "Prior" }, () => {});
  assert.equal(made.rows[0].weight, 0.5);
  fire(window, "pointerup");
  made.update({ rows: rows().map((row) => ({ ...row, weight: 9 })), rest: 0, alt: "Prior" }, () => {});
  assert.equal(made.rows[0].weight, 9);
});

test("keys move a bar, rule it out and bring its own weight back", () => {
  const { made, line } = bars();
  press(line(0), "ArrowRight");
  assert.equal(made.rows[0].weight, 0.625);
  press(line(0), "PageDown");
  assert.ok(Math.abs(made.rows[0].weight - 0.0625) < 1e-9);
  press(line(0), "Home");
  assert.equal(line(0).ariaValueText, "ruled out");
  press(line(0), "ArrowUp"); // from nothing to where the scale begins
  assert.ok(made.rows[0].weight > 0 && share(made, 0) < 2 * LOW);
  press(line(0), "Delete");
  assert.equal(made.rows[0].weight, 0.5);
  press(line(0), "Home");
  fire(line(0), "dblclick");
  assert.equal(made.rows[0].weight, 0.5);
  made.close();
});

test("many moves are few messages, and the last one is always among them", async () => {
  const { made, sent, line } = bars();
  for (let i = 0; i < 5; i++) press(line(1), "ArrowLeft");
  assert.equal(sent.length, 1);
  await new Promise((done) => setTimeout(done, 200));
  assert.equal(sent.length, 2);
  assert.ok(Math.abs(sent[1][1][1] - 0.25 * 0.8 ** 5) < 1e-9);
  made.close();
});

test("the component makes its bars once and takes them away", () => {
  const parentElement = parent();
  const data = { rows: rows(), rest: 0.25, alt: "Prior" };
  mount({ data, parentElement, setTriggerValue: () => {} });
  const leave = mount({ data, parentElement, setTriggerValue: () => {} });
  assert.equal(parentElement.querySelectorAll(".icl-line").length, 2);
  leave();
  assert.equal(parentElement.childElementCount, 0);
});
