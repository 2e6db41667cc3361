// Draws a figure of core.figures (a small part of plotly's format) as SVG, fills its box, and follows data and window.

import { DISK, WIDE } from "./icons.js";
import { drawAnnotation, drawAxes, drawBars, drawHeatmap, drawScale, drawScatter, drawShape, stroke } from "./marks.js";
import { cellOf, pointedAt, targetsOf } from "./pointing.js";
import { axesOf, placeAxes } from "./scales.js";
import { shelf } from "./shelf.js";
import { SIZE, escape, num, parse, textAt, widthOf } from "./text.js";
import { framed } from "./titled.js";

export class Chart {
  constructor(parent) {
    this.root = Object.assign(document.createElement("div"), { className: "icl-chart" });
    const layers = ["axes", "data", "over"].map((name) => `<g class="icl-${name}"></g>`).join("");
    this.root.innerHTML = `<svg role="img" tabindex="0">${layers}<rect class="icl-point" fill="none"/></svg>
      <div class="icl-tools">${this.button("save", DISK)}${this.button("fill", WIDE)}</div>
      <div class="icl-tip" role="status" aria-live="polite" hidden></div>`;
    parent.append(this.root);
    this.svg = this.root.querySelector("svg");
    this.tip = this.root.querySelector(".icl-tip");
    this.point = this.root.querySelector(".icl-point");
    this.layers = Object.fromEntries([...this.root.querySelectorAll("g")].map((g) => [g.getAttribute("class").slice(4), g]));
    this.drawn = {};
    this.hidden = new Set();
    this.listen();
  }

  button(name, path) {
    return `<button type="button" data-tool="${name}"><svg viewBox="0 -960 960 960" aria-hidden="true"><path d="${path}"/></svg></button>`;
  }

