// What Streamlit's own plotly chart takes from the page's theme: fonts, greys, and the ink of letters over cells.

const INK = "#000037"; // what core.figures writes for the colour of letters
const GREYS = {
  light: { words: "#808495", ink: "#262730", line: "#e6eaf1" },
  dark: { words: "#e6eaf1", ink: "#fafafa", line: "#31333f" },
};

/** The page's theme, as seen from an element of it. */
export function themeAt(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const page = read("background-color") || "#ffffff";
  return {
    ...GREYS[isDark(page) ? "dark" : "light"],
    page,
    heading: read("heading-color") || read("text-color"),
    border: read("border-color"),
    family: read("font") || "sans-serif",
    rem: parseFloat(getComputedStyle(document.documentElement).fontSize) || 16,
  };
}

/** Whether a colour, "#rrggbb", is nearer to black than to white. */
export function isDark(colour) {
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
}

/** A figure's JSON with the ink of this theme. */
export const inked = (text, theme) => text.replaceAll(INK, theme.ink);

/** What a figure leaves open, as plotly's template. */
export function templateOf({ words, line, ink, page, heading, border, family, rem }) {
  const small = { color: words, size: 0.75 * rem };
  const medium = { color: words, size: 0.875 * rem };
  const axis = { zerolinecolor: line, gridcolor: line, tickcolor: line, minor: { gridcolor: line }, tickfont: small, automargin: true };
  return {
    data: { scatter: [{ type: "scatter", marker: { line: { width: 0 } } }] },
    layout: {
      font: { ...small, family, weight: 400 },
      title: { font: { family, size: rem, color: heading }, pad: { l: 0.25 * rem }, xanchor: "left", x: 0 },
      legend: { title: { font: small, side: "top" }, valign: "top", borderwidth: 0, font: { size: 0.75 * rem, color: ink } },
      paper_bgcolor: page,
      plot_bgcolor: page,
      xaxis: { ...axis, showgrid: false, zeroline: false, title: { font: medium, standoff: 1.25 * rem } },
      yaxis: { ...axis, ticklabelposition: "outside", title: { font: medium, standoff: 1.5 * rem } },
      margin: { pad: 0.5 * rem, r: 0, l: 0 },
      hoverlabel: { bgcolor: page, bordercolor: border, font: { ...small, family } },
    },
  };
}
