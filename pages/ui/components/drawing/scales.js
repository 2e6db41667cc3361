// Where things go: margins, axes, and colours of cells.

import { SIZE, format, parse, widthOf } from "./text.js";

const AXIS = { range: [0, 1], domain: [0, 1] };

/** Axes of a layout by the names that traces use: x, x2, …, y, y2, … */
export function axesOf(layout) {
  const axes = { x: { ...AXIS }, y: { ...AXIS } };
  for (const [name, axis] of Object.entries(layout)) {
    const found = /^([xy])axis(\d*)$/.exec(name);
    if (found) axes[found[1] + found[2]] = { ...AXIS, ...axis };
  }
  for (const [name, axis] of Object.entries(axes)) {
    axis.name = name;
    axis.partner = axis.anchor ?? (name.startsWith("x") ? "y" : "x") + name.slice(1);
    [axis.ticks, axis.words] = ticksOf(axis);
    axis.lines = axis.words.map((word) => parse(word, axis.tickfont?.size));
  }
  return axes;
}

/** Places and words of the ticks: those named, or every `dtick`, or at most `nticks` round numbers, as plotly does. */
export function ticksOf(axis) {
  if (axis.tickvals) return [axis.tickvals, axis.ticktext ?? axis.tickvals.map(String)];
  const [low, high] = [Math.min(...axis.range), Math.max(...axis.range)];
  const rough = (high - low) / (axis.nticks ?? 5);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = axis.dtick ?? power * [2, 5, 10].find((times) => times * power >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + 1e-9; tick += step) ticks.push(tick);
  return [ticks, ticks.map((tick) => format(tick))];
}

export const BAR = { gap: 8, words: 30 }; // room around the colour bar at the right of a heatmap

/** The colour bar of a heatmap, or undefined: its thickness in pixels and its length as a share of the plot. */
export const colourBar = (trace) => (trace.showscale === false ? undefined : { thickness: 30, len: 1, ...trace.colorbar });

/** Room for an axis's title and for the gap before it. */
const titleRoom = (title) => (title?.text ? (title.standoff ?? 4) + 1.2 * (title.font?.size ?? SIZE) : 0);

/** The box that is left for plotting, and for every axis a function from its numbers to pixels. */
export function placeAxes(layout, axes, traces, width, height, family) {
  const { l = 8, r = 8, t = 8, b = 8 } = layout.margin ?? {};
  let [left, right, bottom] = [l, r, b];
  for (const axis of Object.values(axes)) {
    axis.room = axis.name.startsWith("y") ? 7 + widest(axis, family) : axisHeight(axis, family);
    if (!axis.automargin) continue;
    const room = axis.room + titleRoom(axis.title);
    if (axis.name.startsWith("y")) left = Math.max(left, room + 3);
    else bottom = Math.max(bottom, room);
  }
  const bar = traces.filter((trace) => trace.type === "heatmap").map(colourBar).find(Boolean);
  if (bar) right += BAR.gap + bar.thickness + BAR.words;
  const box = { left, top: t, width: Math.max(1, width - left - right), height: Math.max(1, height - t - bottom) };
  for (const axis of Object.values(axes)) {
    const flat = axis.name.startsWith("x");
    const [from, to] = axis.domain;
    const start = flat ? box.left + from * box.width : box.top + box.height * (1 - from);
    const end = flat ? box.left + to * box.width : box.top + box.height * (1 - to);
    const [a, z] = axis.range;
    axis.start = start;
    axis.end = end;
    axis.at = (value) => start + ((value - a) / (z - a)) * (end - start);
    axis.back = (pixel) => a + ((pixel - start) / (end - start)) * (z - a);
  }
  return box;
}

/** Width of the longest line of an axis's words. */
const widest = (axis, family) => Math.max(0, ...axis.lines.flatMap((lines) => lines.map((line) => widthOf(line, family))));

/** Room below an x axis for its words. */
function axisHeight(axis, family) {
  const deep = Math.max(0, ...axis.lines.map((lines) => lines.length));
  return deep ? 8 + (axis.tickangle ? widest(axis, family) : deep * 1.3 * (axis.tickfont?.size ?? SIZE)) : 4;
}

const channels = (colour) => colour.match(/[\d.]+/g).map(Number);

/** The colour of a value on a scale of [place, rgba(…)] stops; opacity is mixed in steps that an eye cannot see. */
export function colourOf(trace) {
  const stops = trace.colorscale.map(([place, colour]) => [place, channels(colour)]);
  const { zmin, zmax } = trace;
  return (value) => {
    const share = Math.min(1, Math.max(0, (value - zmin) / (zmax - zmin || 1)));
    const above = Math.max(1, stops.findIndex(([place]) => place >= share));
    const [[from, a], [to, z]] = [stops[above - 1], stops[above]];
    const mix = a.map((part, i) => part + ((z[i] - part) * (share - from)) / (to - from || 1));
    return `rgba(${mix.slice(0, 3).map(Math.round).join()},${(mix[3] ?? 1).toFixed(3)})`;
  };
}
