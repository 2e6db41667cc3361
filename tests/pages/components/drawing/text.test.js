import assert from "node:assert/strict";
import test from "node:test";

import { drawn, numbers } from "./browser.js";
import { escape, fill, format, num, parse, textAt, widthOf } from "../../../../pages/ui/components/drawing/text.js";

test("markup becomes lines of runs", () => {
  assert.deepEqual(parse("<b>4</b><br>chat <span style='font-size:11px'>log p</span>"), [
    [{ text: "4", bold: true, size: 12 }],
    [
      { text: "chat ", bold: false, size: 12 },
      { text: "log p", bold: false, size: 11 },
    ],
  ]);
  assert.equal(parse("x", 10)[0][0].size, 10);
  assert.deepEqual(parse(undefined), [[]]);
});

test("what is no tag of ours stays text", () => {
  const [[run]] = parse("&lt;i&gt; a < b <img src=x>");
  assert.equal(run.text, "<i> a < b <img src=x>");
});

test("text drawn is safe, whatever it holds", () => {
  const odd = `<img src=a onerror="alert(1)">&'`;
  const svg = drawn(textAt(escape(odd), 0, 0));
  assert.equal(svg.querySelector("img"), null);
  assert.equal(svg.textContent, odd);
});

test("lines of a block stand a line apart, around the middle, under the top or over the bottom", () => {
  const lines = (options) => [...drawn(textAt("a<br>b", 5, 100, options)).querySelectorAll("text > tspan")].map((line) => numbers(line, "y")[0]);
  const [first, second] = lines({ size: 10 });
  assert.equal(num(second - first), "13");
  assert.ok(first < 100 && second > 100);
  assert.ok(Math.min(...lines({ base: "top" })) > 100);
  assert.ok(drawn(textAt("a", 5, 100, { base: "bottom" })).querySelector("text > tspan").getAttribute("y") < 100);
});

test("a run of another size or weight says so", () => {
  const svg = drawn(textAt("<b>a</b>b", 0, 0, { size: 10, angle: -90 }));
  const [bold, plain] = svg.querySelectorAll("tspan tspan");
  assert.equal(bold.getAttribute("font-weight"), "600");
  assert.equal(plain.getAttribute("font-size"), "10");
  assert.equal(svg.querySelector("text").getAttribute("transform"), "rotate(-90 0 0)");
});

test("a line is as wide as its runs together", () => {
  assert.equal(widthOf(parse("<b>ab</b>c")[0], "sans-serif"), 18);
  assert.equal(widthOf(parse("abc", 10)[0], "sans-serif"), 15);
});

test("numbers are written as hover templates ask", () => {
  assert.equal(format(0.123456, ".4f"), "0.1235");
  assert.equal(format(1234.5678, ".4g"), "1235");
  assert.equal(format(0.1 + 0.2), "0.3");
  assert.equal(format("word", ".2f"), "word");
  assert.equal(format(undefined), "");
});

test("a hover template is filled in", () => {
  const values = { x: 1, z: 0.25, customdata: [7.125, "b"] };
  assert.equal(fill("%{x}: %{z:.4f}, %{customdata[0]:.2f} %{customdata[1]}<extra>no</extra>", values), "1: 0.2500, 7.13 b");
  assert.equal(fill("%{customdata[0]}", {}), "");
});
