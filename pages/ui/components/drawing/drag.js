// Bars that are dragged: one a task, its length a probability on a logarithmic scale; the others give way as it grows.
export const LOW = 1e-4; // where the scale begins; left of it a task is ruled out
const HIGH = 0.999;
const EVERY = 120; // milliseconds between messages while a bar is dragged
export const place = (p) => (p <= LOW ? 0 : Math.log(Math.min(p, 1) / LOW) / Math.log(1 / LOW));
export const said = (p) => (p === 0 ? "0" : p >= 0.0995 ? p.toFixed(2).replace(/^0/, "") : p >= 0.001 ? p.toFixed(3).replace(/^0/, "") : p.toExponential(0));
export const times = (row) => {
  if (row.weight === 0) return "";
  const factor = row.weight / row.own;
  return Math.abs(factor - 1) < 0.005 ? "" : `× ${factor >= 100 || factor < 0.01 ? factor.toExponential(0).replace("e+", "e") : Number(factor.toPrecision(2))}`;
};

export class Bars {
  constructor(parent) {
    this.root = parent.appendChild(Object.assign(document.createElement("div"), { className: "icl-drag" }));
    this.root.addEventListener("pointerdown", (event) => this.grasp(event));
    this.root.addEventListener("pointermove", (event) => this.held && this.pull(event));
    this.let = () => this.release(); // wherever the pointer is by then
    for (const name of ["pointerup", "pointercancel"]) addEventListener(name, this.let);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("dblclick", (event) => this.own(this.at(event)));
  }

  /** Take over what the server says, unless a bar is in somebody's hand. */
  update(data, send) {
    this.send = send;
    if (this.held) return;
    this.rows = data.rows.map((row) => ({ ...row }));
    this.rest = data.rest; // weight of the tasks without a bar
    this.root.setAttribute("aria-label", data.alt);
    const names = this.rows.map((row) => row.task).join("\n");
    if (names !== this.names) this.build((this.names = names));
    this.draw();
  }

  build() {
    this.root.replaceChildren(
      ...this.rows.map((row, i) => {
        const line = Object.assign(document.createElement("div"), { className: "icl-line", tabIndex: 0, role: "slider" });
        line.dataset.row = i;
        line.innerHTML = `<span class="icl-name"></span><span class="icl-track"><i class="icl-bar"></i><i class="icl-own"></i></span><span class="icl-said"></span><span class="icl-times"></span>`;
        line.querySelector(".icl-name").textContent = line.querySelector(".icl-name").title = row.task;
        line.ariaLabel = `Prior of ${row.task}`;
        [line.ariaValueMin, line.ariaValueMax] = ["0", "1"];
        return line;
      }),
    );
  }

  total() {
    return this.rest + this.rows.reduce((sum, row) => sum + row.weight, 0);
  }

  draw() {
    const total = this.total();
    this.rows.forEach((row, i) => {
      const line = this.root.children[i];
      const p = row.weight / total;
      line.querySelector(".icl-bar").style.cssText = `width:${100 * place(p)}%;background:${row.colour}`;
      line.querySelector(".icl-own").style.left = `${100 * place(row.own)}%`;
      line.querySelector(".icl-said").textContent = said(p);
      line.querySelector(".icl-times").textContent = times(row);
      line.ariaValueNow = String(p);
      line.ariaValueText = p === 0 ? "ruled out" : `${said(p)} ${times(row)}`;
    });
  }

  at(event) {
    const line = event.target.closest(".icl-line");
    return line ? Number(line.dataset.row) : -1;
  }

  grasp(event) {
    const i = this.at(event);
    if (i < 0 || event.button) return;
    this.held = { i, x: event.clientX, moved: false };
    this.root.children[i].focus();
    event.preventDefault();
  }

  pull(event) {
    if (!this.held.moved && Math.abs(event.clientX - this.held.x) < 3) return; // a click is no drag
    // Not before: what is captured belongs to all bars, and a double click must find its own.
    if (!this.held.moved) this.root.setPointerCapture(event.pointerId);
    this.held.moved = true;
    const row = this.rows[this.held.i];
    const track = this.root.children[this.held.i].querySelector(".icl-track").getBoundingClientRect();
    const share = Math.min(1, (event.clientX - track.left) / track.width);
    const others = this.total() - row.weight;
    const p = Math.min(HIGH, LOW ** (1 - share));
    // p is to be this task's share: the others keep theirs among themselves.
    if (share <= 0.005) row.weight = 0;
    else if (others > 0) row.weight = (p / (1 - p)) * others;
    this.draw();
    this.tell(this.held.i, EVERY);
  }

  release() {
    const held = this.held;
    this.held = null;
    if (held?.moved) this.tell(held.i, 0);
  }

  key(event) {
    const i = this.at(event);
    const factor = { ArrowRight: 1.25, ArrowUp: 1.25, ArrowLeft: 0.8, ArrowDown: 0.8, PageUp: 10, PageDown: 0.1 }[event.key];
    if (i < 0 || (!factor && !["Home", "Delete", "Backspace"].includes(event.key))) return;
    event.preventDefault();
    if (!factor && event.key !== "Home") return this.own(i);
    const row = this.rows[i];
    const from = row.weight || (factor > 1 ? LOW * this.total() : 0);
    row.weight = event.key === "Home" ? 0 : Math.min(from * factor, (HIGH / (1 - HIGH)) * Math.max(this.total() - row.weight, LOW));
    this.draw();
    this.tell(i, EVERY);
  }

  /** Back to what the mixture has. */
  own(i) {
    if (i < 0) return;
    this.rows[i].weight = this.rows[i].own;
    this.draw();
    this.tell(i, 0);
  }

  close() {
    clearTimeout(this.timer);
    for (const name of ["pointerup", "pointercancel"]) removeEventListener(name, this.let);
    this.root.remove();
  }

  /** Send a weight, at most once every so often, the last one always. */
  tell(i, wait) {
    clearTimeout(this.timer);
    const now = performance.now();
    const left = Math.max(0, (this.told ?? 0) + wait - now);
    const go = () => {
      this.told = performance.now();
      this.send("moved", [this.rows[i].task, this.rows[i].weight]);
    };
    if (left) this.timer = setTimeout(go, left);
    else go();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.icl ??= new Bars(parentElement);
  parentElement.icl.update(data, setTriggerValue);
  return () => {
    parentElement.icl?.close();
    delete parentElement.icl;
  };
}
