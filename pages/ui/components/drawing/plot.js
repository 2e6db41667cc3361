// A figure of core.figures drawn by plotly, in one place that stays: a new figure changes what is drawn there.

import { WIDE } from "./icons.js";
import { inked, templateOf, themeAt } from "./theme.js";
import { titled } from "./titled.js";

const LEFT_OUT = ["select2d", "lasso2d", "autoScale2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "sendChartToCloud", "toImage"];

export class Plot {
  /** In `parent`, once `plotly`, a promise, is there; its place is kept until then. */
  constructor(parent, plotly) {
    this.root = Object.assign(document.createElement("div"), { className: "icl-plot" });
    this.root.setAttribute("role", "figure");
    parent.append(this.root);
    this.listen();
    plotly.then(
      (Plotly) => {
        this.Plotly = Plotly;
        this.draw();
      },
      () => this.root.replaceChildren("The script that draws did not come. Reload the page."),
    );
  }

  listen() {
    // A chart is drawn when it is in view: what is below the fold costs an edit nothing, and waits there dimmed.
    this.sight = new IntersectionObserver((seen) => {
      this.seen = seen.at(-1).isIntersecting;
      this.draw();
    });
    this.sizes = new ResizeObserver(([{ contentRect }]) => this.resize(contentRect));
    this.print = () => {
      this.seen = true;
      this.draw();
    };
    this.sight.observe(this.root);
    this.sizes.observe(this.root);
    addEventListener("beforeprint", this.print);
    // The page's colours have changed: chart.css gives this element's own a transition, and that says so.
    this.root.addEventListener("transitionrun", (event) => {
      if (event.target !== this.root || event.propertyName !== "color") return;
      this.theme = null;
      this.due = true;
      this.draw();
    });
  }

  /** Take over a new figure, as JSON; draws at once if it is in view, else as soon as it is. */
  update(text, send) {
    this.send = send;
    if (text === this.text) return;
    const { height, alt } = JSON.parse(text);
    Object.assign(this, { text, due: true });
    this.root.style.height = `${height}px`;
    if (this.size && !document.fullscreenElement) this.size.height = height; // and not only when its watcher says so
    if (this.alt !== alt) this.root.setAttribute("aria-label", (this.alt = alt));
    this.draw();
    if (this.due && this.figure) this.root.classList.add("icl-due");
  }

  resize({ width, height }) {
    const { width: wide, height: high } = this.size ?? {};
    this.size = { width, height };
    if (this.due) this.draw();
    else if (width && height && (width !== wide || height !== high)) this.Plotly.relayout(this.root, this.size);
  }

  draw() {
    if (!this.due || !this.seen || !this.Plotly || !this.size?.width || !this.size.height) return;
    this.due = false;
    this.root.classList.remove("icl-due");
    this.theme ??= themeAt(this.root);
    this.figure = JSON.parse(inked(this.text, this.theme));
    const { data, layout, clickable } = this.figure;
    const clicks = clickable && { hovermode: layout.hovermode || "closest", dragmode: layout.dragmode || "pan" };
    const whole = { ...layout, ...clicks, ...this.size, template: templateOf(this.theme) };
    this.Plotly.react(this.root, data, whole, this.config(this.figure));
    if (this.listens) return;
    this.listens = true;
    this.root.on("plotly_click", ({ points }) => this.click(points));
  }

  /** The same as long as it says the same: where it is another plotly starts anew, and forgets who listens. */
  config({ name, format, modebar }) {
    const said = `${name} ${format} ${modebar}`;
    if (this.said === said) return this.settings;
    const icon = { width: 960, height: 960, path: WIDE, transform: "matrix(1 0 0 1 0 960)" };
    Object.assign(this, { said, listens: false });
    this.settings = {
      displaylogo: false,
      displayModeBar: modebar && "hover",
      modeBarButtonsToRemove: LEFT_OUT,
      modeBarButtonsToAdd: [
        { name: "Full screen", title: "Full screen", icon, click: () => this.fill() },
        { name: "Save", title: `Save as ${format.toUpperCase()}`, icon: this.Plotly.Icons?.camera, click: () => this.save() },
      ],
    };
    return this.settings;
  }

  /** The picture as a file, with the title and the key that the page has beside it. */
  save() {
    const { data, layout, alt, name, format } = this.figure;
    const whole = titled(data, { ...layout, template: templateOf(this.theme) }, alt, this.size);
    return this.Plotly.downloadImage(whole, { format, filename: name, width: this.size.width, height: whole.height, scale: 3 });
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen();
  }

  /** What a clicked mark stands for; a click on a heatmap's cell is one on the target over it. */
  click(points) {
    if (!this.figure.clickable) return;
    const data = points.map((point) => this.markOf(point)).find(Boolean);
    if (data) this.send("clicked", Array.from(data));
  }

  markOf({ fullData, customdata, x, y }) {
    if (fullData.type !== "heatmap") return customdata;
    const over = this.root._fullData.find((one) => one.type === "scatter" && one.marker?.opacity === 0 && one.xaxis === fullData.xaxis && one.yaxis === fullData.yaxis);
    const place = over ? Array.from(over.x).findIndex((value, i) => value === x && over.y[i] === y) : -1;
    return place < 0 ? null : over.customdata[place];
  }

  close() {
    removeEventListener("beforeprint", this.print);
    this.sight.disconnect();
    this.sizes.disconnect();
    this.Plotly?.purge(this.root);
    this.root.remove();
  }
}
