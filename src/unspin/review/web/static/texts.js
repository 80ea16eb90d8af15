// The list of texts: find one, walk through it with j and k.

import { counted } from "./shown.js";
import { setting, themes } from "./settings.js";

const cards = [...document.querySelectorAll(".card")];
const find = document.querySelector("#find");
const unfinished = document.querySelector("#unfinished");

function narrow() {
  const words = find.value.toLowerCase();
  let left = 0;
  for (const card of cards) {
    const name = card.querySelector("h2")?.textContent.toLowerCase() ?? "";
    card.hidden = !name.includes(words) || (unfinished.checked && card.dataset.left === "0");
    left += card.hidden ? 0 : 1;
  }
  document.querySelector("#found").textContent = words || unfinished.checked ? counted(left, "text") : "";
}

function walk(step) {
  const links = cards.filter((card) => !card.hidden).map((card) => card.querySelector("h2 a")).filter(Boolean);
  const place = links.indexOf(document.activeElement);
  links[Math.min(Math.max(place + step, 0), links.length - 1)]?.focus();
}

themes();
find?.addEventListener("input", narrow);
unfinished?.addEventListener("change", narrow);
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input[type=search]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || setting("keys") === "off") return;
  if (event.key === "j") walk(1);
  if (event.key === "k") walk(-1);
  if (event.key === "/" && find) {
    event.preventDefault();
    find.focus();
  }
});
