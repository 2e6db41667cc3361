// What is pasted into a table arrives cell by cell as it was copied.

// Streamlit's table asks the clipboard and cuts the text up by itself: it drops an empty cell at the very end, so that
// what stood there stays, and counts a sign of two units as one, so that all behind an emoji is cut in the wrong place.
// Cells of HTML it takes as they stand. So its question is answered from here, by such cells; from the event that brings
// the paste, which needs no leave of the browser and is there where a page is not served over https.
const QUOTED = /"((?:[^"]|"")*)"(?=[\t\n]|$)/y;
const SIGN = /[\t\n]|$/g;

/** Rows of cells of a text as spreadsheets write it: tabs, line breaks, and quotes around cells that hold either. */
export function cells(text) {
  const whole = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const rows = [[]];
  for (let place = 0; ; place += 1) {
    QUOTED.lastIndex = SIGN.lastIndex = place;
    const quoted = QUOTED.exec(whole);
    const end = quoted ? QUOTED.lastIndex : SIGN.exec(whole).index;
    rows.at(-1).push(quoted ? quoted[1].replaceAll('""', '"') : whole.slice(place, end));
    if (end >= whole.length) return rows;
    if (whole[end] === "\n") rows.push([]);
    place = end;
  }
}

const SIGNS = { "&": "&amp;", "<": "&lt;", "\n": "<br>" };
const html = (cell) => `<td>${cell.replace(/[&<\n]/g, (sign) => SIGNS[sign])}</td>`;

/** The same as a table of HTML. */
export const table = (text) => `<table>${cells(text).map((row) => `<tr>${row.map(html).join("")}</tr>`).join("")}</table>`;

/** What `navigator.clipboard.read` gives while a text is being pasted; at any other time what it gave before. */
function answer(clipboard) {
  const text = window.event?.type === "paste" ? window.event.clipboardData?.getData("text/plain") : "";
  if (!text) return Object.getPrototypeOf(clipboard).read?.call(clipboard) ?? Promise.resolve([]);
  return Promise.resolve([{ types: ["text/html"], getType: () => Promise.resolve(new Blob([table(text)])) }]);
}

export default function () {
  const { navigator } = window;
  if (!navigator.clipboard) Object.defineProperty(navigator, "clipboard", { value: {}, configurable: true });
  const { clipboard } = navigator;
  Object.defineProperty(clipboard, "read", { value: () => answer(clipboard), configurable: true });
}
