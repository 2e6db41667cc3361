// Where the class that draws is found by every chart of the page: sent once, not with each of them.
export const shelf = (globalThis["iclens VERSION"] ??= (() => {
  let give;
  const chart = new Promise((found) => (give = found));
  return { chart, give };
})());
