// Text: the little markup that figures use (<b>, <br>, <span style='font-size:…'>), numbers, and how wide words are.

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const TAG = /<(\/?)(b|br|span|extra)\b([^>]*)>/g;
export const SIZE = 12;

/** Plain text of a stretch between tags. */
const decode = (text) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => ENTITIES[name]);

/** Text that is safe inside SVG, in content and in attributes. */
export const escape = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);

/** Markup as lines of runs {text, bold, size}. What is no tag of ours is text, whatever it looks like. */
export function parse(markup, size = SIZE) {
  const lines = [[]];
  const open = [];
  let bold = 0;
  let place = 0;
  const add = (piece) => {
    if (piece) lines.at(-1).push({ text: decode(piece), bold: bold > 0, size: open.at(-1) ?? size });
  };
  const source = String(markup ?? "");
  for (const tag of source.matchAll(TAG)) {
    add(source.slice(place, tag.index));
    place = tag.index + tag[0].length;
    const closing = tag[1] === "/";
    if (tag[2] === "b") bold += closing ? -1 : 1;
    else if (tag[2] === "br") lines.push([]);
    else if (tag[2] === "span" && closing) open.pop();
    else if (tag[2] === "span") open.push(Number(/font-size:\s*(\d+)px/.exec(tag[3])?.[1] ?? size));
  }
  add(source.slice(place));
  return lines;
}

let pen = null; // made when first needed, so that a test may bring its own
const known = new Map();

/** Width in pixels of a line of runs. */
export function widthOf(line, family) {
  let sum = 0;
  for (const run of line) {
    const key = `${run.bold ? 600 : 400} ${run.size}px ${family}|${run.text}`;
    if (!known.has(key)) {
      if (known.size > 5000) known.clear();
      pen ??= document.createElement("canvas").getContext("2d");
      pen.font = key.slice(0, key.indexOf("|"));
      known.set(key, pen.measureText(run.text).width);
    }
    sum += known.get(key);
  }
  return sum;
}

/** An SVG text of one or more lines whose block stands at (x, y) as `anchor` (start, middle, end) and `base` say. */
export function textAt(markup, x, y, { anchor = "middle", base = "middle", size = SIZE, attributes = "", angle = 0 } = {}) {
  const lines = parse(markup, size);
  const height = 1.3 * size;
  const first = y + { top: 0.85 * size, middle: 0.36 * size - ((lines.length - 1) * height) / 2, bottom: -0.2 * size }[base];
  const turn = angle ? ` transform="rotate(${angle} ${num(x)} ${num(y)})"` : "";
  const spans = lines.map((line, i) => {
    const inner = line.map(
      (run) =>
        `<tspan${run.bold ? ' font-weight="600"' : ""}${run.size === SIZE ? "" : ` font-size="${run.size}"`}>${escape(run.text)}</tspan>`,
    );
    return `<tspan x="${num(x)}" y="${num(first + i * height)}">${inner.join("")}</tspan>`;
  });
  return `<text text-anchor="${anchor}"${turn} ${attributes}>${spans.join("")}</text>`;
}

export const num = (value) => (Math.round(value * 100) / 100).toString();

/** A number by the formats that figures use: .4f, .4g, or as it is. */
export function format(value, how) {
  if (typeof value !== "number") return String(value ?? "");
  const digits = Number(how?.match(/\d+/)?.[0] ?? 6);
  if (how?.endsWith("f")) return value.toFixed(digits);
  return String(Number(value.toPrecision(digits)));
}

/** A hover template filled in: %{name}, %{name[0]:.4f}. Values are markup already; numbers are formatted. */
export function fill(template, values) {
  return template
    .replace(/<extra>.*?<\/extra>/g, "")
    .replace(/%\{(\w+)(?:\[(\d+)\])?(?::([^}]*))?\}/g, (_, name, index, how) => {
      const value = index === undefined ? values[name] : values[name]?.[Number(index)];
      return format(value, how);
    });
}