  listen() {
    // Size and font are read here alone: asked for after other charts have drawn, they have the page laid out anew.
    this.watcher = new ResizeObserver(([{ contentRect }]) => {
      this.size = contentRect;
      this.family = getComputedStyle(this.root).fontFamily;
      this.draw();
    });
    this.watcher.observe(this.root);
    this.svg.addEventListener("mousemove", (event) => this.hover(...this.pixel(event), event));
    this.svg.addEventListener("mouseleave", () => this.show(null));
    this.svg.addEventListener("blur", () => this.show(null));
    this.svg.addEventListener("click", (event) => this.click(event));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    const [save, fill] = this.root.querySelectorAll("button");
    save.addEventListener("click", () => this.save());
    fill.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen()));
    fill.title = fill.ariaLabel = "Full screen";
  }

  /** Take over new data; draws at once, or as soon as there is room. */
  update(figure, send) {
    Object.assign(this, { figure, send });
    this.root.style.height = figure.height;
    if (this.alt !== figure.alt) this.svg.setAttribute("aria-label", (this.alt = figure.alt));
    const save = this.root.querySelector("[data-tool=save]");
    save.title = save.ariaLabel = `Save as ${figure.format.toUpperCase()}`;
    this.draw();
  }

  draw() {
    const { width, height } = this.size ?? {};
    if (!this.figure || !width || !height) return;
    const { layout } = this.figure;
    const traces = this.figure.data.filter((trace) => !this.hidden.has(trace.legendgroup));
    const axes = axesOf(layout);
    const box = placeAxes(layout, axes, traces, width, height, this.family);
    const marks = [];
    const words = [];
    for (const trace of traces) {
      const [x, y] = [axes[trace.xaxis ?? "x"], axes[trace.yaxis ?? "y"]];
      if (trace.type === "bar") marks.push(drawBars(trace, x, y));
      else if (trace.type === "heatmap") {
        marks.push(drawHeatmap(trace, x, y));
        if (trace.showscale !== false) words.push(drawScale(trace, box));
      } else marks.push(drawScatter(trace, x, y));
    }
    const shapes = (layout.shapes ?? []).map((shape) => ({ under: shape.layer === "below", svg: drawShape(shape, axes, box) }));
    const under = shapes.filter((shape) => shape.under).map((shape) => shape.svg);
    const over = shapes.filter((shape) => !shape.under).map((shape) => shape.svg);
    const notes = (layout.annotations ?? []).map((note) => drawAnnotation(note, axes, box));
    this.put("axes", under.join("") + drawAxes(axes));
    this.put("data", marks.join(""));
    this.put("over", [...words, ...over, ...notes, layout.showlegend ? this.legend(width, height) : ""].join(""));
    this.drawing = { traces, axes, box, targets: targetsOf(traces) };
    this.root.drawn = this.figure;
    if (!this.tip.hidden) this.show(null);
  }

  /** Replace a layer where it changed. */
  put(layer, svg) {
    if (this.drawn[layer] !== svg) this.layers[layer].innerHTML = this.drawn[layer] = svg;
  }

  /** Two rows of names at the foot; a click hides a line and shows it again. */
  legend(width, height) {
    const entries = this.figure.data.filter((trace) => trace.showlegend);
    const size = this.figure.layout.legend?.font?.size ?? SIZE;
    let [x, y] = [8, height - 28];
    return entries
      .map((trace) => {
        const room = widthOf(parse(trace.name, size)[0], this.family) + 36;
        if (x + room > width && x > 8) [x, y] = [8, y + 16];
        const at = x;
        x += room;
        const line = `<line x1="${num(at)}" x2="${num(at + 16)}" y1="${y}" y2="${y}" ${stroke(trace.line)} stroke-width="2.5"/>`;
        const word = textAt(trace.name, at + 20, y, { anchor: "start", size, attributes: 'fill="currentColor"' });
        const faded = this.hidden.has(trace.legendgroup) ? ' opacity="0.35"' : "";
        return `<g class="icl-entry" data-group="${escape(trace.legendgroup)}"${faded}>${line}${word}</g>`;
      })
      .join("");
  }

  pixel(event) {
    const frame = this.svg.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  hover(px, py, event) {
    this.show(this.drawing && pointedAt(this.drawing, px, py), event);
  }

  /** The box of words beside what is pointed at, and a frame around it. */
  show(found, event) {
    this.found = found;
    this.tip.hidden = !found;
    this.point.setAttribute("class", found ? "icl-point icl-on" : "icl-point");
    this.svg.style.cursor = found?.click ? "pointer" : "";
    if (!found) return;
    const { left, right, top, bottom } = found.box;
    for (const [name, value] of Object.entries({ x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) }))
      {this.point.setAttribute(name, num(value));}
    if (this.said !== found.text) {
      this.said = found.text;
      this.tip.replaceChildren(
        ...parse(found.text).map((line) => {
          const row = document.createElement("div");
          row.append(...line.map((run) => Object.assign(document.createElement(run.bold ? "b" : "span"), { textContent: run.text })));
          return row;
        }),
      );
    }
    const frame = this.svg.getBoundingClientRect();
    const [x, y] = event ? [event.clientX, event.clientY] : [frame.left + (left + right) / 2, frame.top + bottom];
    const { offsetWidth: w, offsetHeight: h } = this.tip;
    this.tip.style.left = `${Math.max(4, x + 14 + w > innerWidth ? x - w - 10 : x + 14)}px`;
    this.tip.style.top = `${Math.max(4, Math.min(y + 12, innerHeight - h - 4))}px`;
  }

  click(event) {
    const group = event.target.closest?.("[data-group]")?.dataset.group;
    if (group !== undefined) {
      if (!this.hidden.delete(group)) this.hidden.add(group);
      this.draw();
      return;
    }
    this.hover(...this.pixel(event), event);
    this.choose();
  }

  choose() {
    if (this.found?.click && this.figure.clickable) this.send("clicked", this.found.click);
  }

  /** Arrows walk over the cells of a heatmap, Enter is a click. */
  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const map = this.drawing?.traces.find((trace) => trace.type === "heatmap");
    if (event.key === "Escape") this.show(null);
    else if (event.key === "Enter" || event.key === " ") this.choose();
    else if (!step || !map) return;
    else {
      const { axes, targets } = this.drawing;
      const [c, r] = this.found?.cell ? [this.found.cell[0] + step[0], this.found.cell[1] + step[1]] : [0, 0];
      const found = cellOf(map, axes.x, axes.y, c, r, targets);
      if (found) this.show(found);
    }
    event.preventDefault();
  }

  /** The picture as a file, in the colours of the page, with the title and the key that the page has beside it. */
  async save() {
    const { width, height } = this.svg.getBoundingClientRect();
    const style = getComputedStyle(this.root);
    const copy = this.svg.cloneNode(true);
    const page = style.getPropertyValue("--st-background-color") || "white";
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("style", `color:${style.color};background:${page};font:${SIZE}px ${style.fontFamily.replaceAll('"', "'")}`);
    copy.querySelector(".icl-point").remove();
    copy.querySelectorAll(".icl-grid").forEach((line) => line.setAttribute("stroke", "rgba(128,134,148,0.25)"));
    const high = framed(copy, this.figure, { width, height });
    copy.insertAdjacentHTML("afterbegin", `<rect width="100%" height="100%" fill="${escape(page)}"/>`);
    let address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
    if (this.figure.format === "png") {
      const picture = new Image();
      picture.src = address;
      await picture.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: 3 * width, height: 3 * high });
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(address);
      address = URL.createObjectURL(await new Promise((done) => canvas.toBlob(done)));
    }
    Object.assign(document.createElement("a"), { href: address, download: `${this.figure.name}.${this.figure.format}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  close() {
    this.watcher.disconnect();
    this.root.remove();
  }
}

shelf.give(Chart);

export default function () {}
