// The prompt as text in colours; a click on a demonstration marks it. What is selected to be copied is no click.
export default function ({ data, parentElement, setTriggerValue }) {
  const box = (parentElement.icl ??= begin(parentElement));
  if (box.shown !== data.html) {
    box.innerHTML = box.shown = data.html; // its texts were escaped where it was written
    if (box.scrolled) box.querySelector(".icl-prompt").scrollTop = box.scrolled;
  }
  box.onclick = (event) => {
    const demonstration = event.target.closest("[data-n]");
    if (demonstration && getSelection().isCollapsed) setTriggerValue("clicked", Number(demonstration.dataset.n));
  };
  return () => {
    box.remove();
    delete parentElement.icl;
  };
}

/** An empty box that knows how far it is scrolled: asking for that at every edit would have the page laid out first. */
function begin(parent) {
  const box = parent.appendChild(document.createElement("div"));
  box.addEventListener("scroll", (event) => (box.scrolled = event.target.scrollTop), true);
  return box;
}
