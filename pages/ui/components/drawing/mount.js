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
