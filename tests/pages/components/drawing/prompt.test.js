import assert from "node:assert/strict";
import test from "node:test";

import { parent, window } from "./browser.js";
import show from "../../../../pages/ui/components/drawing/prompt.js";

const html = (words) => `<div class="icl-prompt"><span data-n="3"><b>lion</b></span> <i>${words}</i></div>`;

function shown(words = "->") {
  const sent = [];
  const parentElement = parent();
  const update = (text) => show({ data: { html: html(text) }, parentElement, setTriggerValue: (...message) => sent.push(message) });
  return { sent, parentElement, update, leave: update(words) };
}

test("a click on a demonstration says which, one beside it nothing", () => {
  const { sent, parentElement } = shown();
  parentElement.querySelector("b").click();
  parentElement.querySelector("i").click();
  assert.deepEqual(sent, [["clicked", 3]]);
});

test("what is selected to be copied is no click", () => {
  const { sent, parentElement } = shown();
  window.getSelection().selectAllChildren(parentElement);
  parentElement.querySelector("b").click();
  window.getSelection().removeAllRanges();
  assert.deepEqual(sent, []);
});

test("a prompt that stays the same is left alone, another one keeps its scroll", () => {
  const { parentElement, update, leave } = shown();
  const before = parentElement.querySelector("b");
  update("->");
  assert.equal(parentElement.querySelector("b"), before);
  const box = parentElement.querySelector(".icl-prompt");
  box.scrollTop = 40;
  box.dispatchEvent(new window.Event("scroll"));
  update("=>");
  assert.notEqual(parentElement.querySelector("b"), before);
  assert.equal(parentElement.querySelector(".icl-prompt").scrollTop, 40);
  leave();
  assert.equal(parentElement.childElementCount, 0);
});
