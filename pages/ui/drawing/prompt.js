// The prompt as text in colours; a click on a demonstration marks it. What is selected to be copied is no click.
export default function ({ data, parentElement, setTriggerValue }) {
  const box = (parentElement.icl ??= parentElement.appendChild(document.createElement("div")));
  if (box.shown !== data.html) {
    const scrolled = box.querySelector(".icl-prompt")?.scrollTop ?? 0;
    box.innerHTML = box.shown = data.html; // its texts were escaped where it was written
    box.querySelector(".icl-prompt").scrollTop = scrolled;
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
