// What the mouse or the keyboard points at: {text, box, click} or null.

import { fill } from "./text.js";

/** Dots that are not drawn: they say where a click counts. */
const isTarget = (trace) => trace.marker?.opacity === 0;

/** Cells that can be clicked, by "column,row". */
export function targetsOf(traces) {
  const found = new Map();
  for (const trace of traces)
    {if (isTarget(trace)) trace.x.forEach((x, i) => found.set(`${x},${trace.y[i]}`, trace.customdata[i]));}
  return found;
}

const tickWord = (axis, value) => {
  const place = axis.ticks.findIndex((tick) => Math.abs(tick - value) < 1e-6);
  return place < 0 ? value : axis.words[place];
};

/** The cell of a heatmap at column c and row r. */
export function cellOf(trace, x, y, c, r, targets) {
  const value = trace.z[r]?.[c];
  if (value === undefined) return null;
  const [left, right] = [x.at(c - 0.5), x.at(c + 0.5)];
  const [top, bottom] = [y.at(r - 0.5), y.at(r + 0.5)].sort((a, b) => a - b);
  const shown = { x: tickWord(x, c), y: tickWord(y, r), z: value, text: trace.text?.[r]?.[c], customdata: trace.customdata?.[r]?.[c] };
  return { text: fill(trace.hovertemplate, shown), box: { left, right, top, bottom }, click: targets.get(`${c},${r}`), cell: [c, r] };
}

/** The bar whose row holds the pixel. */
function barAt(trace, x, y, px, py) {
  if (px < Math.min(x.start, x.end) - 2 || px > Math.max(x.start, x.end) + 2) return null;
  const i = trace.y.findIndex((row) => Math.abs(y.back(py) - row) <= trace.width / 2);
  if (i < 0) return null;
  const half = Math.abs(y.at(trace.width / 2) - y.at(0));
  const middle = y.at(trace.y[i]);
  const box = { left: x.at(0), right: x.at(trace.x[i]), top: middle - half, bottom: middle + half };
  const shown = { x: trace.x[i], y: tickWord(y, trace.y[i]), customdata: trace.customdata?.[i], text: trace.text?.[i] };
  return { text: fill(trace.hovertemplate, shown), box };
}

/** The dot nearest to the pixel, within reach; `away` is how far. */
function dotAt(trace, x, y, px, py, reach = 14) {
  let best = null;
  trace.x.forEach((value, i) => {
    const away = Math.hypot(x.at(value) - px, y.at(trace.y[i]) - py);
    if (away < (best?.away ?? reach)) best = { away, i };
  });
  if (!best) return null;
  const [left, top] = [x.at(trace.x[best.i]), y.at(trace.y[best.i])];
  const text = fill(trace.hovertemplate, { x: trace.x[best.i], y: trace.y[best.i], customdata: trace.customdata?.[best.i] });
  return { text, box: { left, right: left, top, bottom: top }, away: best.away };
}

/** What lies under a pixel of a drawn figure. */
export function pointedAt(drawing, px, py) {
  let nearest = null;
  for (const trace of drawing.traces) {
    if (isTarget(trace) || !trace.hovertemplate) continue;
    const [x, y] = [drawing.axes[trace.xaxis ?? "x"], drawing.axes[trace.yaxis ?? "y"]];
    let found = null;
    if (trace.type === "heatmap") {
      const [c, r] = [Math.round(x.back(px)), Math.round(y.back(py))];
      if (c >= 0 && r >= 0) found = cellOf(trace, x, y, c, r, drawing.targets);
    } else if (trace.type === "bar") found = barAt(trace, x, y, px, py);
    else found = dotAt(trace, x, y, px, py, nearest?.away);
    if (found && trace.type !== "scatter") return found;
    nearest = found ?? nearest;
  }
  return nearest;
}
