// What a chart of plotly's brings: it keeps its place on the page, and hands it each new figure.

import { library } from "./library.js";
import { Plot } from "./plot.js";

const decoder = new TextDecoder();

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.iclPlot ??= new Plot(parentElement, library("PLOTLY"));
  parentElement.iclPlot.update(decoder.decode(data), setTriggerValue);
  return () => {
    parentElement.iclPlot?.close();
    delete parentElement.iclPlot;
  };
}
