// Where things go: margins, axes, and colours of cells.

const AXIS = { range: [0, 1], domain: [0, 1] };

/** Axes of a layout by the names that traces use: x, x2, …, y, y2, … */
function axesOf(layout) {
  const axes = { x: { ...AXIS }, y: { ...AXIS } };
  for (const [name, axis] of Object.entries(layout)) {
    const found = /^([xy])axis(\d*)$/.exec(name);
    if (found) axes[found[1] + found[2]] = { ...AXIS, ...axis };
  }
  for (const [name, axis] of Object.entries(axes)) {
    axis.name = name;
    axis.partner = axis.anchor ?? (name.startsWith("x") ? "y" : "x") + name.slice(1);
    [axis.ticks, axis.words] = ticksOf(axis);
    axis.lines = axis.words.map(parse);
  }
  return axes;
}

/** Places and words of the ticks: those named, or every `dtick`, or a handful of round numbers. */
function ticksOf(axis) {
  if (axis.tickvals) return [axis.tickvals, axis.ticktext ?? axis.tickvals.map(String)];
  const [low, high] = [Math.min(...axis.range), Math.max(...axis.range)];
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = axis.dtick ?? power * [1, 2, 5, 10].find((times) => times * power >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + 1e-9; tick += step) ticks.push(tick);
  return [ticks, ticks.map((tick) => format(tick))];
}

const BAR = { gap: 8, thick: 8, words: 30 }; // the colour bar at the right of a heatmap

/** The box that is left for plotting, and for every axis a function from its numbers to pixels. */
function placeAxes(layout, axes, traces, width, height, family) {
  const { l = 8, r = 8, t = 8, b = 8 } = layout.margin ?? {};
  let [left, right, bottom] = [l, r, b];
  for (const axis of Object.values(axes)) {
    if (!axis.automargin) continue;
    const title = axis.title?.text ? 18 : 0;
    if (axis.name.startsWith("y")) {
      const widest = Math.max(0, ...axis.lines.flatMap((lines) => lines.map((line) => widthOf(line, family))));
      left = Math.max(left, widest + 10 + title);
    } else {
      bottom = Math.max(bottom, axisHeight(axis, family) + title);
    }
  }
  if (traces.some((trace) => trace.type === "heatmap" && trace.showscale !== false)) right += BAR.gap + BAR.thick + BAR.words;
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

/** Room below an x axis for its words. */
function axisHeight(axis, family) {
  const deep = Math.max(0, ...axis.lines.map((lines) => lines.length));
  const long = Math.max(0, ...axis.lines.flatMap((lines) => lines.map((line) => widthOf(line, family))));
  return deep ? 8 + (axis.tickangle ? long : deep * 1.3 * SIZE) : 4;
}

const channels = (colour) => colour.match(/[\d.]+/g).map(Number);

/** The colour of a value on a scale of [place, rgba(…)] stops; opacity is mixed in steps that an eye cannot see. */
function colourOf(trace) {
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
