// What a saved picture needs that the page says beside it: a title, and a key to the colours.

const LINE = 19; // pixels of a line of the title
const RAISED = 10; // pixels by which plotly sets a title of several lines too high: their first was cut off at the top
const KEY = 30; // pixels of the key below
const LETTER = 7.2; // pixels that a letter takes, on average

const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A sentence in lines that fit into a width. */
export function wrapped(text, width) {
  const room = Math.max(20, Math.floor((width - 16) / LETTER));
  const lines = [""];
  for (const word of String(text).split(/\s+/)) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (longer.length <= room || !lines.at(-1)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Name and colour of what is drawn, each name once; none where there is only one thing. */
export function entries(data) {
  const found = new Map();
  for (const { name, line, marker, visible, hoverinfo } of data) {
    const colour = [marker?.color, line?.color].find((one) => typeof one === "string");
    if (name && visible !== false && !(hoverinfo === "none") && !found.has(name)) found.set(name, colour);
  }
  return found.size > 1 ? [...found].map(([name, colour]) => ({ name, colour })) : [];
}

/** Data and layout of a figure with its title above and its key below, and how high that is. */
export function titled(data, layout, alt, { width, height }) {
  const lines = wrapped(alt, width);
  const above = LINE * lines.length + 8;
  const named = entries(data);
  const key = named.length > 0 && !layout.showlegend;
  const below = key ? KEY : 0;
  const { t = 8, b = 8, ...sides } = layout.margin ?? {};
  const names = new Set(named.map(({ name }) => name));
  const shown = (trace, i) => ({ ...trace, showlegend: names.has(trace.name) && data.findIndex(({ name }) => name === trace.name) === i });
  const title = { text: lines.map(plain).join("<br>"), x: 0, y: 1, xref: "container", yref: "container", xanchor: "left", yanchor: "top", pad: { l: 8, t: lines.length > 1 ? 8 + RAISED : 8 }, font: { size: 14 } };
  const legend = { orientation: "h", x: 0, y: 0, yref: "container", xanchor: "left", yanchor: "bottom" };
  return {
    data: key ? data.map(shown) : data,
    layout: { ...layout, title, width, height: height + above + below, margin: { ...sides, t: t + above, b: b + below }, ...(key && { showlegend: true, legend }) },
    height: height + above + below,
  };
}

/** The same around a picture of our own, an SVG element of that size; how high it then is. */
export function framed(picture, { data, layout, alt }, { width, height }) {
  const lines = wrapped(alt, width);
  const above = LINE * lines.length + 8;
  const named = layout.showlegend ? [] : entries(data);
  let x = 8;
  const keys = named.map(({ name, colour }) => {
    const at = x;
    x += 34 + LETTER * name.length;
    const y = above + height + KEY / 2;
    return `<rect x="${at}" y="${y - 6}" width="12" height="12" fill="${colour ?? "currentColor"}"/><text x="${at + 18}" y="${y + 4}" fill="currentColor">${name}</text>`;
  });
  const title = lines.map((line, i) => `<text x="8" y="${8 + LINE * (i + 0.7)}" fill="currentColor" font-weight="600">${plain(line)}</text>`);
  picture.innerHTML = `<g transform="translate(0 ${above})">${picture.innerHTML}</g>${title.join("")}${keys.join("")}`;
  const high = height + above + (named.length ? KEY : 0);
  picture.setAttribute("viewBox", `0 0 ${width} ${high}`);
  for (const [name, value] of Object.entries({ width, height: high })) picture.setAttribute(name, value);
  return high;
}
