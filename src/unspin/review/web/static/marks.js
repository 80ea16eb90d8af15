// The marks in the article: how they look, which one is before the reader, which one comes next.

import { plain, shown } from "./shown.js";

const OPEN = new Set(["proposed", "held"]);
const sorts = {
  position: () => 0,
  risk: (a, b) => b.dataset.risk - a.dataset.risk,
  entry: (a, b) => a.dataset.entry - b.dataset.entry || b.dataset.risk - a.dataset.risk,
};

export const all = [...document.querySelectorAll("#article .mark")];
const byId = new Map(all.map((mark) => [Number(mark.dataset.id), mark]));
let line = all.filter((mark) => mark.dataset.aside === undefined);
export const total = line.length;
const counted = new Set(line);
let decided = line.filter((mark) => !isOpen(mark)).length;
export let current = null;

export const mark = (id) => byId.get(id);
export const id = (mark) => Number(mark.dataset.id);
export const done = () => decided;
export const place = (mark) => line.indexOf(mark) + 1;

export function isOpen(mark) {
  return OPEN.has(mark.dataset.state);
}

export function order(name) {
  line = all.filter((mark) => counted.has(mark));
  line.sort(sorts[name]); // stable: equals stay as they are read
}

// The next mark, or the one before; `open`: the next undecided one, from the start again after the end.
export function next(from, { step = 1, open = false } = {}) {
  const start = line.indexOf(from);
  if (!open) return line[start + step] ?? null;
  for (let i = 1; i <= line.length; i++) {
    const found = line[(start + i + line.length) % line.length];
    if (isOpen(found)) return found;
  }
  return null;
}

export function find(words, from) {
  const needle = words.trim().toLowerCase();
  if (!needle) return null;
  const after = line.indexOf(from) + 1;
  const round = [...line.slice(after), ...line.slice(0, after)];
  const holds = (element) => element.textContent.toLowerCase().includes(needle);
  return round.find(holds) ?? round.find((mark) => holds(mark.closest("[data-number]"))) ?? null; // or its paragraph
}

export function turnTo(mark, { focus = true, scroll = true } = {}) {
  current?.removeAttribute("aria-current");
  current = mark;
  if (!mark) return;
  mark.setAttribute("aria-current", "true");
  if (focus) mark.focus({ preventScroll: true });
  if (scroll) bringIn(mark);
}

function bringIn(mark) {
  const { top, bottom } = mark.getBoundingClientRect();
  const low = document.querySelector("#panel").getBoundingClientRect();
  const floor = low.top > innerHeight * 0.4 ? low.top : innerHeight; // a panel below the text hides what is there
  if (top > innerHeight * 0.15 && bottom < floor * 0.75) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches || Math.abs(top) > 2 * innerHeight;
  scrollBy({ top: top - floor * 0.4, behavior: calm ? "instant" : "smooth" });
}

// Show marks as the ledger has them now. Which of them changed?
export function patch(told) {
  const changed = [];
  for (const one of told) {
    const mark = byId.get(one.id);
    if (mark && differs(mark, one)) {
      if (counted.has(mark)) decided += isOpen(mark) - OPEN.has(one.state);
      if (mark.dataset.state !== one.state) changed.push(mark);
      redraw(mark, one);
    }
  }
  return changed;
}

function differs(mark, one) {
  const lead = document.getElementById(`l${one.id}`);
  return (
    mark.dataset.state !== one.state ||
    mark.ariaLabel !== one.label ||
    Boolean(lead && one.lead && lead.querySelector("ins").textContent !== one.lead.after.join(""))
  );
}

function redraw(mark, one) {
  const made = one.made ? "yes" : "no";
  mark.dataset.state = one.state;
  mark.dataset.made = made;
  mark.ariaLabel = one.label;
  mark.querySelector("ins")?.replaceChildren(...shown(one.after));
  const repeat = mark.closest(".repeat");
  if (repeat) {
    repeat.dataset.made = made;
    repeat.querySelector(".fate").textContent = one.made ? "Removed" : "Kept";
  }
  const lead = document.getElementById(`l${one.id}`);
  if (lead && one.lead) {
    lead.dataset.made = plain(one.lead.before) === plain(one.lead.after) ? "no" : "yes";
    lead.querySelector("ins").replaceChildren(...shown(one.lead.after));
  }
}
