// Widgets that were replaced and are still in the page: which parts they stand in goes to the server.

// Streamlit keeps a replaced widget, unseen unless it has the focus, until it hears that a run of its part came to its
// end. That word is lost where the next run follows at once, and nobody but the browser knows.
const PART = /^st-key-(?:body|dimmed|over_(?:foot|view|all))_(.+)$/;
const SOON = 100; // milliseconds of rest before the server is told; twice as long each further time

/** Keys of the parts that hold a replaced widget. */
export function partsLeft() {
  const names = [...document.querySelectorAll("[data-retained]")].map((widget) => {
    for (let place = widget.parentElement; place; place = place.parentElement) {
      const name = [...place.classList].map((one) => PART.exec(one)?.[1]).find(Boolean);
      if (name) return name;
    }
    return ""; // in what is drawn over the page: gone when that is closed
  });
  return [...new Set(names)].filter(Boolean);
}

export class Leftovers {
  constructor(app) {
    this.app = app;
    this.wait = SOON;
    this.watcher = new MutationObserver(() => this.look());
    this.watcher.observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
  }

  /** Where to send what is found. */
  update(send) {
    this.send = send;
    this.look();
  }

  /** A run began or ended. */
  look() {
    clearTimeout(this.timer);
    if (this.app.dataset.testScriptState !== "notRunning") return;
    if (partsLeft().length > 0) this.timer = setTimeout(() => this.tell(), this.wait);
    else this.wait = SOON;
  }

  tell() {
    const parts = partsLeft();
    if (parts.length === 0) return;
    this.wait *= 2;
    this.send("left", parts);
  }

  close() {
    clearTimeout(this.timer);
    this.watcher.disconnect();
  }
}

export default function ({ parentElement, setTriggerValue }) {
  parentElement.icl ??= new Leftovers(document.querySelector("[data-testid=stApp]"));
  parentElement.icl.update(setTriggerValue);
  return () => {
    parentElement.icl?.close();
    delete parentElement.icl;
  };
}
