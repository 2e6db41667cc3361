import assert from "node:assert/strict";
import test from "node:test";

import { window } from "./browser.js";
import { library, rootOf } from "../../../../pages/ui/components/drawing/library.js";

const came = (kind) => document.head.querySelector("script:last-of-type").dispatchEvent(new window.Event(kind));

test("plotly is fetched once, however many charts ask", async () => {
  globalThis.Plotly = { react() {} };
  const [one, other] = [library("component/x/plotly.min.js?7"), library("component/x/plotly.min.js?7")];
  assert.equal(one, other);
  assert.equal(document.head.querySelectorAll("script[src*='plotly.min.js']").length, 1);
  came("load");
  assert.equal(await one, globalThis.Plotly);
  delete globalThis["iclens plotly"];
});

test("a script that did not come is said, and asked for again by the next chart", async () => {
  const asked = library("component/x/gone.js");
  came("error");
  await assert.rejects(asked, /gone\.js did not come/);
  const again = library("component/x/gone.js");
  assert.notEqual(again, asked);
  came("load");
  await again;
  delete globalThis["iclens plotly"];
});

test("the app's root is where its own script lies, whatever the page's address", () => {
  const page = (html, baseURI) => {
    const parsed = new window.DOMParser().parseFromString(html, "text/html");
    return { querySelector: (selector) => parsed.querySelector(selector), baseURI };
  };
  const own = "<script src='https://x.test/lab/static/js/index.ab.js'></script>";
  assert.equal(rootOf(page(own, "https://x.test/lab/posterior")), "https://x.test/lab/");
  assert.equal(rootOf(page("<p></p>", "https://x.test/lab/")), "https://x.test/lab/");
});
