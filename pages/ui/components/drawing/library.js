// plotly, from the script inside the plotly package: fetched once a visit, when the first chart asks for it.

const NAME = "iclens plotly";

/** The promise of plotly; `path` is where the server keeps it, counted from the root of the app. */
export function library(path) {
  globalThis[NAME] ??= new Promise((found, failed) => {
    const script = document.createElement("script");
    script.src = new URL(path, rootOf(document));
    script.onload = () => found(globalThis.Plotly);
    script.onerror = () => {
      delete globalThis[NAME]; // the next chart asks again
      failed(new Error(`${script.src} did not come`));
    };
    document.head.append(script);
  });
  return globalThis[NAME];
}

/** Where the app begins: its own script lies in `static/js` below it, and a page's address may lie deeper. */
export function rootOf(page) {
  const own = page.querySelector("script[src*='static/js/']");
  return own ? own.src.replace(/static\/js\/.*$/, "") : page.baseURI;
}
