// What is drawn: each function returns SVG as text.

import { BAR, colourBar, colourOf, ticksOf } from "./scales.js";
import { SIZE, escape, num, parse, textAt } from "./text.js";

const FAINT = 'fill="currentColor" fill-opacity="0.68"';

const DIGIT = 0.52; // width of a digit as a share of its height

const NUMBER = /^(<b>)?\d+(<\/b>)?$/;

/** How many letters a word has on its longest line, markup left out. */
const longest = (word) => Math.max(...parse(word).map((line) => line.reduce((sum, run) => sum + run.text.length, 0)));

const rect = (x, y, width, height, attributes) =>
  `<rect x="${num(x)}" y="${num(y)}" width="${num(Math.max(0, width))}" height="${num(Math.max(0, height))}" ${attributes}/>`;

export const stroke = (line, otherwise = "currentColor") =>
  `stroke="${escape(line?.color ?? otherwise)}" stroke-width="${line?.width ?? 1}"`;

/** Grid lines, ticks, words and titles of the axes. */
export function drawAxes(axes) {
  const parts = [];
  for (const axis of Object.values(axes)) {
    const partner = axes[axis.partner] ?? axes.x;
    const flat = axis.name.startsWith("x");
    const foot = flat ? Math.max(partner.start, partner.end) : Math.min(partner.start, partner.end);
    const head = flat ? Math.min(partner.start, partner.end) : Math.max(partner.start, partner.end);
    const words = { size: axis.tickfont?.size, attributes: FAINT };
    let taken = -Infinity; // where the last number below a flat axis ends
    axis.ticks.forEach((tick, i) => {
      const at = axis.at(tick);
      if (at < Math.min(axis.start, axis.end) - 1 || at > Math.max(axis.start, axis.end) + 1) return;
      const line = (from, to) =>
        flat ? `x1="${num(at)}" x2="${num(at)}" y1="${num(from)}" y2="${num(to)}"` : `y1="${num(at)}" y2="${num(at)}" x1="${num(from)}" x2="${num(to)}"`;
      if (axis.showgrid !== false) parts.push(`<line ${line(foot, head)} class="icl-grid"/>`);
      if (!axis.words[i]) return;
      if (flat && axis.tickangle) parts.push(textAt(axis.words[i], at, foot + 6, { anchor: "end", angle: axis.tickangle, ...words }));
      else if (flat) {
        // Numbers of many columns: every so many-th is written, where they would run together.
        const half = NUMBER.test(axis.words[i]) ? (longest(axis.words[i]) * (words.size ?? SIZE) * DIGIT) / 2 : 0;
        if (half && at - half < taken + 2) return;
        if (half) taken = at + half;
        parts.push(textAt(axis.words[i], at, foot + 6, { base: "top", ...words }));
      }
      else parts.push(textAt(axis.words[i], foot - 7, at, { anchor: "end", ...words }));
    });
    if (!axis.title?.text) continue;
    const middle = (axis.start + axis.end) / 2;
    const { text, standoff = 4, font } = axis.title;
    const style = { size: font?.size, attributes: FAINT };
    const away = axis.room + standoff; // from the axis to the near edge of its title
    if (flat) parts.push(textAt(text, middle, foot + away, { base: "top", ...style }));
    else parts.push(textAt(text, foot - away - 0.6 * (font?.size ?? SIZE), middle, { angle: -90, ...style }));
  }
  return parts.join("");
}

/** Horizontal bars with their words at the end. */
export function drawBars(trace, x, y) {
  return trace.x
    .map((value, i) => {
      const [from, to] = [x.at(0), x.at(value)];
      const half = Math.abs(y.at(trace.width / 2) - y.at(0));
      const fill = Array.isArray(trace.marker.color) ? trace.marker.color[i] : trace.marker.color;
      const bar = rect(Math.min(from, to), y.at(trace.y[i]) - half, Math.max(Math.abs(to - from), value > 0 ? 1 : 0), 2 * half, `fill="${escape(fill)}"`);
      return bar + (trace.text?.[i] ? textAt(trace.text[i], to + 4, y.at(trace.y[i]), { anchor: "start", attributes: FAINT }) : "");
    })
    .join("");
}

/** Cells with a gap between them; on a large map one image does for all of them. */
export function drawHeatmap(trace, x, y) {
  const colour = colourOf(trace);
  const [rows, columns] = [trace.z.length, trace.z[0]?.length ?? 0];
  if (rows * columns > 4000) return drawImage(trace, x, y, colour);
  const [gapX, gapY] = [(trace.xgap ?? 0) / 2, (trace.ygap ?? 0) / 2];
  const parts = [];
  for (let r = 0; r < rows; r++) {
    const [a, b] = [y.at(r - 0.5), y.at(r + 0.5)].sort((p, q) => p - q);
    for (let c = 0; c < columns; c++) {
      if (!(Math.abs(trace.z[r][c]) > 0)) continue;
      const [from, to] = [x.at(c - 0.5), x.at(c + 0.5)];
      parts.push(rect(from + gapX, a + gapY, to - from - 2 * gapX, b - a - 2 * gapY, `fill="${colour(trace.z[r][c])}"`));
    }
  }
  return parts.join("");
}

