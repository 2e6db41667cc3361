// What every chart brings: it finds the class that draws, and hands it each new figure.

import { shelf } from "./shelf.js";

const reader = new TextDecoder();

export default async function ({ data, parentElement, setTriggerValue }) {
  const Chart = await shelf.chart;
  parentElement.icl ??= new Chart(parentElement);
  parentElement.icl.update(JSON.parse(reader.decode(data)), setTriggerValue);
  return () => {
    parentElement.icl?.close();
    delete parentElement.icl;
  };
}
