// A browser without a screen: jsdom, where every letter is half as wide as it is high, and boxes are as large as told.
import { JSDOM } from "jsdom";

export const { window } = new JSDOM("<!doctype html><body></body>", { pretendToBeVisual: true, url: "http://app.test/" });
const pen = { font: "", measureText: (text) => ({ width: text.length * Number(/(\d+)px/.exec(pen.font)[1]) * 0.5 }), fillRect() {} };
window.HTMLCanvasElement.prototype.getContext = () => pen;
window.HTMLCanvasElement.prototype.toDataURL = () => "data:image/png;base64,";

/** Watchers of sizes; a test says what they see. */
export const watchers = [];
class ResizeObserver {
  constructor(see) {
    this.see = see;
    watchers.push(this);
  }

  observe() {}

  disconnect() {
    this.gone = true;
  }
}

/** Watchers of what is in view; a test says whether it is. */
export const sights = [];
class IntersectionObserver extends ResizeObserver {
  constructor(see) {
    super(see);
    sights.push(watchers.pop());
  }
}

const names = ["document", "getComputedStyle", "Event", "KeyboardEvent", "MouseEvent", "MutationObserver", "XMLSerializer", "Image"];
Object.assign(globalThis, Object.fromEntries(names.map((name) => [name, window[name]])), { ResizeObserver, IntersectionObserver, window });
for (const name of ["innerWidth", "innerHeight"]) globalThis[name] = window[name];
for (const name of ["addEventListener", "removeEventListener", "getSelection"]) globalThis[name] = window[name].bind(window);

/** An element of the page to put things into. */
export const parent = () => document.body.appendChild(document.createElement("div"));

/** An SVG text as elements. */
export function drawn(svg) {
  const root = document.createElement("div");
  root.innerHTML = `<svg>${svg}</svg>`;
  return root.firstChild;
}

/** Numbers of an element's attributes. */
export const numbers = (element, ...attributes) => attributes.map((name) => Number(element.getAttribute(name)));