function drawImage(trace, x, y, colour) {
  const [rows, columns] = [trace.z.length, trace.z[0].length];
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const paper = canvas.getContext("2d");
  trace.z.forEach((row, r) =>
    row.forEach((value, c) => {
      paper.fillStyle = colour(value);
      paper.fillRect(c, r, 1, 1);
    }),
  );
  const [a, b] = [y.at(-0.5), y.at(rows - 0.5)];
  const flip = b < a ? ` transform="translate(0 ${num(a + b)}) scale(1 -1)"` : "";
  const [left, width] = [x.at(-0.5), x.at(columns - 0.5) - x.at(-0.5)];
  return `<image href="${canvas.toDataURL()}" x="${num(left)}" y="${num(Math.min(a, b))}" width="${num(width)}" height="${num(Math.abs(b - a))}" preserveAspectRatio="none" style="image-rendering:pixelated"${flip}/>`;
}

/** What the colours of a heatmap stand for. */
export function drawScale(trace, box) {
  const colour = colourOf(trace);
  const { thickness, len, nticks, tickfont } = colourBar(trace);
  const [left, top, height] = [box.left + box.width + BAR.gap, box.top + (0.5 - len / 2) * box.height, len * box.height];
  const steps = 24;
  const parts = [];
  for (let i = 0; i < steps; i++) {
    const value = trace.zmax - ((i + 0.5) / steps) * (trace.zmax - trace.zmin);
    parts.push(rect(left, top + (i * height) / steps, thickness, height / steps, `fill="${colour(value)}" shape-rendering="crispEdges"`));
  }
  const [ticks, words] = ticksOf({ range: [trace.zmin, trace.zmax], nticks });
  ticks.forEach((tick, i) => {
    const y = top + height * (1 - (tick - trace.zmin) / (trace.zmax - trace.zmin || 1));
    parts.push(textAt(words[i], left + thickness + 3, y, { anchor: "start", size: tickfont?.size, attributes: FAINT }));
  });
  return parts.join("");
}

/** Lines, dots and words; dots without opacity only say where a click counts. */
export function drawScatter(trace, x, y) {
  const parts = [];
  const mode = trace.mode ?? "lines";
  if (mode.includes("lines")) {
    const path = trace.x.map((value, i) => `${i ? "L" : "M"}${num(x.at(value))} ${num(y.at(trace.y[i]))}`).join("");
    parts.push(`<path d="${path}" fill="none" stroke-linejoin="round" ${stroke(trace.line)}/>`);
  }
  if (mode.includes("markers") && trace.marker?.opacity !== 0) {
    const colour = escape(trace.marker?.color ?? trace.line?.color ?? "currentColor");
    const radius = (trace.marker?.size ?? 6) / 2;
    trace.x.forEach((value, i) => parts.push(`<circle cx="${num(x.at(value))}" cy="${num(y.at(trace.y[i]))}" r="${radius}" fill="${colour}"/>`));
  }
  if (mode.includes("text")) {
    const size = trace.textfont?.size ?? SIZE;
    // All of them or none: where the widest runs into the next cell, colours and hover boxes are left to say it.
    const widest = Math.max(0, ...trace.text.map((word) => longest(word))) * size * DIGIT;
    const room = Math.abs(y.at(1) - y.at(0)) >= size - 1 && Math.abs(x.at(1) - x.at(0)) >= widest;
    if (room) trace.text.forEach((word, i) => word && parts.push(textAt(word, x.at(trace.x[i]), y.at(trace.y[i]), { size, attributes: 'fill="currentColor"' })));
  }
  return parts.join("");
}

/** Pixels of a place given in axis units or as a share of the plot ("paper"). */
function placer(axes, box) {
  return {
    x: (value, ref = "x") => (ref === "paper" ? box.left + value * box.width : axes[ref].at(value)),
    y: (value, ref = "y") => (ref === "paper" ? box.top + (1 - value) * box.height : axes[ref].at(value)),
  };
}

/** Frames and lines. */
export function drawShape(shape, axes, box) {
  const to = placer(axes, box);
  const [x0, x1] = [to.x(shape.x0, shape.xref), to.x(shape.x1, shape.xref)];
  const [y0, y1] = [to.y(shape.y0, shape.yref), to.y(shape.y1, shape.yref)];
  if (shape.type === "line") return `<line x1="${num(x0)}" x2="${num(x1)}" y1="${num(y0)}" y2="${num(y1)}" ${stroke(shape.line)}/>`;
  return rect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0), `fill="none" ${stroke(shape.line)}`);
}

/** Words at a place; with a hover text of their own. */
export function drawAnnotation(note, axes, box) {
  const to = placer(axes, box);
  const at = [to.x(note.x, note.xref) + (note.xshift ?? 0), to.y(note.y, note.yref) - (note.yshift ?? 0)];
  const words = textAt(note.text, ...at, { anchor: "start", base: note.yanchor, attributes: 'fill="currentColor" fill-opacity="0.8"' });
  if (!note.hovertext) return words;
  const title = parse(note.hovertext).map((line) => line.map((run) => run.text).join("")).join("\n");
  return words.replace(">", `><title>${escape(title)}</title>`);
}
