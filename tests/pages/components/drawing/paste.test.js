import assert from "node:assert/strict";
import test from "node:test";

import { window } from "./browser.js";
import mount, { cells, table } from "../../../../pages/ui/components/drawing/paste.js";

test("an empty cell is one wherever it stands, at the very end too", () => {
  assert.deepEqual(cells("dog\tchien\ncat\t"), [["dog", "chien"], ["cat", ""]]);
  assert.deepEqual(cells("dog\t\n"), [["dog", ""]]);
  assert.deepEqual(cells("\tchien\r\n\t\r\n"), [["", "chien"], ["", ""]]);
  assert.deepEqual(cells("a\n\nb"), [["a"], [""], ["b"]]);
});

test("a sign of two units moves nothing", () => {
  assert.deepEqual(cells("good 🎉🎉\tpos\nbad\tneg"), [["good 🎉🎉", "pos"], ["bad", "neg"]]);
});

test("quotes hold line breaks, tabs and quotes, and stand as they are where they hold nothing", () => {
  assert.deepEqual(cells('"two\nlines\tand a tab"\t"says ""no"""'), [["two\nlines\tand a tab", 'says "no"']]);
  assert.deepEqual(cells('"Hello" he said\tpos\n5"\tsize\n"open\tneg'), [['"Hello" he said', "pos"], ['5"', "size"], ['"open', "neg"]]);
  assert.deepEqual(cells('""\tx'), [["", "x"]]);
});

/** Rows of cells as a page has them. */
const read = (html) => {
  const root = document.createElement("div");
  root.innerHTML = html;
  for (const line of root.querySelectorAll("br")) line.replaceWith("\n");
  return [...root.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent));
};

test("as HTML every cell says the same, and nothing in it is an element", () => {
  const text = 'a <b>&amp;</b> &nbsp;\t"two\nlines"\n<img src=x onerror=alert(1)>\t';
  assert.deepEqual(read(table(text)), [["a <b>&amp;</b> &nbsp;", "two\nlines"], ["<img src=x onerror=alert(1)>", ""]]);
  assert.doesNotMatch(table(text), /<(?!\/?t[rd]>|\/?table>|br>)/);
});

/** What the clipboard answers to who asks while an event of this kind is heard. */
async function asked(kind, text) {
  let found;
  const listen = () => (found = window.navigator.clipboard.read());
  window.addEventListener(kind, listen, { once: true });
  const event = new window.Event(kind);
  event.clipboardData = { getData: (type) => (type === "text/plain" ? text : "") };
  window.dispatchEvent(event);
  const [item] = await found;
  return item && { types: item.types, text: await (await item.getType("text/html")).text() };
}

test("who asks the clipboard in a paste is told of the paste, and of nothing else by us", async () => {
  assert.equal(window.navigator.clipboard, undefined, "as where a page is not served over https");
  mount();
  mount();
  assert.deepEqual(await asked("paste", "cat\t"), { types: ["text/html"], text: table("cat\t") });
  assert.equal(await asked("paste", ""), undefined, "a picture");
  assert.equal(await asked("keydown", "cat\t"), undefined);
});
